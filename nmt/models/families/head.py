"""A model's output head: its weights, and a forward pass that stops before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.errors import ModelError

_POSITION_TABLES = ("embed_positions", "position_embeddings", "wpe")


def unwrap(model: nn.Module) -> PreTrainedModel:
    """Return the transformers model inside an adapter's wrapper; the adapter stays active."""
    unwrap: Any = getattr(model, "get_base_model", None)
    inner = unwrap() if unwrap else model
    if not isinstance(inner, PreTrainedModel):
        raise TypeError(f"{type(inner).__name__} is not a transformers model")
    return inner


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter."""
    return next(model.parameters()).device


def max_positions(model: nn.Module) -> int | None:
    """Return the longest sequence that a model has positions for; None if there is no limit."""
    rows = [
        module.num_embeddings - _reserved_positions(module)
        for path, module in unwrap(model).named_modules()
        if isinstance(module, nn.Embedding) and path.rpartition(".")[2] in _POSITION_TABLES
    ]
    # Virtual tokens of a prefix or prompt take positions too.
    adapter: Any = getattr(model, "active_peft_config", None)
    virtual = getattr(adapter, "num_virtual_tokens", None) or 0
    return min(rows) - virtual if rows else None


def _reserved_positions(positions: Any) -> int:  # noqa: ANN401 - a subclass's attribute is asked for
    """Return how many rows of a table of positions are reserved for padding."""
    # mBART names the number `offset`; RoBERTa starts after the id of its padding token.
    first = 0 if positions.padding_idx is None else positions.padding_idx + 1
    return getattr(positions, "offset", first)


def head_of(model: PreTrainedModel) -> tuple[Tensor, Tensor | None]:
    """Return the output matrix (vocabulary, width) and its bias (vocabulary,), if there is one.

    Raises:
        ModelError: the output is more than a matrix product and a bias.
    """
    head = _linear_head(model)
    constant = getattr(model, "final_logits_bias", None)
    if constant is None:
        return head.weight, head.bias
    constant = constant.flatten()
    return head.weight, constant if head.bias is None else head.bias + constant


@contextmanager
def bypassed_head(model: PreTrainedModel) -> Iterator[None]:
    """Make a model return the input of its output head as `logits` (..., width).

    Reading the last layer's output instead would miss what a family does between that layer and
    the head, such as T5's scaling or BERT's dense layer.
    """
    head = _linear_head(model)
    constant = getattr(model, "final_logits_bias", None)
    head.forward = _identity  # on the object: hides the class's method until it is deleted
    if constant is not None:
        model.final_logits_bias = torch.zeros_like(constant[:, :1])
    try:
        yield
    finally:
        del head.forward
        if constant is not None:
            model.final_logits_bias = constant


def _identity(input: Tensor) -> Tensor:
    """Return the input."""
    return input


def _linear_head(model: PreTrainedModel) -> nn.Linear:
    """Return a model's output head, or refuse one that is not a plain linear layer."""
    config: Any = model.config
    if getattr(config, "final_logit_softcapping", None):
        raise ModelError(
            f"model.name_or_path: {type(model).__name__} caps its logits "
            f"(final_logit_softcapping={config.final_logit_softcapping:g}), which the chunked loss "
            "does not support: use a model without it, such as Gemma 3"
        )
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Linear):
        raise ModelError(
            f"model.name_or_path: the output head of {type(model).__name__} is "
            f"{type(head).__name__}, not a plain linear layer: remove it from "
            "adapter.target_modules"
        )
    return head
