"""Cross-entropy over a large vocabulary without keeping the logits."""

from typing import Any

import torch
from torch import Tensor, nn

from nmt.models.families import family_of, unwrap

_LOGITS_BYTES = 256 * 1024**2
_ROWS_STEP = 64


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
        grad_hidden = torch.empty_like(hidden_ND)
        grad_head = torch.zeros_like(head_VD) if ctx.needs_input_grad[1] else None
        grad_bias = None
        if bias_V is not None and ctx.needs_input_grad[5]:
            grad_bias = torch.zeros_like(bias_V)
        total = hidden_ND.new_zeros((), dtype=torch.float32)
        for at in range(0, len(hidden_ND), rows):
            chunk = slice(at, at + rows)
            hidden, gold = hidden_ND[chunk], gold_N[chunk, None]
            logits = (hidden @ head_VD.T).float()
            if bias_V is not None:
                logits += bias_V
            gold_logit = logits.gather(1, gold)
            mean = logits.mean(-1, keepdim=True) if smoothing else 0.0
            # In place: the logits become the probabilities, without a second matrix.
            peak = logits.amax(-1, keepdim=True)
            grad = logits.sub_(peak).exp_()
            norm = grad.sum(-1, keepdim=True)
            log_norm = peak + norm.log()
            total += (log_norm - (1 - smoothing) * gold_logit - smoothing * mean).sum()
            grad /= norm
            if smoothing:
                grad -= smoothing / head_VD.shape[0]
            grad.scatter_add_(1, gold, grad.new_full(gold.shape, smoothing - 1))
            if grad_bias is not None:
                grad_bias += grad.sum(0)
            grad = grad.to(hidden.dtype)
            torch.mm(grad, head_VD, out=grad_hidden[chunk])
            if grad_head is not None:
                grad_head.addmm_(grad.T, hidden)
            del logits, grad  # before the next chunk's are made
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
