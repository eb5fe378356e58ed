"""Rows of prepared data in chunks, for readers that must not hold a whole split in memory.

Imports no torch.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from nmt.data.saved import split_batches
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
    for batch in split_batches(folder, split):
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
