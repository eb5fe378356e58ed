"""Readers for Parquet files and for data sets that `save_to_disk` wrote.

The files are opened directly, since `datasets` gives `::`, brackets and asterisks in a path a
special meaning.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc, parquet
from pydantic import BaseModel, Field, ValidationError

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.records import Record, RecordReader
from nmt.data.formats.tables.values import check_values
from nmt.errors import DataError

DATA_SET_FILE = "dataset_dict.json"
STATE_FILE = "state.json"
ROWS_AT_ONCE = 1000


class SplitNames(BaseModel):
    """Content of `dataset_dict.json`: the splits, each in a folder of the same name."""

    splits: list[str]


class DataFile(BaseModel):
    """One Arrow file of a split."""

    filename: str


class State(BaseModel):
    """Content of `state.json`: the Arrow files of a split, in order."""

    data_files: list[DataFile] = Field(alias="_data_files")
    order_files: list[DataFile] = Field(default=[], alias="_indices_data_files")
    """Written by early versions of `datasets` if the rows have another order than in the files."""


def read_parquet(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a Parquet file in order.

    Raises:
        DataError: the file cannot be read, or its columns are missing or do not hold text.
    """
    with explain_arrow_errors(corpus.path, "as Parquet"), corpus.file.open() as stream:
        batches = parquet.ParquetFile(stream).iter_batches(batch_size=ROWS_AT_ONCE)
        yield from _pairs(corpus, batches, corpus.path)


def saved_splits(folder: Path) -> dict[str, list[Path]] | None:
    """Find the Arrow files of each split that `save_to_disk` wrote.

    Returns:
        None if `save_to_disk` did not write the folder. A data set without splits is `train`.

    Raises:
        DataError: a file that lists splits or Arrow files is damaged.
    """
    with explain_arrow_errors(str(folder), "as a saved data set"):
        if (folder / DATA_SET_FILE).is_file():
            names = SplitNames.model_validate_json((folder / DATA_SET_FILE).read_bytes())
            return {name: _state_files(folder / name) for name in names.splits}
        if (folder / STATE_FILE).is_file():
            return {"train": _state_files(folder)}
    return None


def read_saved(corpus: Corpus, name: str, files: Sequence[Path]) -> Iterator[Row]:
    """Read the pairs of one saved split in order.

    Raises:
        DataError: a file cannot be read, or the columns are missing or do not hold text.
    """
    with explain_arrow_errors(corpus.path, "as a saved data set"):
        yield from _pairs(corpus, arrow_batches(files), f"{corpus.path}, split {name}")


def arrow_batches(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """Read the rows of Arrow files."""
    # Mapped into memory, so that a file that is larger than the memory can be read.
    for file in files:
        with pa.memory_map(str(file)) as stream, ipc.open_stream(stream) as rows:
            yield from rows


@contextmanager
def explain_arrow_errors(path: str, kind: str) -> Iterator[None]:
    """Turn an error while a file is read into a DataError.

    Args:
        path: the file or folder, for the message.
        kind: how it is read, such as `as Parquet`.
    """
    try:
        yield
    except (OSError, pa.ArrowException, ValidationError) as error:
        # These messages can have many lines, and the first says what is wrong.
        first = str(error).strip().splitlines()[0][:300].rstrip(". ")
        raise DataError(f"{path} cannot be read {kind}: {first}. Copy or write it again") from None


def _state_files(folder: Path) -> list[Path]:
    state = State.model_validate_json((folder / STATE_FILE).read_bytes())
    if state.order_files:
        raise DataError(
            f"{folder} was saved by an early version of `datasets`, with its rows in another order "
            "than in its files: load it with that version and save it again"
        )
    return [folder / file.filename for file in state.data_files]


def _pairs(corpus: Corpus, batches: Iterator[pa.RecordBatch], place: str) -> Iterator[Row]:
    records = (
        Record(number, f"{place}, row {number}", row)
        for number, row in enumerate(_rows(batches), start=1)
    )
    yield from check_values(RecordReader(corpus).read(records), corpus)


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    # A batch of a file may be large, and as Python objects it takes several times the memory.
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):
            yield from batch.slice(start, ROWS_AT_ONCE).to_pylist()
