"""Models and tokenizers from a folder or a hub; safetensors only, no code from outside."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from nmt.errors import ModelError, UnavailableError, did_you_mean
from nmt.hub import fault_of_hub, first_line
from nmt.models.families import family_of
from nmt.storage import Storage

NLLB_LICENSE = "cc-by-nc-4.0"
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
        return ModelSource(str(storage.fetch(self.name))) if self.stored else self

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
    family_of(_config(source))
    if path.is_dir() and not any(path.glob("*.safetensors")):
        raise ModelError(
            f"model.name_or_path={name}: holds no .safetensors file; weights in pickle formats "
            "are not read: convert them with `save_pretrained` of transformers"
        )
    return source


def load_tokenizer(
    source: ModelSource, source_language: str, target_language: str
) -> PreTrainedTokenizerBase:
    """Tokenizer that puts the two language codes where NLLB expects them.

    Raises:
        ModelError: a code is not in the vocabulary.
    """
    tokenizer = _guarded(AutoTokenizer.from_pretrained, source)
    for key, code in (("source", source_language), ("target", target_language)):
        check_code(tokenizer, f"data.{key}_language", code)
    tokenizer.src_lang = source_language
    tokenizer.tgt_lang = target_language
    return tokenizer


def check_code(tokenizer: PreTrainedTokenizerBase, key: str, code: str) -> int:
    """Token id of a language code.

    Raises:
        ModelError: the tokenizer has no such code, and would read it as an unknown word.
    """
    token = tokenizer.convert_tokens_to_ids(code)
    if not isinstance(token, int) or token == tokenizer.unk_token_id:
        known = [str(t) for t in tokenizer.all_special_tokens if "_" in str(t)]
        near = did_you_mean(code, known) or f" It has: {', '.join(known[:12])}."
        raise ModelError(f"{key}={code}: the model's tokenizer has no such code.{near}")
    return token


def load_model(source: ModelSource, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Weights in the given number format, on the CPU.

    Raises:
        ModelError: no safetensors weights.
        UnavailableError: the hub cannot be reached.
    """
    model = _guarded(
        AutoModelForSeq2SeqLM.from_pretrained, source, dtype=dtype, use_safetensors=True
    )
    # A checkpoint's own search settings would bend, or warn at, every call of ours.
    model.generation_config.max_length = None
    model.generation_config.forced_bos_token_id = None
    return model


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


def _config(source: ModelSource) -> object:
    return _guarded(AutoConfig.from_pretrained, source)


def _guarded(load, source: ModelSource, **options):  # noqa: ANN001, ANN003, ANN202
    """Call a `from_pretrained` and turn its failures into sentences."""
    name = str(Path(source.name).expanduser()) if source.is_folder else source.name
    fault = None if source.is_folder else _fault_of_hub(source)
    options |= {"revision": source.revision, "trust_remote_code": False}
    try:
        return load(name, local_files_only=fault is not None, **options)
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
