"""A model's `config.json`, read and checked before any weights are loaded."""

from collections.abc import Callable
from typing import Any, TypeVar

from transformers import AutoConfig, PreTrainedConfig

from nmt.errors import ModelError
from nmt.models.families import ENCODERS, INDIC_TRANS, SUPPORTED, Family, family_named
from nmt.models.sources.hub_files import find_hub_error, hub_unreachable
from nmt.models.sources.source import ModelSource, local_folder
from nmt.network.hub import first_line

Loaded = TypeVar("Loaded")

_LAYER_DROP = ("encoder_layerdrop", "decoder_layerdrop", "layerdrop")


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """Check that a model exists and that its family is supported, without its weights.

    Raises:
        ModelError: a folder without a model, or an unsupported architecture.
        UnavailableError: the hub cannot be reached.
    """
    source = ModelSource(name, revision, folder=local_folder(name))
    read_family(source)
    return source


def load_model_config(source: ModelSource) -> PreTrainedConfig:
    """Read the configuration of a supported model.

    Raises:
        ModelError: no such configuration, or an unsupported architecture.
        UnavailableError: the hub cannot be reached.
    """
    read_family(source)
    return _read(AutoConfig.from_pretrained, source)


def read_family(source: ModelSource) -> Family:
    """Read which family a model belongs to.

    Raises:
        ModelError: an unsupported architecture, or one that needs its own code.
        UnavailableError: the hub cannot be reached.
    """
    values = _read_values(source)
    model_type = values.get("model_type")
    # IndicTrans has its own message below, which names alternatives.
    if "auto_map" in values and model_type != INDIC_TRANS:
        raise ModelError(
            f"model.name_or_path={source.label}: config.json names its own code (auto_map) for "
            f"architecture '{model_type}'. Such code is never run here, and without it the model "
            f"may give other results: use a model without it, of one of: {SUPPORTED}"
        )
    # transformers would load that file instead of the files that were checked and fingerprinted.
    if "transformers_weights" in values:
        raise ModelError(
            f"model.name_or_path={source.label}: config.json names its own file of weights "
            "(transformers_weights): remove this key, and call the file model.safetensors"
        )
    return family_named(model_type)


def is_encoder(source: ModelSource) -> bool:
    """Tell whether a model is an encoder alone, so that it needs a decoder."""
    return _read_values(source).get("model_type") in ENCODERS


def without_layer_drop(config: PreTrainedConfig) -> dict[str, float]:
    """Return the settings that turn a model's layer drop off."""
    # A layer that a step skips has no gradient, and DDP would wait for one.
    return {key: 0.0 for key in _LAYER_DROP if hasattr(config, key)}


def _read_values(source: ModelSource) -> dict[str, Any]:
    """Read the plain values of a model's configuration."""
    # `AutoConfig` would stop at custom code beside the model without naming the model.
    values, _ = _read(PreTrainedConfig.get_config_dict, source)
    return values


def _read(load: Callable[..., Loaded], source: ModelSource) -> Loaded:
    """Call a function that reads a configuration and explain its errors."""
    folder = source.folder or local_folder(source.name)
    path = str(folder or source.name)
    hub_error = None if folder else find_hub_error(source.name, source.revision)
    options = {"revision": None if folder else source.revision, "trust_remote_code": False}
    try:
        return load(path, local_files_only=hub_error is not None, **options)
    except (OSError, ValueError) as error:
        if hub_error is None:
            reason = first_line(error)
            raise ModelError(f"model.name_or_path={source.label}: {reason}") from None
        raise hub_unreachable(source.name, hub_error) from None
