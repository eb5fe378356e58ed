"""Prepared pairs on disk, in the layout of `datasets`: a folder with one Arrow file per split."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc
from pydantic import ValidationError

from nmt.data.formats.arrow import (
    DATA_SET_FILE,
    STATE_FILE,
    SplitNames,
    arrow_batches,
    explain_arrow_errors,
    saved_splits,
)
from nmt.errors import DataError
from nmt.text.pair import Pair

SPLITS = ("train", "validation", "test")
GENERAL_SPLITS = ("general_train", "general_validation", "general_test")
SCHEMA = pa.schema(
    {"source": pa.string(), "target": pa.string(), "corpus": pa.string(), "flags": pa.uint8()}
)
"""Columns of a split: the sentences, the name of the corpus (empty if it has none), and bits for
what is conspicuous about the pair."""
_DATA_SET = "dataset"
_ARROW_FILE = "data-00000-of-00001.arrow"


def write_split(folder: Path, name: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Write a split in a form that `datasets.load_from_disk` can read.

    Args:
        folder: of the prepared data; `write_split_names` completes it.
        name: of the split.
        batches: its pairs, in the columns of `SCHEMA`.
    """
    # `save_to_disk` is not used: it would take `::` in a path for a chain of file systems.
    split = folder / _DATA_SET / name
    split.mkdir(parents=True)
    with (split / _ARROW_FILE).open("wb") as stream, ipc.new_stream(stream, SCHEMA) as rows:
        for batch in batches:
            rows.write_batch(batch)
    _write_json(split / "dataset_info.json", {"features": _features()})
    _write_json(split / STATE_FILE, _state(name))


def write_split_names(folder: Path, names: Sequence[str]) -> None:
    """Write the list of the splits, without which they cannot be read."""
    _write_json(folder / _DATA_SET / DATA_SET_FILE, {"splits": list(names)})


def split_names(folder: Path) -> list[str]:
    """List the splits that were written; empty if the folder is missing or damaged."""
    try:
        content = (folder / _DATA_SET / DATA_SET_FILE).read_bytes()
        return SplitNames.model_validate_json(content).splits
    except (OSError, ValidationError):
        return []


def has_split(folder: Path, split: str) -> bool:
    """Tell whether `prepare` wrote a split to a folder."""
    return split in split_names(folder)


def load_pairs(folder: Path, split: str) -> list[Pair]:
    """Load the pairs of one split in order.

    Args:
        folder: the `destination` of `prepare`.
        split: one of `SPLITS` or `GENERAL_SPLITS`.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    pairs: list[Pair] = []
    for batch in split_batches(folder, split):
        sides = (batch.column(name).to_pylist() for name in ("source", "target"))
        pairs.extend(Pair(*pair) for pair in zip(*sides, strict=True))
    return pairs


def split_batches(folder: Path, split: str) -> Iterator[pa.RecordBatch]:
    """Read one split in order, as batches with the columns of `SCHEMA`.

    Data that an earlier release prepared has only the columns `source` and `target`.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    with _files_of(folder, split) as files:
        for file in files:
            # Not mapped into memory: the mapped pages of a large file would stay until its end.
            with pa.OSFile(str(file)) as stream, ipc.open_stream(stream) as batches:
                for batch in batches:
                    if not {"source", "target"} <= set(batch.schema.names):
                        raise DataError("the columns source and target are missing")
                    yield batch


def map_split(folder: Path, split: str) -> list[pa.RecordBatch]:
    """Map the batches of one split into memory, for readers that jump from row to row.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    with _files_of(folder, split) as files:
        return list(arrow_batches(files))


def count_rows(folder: Path, split: str) -> int:
    """Count the rows of a split without reading their text.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    with _files_of(folder, split) as files:
        return sum(batch.num_rows for batch in arrow_batches(files))


@contextmanager
def _files_of(folder: Path, split: str) -> Iterator[list[Path]]:
    """Find the files of a split, and explain errors while they are read.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    if not has_split(folder, split):
        existing = ", ".join(split_names(folder)) or "no prepared data"
        raise DataError(f"{folder} has no split {split!r}; it holds {existing}")
    try:
        with explain_arrow_errors(str(folder), "as prepared pairs"):
            yield (saved_splits(folder / _DATA_SET) or {})[split]
    except (DataError, KeyError) as error:
        raise DataError(
            f"the split {split!r} in {folder} is damaged ({error}): prepare the data again"
        ) from error


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _features() -> dict[str, dict[str, str]]:
    return {field.name: {"dtype": str(field.type), "_type": "Value"} for field in SCHEMA}


def _state(name: str) -> dict[str, object]:
    # `load_from_disk` requires each of these keys.
    return {
        "_data_files": [{"filename": _ARROW_FILE}],
        "_fingerprint": "0" * 16,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": name,
    }
