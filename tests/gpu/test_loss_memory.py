"""The memory that the loss takes on a GPU, at the vocabulary of NLLB-200."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nmt.training.loss import sum_cross_entropy

TOKENS, WIDTH, VOCABULARY = 4096, 1024, 256_206
SMOOTHING = 0.1
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def full_loss(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    logits = hidden[0] @ head.T
    return cross_entropy(logits, labels[0], label_smoothing=SMOOTHING, reduction="sum")


def chunked_loss(hidden: Tensor, head: Tensor, labels: Tensor) -> Tensor:
    return sum_cross_entropy(hidden, head, labels, SMOOTHING)


def measure(loss_of: Loss) -> tuple[float, int]:
    """Return the loss, and the peak of bytes beyond the inputs."""
    torch.manual_seed(0)
    hidden = torch.randn(1, TOKENS, WIDTH, device="cuda", requires_grad=True)
    head = torch.randn(VOCABULARY, WIDTH, device="cuda") * 0.02  # frozen, as below an adapter
    labels = torch.randint(VOCABULARY, (1, TOKENS), device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    loss = loss_of(hidden, head, labels)
    loss.backward()
    return loss.item(), torch.cuda.max_memory_allocated() - before


def test_the_chunked_loss_takes_a_fraction_of_the_memory_for_the_same_value() -> None:
    # Logits, their logarithms and their gradients are there at once, next to the head and the rest.
    needed = 4 * TOKENS * VOCABULARY * 4
    if torch.cuda.mem_get_info()[0] < needed:
        pytest.skip(f"the full loss needs {needed / 2**30:.0f} GiB of free GPU memory")
    expected, full_bytes = measure(full_loss)
    found, chunked_bytes = measure(chunked_loss)
    print(f"peak of the loss: {chunked_bytes / 2**20:.0f} MiB, full: {full_bytes / 2**20:.0f} MiB")
    assert found == pytest.approx(expected, rel=1e-3)
    assert chunked_bytes < full_bytes / 4
