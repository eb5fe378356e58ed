"""Trained weights saved as a folder of safetensors, attached to a base, and merged into it."""

import json
from pathlib import Path
from typing import Any

from peft import PeftModel, get_peft_model_state_dict
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors import safe_open
from torch import nn
from transformers import PreTrainedModel

from nmt.errors import ModelError
from nmt.models.adapters.bottleneck import METHOD, BottleneckModel, attach_bottlenecks
from nmt.models.adapters.pissa import save_as_lora, starts_from_pissa
from nmt.models.adapters.prompt_positions import count_unmasked_positions
from nmt.models.families import unwrap

_CONFIG = "adapter_config.json"
_MERGEABLE = ("LORA", "IA3", "OFT")


def save_weights(model: nn.Module, folder: Path) -> None:
    """Write the trained weights: an adapter's folder, or a whole transformers model."""
    if isinstance(model, BottleneckModel):
        model.save(folder)
    elif not isinstance(model, PeftModel):
        unwrap(model).save_pretrained(folder)
    else:
        if starts_from_pissa(model):
            save_as_lora(model, folder)
        else:
            model.save_pretrained(str(folder), safe_serialization=True)
            (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty template
        _sort_names(folder / _CONFIG)


def _sort_names(config: Path) -> None:
    """Sort the lists of module names in an adapter's configuration."""
    # PEFT writes sets in arbitrary order, so equal weights would have different digests.
    values = json.loads(config.read_text(encoding="utf-8"))
    for key in ("target_modules", "feedforward_modules"):
        if isinstance(values.get(key), list):
            values[key] = sorted(values[key])
    config.write_text(json.dumps(values, indent=2), encoding="utf-8")


def attach(base: PreTrainedModel, folder: Path) -> PeftModel | BottleneckModel:
    """Attach a saved adapter to a base, in evaluation mode.

    Raises:
        ModelError: the adapter was trained on a model with other layers.
    """
    # Prefixes and prompts belong to no layer, so a mismatch shows in their first forward pass only.
    load = attach_bottlenecks if method_of(folder) == METHOD else _attach_by_peft
    try:
        return load(base, folder).eval()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{folder}: this adapter cannot be attached to {type(base).__name__} of this size: "
            f"use the base it was trained on ({reason})"
        ) from error


def _attach_by_peft(base: PreTrainedModel, folder: Path) -> PeftModel:
    """Attach an adapter that PEFT has saved.

    Raises:
        ValueError: the adapter's layers are not the base's.
    """
    # PEFT only warns when layers are missing on one side, so their names are compared here.
    attached = PeftModel.from_pretrained(base, str(folder))
    with safe_open(folder / SAFETENSORS_WEIGHTS_NAME, "pt") as saved:
        # By default PEFT would ask the hub whether the embeddings were trained too.
        own = get_peft_model_state_dict(attached, save_embedding_layers=False)
        if set(saved.keys()) != set(own):
            raise ValueError("its layers are not those of the model")
    count_unmasked_positions(attached)
    return attached


def is_adapter(folder: Path) -> bool:
    """Tell whether a folder of trained weights is an adapter rather than a whole model."""
    return (folder / _CONFIG).is_file()


def can_merge(folder: Path) -> bool:
    """Tell whether a saved adapter can be merged into the base's weights."""
    return method_of(folder) in _MERGEABLE


def merge(model: nn.Module) -> PreTrainedModel:
    """Merge an adapter into the base's weights and return the transformers model."""
    config: Any = unwrap(model).config
    tied = getattr(config, "tie_word_embeddings", None)  # an encoder-decoder pair has no such key
    merged = unwrap(model.merge_and_unload())  # pyright: ignore[reportCallIssue]
    # PEFT mistakes a Marian whose encoder has separate embeddings for an untied model.
    if tied is not None:
        config.tie_word_embeddings = tied
    return merged


def method_of(folder: Path) -> str:
    """Read PEFT's name of a saved adapter's method."""
    return str(json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["peft_type"])
