"""The output head of a model: its weights, and a forward pass that stops in front of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.errors import ModelError

_POSITION_TABLES = ("embed_positions", "position_embeddings", "wpe")


def unwrap(model: nn.Module) -> PreTrainedModel:
    """The transformers model inside an adapter's wrapper, the adapter still in place."""
    unwrap: Any = getattr(model, "get_base_model", None)
    inner = unwrap() if unwrap else model
    if not isinstance(inner, PreTrainedModel):
        raise TypeError(f"{type(inner).__name__} is no transformers model")
    return inner


def device_of(model: nn.Module) -> torch.device:
    """Device of a model's first parameter."""
    return next(model.parameters()).device


def max_positions(model: nn.Module) -> int | None:
    """Tokens of one sequence that the model has positions for; none where any number will do.

    That is the length of its table of positions, less those that mBART and RoBERTa keep for
    padding, less what an adapter puts in front.
    """
    rows = [
        module.num_embeddings - _kept_for_padding(module)
        for path, module in unwrap(model).named_modules()
        if isinstance(module, nn.Embedding) and path.rpartition(".")[2] in _POSITION_TABLES
    ]
    adapter: Any = getattr(model, "active_peft_config", None)
    virtual = getattr(adapter, "num_virtual_tokens", None) or 0
    return min(rows) - virtual if rows else None


def _kept_for_padding(positions: Any) -> int:  # noqa: ANN401 - a subclass's attribute is asked for
    first = 0 if positions.padding_idx is None else positions.padding_idx + 1
    return getattr(positions, "offset", first)


def head_of(model: PreTrainedModel) -> tuple[Tensor, Tensor | None]:
    """Output matrix (vocabulary, width) and, where the model has one, its bias (vocabulary,).

    Raises:
        ModelError: the output is not a matrix product alone.
    """
    head = _linear_head(model)
    constant = getattr(model, "final_logits_bias", None)
    if constant is None:
        return head.weight, head.bias
    constant = constant.flatten()
    return head.weight, constant if head.bias is None else head.bias + constant


@contextmanager
def bypassed_head(model: PreTrainedModel) -> Iterator[None]:
    """Within, the model's `logits` are what goes into its output head: (..., width).

    Whatever a family does between its last layer and the head (T5's scaling, BERT's dense layer)
    is thus done by the model itself.
    """
    head = _linear_head(model)
    constant = getattr(model, "final_logits_bias", None)
    head.forward = _identity  # on the object: hides the class's until it is deleted
    if constant is not None:
        model.final_logits_bias = torch.zeros_like(constant[:, :1])
    try:
        yield
    finally:
        del head.forward
        if constant is not None:
            model.final_logits_bias = constant


def _identity(input: Tensor) -> Tensor:
    return input


def _linear_head(model: PreTrainedModel) -> nn.Linear:
    config: Any = model.config
    if getattr(config, "final_logit_softcapping", None):
        raise ModelError(
            f"model.name_or_path: {type(model).__name__} bends its logits "
            f"(final_logit_softcapping={config.final_logit_softcapping:g}), which the chunked loss "
            "cannot follow: use a model without it, such as Gemma 3"
        )
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Linear):
        raise ModelError(
            f"model.name_or_path: the output head of {type(model).__name__} is "
            f"{type(head).__name__}, and must be a plain linear layer: leave it out of "
            "adapter.target_modules"
        )
    return head
