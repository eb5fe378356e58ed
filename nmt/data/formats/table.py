"""CSV and TSV, with or without a header."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from nmt.data.formats.columns import Columns, find_columns, no_columns
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.data.formats.lines import read_lines
from nmt.data.formats.values import check_values
from nmt.data.scripts import script_share
from nmt.errors import DataError
from nmt.languages import script_of

Row = tuple[int, list[str]]
"""Number of the row's first line, and its cells."""

_LONGEST_CELL_CHARACTERS = 16 << 20
"""A longer cell is one whose quote was never closed."""
_SEPARATOR = re.compile(r'"?sep=(?P<delimiter>.)"?(?P=delimiter)*', re.IGNORECASE)
"""First line in which Excel says, to itself, what stands between the cells."""


def read_csv(corpus: Corpus) -> Iterator[RawPair]:
    """Pairs in order; commas, semicolons or tabs, whichever the first line has most of.

    Raises:
        DataError: no columns fit, or a row is not whole.
    """
    return _read(corpus, _csv_rows(corpus))


def read_tsv(corpus: Corpus) -> Iterator[RawPair]:
    """Pairs in order, one line each.

    Quotes belong to the text, as most such files are written without any quoting. They are
    taken off where the first row has each cell quoted, or where a cell has its quotes doubled.

    Raises:
        DataError: no columns fit, or a row is not whole.
    """
    return _read(corpus, _tsv_rows(corpus))


def _read(corpus: Corpus, rows: Iterator[Row]) -> Iterator[RawPair]:
    """Pairs of the rows; columns that a header names have to hold sentences."""
    filled = (row for row in rows if any(cell.strip() for cell in row[1]))
    for number, cells in filled:
        columns = find_columns(cells, corpus)
        if columns:
            _require_one_each(columns, cells, corpus)
            places = cells.index(columns.source), cells.index(columns.target)
            pairs = _cells(corpus, filled, len(cells), places)
            yield from check_values(((columns, pair) for pair in pairs), corpus)
        elif _is_data(cells, corpus):
            whole = chain([(number, cells)], filled)
            yield from _cells(corpus, whole, len(cells), (0, 1))
        else:
            raise DataError(f"{corpus.path}, line {number}: {no_columns(cells, corpus)}")


def _cells(
    corpus: Corpus, rows: Iterator[Row], width: int, places: tuple[int, int]
) -> Iterator[RawPair]:
    source, target = places
    for number, cells in rows:
        if len(cells) != width:
            raise DataError(_ragged(corpus, number, len(cells), width))
        yield cells[source], cells[target]


def _require_one_each(columns: Columns, header: Sequence[str], corpus: Corpus) -> None:
    for name in columns:
        if header.count(name) > 1:
            raise DataError(
                f"{corpus.path}: {header.count(name)} columns are called {name!r}, and which is "
                "meant cannot be told: give each its own name"
            )


def _is_data(cells: list[str], corpus: Corpus) -> bool:
    """Whether a first row without known names must be a pair, going by its script."""
    if len(cells) != 2:
        return False
    languages = (corpus.source_language, corpus.target_language)
    return any(
        script_of(language) != "Latn" and (script_share(cell, language) or 0) > 0.5
        for cell, language in zip(cells, languages, strict=True)
    )


def _csv_rows(corpus: Corpus) -> Iterator[Row]:
    lines = (f"{line}\n" for line in read_lines(corpus.file, quoted=True))
    first, skipped = next(lines, ""), 0
    told = _SEPARATOR.fullmatch(first.strip("\r\n"))
    if told:
        first, skipped = next(lines, ""), 1
    delimiter = told["delimiter"] if told else max(",;\t", key=first.count)
    csv.field_size_limit(_LONGEST_CELL_CHARACTERS)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    begins = 1 + skipped
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise DataError(_broken(corpus, begins, str(error))) from None


def _broken(corpus: Corpus, line: int, fault: str) -> str:
    if "field larger than field limit" in fault:
        return (
            f"{corpus.path}, line {line}: a cell of the row that begins here has more than "
            f"{_LONGEST_CELL_CHARACTERS:,} characters, so its quote is not closed. Close it, or "
            "double a quote that belongs to the text"
        )
    return (
        f"{corpus.path}, line {line}: no whole CSV row ({fault}). Quote a cell that holds the "
        'delimiter or a quote, and double its quotes: "say ""hi"""'
    )


def _tsv_rows(corpus: Corpus) -> Iterator[Row]:
    all_quoted = False
    lines = enumerate(read_lines(corpus.file), start=1)
    number, first = next(lines, (1, ""))
    told = _SEPARATOR.fullmatch(first)
    if told and told["delimiter"] != "\t":
        raise DataError(
            f"{corpus.path}, line 1: {first!r} says that {told['delimiter']!r} stands between the "
            "cells: end the file's name in .csv, or set data.format=csv"
        )
    rows = lines if told else chain([(number, first)], lines)
    for row, (number, line) in enumerate(rows):
        cells = line.split("\t")
        if row == 0:
            all_quoted = all(_is_quoted(cell) for cell in cells)
        yield number, [_unquote(cell) if all_quoted or '""' in cell else cell for cell in cells]


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if _is_quoted(cell) else cell


def _ragged(corpus: Corpus, number: int, found: int, expected: int) -> str:
    return (
        f"{corpus.path}, line {number}: {found} columns, and the first row has {expected}. "
        "Quote cells that hold the delimiter, and give each row the same columns"
    )
