"""The folder of a torch engine: `model/`, `tokenizer/` and, if not merged, `adapter/`."""

import shutil
from pathlib import Path

from torch import nn

from nmt.models.adapters import attach
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.runs.engine_digest import ADAPTER_FOLDER, MODEL_FOLDER, TOKENIZER_FOLDER

_MODEL_CONFIG = "config.json"


def save_tokenizer(codec: Codec, folder: Path) -> None:
    """Write `tokenizer/`; `model/` must exist."""
    codec.save(folder / TOKENIZER_FOLDER)
    # transformers and `load_codec` choose the class of tokenizer and codec by this file.
    model_config = folder / MODEL_FOLDER / _MODEL_CONFIG
    shutil.copy(model_config, folder / TOKENIZER_FOLDER / _MODEL_CONFIG)


def open_model(folder: Path, *, has_adapter: bool) -> nn.Module:
    """Load the model on the CPU, ready to translate.

    Raises:
        ModelError: loading fails.
    """
    model = load_model(ModelSource(str(folder / MODEL_FOLDER))).eval()
    return attach(model, folder / ADAPTER_FOLDER) if has_adapter else model


def open_codec(folder: Path, source_language: str, target_language: str) -> Codec:
    """Load the codec of the engine for one direction.

    Raises:
        ModelError: loading fails.
    """
    source = ModelSource(str(folder / TOKENIZER_FOLDER))
    return load_codec(source, source_language, target_language)
