"""Models and tokenizers from a folder or a hub; safetensors only, no code from outside."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from nmt.config import QloraAdapter
from nmt.errors import ModelError, UnavailableError
from nmt.hub import fault_of_hub, first_line
from nmt.models.codec import Codec
from nmt.models.experts import ask_every_expert
from nmt.models.families import ENCODERS, INDIC_TRANS, SUPPORTED, Family, family_named
from nmt.models.quantized import compute_dtype, prepare, quantization_config
from nmt.steps import fetch_made
from nmt.storage import Storage

NLLB_LICENSE = "cc-by-nc-4.0"
_KEPT_IN_GENERATION = (
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id",
    "bad_words_ids", "renormalize_logits",
)  # fmt: skip
# Not `forced_eos_token_id`: it ends a row where the longest of its batch ends.
_LAYER_DROP = ("encoder_layerdrop", "decoder_layerdrop", "layerdrop")
_VOCABULARY = ("tokenizer.json", "vocab.*", "*.model", "*.spm")
_ALL_OF_THE_TOKENIZER = "fetch all files of the model, or write them with its `save_pretrained`"
_CARD_LICENSE = re.compile(r"\A---\n(?:.*\n)*?license:\s*[\"']?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model is loaded from: a folder of this machine, a hub name, or a folder commit."""

    name: str
    revision: str | None = None
    stored: bool = False
    """Whether the name is a folder commit of the storage root, to be fetched where it is used."""

    def on(self, storage: Storage) -> "ModelSource":
        """The same model, as this machine can load it."""
        return ModelSource(str(fetch_made(storage, self.name))) if self.stored else self

    @property
    def is_folder(self) -> bool:
        """Whether the name is a folder."""
        return Path(self.name).expanduser().is_dir()


def find_model(name: str, revision: str | None = None) -> ModelSource:
    """Check that a model is there and of a supported family, without loading its weights.

    Raises:
        ModelError: a folder without a model, or an unsupported architecture.
        UnavailableError: a hub name that cannot be reached.
    """
    source = ModelSource(name, revision)
    path = Path(name).expanduser()
    looks_local = name.startswith(("/", ".", "~")) or name.count("/") != 1
    if not path.is_dir() and looks_local and "/" in name:
        raise ModelError(f"model.name_or_path={name}: no such folder")
    if path.is_dir() and not (path / "config.json").is_file():
        raise ModelError(f"model.name_or_path={name}: holds no config.json of a transformers model")
    _family(source)
    if path.is_dir() and not any(path.glob("*.safetensors")):
        raise ModelError(
            f"model.name_or_path={name}: holds no .safetensors file; weights in pickle formats "
            "are not read: convert them with `save_pretrained` of transformers"
        )
    return source


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
    return _family(source).codec(load_tokenizer(source), source_language, target_language)


def load_tokenizer(source: ModelSource) -> PreTrainedTokenizerBase:
    """A model's tokenizer, as it lies there.

    Raises:
        ModelError: there is none.
        UnavailableError: the hub cannot be reached.
    """
    place = Path(source.name).expanduser()
    if source.is_folder and not any(path for kind in _VOCABULARY for path in place.glob(kind)):
        # transformers makes an empty tokenizer for some of them
        raise ModelError(
            f"model.name_or_path={source.name}: holds no vocabulary of a tokenizer "
            f"({', '.join(_VOCABULARY)}): {_ALL_OF_THE_TOKENIZER}"
        )
    try:
        return _guarded(AutoTokenizer.from_pretrained, source)
    except TypeError:  # what a tokenizer's class makes of a name that is None
        raise ModelError(
            f"model.name_or_path={source.name}: lacks a file of its tokenizer: "
            f"{_ALL_OF_THE_TOKENIZER}"
        ) from None


def from_pretrained(auto_class: Any, source: ModelSource, **options: Any) -> Any:  # noqa: ANN401
    """What a class of transformers answers, a model as a rule; safetensors only.

    Raises:
        ModelError: no safetensors weights.
        UnavailableError: the hub cannot be reached.
    """
    return _guarded(auto_class.from_pretrained, source, use_safetensors=True, **options)


def is_encoder(source: ModelSource) -> bool:
    """Whether a model only reads, so that a decoder must be made for it before it translates."""
    return _model_type(source) in ENCODERS


def load_model(
    source: ModelSource,
    dtype: torch.dtype = torch.float32,
    *,
    quantization: QloraAdapter | None = None,
    device: torch.device | None = None,
) -> PreTrainedModel:
    """Weights in the given number format, on the CPU.

    Args:
        source: where they are.
        dtype: their number format, unless they are quantized.
        quantization: freeze the linear layers in its 4-bit format.
        device: of quantized weights, which are made where they are used.

    Raises:
        ModelError: no safetensors weights.
        UnavailableError: the hub cannot be reached.
        MissingPackageError: quantization needs a package that is not installed.
    """
    family = _family(source)
    options: dict[str, Any] = {"dtype": dtype}
    if quantization:
        options = {
            "dtype": compute_dtype(quantization),
            "quantization_config": quantization_config(quantization),
            "device_map": {"": device or torch.device("cpu")},
        }
    options |= layer_drop_off(load_shape(source))
    model, found = from_pretrained(family.auto_class, source, output_loading_info=True, **options)
    adjust(model)
    _refuse_missing(source, model, found["missing_keys"])
    if quantization:
        prepare(model)
    model.generation_config = _generation(model.generation_config, family)
    return model


def layer_drop_off(shape: PreTrainedConfig) -> dict[str, float]:
    """Settings with which no layer is left out of a step: DDP would wait for its gradient."""
    return {key: 0.0 for key in _LAYER_DROP if hasattr(shape, key)}


def adjust(model: PreTrainedModel) -> None:
    """Make of transformers' model the one that is trained here."""
    ask_every_expert(model)
    encoder: Any = getattr(model, "encoder", None)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # of no use to a decoder, never saved, and so random at each loading


def _refuse_missing(source: ModelSource, model: PreTrainedModel, missing: Iterable[str]) -> None:
    """Drawn at random, as transformers does, they would be others at each loading."""
    lacking = sorted({name for name, _ in model.named_parameters()}.intersection(missing))
    if lacking:
        raise ModelError(
            f"model.name_or_path={source.name}: {len(lacking)} weights that config.json asks for "
            f"are in no .safetensors file, such as {lacking[0]}: fetch or write all of the model "
            "again"
        )


def _generation(own: Any, family: Family) -> GenerationConfig:  # noqa: ANN401 - may be None
    """A checkpoint's special tokens; its search settings would bend, or warn at, our calls."""
    kept = {key: getattr(own, key, None) for key in _KEPT_IN_GENERATION}
    if family.ctranslate2:
        kept["bad_words_ids"] = None  # the engine made of it knows none
    return GenerationConfig(**{key: value for key, value in kept.items() if value is not None})


def license_of(name: str) -> str:
    """SPDX identifier of a model's licence, or `unknown`.

    A folder's model card is asked first; then NLLB is known by its name.

    Source: https://huggingface.co/facebook/nllb-200-distilled-600M (model card)
    """
    if name == "tiny":
        return "apache-2.0"
    card = Path(name).expanduser() / "README.md"
    if card.is_file():
        found = _CARD_LICENSE.search(card.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1].lower()
    return NLLB_LICENSE if "nllb" in name.lower() else "unknown"


def load_shape(source: ModelSource) -> PreTrainedConfig:
    """A supported model's configuration; its weights need not be there.

    Raises:
        ModelError: no such configuration, or an unsupported architecture.
        UnavailableError: the hub cannot be reached.
    """
    _family(source)
    return _guarded(AutoConfig.from_pretrained, source)


def _family(source: ModelSource) -> Family:
    values = _config_values(source)
    model_type = values.get("model_type")
    if "auto_map" in values and model_type != INDIC_TRANS:  # whose refusal says what to take
        raise ModelError(
            f"model.name_or_path={source.name}: config.json names code of its own (auto_map) for "
            f"architecture '{model_type}', which is never run here, and without it the model may "
            f"answer otherwise: use a model without it, of one of: {SUPPORTED}"
        )
    return family_named(model_type)


def _model_type(source: ModelSource) -> str | None:
    return _config_values(source).get("model_type")


def _config_values(source: ModelSource) -> dict[str, Any]:
    # The plain values: `AutoConfig` would stop at code beside the model, and not say which model.
    values, _ = _guarded(PreTrainedConfig.get_config_dict, source)
    return values


def _guarded(load, source: ModelSource, **options):  # noqa: ANN001, ANN003, ANN202
    """Call a `from_pretrained` and turn its failures into sentences."""
    name = str(Path(source.name).expanduser()) if source.is_folder else source.name
    fault = None if source.is_folder else _fault_of_hub(source)
    options |= {"revision": source.revision, "trust_remote_code": False}
    try:
        return load(name, local_files_only=fault is not None, **options)
    except (SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "mismatched_sizes" not in str(error):
            raise
        raise ModelError(
            f"model.name_or_path={source.name}: the weights are damaged, or of other shapes than "
            f"config.json says ({first_line(error)}): fetch or write the model again"
        ) from None
    except (OSError, ValueError) as error:
        if source.is_folder or fault is None:
            reason = first_line(error)
            raise ModelError(f"model.name_or_path={source.name}: {reason}") from None
        raise UnavailableError(
            f"model.name_or_path={source.name}: not in the cache, and the hub cannot be reached "
            f"({fault}). Check the network; without one, give a local folder, or fill the cache "
            "where there is one (`hf download NAME`) and set HF_HUB_OFFLINE=1"
        ) from None


@cache
def _fault_of_hub(source: ModelSource) -> str | None:
    """Asked once per process: configuration, tokenizer and weights follow each other."""
    from huggingface_hub import HfApi

    return fault_of_hub(
        lambda seconds: HfApi().model_info(source.name, revision=source.revision, timeout=seconds)
    )
