"""Refuses inputs that are to be apart and are not: what is tested on must not choose or train."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from nmt.config import DataConfig
from nmt.data.split import drop_leaks
from nmt.errors import DataError
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

_PARTS = {
    "train": ("path", "target_path"),
    "validation": ("validation_path", "validation_target_path"),
    "test": ("test_path", "test_target_path"),
}


def require_distinct_files(data: DataConfig) -> None:
    """Refuse one file for two parts, however its path is written.

    A folder or a name may stand for several parts, as it may hold a split for each.

    Raises:
        DataError: names both settings.
    """
    for (part, name, file), (other_part, other_name, other) in combinations(_files(data), 2):
        if part != other_part and file.samefile(other):
            raise DataError(
                f"data.{name} and data.{other_name} are the same file ({file}): give {part} and "
                f"{other_part} different sentences, or unset data.{other_name}"
            )


def require_apart(held_out: Mapping[str, Sequence[Pair]], data: DataConfig) -> None:
    """Refuse validation and test pairs that are the same, and tell how many are.

    Raises:
        DataError: one part has no sentence that the other does not have.
    """
    if not held_out.keys() >= {"validation", "test"}:
        return
    parts = (("validation", held_out["validation"]), ("test", held_out["test"]))
    for (part, pairs), (other, others) in (parts, parts[::-1]):
        own, shared = drop_leaks(pairs, others)
        if pairs and not own:
            raise DataError(
                f"every pair of {_named(part, data)} shares a sentence with {_named(other, data)}: "
                "what chooses the checkpoint must not be what is tested on. Give other sentences"
            )
        if part == "validation" and shared:
            log.warning(
                "prepare: %d of %d pairs of %s share a sentence with %s",
                len(shared), len(pairs), _named(part, data), _named(other, data),
            )  # fmt: skip


def _named(part: str, data: DataConfig) -> str:
    """The setting that names a part, or the split that `data.path` brings along."""
    name = _PARTS[part][0]
    return f"data.{name}" if getattr(data, name) else f"the {part} split of data.path"


def _files(data: DataConfig) -> Iterator[tuple[str, str, Path]]:
    """Part, setting and path of each file that a setting names."""
    for part, names in _PARTS.items():
        for name in names:
            value = getattr(data, name)
            if value is not None and Path(value).is_file():
                yield part, name, Path(value)
