"""Models and tokenizers from a folder or a hub; safetensors only, no code from outside."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from nmt.config import QloraAdapter
from nmt.errors import ModelError
from nmt.models.families import ENCODERS, Family
from nmt.models.model_config import load_model_config, read_family, without_layer_drop
from nmt.models.nllb_moe import patch_nllb_moe
from nmt.models.quantized import compute_dtype, freeze_quantized, quantization_config
from nmt.models.sources.files import VOCABULARY
from nmt.models.sources.pickled import as_safetensors
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.network.hub import first_line

_KEPT_IN_GENERATION = (
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id",
    "bad_words_ids", "renormalize_logits",
)  # fmt: skip
# Not `forced_eos_token_id`: it ends a row where the longest of its batch ends.
_ALL_OF_THE_TOKENIZER = "fetch all files of the model, or write them with its `save_pretrained`"


def load_codec(source: ModelSource, source_language: str, target_language: str) -> Codec:
    """Text side of a model, for one direction.

    Args:
        source: folder or hub name of the model.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.

    Raises:
        ModelError: the model does not know a language.
        UnavailableError: the hub cannot be reached.
    """
    return read_family(source).codec(load_tokenizer(source), source_language, target_language)


def load_tokenizer(source: ModelSource) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer, as it lies there.

    Raises:
        ModelError: there is none.
        UnavailableError: the hub cannot be reached.
    """
    found = source.locate()
    if not any(path for kind in VOCABULARY for path in found.path.glob(kind)):
        # transformers makes an empty tokenizer for some of them
        raise ModelError(
            f"model.name_or_path={source.label}: holds no vocabulary of a tokenizer "
            f"({', '.join(VOCABULARY)}): {_ALL_OF_THE_TOKENIZER}"
        )
    try:
        return _guarded(AutoTokenizer.from_pretrained, found.path, source.label)
    except TypeError:  # what a tokenizer's class makes of a name that is None
        raise ModelError(
            f"model.name_or_path={source.label}: lacks a file of its tokenizer: "
            f"{_ALL_OF_THE_TOKENIZER}"
        ) from None


def from_pretrained(auto_class: Any, source: ModelSource, **options: Any) -> Any:  # noqa: ANN401
    """Load weights by a class of transformers, from safetensors.

    Returns:
        What the class answers, a model as a rule.

    Raises:
        ModelError: no weights, or damaged ones, or such as the restricted loader refuses.
        UnavailableError: the hub cannot be reached.
    """
    place = _weights_of(source.locate())
    options |= {"use_safetensors": True}
    return _guarded(auto_class.from_pretrained, place, source.label, **options)


def _weights_of(source: ModelSource) -> Path:
    """Find the folder with a model's weights as safetensors."""
    files = source.files()
    return as_safetensors(files, source.label, _tied(source)) if files.are_pickled else source.path


def _tied(source: ModelSource) -> dict[str, str]:
    """Name the weights that a model ties, each with the one that it is tied to."""
    shape = load_model_config(source)
    if shape.model_type in ENCODERS:
        return {}  # by what it is tied depends on the decoder that is made for it
    with torch.device("meta"):
        model = read_family(source).auto_class.from_config(shape)
    return model.all_tied_weights_keys


def load_model(
    source: ModelSource,
    dtype: torch.dtype = torch.float32,
    *,
    quantization: QloraAdapter | None = None,
    device: torch.device | None = None,
) -> PreTrainedModel:
    """Load weights in the given number format, on the CPU.

    Args:
        source: where they are.
        dtype: their number format, unless they are quantized.
        quantization: freeze the linear layers in its 4-bit format.
        device: of quantized weights, which are made where they are used.

    Raises:
        ModelError: no weights, or others than config.json asks for.
        UnavailableError: the hub cannot be reached.
        MissingPackageError: quantization needs a package that is not installed.
    """
    options: dict[str, Any] = {"dtype": dtype}
    if quantization:
        options = {
            "dtype": compute_dtype(quantization),
            "quantization_config": quantization_config(quantization),
            "device_map": {"": device or torch.device("cpu")},
        }
    model = _complete_model(source, **options)
    if quantization:
        freeze_quantized(model)
    family = read_family(source)
    model.generation_config = _generation(model.generation_config, family)
    return model


def load_outline(source: ModelSource) -> PreTrainedModel:
    """Compare the names and shapes of a model's weights with config.json, without their values.

    Returns:
        The model on the meta device, with the generation settings that lie beside it.

    Raises:
        ModelError: no weights, or others than config.json asks for.
        UnavailableError: the hub cannot be reached.
    """
    return _complete_model(source, device_map="meta")


def _complete_model(source: ModelSource, **options: Any) -> PreTrainedModel:  # noqa: ANN401
    source = source.locate()
    auto_class = read_family(source).auto_class
    options |= without_layer_drop(load_model_config(source))
    model, found = from_pretrained(auto_class, source, output_loading_info=True, **options)
    patch_model(model)
    refuse_missing(source, model, found["missing_keys"])
    # What an adapter's folder says of its base: not a place in a cache of this machine.
    model.name_or_path = model.config._name_or_path = source.label
    return model


def patch_model(model: PreTrainedModel) -> None:
    """Make of transformers' model the one that is trained here."""
    patch_nllb_moe(model)
    encoder: Any = getattr(model, "encoder", None)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # of no use to a decoder, never saved, and so random at each loading


def refuse_missing(source: ModelSource, model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Refuse weights that are in no file: drawn at random, they would be others at each loading.

    Raises:
        ModelError: names one of them.
    """
    lacking = sorted({name for name, _ in model.named_parameters()}.intersection(missing))
    if lacking:
        raise ModelError(
            f"model.name_or_path={source.label}: {len(lacking)} weights that config.json asks for "
            f"are in none of its files, such as {lacking[0]}: fetch or write all of the model again"
        )


def _generation(own: Any, family: Family) -> GenerationConfig:  # noqa: ANN401 - may be None
    """A checkpoint's special tokens; its search settings would bend, or warn at, our calls."""
    kept = {key: getattr(own, key, None) for key in _KEPT_IN_GENERATION}
    if family.ctranslate2:
        kept["bad_words_ids"] = None  # the engine made of it knows none
    return GenerationConfig(**{key: value for key, value in kept.items() if value is not None})


def _guarded(load: Any, place: Path, label: str, **options: Any) -> Any:  # noqa: ANN401
    """Call a `from_pretrained` on a folder and turn its failures into sentences."""
    try:
        return load(str(place), local_files_only=True, trust_remote_code=False, **options)
    except (SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "mismatched_sizes" not in str(error):
            raise
        raise ModelError(
            f"model.name_or_path={label}: the weights are damaged, or of other shapes than "
            f"config.json says ({first_line(error)}): fetch or write the model again"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"model.name_or_path={label}: {first_line(error)}") from None
