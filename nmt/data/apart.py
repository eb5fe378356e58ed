"""Checks that training, validation and test inputs are different."""

import logging
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from nmt.config import DataConfig
from nmt.data.overlap import Keys, sharing
from nmt.errors import DataError

log = logging.getLogger(__name__)

_PARTS = {
    "train": ("path", "target_path"),
    "validation": ("validation_path", "validation_target_path"),
    "test": ("test_path", "test_target_path"),
}


def require_distinct_files(data: DataConfig) -> None:
    """Refuse one file for two parts, even if its path is written in two ways.

    Raises:
        DataError: two settings name the same file.
    """
    # A folder or a data set's name may be given twice: it may hold a split for each part.
    for (part, name, file), (other_part, other_name, other) in combinations(_files(data), 2):
        if part != other_part and file.samefile(other):
            raise DataError(
                f"data.{name} and data.{other_name} are the same file ({file}): give {part} and "
                f"{other_part} different sentences, or unset data.{other_name}"
            )


def require_apart(held_out: Mapping[str, Keys], data: DataConfig) -> None:
    """Refuse validation and test pairs that are all the same, and warn if some are.

    Raises:
        DataError: every pair of one part shares a sentence with the other part.
    """
    if not held_out.keys() >= {"validation", "test"}:
        return
    # In both directions, since a small part may be contained in a large one.
    for part, other in (("validation", "test"), ("test", "validation")):
        # Only equal sentences: that two test sets are alike is for their authors to decide.
        shared = sharing(held_out[part], held_out[other])
        if len(shared) and shared.all():
            raise DataError(
                f"every pair of {_name_of(part, data)} shares a sentence with "
                f"{_name_of(other, data)}: the pairs that choose the checkpoint must not be the "
                "test pairs. Give other sentences"
            )
        if part == "validation" and shared.any():
            log.warning(
                "prepare: %d of %d pairs of %s share a sentence with %s",
                shared.sum(), len(shared), _name_of(part, data), _name_of(other, data),
            )  # fmt: skip


def warn_of_chosen_on(validation: Keys, name: str, test_set: Keys) -> None:
    """Warn that a named test set has sentences on which the checkpoint is chosen."""
    shared = sharing(test_set, validation)
    if shared.any():
        log.warning(
            "prepare: %d of %d pairs of the test set '%s' share a sentence with the validation "
            "pairs, which choose the checkpoint: its scores are too good by that",
            shared.sum(), len(shared), name,
        )  # fmt: skip


def _name_of(part: str, data: DataConfig) -> str:
    """Name the setting of a part, or the split of `data.path` that it is."""
    name = _PARTS[part][0]
    return f"data.{name}" if getattr(data, name) else f"the {part} split of data.path"


def _files(data: DataConfig) -> Iterator[tuple[str, str, Path]]:
    """List part, setting and path of each file that a setting names."""
    settings = [
        (part, name, getattr(data, name)) for part, names in _PARTS.items() for name in names
    ]
    for corpus, given in data.corpora.items():
        # Each corpus is a part of its own, since the same file twice doubles its pairs.
        settings.append((corpus, f"corpora.{corpus}.path", given.path))
        settings.append((corpus, f"corpora.{corpus}.target_path", given.target_path))
    for part, name, value in settings:
        if value is not None and Path(value).is_file():
            yield part, name, Path(value)
