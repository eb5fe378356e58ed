"""Readers for CSV and TSV, with or without a header."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from nmt.data.formats.columns import Columns, explain_missing_columns, find_columns
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.data.formats.lines import read_lines
from nmt.data.formats.values import check_values
from nmt.data.scripts import script_share
from nmt.errors import DataError
from nmt.languages import script_of

Row = tuple[int, list[str]]
"""Number of the row's first line, and its cells."""

_MAX_CELL_CHARACTERS = 16 << 20
"""Maximum length of a cell; a longer one has a quote that was never closed."""
_SEPARATOR = re.compile(r'"?sep=(?P<delimiter>.)"?(?P=delimiter)*', re.IGNORECASE)
"""A first line in which Excel notes the delimiter for itself."""


def read_csv(corpus: Corpus) -> Iterator[RawPair]:
    """Read the pairs of a CSV file in order.

    The delimiter is the most frequent one of comma, semicolon and tab in the first line.

    Raises:
        DataError: no columns fit, or a row is incomplete.
    """
    return _read(corpus, _csv_rows(corpus))


def read_tsv(corpus: Corpus) -> Iterator[RawPair]:
    """Read the pairs of a TSV file in order, one per line.

    Quotes belong to the text, since most such files are written without quoting. They are removed
    if all cells of the first row are quoted, or if a cell has doubled quotes.

    Raises:
        DataError: no columns fit, or a row is incomplete.
    """
    return _read(corpus, _tsv_rows(corpus))


def _read(corpus: Corpus, rows: Iterator[Row]) -> Iterator[RawPair]:
    filled = (row for row in rows if any(cell.strip() for cell in row[1]))
    for number, cells in filled:
        columns = find_columns(cells, corpus)
        if columns:
            _refuse_repeated(columns, cells, corpus)
            positions = cells.index(columns.source), cells.index(columns.target)
            pairs = _cells(corpus, filled, len(cells), positions)
            yield from check_values(((columns, pair) for pair in pairs), corpus)
        elif _is_data(cells, corpus):
            yield from _cells(corpus, chain([(number, cells)], filled), len(cells), (0, 1))
        else:
            problem = explain_missing_columns(cells, corpus)
            raise DataError(f"{corpus.path}, line {number}: {problem}")


def _cells(
    corpus: Corpus, rows: Iterator[Row], width: int, positions: tuple[int, int]
) -> Iterator[RawPair]:
    source, target = positions
    for number, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{corpus.path}, line {number}: {len(cells)} columns, but the first row has "
                f"{width}. Quote cells that contain the delimiter, and give each row the same "
                "columns"
            )
        yield cells[source], cells[target]


def _refuse_repeated(columns: Columns, header: Sequence[str], corpus: Corpus) -> None:
    for name in columns:
        if header.count(name) > 1:
            raise DataError(
                f"{corpus.path}: {header.count(name)} columns are called {name!r}: give each "
                "its own name"
            )


def _is_data(cells: list[str], corpus: Corpus) -> bool:
    """Tell whether a first row is a pair and not a header, by the script of its cells."""
    if len(cells) != 2:
        return False
    # Column names are in Latin letters: only a cell in another script shows that the row is a pair.
    languages = (corpus.source_language, corpus.target_language)
    return any(
        script_of(language) != "Latn" and (script_share(cell, language) or 0) > 0.5
        for cell, language in zip(cells, languages, strict=True)
    )


def _csv_rows(corpus: Corpus) -> Iterator[Row]:
    # With their ends, which belong to the text inside quotes.
    lines = (f"{line}\n" for line in read_lines(corpus.file, quoted=True))
    first, skipped = next(lines, ""), 0
    separator = _SEPARATOR.fullmatch(first.strip("\r\n"))
    if separator:
        first, skipped = next(lines, ""), 1
    delimiter = separator["delimiter"] if separator else max(",;\t", key=first.count)
    # Python's own limit, 131,072 characters, is lower than a long document needs.
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    # Unless it is strict, Python accepts a quote that is not closed, and merges the rows after it.
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    start = 1 + skipped
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise DataError(_explain_csv_error(corpus, start, str(error))) from None


def _explain_csv_error(corpus: Corpus, line: int, reason: str) -> str:
    if "field larger than field limit" in reason:
        return (
            f"{corpus.path}, line {line}: a cell of the row that begins here has more than "
            f"{_MAX_CELL_CHARACTERS:,} characters, so its quote is not closed. Close it, or "
            "double a quote that belongs to the text"
        )
    return (
        f"{corpus.path}, line {line}: not a complete CSV row ({reason}). Quote a cell that "
        'contains the delimiter or a quote, and double its quotes: "say ""hi"""'
    )


def _tsv_rows(corpus: Corpus) -> Iterator[Row]:
    all_quoted = False
    lines = enumerate(read_lines(corpus.file), start=1)
    number, first = next(lines, (1, ""))
    separator = _SEPARATOR.fullmatch(first)
    if separator and separator["delimiter"] != "\t":
        raise DataError(
            f"{corpus.path}, line 1: {first!r} says that {separator['delimiter']!r} separates the "
            "cells: give the file a name that ends in .csv, or set data.format=csv"
        )
    rows = lines if separator else chain([(number, first)], lines)
    for row, (number, line) in enumerate(rows):
        cells = line.split("\t")
        if row == 0:
            all_quoted = all(_is_quoted(cell) for cell in cells)
        yield number, [_unquote(cell) if all_quoted or '""' in cell else cell for cell in cells]


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if _is_quoted(cell) else cell
