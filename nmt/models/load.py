"""Models and tokenizers loaded from a folder or a hub: safetensors only, no third-party code."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from nmt.config import QloraAdapter
from nmt.errors import ModelError
from nmt.models.families import ENCODERS, Family, family_of
from nmt.models.model_config import load_model_config, read_family, without_layer_drop
from nmt.models.nllb_moe import patch_nllb_moe
from nmt.models.quantized import compute_dtype, freeze_quantized, quantization_config
from nmt.models.sources.files import VOCABULARY
from nmt.models.sources.pickled import as_safetensors
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.network.hub import first_line

Loaded = TypeVar("Loaded")

# Without `forced_eos_token_id`, which would end a row where the longest row of its batch ends.
_KEPT_GENERATION_SETTINGS = (
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id",
    "bad_words_ids", "renormalize_logits",
)  # fmt: skip
_FETCH_TOKENIZER = "fetch all files of the model, or write them with its `save_pretrained`"


def load_codec(source: ModelSource, source_language: str, target_language: str) -> Codec:
    """Load a model's tokenizer for one translation direction.

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
    """Load a model's tokenizer without setting languages.

    Raises:
        ModelError: there is none.
        UnavailableError: the hub cannot be reached.
    """
    found = source.locate()
    if not any(path for kind in VOCABULARY for path in found.path.glob(kind)):
        # For some model types transformers would make an empty tokenizer instead.
        raise ModelError(
            f"model.name_or_path={source.label}: has no vocabulary of a tokenizer "
            f"({', '.join(VOCABULARY)}): {_FETCH_TOKENIZER}"
        )
    try:
        return _load_local(AutoTokenizer.from_pretrained, found.path, source.label)
    except TypeError:  # some tokenizer classes open a file whose name is None
        raise ModelError(
            f"model.name_or_path={source.label}: lacks a file of its tokenizer: {_FETCH_TOKENIZER}"
        ) from None


def from_pretrained(
    auto_class: Any,  # noqa: ANN401 - transformers' auto classes share no base
    source: ModelSource,
    model_config: PreTrainedConfig,
    **options: Any,  # noqa: ANN401 - whatever the class takes
) -> Any:  # noqa: ANN401 - a model, or a pair with what was found
    """Load weights with one of transformers' auto classes, from safetensors.

    Args:
        auto_class: the class whose `from_pretrained` is called.
        source: where the weights are.
        model_config: the configuration in the model's folder.
        options: passed on to `from_pretrained`.

    Raises:
        ModelError: weights that are missing, damaged or refused by the restricted loader.
        UnavailableError: the hub cannot be reached.
    """
    found = source.locate()
    files = found.files()
    folder = found.path
    if files.are_pickled:
        folder = as_safetensors(files, source.label, _tied_weights(model_config))
    options |= {"use_safetensors": True}
    return _load_local(auto_class.from_pretrained, folder, source.label, **options)


def _tied_weights(config: PreTrainedConfig) -> dict[str, str]:
    """Map the name of each tied weight to the weight it shares memory with."""
    if config.model_type in ENCODERS:
        return {}  # the decoder that is added later decides what is tied
    with torch.device("meta"):
        model = family_of(config).auto_class.from_config(config)
    return model.all_tied_weights_keys


def load_model(
    source: ModelSource,
    dtype: torch.dtype = torch.float32,
    *,
    quantization: QloraAdapter | None = None,
    device: torch.device | None = None,
) -> PreTrainedModel:
    """Load a model on the CPU, or a quantized model on its device.

    Args:
        source: where the weights are.
        dtype: of the weights, unless they are quantized.
        quantization: freeze the linear layers in this 4-bit format.
        device: of quantized weights, since quantization happens on the device that uses them.

    Raises:
        ModelError: weights that are missing, or that do not match config.json.
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
    model, family = _load_complete(source, **options)
    if quantization:
        freeze_quantized(model)
    model.generation_config = _special_tokens_only(model.generation_config, family)
    return model


def load_outline(source: ModelSource) -> PreTrainedModel:
    """Load a model on the meta device, checking its weights' names and shapes only.

    Returns:
        The model without values, with the generation settings of its folder.

    Raises:
        ModelError: weights that are missing, or that do not match config.json.
        UnavailableError: the hub cannot be reached.
    """
    model, _ = _load_complete(source, device_map="meta")
    return model


def _load_complete(
    source: ModelSource,
    **options: Any,  # noqa: ANN401 - whatever transformers takes
) -> tuple[PreTrainedModel, Family]:
    """Load a model that lacks no weights, together with its family."""
    source = source.locate()
    config = load_model_config(source)
    family = family_of(config)
    options |= without_layer_drop(config)
    model, found = from_pretrained(
        family.auto_class, source, config, output_loading_info=True, **options
    )
    patch_model(model)
    refuse_missing(source, model, found["missing_keys"])
    # Adapters record this name as their base; a path in this machine's cache would be of no use.
    model.name_or_path = model.config._name_or_path = source.label
    return model, family


def patch_model(model: PreTrainedModel) -> None:
    """Patch a loaded model: fix NLLB-MoE's experts and remove an encoder's unused pooler."""
    patch_nllb_moe(model)
    encoder: Any = getattr(model, "encoder", None)
    if getattr(encoder, "pooler", None) is not None:
        # A decoder never reads it. It is not saved either, so each load would draw it at random.
        encoder.pooler = None


def refuse_missing(source: ModelSource, model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Refuse a model some of whose weights are in no file.

    Raises:
        ModelError: names one of the weights.
    """
    # transformers draws such weights at random, so each load would give another model.
    lacking = sorted({name for name, _ in model.named_parameters()}.intersection(missing))
    if lacking:
        raise ModelError(
            f"model.name_or_path={source.label}: {len(lacking)} weights that config.json asks for "
            f"are in none of its files, such as {lacking[0]}: fetch or write all of the model again"
        )


def _special_tokens_only(own: GenerationConfig | None, family: Family) -> GenerationConfig:
    """Keep the special tokens of a model's generation settings."""
    # Its search settings would change the results of our calls, or cause warnings.
    kept = {key: getattr(own, key, None) for key in _KEPT_GENERATION_SETTINGS}
    if family.ctranslate2:
        kept["bad_words_ids"] = None  # the CTranslate2 engine has no such list
    return GenerationConfig(**{key: value for key, value in kept.items() if value is not None})


def _load_local(
    load: Callable[..., Loaded],
    folder: Path,
    label: str,
    **options: Any,  # noqa: ANN401 - whatever `load` takes
) -> Loaded:
    """Call a `from_pretrained` on a local folder and explain its errors.

    Raises:
        ModelError: the folder's files are damaged or do not match.
    """
    try:
        return load(str(folder), local_files_only=True, trust_remote_code=False, **options)
    except (SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "mismatched_sizes" not in str(error):
            raise
        raise ModelError(
            f"model.name_or_path={label}: the weights are damaged, or their shapes differ from "
            f"config.json ({first_line(error)}): fetch or write the model again"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"model.name_or_path={label}: {first_line(error)}") from None
