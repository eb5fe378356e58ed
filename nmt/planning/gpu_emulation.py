"""Emulation of a GPU on the meta device: fused attention, byte masks and autocast.

Without it, a trace would count what plain attention and dropout keep for the backward pass, which
is not what a GPU's kernels keep.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.masking_utils import AttentionMaskInterface

ATTENTION = "nmt_plan"


class FusedAttention(torch.autograd.Function):
    """A replacement for the fused attention kernel, with its shapes and without its arithmetic."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:  # noqa: ANN401
        """Return the attention's output, and save what the backward pass needs."""
        batch, heads, queries, width = query.shape
        output = query.new_empty(batch, queries, heads, width).transpose(1, 2)
        # The kernel keeps no matrix of attention weights, but one norm for each of its rows.
        norms = query.new_empty(batch, heads, queries, dtype=torch.float32)
        mask = query.new_empty(batch, 1, queries, key.shape[2])
        ctx.save_for_backward(query, key, value, output, norms, mask)
        return output

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Tensor:  # noqa: ANN401
        """Raise an error: only forward passes are traced."""
        raise NotImplementedError


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: object,
) -> tuple[Tensor, None]:
    groups = query.shape[1] // key.shape[1]
    # With a mask, which padded rows need, the kernel does not take keys that heads share.
    if groups > 1:
        key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    output = functional.scaled_dot_product_attention(query, key, value)
    return output.transpose(1, 2).contiguous(), None


def _no_mask(*values: object, **options: object) -> None:
    """Return no mask."""
    # Whether a mask is needed depends on the data, and the meta device has no data.


def register_attention() -> None:
    """Make the emulated attention known to transformers as `ATTENTION`."""
    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, _no_mask)


_IN_BF16 = (functional.linear, Tensor.baddbmm, torch.bmm)
"""Functions that autocast runs in bf16; BLOOM calls the last two itself."""


class GpuOperations(TorchFunctionMode):
    """A mode with fused attention, byte masks of dropout and, if `mixed`, bf16 autocast."""

    def __init__(self, mixed: bool, quantized: Iterable[Tensor] = ()) -> None:
        """Emulate a training.

        Args:
            mixed: matrix products in bf16.
            quantized: weights that are in 4 bits, whose layers answer in the dtype of their input.
        """
        super().__init__()
        self.mixed = mixed
        self._quantized = {id(weight) for weight in quantized}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Replace dropout, and cast the inputs as autocast does."""
        if func is functional.dropout:
            return _dropout(*args, **(kwargs or {}))
        if func is functional.scaled_dot_product_attention:
            return FusedAttention.apply(*(map(_as_bf16, args) if self.mixed else args))
        answer = None
        if func is functional.linear and id(args[1]) in self._quantized:
            answer = args[0].dtype
        if self.mixed and func in _IN_BF16:
            args = tuple(_as_bf16(a) for a in args)
            kwargs = {key: _as_bf16(value) for key, value in (kwargs or {}).items()}
        if self.mixed and func is functional.layer_norm:
            args = tuple(a.float() if isinstance(a, Tensor) else a for a in args)
        result = func(*args, **(kwargs or {}))
        return result if answer is None else result.to(answer)


def _as_bf16(value: object) -> object:
    return value.to(torch.bfloat16) if isinstance(value, Tensor) else value


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if not training or p == 0:
        return input
    return torch.native_dropout(input, p, True)[0]
