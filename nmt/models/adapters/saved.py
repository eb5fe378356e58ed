"""TrainedModel weights as a folder of safetensors, and back."""

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
_MERGED_INTO_WEIGHTS = ("LORA", "IA3", "OFT")


def save_weights(model: nn.Module, folder: Path) -> None:
    """Write what was trained: an adapter's folder, or a whole transformers model."""
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
    """PEFT writes sets as they come, and the digest of equal weights would differ."""
    values = json.loads(config.read_text(encoding="utf-8"))
    for key in ("target_modules", "feedforward_modules"):
        if isinstance(values.get(key), list):
            values[key] = sorted(values[key])
    config.write_text(json.dumps(values, indent=2), encoding="utf-8")


def attach(base: PreTrainedModel, folder: Path) -> PeftModel | BottleneckModel:
    """A base with a saved adapter, ready to translate.

    Raises:
        ModelError: it was trained on a model of other layers; prefixes and prompts, which are
            beside none, fail when they are asked.
    """
    load = attach_bottlenecks if method_of(folder) == METHOD else _attach_by_peft
    try:
        return load(base, folder).eval()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{folder}: this adapter cannot be attached to {type(base).__name__} of this size: "
            f"take the base it was trained on ({reason})"
        ) from error


def _attach_by_peft(base: PreTrainedModel, folder: Path) -> PeftModel:
    """PEFT's own loading; it only warns where layers are missing on one side.

    Raises:
        ValueError: the adapter's layers are not the base's.
    """
    attached = PeftModel.from_pretrained(base, str(folder))
    with safe_open(folder / SAFETENSORS_WEIGHTS_NAME, "pt") as saved:
        # Left to itself, PEFT would ask the hub whether the embeddings were trained too.
        own = get_peft_model_state_dict(attached, save_embedding_layers=False)
        if set(saved.keys()) != set(own):
            raise ValueError("its layers are not those of the model")
    count_unmasked_positions(attached)
    return attached


def is_adapter(folder: Path) -> bool:
    """Whether a folder of trained weights holds an adapter rather than a whole model."""
    return (folder / _CONFIG).is_file()


def can_merge(folder: Path) -> bool:
    """Whether a saved adapter is a change of the base's weights, and no part of its own."""
    return method_of(folder) in _MERGED_INTO_WEIGHTS


def merge(model: nn.Module) -> PreTrainedModel:
    """The transformers model with the adapter in its weights; `can_merge` says for which."""
    config: Any = unwrap(model).config
    tied = getattr(config, "tie_word_embeddings", None)  # a pair of configurations has none
    merged = unwrap(model.merge_and_unload())  # pyright: ignore[reportCallIssue]
    # PEFT takes a Marian whose encoder has embeddings of its own for one that was untied.
    if tied is not None:
        config.tie_word_embeddings = tied
    return merged


def method_of(folder: Path) -> str:
    """PEFT's name of a saved adapter's method."""
    return str(json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["peft_type"])
