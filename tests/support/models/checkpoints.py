"""A checkpoint in a folder: loaded as a run loads it, or copied and changed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from torch import nn

from nmt.models.load import load_codec, load_model
from nmt.models.model_config import find_model
from nmt.models.tokenization.codec import Codec

Checkpoint = Callable[[str], Path]


def load(folder: Path, target: str = "tam_Taml") -> tuple[nn.Module, Codec]:
    source = find_model(str(folder))
    return load_model(source), load_codec(source, "eng_Latn", target)


def copied(folder: Path, destination: Path) -> Path:
    return shutil.copytree(folder, destination / "copy")


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
