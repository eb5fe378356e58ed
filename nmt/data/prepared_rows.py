"""Rows of prepared data in chunks, for readers that must not hold a whole split in memory.

Imports no torch.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from nmt.data.saved import map_split, split_batches
from nmt.text.pair import Pair


class Rows(NamedTuple):
    """Consecutive pairs of a split."""

    sources: list[str]
    targets: list[str]
    corpora: list[str] | None
    """The corpus of each pair; None if the data was prepared without names of corpora."""


class MappedPairs:
    """The pairs of a split, read from its files in any order."""

    def __init__(self, folder: Path, split: str) -> None:
        """Map a split into memory.

        Args:
            folder: the `destination` of `prepare`.
            split: name of the split.

        Raises:
            DataError: the split does not exist or is damaged.
        """
        self._batches = map_split(folder, split)
        self._ends = list(accumulate(batch.num_rows for batch in self._batches))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self._ends[-1] if self._ends else 0

    @property
    def text_bytes(self) -> int:
        """Return the size of the texts as they lie in the files."""
        return sum(
            batch.column(name).nbytes for batch in self._batches for name in ("source", "target")
        )

    def pair(self, row: int) -> Pair:
        """Read one pair."""
        number = bisect_right(self._ends, row)
        batch = self._batches[number]
        place = row - (self._ends[number] - batch.num_rows)
        return Pair(*(batch.column(name)[place].as_py() for name in ("source", "target")))

    def chunks(self, rows_at_once: int) -> Iterator[Rows]:
        """Read all pairs in order, in chunks of at most so many rows."""
        return _in_chunks(self._batches, rows_at_once)


def read_rows(folder: Path, split: str, rows_at_once: int) -> Iterator[Rows]:
    """Read a split in order, in chunks.

    Args:
        folder: the `destination` of `prepare`.
        split: name of the split.
        rows_at_once: maximum number of rows of a chunk.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    yield from _in_chunks(split_batches(folder, split), rows_at_once)


def _in_chunks(batches: Iterable[pa.RecordBatch], rows_at_once: int) -> Iterator[Rows]:
    for batch in batches:
        for start in range(0, batch.num_rows, rows_at_once):
            yield _as_rows(batch.slice(start, rows_at_once))


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


def _as_rows(batch: pa.RecordBatch) -> Rows:
    sources, targets = (batch.column(name).to_pylist() for name in ("source", "target"))
    has_corpora = "corpus" in batch.schema.names
    return Rows(sources, targets, batch.column("corpus").to_pylist() if has_corpora else None)
