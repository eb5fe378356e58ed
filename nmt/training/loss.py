"""Cross-entropy over a large vocabulary without keeping the logits."""

from typing import Any

import torch
from torch import Tensor

ROWS_AT_ONCE = 512


class ChunkedCrossEntropy(torch.autograd.Function):
    """Sum of label-smoothed cross-entropies; gradients are made chunk by chunk on the way.

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
    ) -> Tensor:
        """Loss summed over the positions, with both gradients kept for `backward`."""
        grad_hidden = torch.empty_like(hidden_ND)
        grad_head = torch.zeros_like(head_VD) if ctx.needs_input_grad[1] else None
        total = hidden_ND.new_zeros((), dtype=torch.float32)
        for at in range(0, len(hidden_ND), rows):
            chunk = slice(at, at + rows)
            hidden, gold = hidden_ND[chunk], gold_N[chunk, None]
            logits = (hidden @ head_VD.T).float()
            log_norm = logits.logsumexp(-1, keepdim=True)
            gold_logit = logits.gather(1, gold)
            mean = logits.mean(-1, keepdim=True) if smoothing else 0.0
            total += (log_norm - (1 - smoothing) * gold_logit - smoothing * mean).sum()
            grad = logits.sub_(log_norm).exp_()
            if smoothing:
                grad -= smoothing / head_VD.shape[0]
            grad.scatter_add_(1, gold, grad.new_full(gold.shape, smoothing - 1))
            grad = grad.to(hidden.dtype)
            torch.mm(grad, head_VD, out=grad_hidden[chunk])
            if grad_head is not None:
                grad_head.addmm_(grad.T, hidden)
        ctx.save_for_backward(grad_hidden, grad_head)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """Both gradients, scaled."""
        grad_hidden, grad_head = ctx.saved_tensors
        scaled_head = None if grad_head is None else grad_head * upstream.to(grad_head.dtype)
        return grad_hidden * upstream.to(grad_hidden.dtype), scaled_head, None, None, None


def sum_cross_entropy(
    hidden_BTD: Tensor,
    head_VD: Tensor,
    labels_BT: Tensor,
    smoothing: float,
) -> Tensor:
    """Loss summed over the positions whose label is not -100; padding is dropped before the head.

    Args:
        hidden_BTD: decoder output, (batch, target_tokens, width).
        head_VD: output matrix, (vocabulary, width); its gradient is made only where it is asked.
        labels_BT: (batch, target_tokens), -100 where nothing is to be learnt.
        smoothing: probability mass spread over the vocabulary, 0-1.
    """
    keep = labels_BT != -100
    return ChunkedCrossEntropy.apply(  # pyright: ignore[reportReturnType]
        hidden_BTD[keep], head_VD.to(hidden_BTD.dtype), labels_BT[keep], smoothing, ROWS_AT_ONCE
    )
