"""What a model's `config.json` says, before any of its weights are needed."""

from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from nmt.errors import ModelError
from nmt.models.families import ENCODERS, INDIC_TRANS, SUPPORTED, Family, family_named
from nmt.models.sources.hub_files import find_hub_error, hub_unreachable
from nmt.models.sources.source import ModelSource, local_folder
from nmt.network.hub import first_line

_LAYER_DROP = ("encoder_layerdrop", "decoder_layerdrop", "layerdrop")


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """Check that a model is there and of a supported family, without its weights.

    Raises:
        ModelError: a folder without a model, or an unsupported architecture.
        UnavailableError: a hub name that cannot be reached.
    """
    source = ModelSource(name, revision, folder=local_folder(name))
    read_family(source)
    return source


def load_model_config(source: ModelSource) -> PreTrainedConfig:
    """Read a supported model's configuration; its weights need not be there.

    Raises:
        ModelError: no such configuration, or an unsupported architecture.
        UnavailableError: the hub cannot be reached.
    """
    read_family(source)
    return _read(AutoConfig.from_pretrained, source)


def read_family(source: ModelSource) -> Family:
    """Find the family that a model belongs to.

    Raises:
        ModelError: an unsupported architecture, or one that asks for code of its own.
        UnavailableError: the hub cannot be reached.
    """
    values = _config_values(source)
    model_type = values.get("model_type")
    if "auto_map" in values and model_type != INDIC_TRANS:  # whose refusal says what to take
        raise ModelError(
            f"model.name_or_path={source.label}: config.json names code of its own (auto_map) for "
            f"architecture '{model_type}', which is never run here, and without it the model may "
            f"answer otherwise: use a model without it, of one of: {SUPPORTED}"
        )
    if "transformers_weights" in values:  # which would be read in place of what was looked at
        raise ModelError(
            f"model.name_or_path={source.label}: config.json names a file of weights of its own "
            "(transformers_weights): remove this key, and call the file model.safetensors"
        )
    return family_named(model_type)


def is_encoder(source: ModelSource) -> bool:
    """Tell whether a model only reads, so that a decoder must be made for it."""
    return _config_values(source).get("model_type") in ENCODERS


def without_layer_drop(shape: PreTrainedConfig) -> dict[str, float]:
    """Settings with which no layer is left out of a step: DDP would wait for its gradient."""
    return {key: 0.0 for key in _LAYER_DROP if hasattr(shape, key)}


def _config_values(source: ModelSource) -> dict[str, Any]:
    # The plain values: `AutoConfig` would stop at code beside the model, and not say which model.
    values, _ = _read(PreTrainedConfig.get_config_dict, source)
    return values


def _read(load: Any, source: ModelSource) -> Any:  # noqa: ANN401 - what transformers answers
    """Call what reads a configuration, and turn its failures into sentences."""
    folder = source.folder or local_folder(source.name)
    place = str(folder or source.name)
    fault = None if folder else find_hub_error(source.name, source.revision)
    options = {"revision": None if folder else source.revision, "trust_remote_code": False}
    try:
        return load(place, local_files_only=fault is not None, **options)
    except (OSError, ValueError) as error:
        if fault is None:
            reason = first_line(error)
            raise ModelError(f"model.name_or_path={source.label}: {reason}") from None
        raise hub_unreachable(source.name, fault) from None
