"""Parquet files."""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet
from typing_extensions import override

from nmt.errors import DataError
from ray_jobs.translation.formats.rows import (
    CONFIDENCE,
    Added,
    Columns,
    FileFormat,
    Rows,
    check_new,
)


class ParquetRows(Rows):
    """Rows of a table, and the name of the column with the texts."""

    def __init__(self, table: pa.Table, column: str) -> None:
        self._table = table
        self.texts = [text or "" for text in table.column(column).to_pylist()]

    @override
    def content(self) -> str:
        return "\n".join(self.texts)

    @override
    def piece(self, added: Added, *, is_first: bool) -> bytes:
        table = self._table
        for name, values in added.items():
            # A column of nulls alone would get another type than the same column elsewhere.
            kind = pa.float64() if name.startswith(CONFIDENCE) else pa.string()
            table = table.append_column(name, pa.array(values, kind))
        sink = io.BytesIO()
        parquet.write_table(table, sink)
        return sink.getvalue()


class ParquetFormat(FileFormat):
    """A Parquet file."""

    def __init__(self, columns: Columns, added: list[str]) -> None:
        self._columns, self._added = columns, added

    @override
    def read(self, stream: BinaryIO, file: str, size: int) -> Iterator[ParquetRows]:
        try:
            source = parquet.ParquetFile(stream)
            schema = source.schema_arrow
            column = self._columns.find(schema.names, file)
            check_new(self._added, schema.names, file)
            kind = schema.field(column).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise DataError(f"{file}: column {column!r} holds {kind}, not text: see --column")
            is_empty = True
            for batch in source.iter_batches(batch_size=size):
                is_empty = False
                yield ParquetRows(pa.Table.from_batches([batch]), column)
            if is_empty:
                yield ParquetRows(schema.empty_table(), column)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{file} cannot be read as Parquet: {error}") from None

    @override
    def join(self, pieces: Iterable[bytes], sink: BinaryIO) -> None:
        tables = (parquet.read_table(io.BytesIO(piece)) for piece in pieces)
        first = next(tables)  # a file has at least one piece, which may have no rows
        with parquet.ParquetWriter(sink, first.schema) as writer:
            for table in chain([first], tables):
                writer.write_table(table)
