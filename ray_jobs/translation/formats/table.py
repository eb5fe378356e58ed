"""TSV and CSV. A column that is named needs a header; one that is numbered means there is none."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from typing_extensions import override

from nmt.data.formats.tables.table_rows import MAX_CELL_CHARACTERS
from nmt.errors import DataError
from ray_jobs.translation.formats.rows import (
    Added,
    Columns,
    Concatenated,
    Rows,
    check_new,
    grouped,
    written,
)
from ray_jobs.translation.formats.text import SEPARATORS
from ray_jobs.translation.lines import read_lines, read_raw_lines

Cells = list[str]


class TableRows(Rows):
    """Rows of cells, with the header of their file."""

    def __init__(self, rows: list[Cells], header: Cells, column: int, delimiter: str) -> None:
        """Take the texts of a column.

        Args:
            rows: a row that lacks cells counts as one with empty cells.
            header: empty if the file has none.
            column: place of the column to translate, counted from 0.
            delimiter: a tab for TSV, where quotes have no meaning.
        """
        self._rows, self._header, self._delimiter = rows, header, delimiter
        self._width = max(len(header), column + 1)
        self.texts = [row[column] if column < len(row) else "" for row in rows]

    @override
    def content(self) -> str:
        return "\n".join("\t".join(row) for row in self._rows)

    @override
    def piece(self, added: Added, *, is_first: bool) -> bytes:
        # Only CSV can quote a tab or a line break.
        columns = [[*map(written, values)] for values in added.values()]
        if self._delimiter == "\t":
            columns = [[value.translate(SEPARATORS) for value in values] for values in columns]
        rows: Iterable[Cells] = (
            # Without the missing cells, the translation would be in the column of another cell.
            [*row, *[""] * (self._width - len(row)), *values]
            for row, values in zip(self._rows, zip(*columns, strict=True), strict=True)
        )
        if is_first and self._header:
            rows = chain([[*self._header, *added]], rows)
        if self._delimiter == "\t":
            return "".join("\t".join(row) + "\n" for row in rows).encode()
        output = io.StringIO()
        csv.writer(output, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        return output.getvalue().encode()


class TableFormat(Concatenated):
    """A TSV or CSV file."""

    def __init__(self, columns: Columns, added: list[str], *, is_tsv: bool) -> None:
        """Describe the table.

        Args:
            columns: the column to translate.
            added: names of the columns to add.
            is_tsv: whether cells end at tabs only, and quotes have no meaning.
        """
        self._columns, self._added, self._is_tsv = columns, added, is_tsv

    @override
    def read(self, stream: BinaryIO, file: str, size: int) -> Iterator[TableRows]:
        delimiter, rows = _tsv_rows(stream, file) if self._is_tsv else _csv_rows(stream, file)
        header: Cells = []
        number = self._columns.number
        column = (number or 0) - 1
        if number is None:
            header = next(rows, [])
            if header:
                column = header.index(self._columns.find(header, file))
                check_new(self._added, header, file)
        for group in grouped(rows, size):
            yield TableRows(group, header, max(column, 0), delimiter)


def _tsv_rows(stream: BinaryIO, file: str) -> tuple[str, Iterator[Cells]]:
    return "\t", (line.split("\t") for line in read_lines(stream, file))


def _csv_rows(stream: BinaryIO, file: str) -> tuple[str, Iterator[Cells]]:
    lines = read_raw_lines(stream, file)
    first = next(lines, "")
    # Excel writes semicolons where the comma is the decimal sign.
    delimiter = max(",;\t", key=first.count)
    return delimiter, _parsed(chain([first], lines), delimiter, file)


def _parsed(lines: Iterable[str], delimiter: str, file: str) -> Iterator[Cells]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        # A blank line is a row of no cells; it stays, so that no line is lost.
        yield from reader
    except csv.Error as error:
        raise DataError(f"{file}, line {reader.line_num}: not valid CSV: {error}") from None
