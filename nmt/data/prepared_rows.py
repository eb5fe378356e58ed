"""Rows of prepared data in chunks, for readers that must not hold a whole split in memory.

Imports no torch.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import ipc

from nmt.data.formats.arrow import arrow_batches, explain_arrow_errors, saved_splits
from nmt.data.saved import has_split
from nmt.errors import DataError
from nmt.text.pair import Pair


class Rows(NamedTuple):
    """Consecutive pairs of a split."""

    sources: list[str]
    targets: list[str]
    corpora: list[str] | None
    """The corpus of each pair; None if the data was prepared without names of corpora."""


def read_rows(folder: Path, split: str, rows_at_once: int) -> Iterator[Rows]:
    """Read a split in order, in chunks.

    Args:
        folder: the `destination` of `prepare`.
        split: name of the split.
        rows_at_once: maximum number of rows of a chunk.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    for file in _files(folder, split):
        # Not mapped into memory: the mapped pages of a large file would stay until its end.
        with (
            explain_arrow_errors(str(file), "as prepared pairs"),
            pa.OSFile(str(file)) as stream,
            ipc.open_stream(stream) as batches,
        ):
            for batch in batches:
                for start in range(0, batch.num_rows, rows_at_once):
                    yield _as_rows(batch.slice(start, rows_at_once))


def count_rows(folder: Path, split: str) -> int:
    """Count the rows of a split without reading their text.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    files = _files(folder, split)
    with explain_arrow_errors(str(folder), "as prepared pairs"):
        return sum(batch.num_rows for batch in arrow_batches(files))


def first_pairs(folder: Path, split: str, count: int) -> list[Pair]:
    """Read the first pairs of a split.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    chunks = read_rows(folder, split, count)
    pairs = (
        Pair(*pair) for rows in chunks for pair in zip(rows.sources, rows.targets, strict=True)
    )
    return list(islice(pairs, count))


def _files(folder: Path, split: str) -> list[Path]:
    if not has_split(folder, split):
        raise DataError(f"{folder} has no split {split!r}: prepare the data again")
    return (saved_splits(folder / "dataset") or {})[split]


def _as_rows(batch: pa.RecordBatch) -> Rows:
    sources, targets = (batch.column(name).to_pylist() for name in ("source", "target"))
    has_corpora = "corpus" in batch.schema.names
    return Rows(sources, targets, batch.column("corpus").to_pylist() if has_corpora else None)
