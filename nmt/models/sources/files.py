"""The files that make up a model, in a folder or in a hub's repository.

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
"""The preferred file first."""
_INDEX_SUFFIX = ".index.json"
INDEX = _WEIGHTS[0] + _INDEX_SUFFIX
VOCABULARY = ("tokenizer.json", "vocab.*", "*.model", "*.spm")
_OTHERS = (
    CONFIG, "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "merges.txt", "target_vocab.json", *VOCABULARY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The names of the files in a folder that make up a model."""

    folder: Path
    others: tuple[str, ...]
    """Configuration and tokenizer."""
    weights: tuple[str, ...]
    """One file, or an index and the files it names."""

    @property
    def are_pickled(self) -> bool:
        """Tell whether the weights exist only as pickles of PyTorch."""
        return not self.weights[0].startswith(_WEIGHTS[0])

    @property
    def names(self) -> tuple[str, ...]:
        """List the names of all files."""
        return (*self.others, *self.weights)

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """List the paths of the files with tensors, without the index."""
        return tuple(
            self.folder / name for name in self.weights if not name.endswith(_INDEX_SUFFIX)
        )


def model_files(folder: Path, label: str) -> ModelFiles:
    """Find the files of a model in a folder.

    Args:
        folder: a folder with `config.json`.
        label: the model's name, for messages.

    Raises:
        ModelError: some or all weights are missing.
    """
    names = {path.name for path in folder.iterdir() if path.is_file()}
    found = _weights_or_index(names)
    if found is None:
        raise ModelError(
            f"model.name_or_path={label}: has no weights, neither {_WEIGHTS[0]} nor "
            f"{_WEIGHTS[1]} (or in parts, with {INDEX}): fetch all files of the "
            "model, or write them with `save_pretrained` of transformers"
        )
    weights = [found]
    if found.endswith(_INDEX_SUFFIX):
        weights += _read_parts(folder / found, label)
    missing = [name for name in weights if name not in names]
    if missing:
        raise ModelError(
            f"model.name_or_path={label}: lacks {missing[0]}, which {found} names"
            f"{f' ({len(missing)} files are missing)' if len(missing) > 1 else ''}: fetch all "
            "files of the model"
        )
    return ModelFiles(folder, tuple(sorted(_matching(names, _OTHERS))), tuple(weights))


def select_files(names: Collection[str]) -> list[str]:
    """Select the files to fetch from a hub's repository."""
    # Pickled weights are selected only if there are no safetensors.
    wanted = _matching(names, _OTHERS)
    weights = _weights_or_index(names)
    if weights and weights.endswith(_INDEX_SUFFIX):
        stem, _, suffix = weights.removesuffix(_INDEX_SUFFIX).rpartition(".")
        wanted += [weights, *_matching(names, (f"{stem}-*.{suffix}",))]
    elif weights:
        wanted.append(weights)
    return sorted(set(wanted))


def _weights_or_index(names: Collection[str]) -> str | None:
    """Choose the file that transformers would load: weights, or an index of their parts."""
    choices = [choice for name in _WEIGHTS for choice in (name, name + _INDEX_SUFFIX)]
    return next((choice for choice in choices if choice in names), None)


def _matching(names: Collection[str], patterns: Collection[str]) -> list[str]:
    """List the names in the top folder that match a pattern."""
    return [
        name
        for name in names
        if "/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _read_parts(index: Path, label: str) -> list[str]:
    """Read the names of the files that an index lists."""
    try:
        parts = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        parts = []
    # A path in place of a name could lead out of the model's folder.
    if not parts or any(not isinstance(part, str) or Path(part).name != part for part in parts):
        raise ModelError(
            f"model.name_or_path={label}: {index.name} is damaged, or names files in other "
            "folders: fetch it again"
        )
    return parts
