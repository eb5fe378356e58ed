"""Cross-entropy over a large vocabulary without keeping the logits."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nmt.models.families import family_of, unwrap

_LOGITS_BYTES = 256 * 1024**2
_ROWS_STEP = 64
_ALIGNED_LOGITS = 8
"""Rows of a multiple of so many logits begin at a multiple of 16 bytes."""


class LossModule(nn.Module):
    """A module that computes the summed loss of a micro-batch."""

    def __init__(
        self,
        model: nn.Module,
        smoothing: float,
        dtype: torch.dtype,
        *,
        recomputes: bool = False,
    ) -> None:
        """Wrap a model.

        Args:
            model: the model to train.
            smoothing: of the labels, 0 to 1.
            dtype: of the matrix products.
            recomputes: whether the backward pass recomputes the layers' activations; casts of the
                weights are then not cached, which saves their memory.
        """
        super().__init__()
        self.recomputes = recomputes
        self.model = model
        self.smoothing = smoothing
        self.dtype = dtype

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Sum the loss over the batch's target tokens."""
        family = family_of(unwrap(self.model).config)
        mixed = self.dtype != torch.float32
        with torch.autocast(
            batch["labels"].device.type,
            self.dtype,
            enabled=mixed,
            cache_enabled=not self.recomputes,
        ):
            hidden = family.hidden_states(self.model, batch)
        head, bias = family.head(self.model)
        # A head that is trained is in fp32, whose products take most of an update's time without
        # matrix units. TF32 keeps three bits more than bf16, in which the other layers compute.
        with tensor_cores(wanted=mixed):
            return sum_cross_entropy(hidden, head, batch["labels"], self.smoothing, bias)

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that `forward` uses outside of their own module."""
        head = unwrap(self.model).get_output_embeddings()
        return [] if head is None else list(head.parameters())


class ChunkedCrossEntropy(torch.autograd.Function):
    """The sum of label-smoothed cross-entropies, whose gradients are computed chunk by chunk.

    With smoothing e over V tokens, a position costs
    `log_norm - (1 - e) * gold_logit - e * mean(logits)`.

    Source: Szegedy et al. 2015, https://arxiv.org/abs/1512.00567 (section 7)
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's context
        hidden_ND: Tensor,
        head_VD: Tensor,
        gold_N: Tensor,
        smoothing: float,
        rows: int,
        bias_V: Tensor | None = None,
    ) -> Tensor:
        """Sum the loss over the positions, and keep all gradients for `backward`."""
        vocabulary = len(head_VD)
        grad_hidden = torch.empty_like(hidden_ND)
        grad_head = torch.zeros_like(head_VD) if ctx.needs_input_grad[1] else None
        grad_bias = None
        if bias_V is not None and ctx.needs_input_grad[5]:
            grad_bias = torch.zeros_like(bias_V)
        total = hidden_ND.new_zeros((), dtype=torch.float32)
        padded_NW = _padded(head_VD, min(rows, len(hidden_ND)))
        for at in range(0, len(hidden_ND), rows):
            chunk = slice(at, at + rows)
            hidden, gold = hidden_ND[chunk], gold_N[chunk, None]
            padded = padded_NW[: len(hidden)]
            logits = padded[:, :vocabulary]
            padded[:, vocabulary:] = -math.inf
            torch.mm(hidden, head_VD.T, out=logits)
            if bias_V is not None:
                logits += bias_V
            gold_logit = logits.gather(1, gold).float()
            mean = logits.mean(-1, keepdim=True, dtype=torch.float32) if smoothing else 0.0
            peak, best = padded.max(-1, keepdim=True)
            probabilities = _softmax(padded)
            # The most probable token's logit and probability tell the norm of them all.
            log_norm = peak.float() - probabilities.gather(1, best).log()
            total += (log_norm - (1 - smoothing) * gold_logit - smoothing * mean).sum()
            # The probabilities become the gradient, where the logits were.
            probabilities.scatter_add_(1, gold, probabilities.new_full(gold.shape, smoothing - 1))
            uniform = smoothing / vocabulary
            if grad_bias is not None:
                grad_bias += probabilities[:, :vocabulary].sum(0) - len(hidden) * uniform
            grad = torch.sub(probabilities, uniform, out=padded)[:, :vocabulary]
            del probabilities  # before the next chunk's are made
            torch.mm(grad, head_VD, out=grad_hidden[chunk])
            if grad_head is not None:
                grad_head.addmm_(grad.T, hidden)
        ctx.save_for_backward(grad_hidden, grad_head, grad_bias)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """Scale all gradients and return them."""
        # In place: the head's gradient is as large as the head.
        grad_hidden, grad_head, grad_bias = ctx.saved_tensors
        for grad in (grad_hidden, grad_head, grad_bias):
            if grad is not None:
                grad.mul_(upstream.to(grad.dtype))
        return grad_hidden, grad_head, None, None, None, grad_bias


def _padded(head_VD: Tensor, rows: int) -> Tensor:
    """Allocate the logits of a chunk, in rows that begin where a GPU can read them fast."""
    # With 256,206 tokens, as NLLB has, a GPU takes slower kernels for rows that are not padded.
    width = -(-len(head_VD) // _ALIGNED_LOGITS) * _ALIGNED_LOGITS
    return head_VD.new_empty(rows, width)


def _softmax(logits: Tensor) -> Tensor:
    """Compute probabilities of at least 32 bits, in place where the logits have as many."""
    precise = logits if logits.itemsize >= 4 else logits.float()
    return torch.softmax(precise, -1, out=precise)


@contextmanager
def tensor_cores(*, wanted: bool) -> Iterator[None]:
    """Let products of fp32 matrices round their inputs to TF32 on GPUs that have it, if wanted."""
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    if wanted:
        products.fp32_precision = "tf32"
    try:
        yield
    finally:
        products.fp32_precision = before


def rows_at_once(vocabulary: int) -> int:
    """Choose a chunk's number of positions: few bytes, but enough for a fast matrix product."""
    fit = _LOGITS_BYTES // (4 * vocabulary)
    return max(_ROWS_STEP, fit // _ROWS_STEP * _ROWS_STEP)


def sum_cross_entropy(
    hidden_BTD: Tensor,
    head_VD: Tensor,
    labels_BT: Tensor,
    smoothing: float,
    bias_V: Tensor | None = None,
) -> Tensor:
    """Sum the loss over the positions whose label is not -100; the head sees no padding.

    Args:
        hidden_BTD: decoder output, (batch, target_tokens, width).
        head_VD: output matrix, (vocabulary, width); its gradient is optional.
        labels_BT: (batch, target_tokens), -100 at positions without a loss.
        smoothing: probability mass spread over the vocabulary, 0-1.
        bias_V: added to the logits, (vocabulary,).
    """
    keep = labels_BT != -100
    return ChunkedCrossEntropy.apply(  # pyright: ignore[reportReturnType]
        # Casting the head instead would copy it in every micro-batch.
        hidden_BTD[keep].to(head_VD.dtype),
        head_VD,
        labels_BT[keep],
        smoothing,
        rows_at_once(len(head_VD)),
        bias_V,
    )
