"""An engine folder for torch: `model/`, `tokenizer/` and, beside a base, `adapter/`."""

import shutil
from pathlib import Path

from torch import nn

from nmt.engines.card import ADAPTER_FOLDER, MODEL_FOLDER, TOKENIZER_FOLDER
from nmt.models.adapters import attach
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec

_SHAPE = "config.json"


def save_tokenizer(codec: Codec, folder: Path) -> None:
    """Write `tokenizer/` beside a `model/` that is already there."""
    codec.save(folder / TOKENIZER_FOLDER)
    # transformers and `load_codec` tell by it which kind of tokenizer and codec it is.
    shutil.copy(folder / MODEL_FOLDER / _SHAPE, folder / TOKENIZER_FOLDER / _SHAPE)


def open_model(folder: Path, *, has_adapter: bool) -> nn.Module:
    """The model, ready to translate, on the CPU.

    Raises:
        ModelError: it cannot be loaded.
    """
    model = load_model(ModelSource(str(folder / MODEL_FOLDER))).eval()
    return attach(model, folder / ADAPTER_FOLDER) if has_adapter else model


def open_codec(folder: Path, source_language: str, target_language: str) -> Codec:
    """Text side of that model.

    Raises:
        ModelError: it cannot be loaded.
    """
    source = ModelSource(str(folder / TOKENIZER_FOLDER))
    return load_codec(source, source_language, target_language)
