import weakref
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from nmt.training import loss as loss_module
from nmt.training.loss import sum_cross_entropy


@pytest.fixture(autouse=True)
def _many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "rows_at_once", lambda vocabulary: 3)


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    hidden = torch.randn(2, 5, 8, dtype=torch.float64, requires_grad=True)
    head = torch.randn(11, 8, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 11, (2, 5))
    labels[0, 3:] = -100
    return hidden, head, labels


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_equals_the_plain_cross_entropy(smoothing: float) -> None:
    hidden, head, labels = example()
    expected = cross_entropy(
        (hidden @ head.T).flatten(0, 1),
        labels.flatten(),
        reduction="sum",
        label_smoothing=smoothing,
    )
    ours = sum_cross_entropy(hidden, head, labels, smoothing)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients_equal_those_of_the_plain_cross_entropy(smoothing: float) -> None:
    hidden, head, labels = example()
    (sum_cross_entropy(hidden, head, labels, smoothing) / 7).backward()
    ours = hidden.grad, head.grad
    hidden.grad = head.grad = None
    plain = cross_entropy(
        (hidden @ head.T).flatten(0, 1),
        labels.flatten(),
        reduction="sum",
        label_smoothing=smoothing,
    )
    (plain / 7).backward()
    assert ours[0] is not None
    assert ours[1] is not None
    torch.testing.assert_close(ours[0], hidden.grad, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ours[1], head.grad, rtol=1e-4, atol=1e-6)


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden, head, labels = example()
    head.requires_grad_(False)
    sum_cross_entropy(hidden, head, labels, 0.1).backward()
    assert head.grad is None
    assert hidden.grad is not None


def test_padding_gets_no_gradient() -> None:
    hidden, head, labels = example()
    sum_cross_entropy(hidden, head, labels, 0.1).backward()
    assert hidden.grad is not None
    assert float(hidden.grad[0, 3:].abs().sum()) == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_bias_of_the_head_is_added_and_learnt(smoothing: float) -> None:
    hidden, head, labels = example()
    bias = torch.randn(11, dtype=torch.float64, requires_grad=True)
    trained = hidden, head, bias
    logits = (hidden @ head.T + bias).flatten(0, 1)
    plain = cross_entropy(logits, labels.flatten(), reduction="sum", label_smoothing=smoothing)
    expected = torch.autograd.grad(plain, trained)
    ours = sum_cross_entropy(hidden, head, labels, smoothing, bias)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5)
    for found, wanted in zip(torch.autograd.grad(ours, trained), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_gradient_of_an_fp32_head_is_summed_in_fp32_below_bf16_states() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(64, 50, 8).bfloat16().requires_grad_()
    head = torch.randn(11, 8, requires_grad=True)
    labels = torch.randint(0, 11, (64, 50))
    plain = cross_entropy(
        (hidden.detach().float() @ head.T).flatten(0, 1), labels.flatten(), reduction="sum"
    )
    (expected,) = torch.autograd.grad(plain, head)
    sum_cross_entropy(hidden, head, labels, 0.0).backward()
    assert head.grad is not None
    assert hidden.grad is not None
    assert (head.grad.dtype, hidden.grad.dtype) == (torch.float32, torch.bfloat16)
    torch.testing.assert_close(head.grad, expected, rtol=1e-4, atol=1e-3)


class LiveMatrices(TorchDispatchMode):
    """How many tensors of one size in bytes live at once, at most."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.most = 0
        self.live: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_iter(result):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage().nbytes() == self.size:
                self._watch(tensor.untyped_storage())
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        address = storage._cdata
        if address not in self.live:
            self.live.add(address)
            weakref.finalize(storage, self.live.discard, address)
        self.most = max(self.most, len(self.live))


def test_a_trained_head_costs_one_matrix_more_and_that_is_its_gradient() -> None:
    hidden = torch.randn(4, 5, 8, requires_grad=True)
    head = torch.randn(101, 8, requires_grad=True)
    labels = torch.randint(0, 101, (4, 5))
    with LiveMatrices(head.nbytes) as matrices:
        (sum_cross_entropy(hidden, head, labels, 0.1) / 7).backward()
    assert head.grad is not None
    # views of the head itself are the other one
    assert matrices.most == 2
