"""Which files of a folder, or of a hub's repository, make a model.

Imports no torch.
"""

import fnmatch
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nmt.errors import ModelError

CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""The better one first."""
_IN_PARTS = ".index.json"
INDEX = _WEIGHTS[0] + _IN_PARTS
VOCABULARY = ("tokenizer.json", "vocab.*", "*.model", "*.spm")
_OTHERS = (
    CONFIG, "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "merges.txt", "target_vocab.json", *VOCABULARY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Names of the files of one folder that make a model."""

    folder: Path
    others: tuple[str, ...]
    """Configuration and tokenizer."""
    weights: tuple[str, ...]
    """One file, or an index and the files that it names."""

    @property
    def are_pickled(self) -> bool:
        """Whether the weights are there as PyTorch's own files alone."""
        return not self.weights[0].startswith(_WEIGHTS[0])

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.others, *self.weights)

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """Where the tensors are, without the index."""
        return tuple(self.folder / name for name in self.weights if not name.endswith(_IN_PARTS))


def model_files(folder: Path, label: str) -> ModelFiles:
    """Find what makes a model in a folder.

    Args:
        folder: with `config.json`.
        label: the model's name, for messages.

    Raises:
        ModelError: there are no weights, or not all of them.
    """
    names = {path.name for path in folder.iterdir() if path.is_file()}
    found = _whole_or_index(names)
    if found is None:
        raise ModelError(
            f"model.name_or_path={label}: holds no weights, neither {_WEIGHTS[0]} nor "
            f"{_WEIGHTS[1]} (or in parts, with {INDEX}): fetch all files of the "
            "model, or write them with `save_pretrained` of transformers"
        )
    weights = [found]
    if found.endswith(_IN_PARTS):
        weights += _parts(folder / found, label)
    missing = [name for name in weights if name not in names]
    if missing:
        raise ModelError(
            f"model.name_or_path={label}: lacks {missing[0]}, which {found} names"
            f"{f' ({len(missing)} files are missing)' if len(missing) > 1 else ''}: fetch all "
            "files of the model"
        )
    return ModelFiles(folder, tuple(sorted(_matching(names, _OTHERS))), tuple(weights))


def select_files(names: Collection[str]) -> list[str]:
    """Choose from the names in a hub's repository; pickled weights only where it has no others."""
    wanted = _matching(names, _OTHERS)
    whole = _whole_or_index(names)
    if whole and whole.endswith(_IN_PARTS):
        stem, _, suffix = whole.removesuffix(_IN_PARTS).rpartition(".")
        wanted += [whole, *_matching(names, (f"{stem}-*.{suffix}",))]
    elif whole:
        wanted.append(whole)
    return sorted(set(wanted))


def _whole_or_index(names: Collection[str]) -> str | None:
    """Choose as transformers does."""
    choices = [choice for whole in _WEIGHTS for choice in (whole, whole + _IN_PARTS)]
    return next((choice for choice in choices if choice in names), None)


def _matching(names: Collection[str], patterns: Collection[str]) -> list[str]:
    return [
        name
        for name in names
        if "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _parts(index: Path, label: str) -> list[str]:
    """Read which files an index names."""
    try:
        parts = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        parts = []
    if not parts or any(not isinstance(part, str) or Path(part).name != part for part in parts):
        raise ModelError(
            f"model.name_or_path={label}: {index.name} is damaged, or names files elsewhere: fetch "
            "it again"
        )
    return parts
