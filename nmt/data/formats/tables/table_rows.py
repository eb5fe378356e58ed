"""The rows of CSV and TSV files."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.lines import read_lines
from nmt.data.formats.rows import BadRow
from nmt.errors import DataError

MAX_CELL_CHARACTERS = 16 << 20
"""Maximum length of a cell; a longer one has a quote that was never closed."""
_BARS = "|||"
"""Separator of word aligners, between spaces."""
_BARS_AND_SPACES = re.compile(r" ?\|\|\| ?")
_SEPARATOR = re.compile(r'"?sep=(?P<delimiter>.)"?(?P=delimiter)*', re.IGNORECASE)
"""A first line in which Excel notes the delimiter for itself."""


class TableRow(NamedTuple):
    """The cells of a row."""

    line: int
    """Number of its first line."""
    cells: list[str]


class _Lines:
    """The lines of a CSV file for `csv.reader`, of which the last ones can be read again."""

    def __init__(self, file: InputFile, *, keep_strays: bool) -> None:
        lines = read_lines(file, quoted=True, keep_strays=keep_strays)
        self._lines = enumerate(lines, start=1)
        self._again: deque[tuple[int, str | BadRow]] = deque()
        self.taken: list[tuple[int, str | BadRow]] = []
        """Lines of the current row."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        number, line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append((number, line))
        # With its end, which belongs to the text inside quotes.
        return "\n" if isinstance(line, BadRow) else f"{line}\n"

    def damage(self) -> BadRow | None:
        """Return the first line of the current row that cannot be decoded."""
        return next((line for _, line in self.taken if isinstance(line, BadRow)), None)

    def return_lines(self, keep: int) -> None:
        """Give back the lines of the current row except the first ones."""
        self._again.extendleft(reversed(self.taken[keep:]))
        del self.taken[keep:]


def csv_rows(file: InputFile, *, keep_strays: bool = False) -> Iterator[TableRow | BadRow]:
    """Read the rows of a CSV file; after a damaged one, continue with the next line.

    Args:
        file: the file.
        keep_strays: as in `read_lines`.

    Raises:
        DataError: the file cannot be opened.
    """
    lines = _Lines(file, keep_strays=keep_strays)
    delimiter = _find_delimiter(lines)
    # Python's own limit, 131,072 characters, is lower than a long document needs.
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    # Unless it is strict, Python accepts a quote that is not closed, and merges the rows after it.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    width = 0
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start = lines.taken[0][0]
            yield lines.damage() or BadRow(f"{file}, line {start}", _explain(str(error)))
            lines.return_lines(keep=1)
            continue
        damage = lines.damage()
        width = width or len(cells)
        yield damage or TableRow(lines.taken[0][0], cells)
        # A quote that is not closed can swallow rows up to the next quote.
        if damage or len(cells) != width:
            lines.return_lines(keep=1)


def _find_delimiter(lines: _Lines) -> str:
    """Find what separates the cells, from the first line."""
    first = next(lines, "")
    separator = _SEPARATOR.fullmatch(first.strip("\r\n"))
    # The line for Excel is not a row; any other first line is read again as one.
    lines.return_lines(keep=1 if separator else 0)
    return separator["delimiter"] if separator else max(",;\t", key=first.count)


def tsv_rows(file: InputFile, *, keep_strays: bool = False) -> Iterator[TableRow | BadRow]:
    """Read the rows of a TSV file, one per line, with tabs or `|||` between the cells.

    Args:
        file: the file.
        keep_strays: as in `read_lines`.

    Raises:
        DataError: the file cannot be opened, or its first line says that it is not a TSV file.
    """
    all_quoted = False
    lines = enumerate(read_lines(file, keep_strays=keep_strays), start=1)
    number, first = next(lines, (1, ""))
    separator = None if isinstance(first, BadRow) else _SEPARATOR.fullmatch(first)
    if separator and separator["delimiter"] != "\t":
        raise DataError(
            f"{file}, line 1: {first!r} says that {separator['delimiter']!r} separates the "
            "cells: give the file a name that ends in .csv, or set data.format=csv"
        )
    rows = lines if separator else chain([(number, first)], lines)
    has_bars = isinstance(first, str) and "\t" not in first and _BARS in first
    for row, (number, line) in enumerate(rows):
        if isinstance(line, BadRow):
            yield line
            continue
        # Word aligners write no quotes, and a space on both sides of the bars.
        if has_bars:
            yield TableRow(number, _BARS_AND_SPACES.split(line))
            continue
        cells = line.split("\t")
        if row == 0:
            all_quoted = all(_is_quoted(cell) for cell in cells)
        yield TableRow(
            number, [_unquote(cell) if all_quoted or '""' in cell else cell for cell in cells]
        )


def _explain(reason: str) -> str:
    if "field larger than field limit" in reason:
        return (
            "a cell of the row that begins here has more than "
            f"{MAX_CELL_CHARACTERS:,} characters, so its quote is not closed. Close it, or "
            "double a quote that belongs to the text"
        )
    return (
        f"not a complete CSV row ({reason}). Quote a cell that "
        'contains the delimiter or a quote, and double its quotes: "say ""hi"""'
    )


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if _is_quoted(cell) else cell
