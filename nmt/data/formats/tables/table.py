"""Readers for CSV and TSV, with or without a header."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from nmt.data.cleaning.characters.scripts import script_share
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, RawPair, Row
from nmt.data.formats.tables.columns import (
    Columns,
    column_number,
    explain_missing_columns,
    find_columns,
    names_side,
)
from nmt.data.formats.tables.score import parse_score
from nmt.data.formats.tables.table_rows import TableRow, csv_rows, tsv_rows
from nmt.data.formats.tables.values import check_values
from nmt.errors import DataError
from nmt.languages import script_of


class _Layout(NamedTuple):
    """The places of the columns in a row, counted from 0."""

    source: int
    target: int
    score: int | None = None
    names: Columns | None = None
    """Names in the header; None if there is none."""
    extra: tuple[int, ...] = ()


def read_csv(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a CSV file in order.

    The delimiter is the most frequent one of comma, semicolon and tab in the first line.

    Raises:
        DataError: no columns fit.
    """
    return _read(corpus, csv_rows(corpus.file, keep_strays=corpus.exact))


def read_tsv(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a TSV file in order, one per line.

    Quotes belong to the text, since most such files are written without quoting. They are removed
    if all cells of the first row are quoted, or if a cell has doubled quotes.

    Raises:
        DataError: no columns fit.
    """
    return _read(corpus, tsv_rows(corpus.file, keep_strays=corpus.exact))


def _read(corpus: Corpus, rows: Iterator[TableRow | BadRow]) -> Iterator[Row]:
    filled = _filled(corpus, rows)
    for first in filled:
        if isinstance(first, BadRow):
            yield first
            continue
        layout = _layout(first.cells, corpus)
        if layout is None:
            problem = explain_missing_columns(first.cells, corpus)
            raise DataError(
                f"{corpus.path}, line {first.line}: {problem}, by name, or by number (1 is the "
                "first column) if the file has no header"
            )
        names = layout.names
        if names is None:
            yield from _pairs(corpus, chain([first], filled), len(first.cells), layout)
        else:
            pairs = _pairs(corpus, filled, len(first.cells), layout)
            found = (row if isinstance(row, BadRow) else (names, row) for row in pairs)
            yield from check_values(found, corpus)


def _filled(corpus: Corpus, rows: Iterator[TableRow | BadRow]) -> Iterator[TableRow | BadRow]:
    """Leave out rows without text, but of a test set only the blank lines around its rows."""
    started = False
    blank: list[TableRow] = []
    for row in rows:
        if isinstance(row, BadRow) or any(map(str.strip, row.cells)):
            started = True
        elif not (corpus.exact and started):
            continue
        elif len(row.cells) < 2:
            blank.append(row)
            continue
        # A blank line between two rows is passed on, to be refused: it may be a lost sentence.
        yield from blank
        blank.clear()
        yield row


def _layout(cells: Sequence[str], corpus: Corpus) -> _Layout | None:
    """Find the columns from the first row, which may be a header or data."""
    settings = (corpus.source_column, corpus.target_column, corpus.score_column)
    numbers = [column_number(setting) for setting in settings]
    extra = tuple(_extra_positions(cells, corpus))
    # A column without a number is found by its name, so there is a header.
    if numbers[0] is None or numbers[1] is None:
        columns = find_columns(cells, corpus)
        if columns:
            _refuse_repeated(columns, cells, corpus)
            score = None if columns.score is None else cells.index(columns.score)
            return _Layout(
                cells.index(columns.source), cells.index(columns.target), score, columns, extra
            )
        return _Layout(0, 1, extra=extra) if _is_data(cells, corpus) else None
    source, target = (_position(number, cells, corpus) for number in (numbers[0], numbers[1]))
    if source == target:
        raise DataError(
            f"{corpus.column_setting('source')} and {corpus.column_setting('target')} are both "
            f"{source + 1}: set them to two columns"
        )
    score = _score_position(numbers[2], cells, corpus)
    # A file whose columns are set by number may have a header all the same.
    is_header = names_side(cells[source], "source", corpus) and names_side(
        cells[target], "target", corpus
    )
    if score is not None and isinstance(parse_score(cells[score]), str):
        is_header = True
    if any(column_number(column.name) is None for column in corpus.extra_columns):
        is_header = True
    names = Columns(cells[source], cells[target]) if is_header else None
    return _Layout(source, target, score, names, extra)


def _extra_positions(cells: Sequence[str], corpus: Corpus) -> Iterator[int]:
    """Find the places of the columns beside the sentences, by number or by name."""
    for side, name in corpus.extra_columns:
        number = column_number(name)
        if number is not None:
            yield _position(number, cells, corpus)
        elif name in cells:
            yield cells.index(name)
        else:
            raise DataError(
                f"{corpus.path}: the first row has no column {name!r}: set "
                f"{corpus.column_setting(side)} to its name in the header or to its number"
            )


def _score_position(number: int | None, cells: Sequence[str], corpus: Corpus) -> int | None:
    if corpus.score_column is None:
        return None
    if number is not None:
        return _position(number, cells, corpus)
    if corpus.score_column in cells:
        return cells.index(corpus.score_column)
    raise DataError(
        f"{corpus.path}: the first row has no column {corpus.score_column!r}: set "
        f"{corpus.column_setting('score')} to its name in the header or to its number"
    )


def _position(number: int, cells: Sequence[str], corpus: Corpus) -> int:
    if not 0 < number <= len(cells):
        raise DataError(
            f"{corpus.path}: there is no column {number}, since the first row has {len(cells)}: "
            f"set {corpus.column_setting('source')} and {corpus.column_setting('target')} to two "
            "of them, counted from 1"
        )
    return number - 1


def _pairs(
    corpus: Corpus, rows: Iterator[TableRow | BadRow], width: int, layout: _Layout
) -> Iterator[Row]:
    source, target = layout.source, layout.target
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        # Its cells may have moved, so that none of them can be trusted.
        elif len(row.cells) != width:
            yield BadRow(
                f"{corpus.path}, line {row.line}",
                f"{len(row.cells)} columns, but the first row has {width}. Quote cells that "
                "contain the delimiter, and give each row the same columns",
            )
        elif layout.extra:
            extra = tuple(row.cells[place] for place in layout.extra)
            yield RawPair(row.cells[source], row.cells[target], row.line, None, extra)
        elif layout.score is None:
            yield RawPair(row.cells[source], row.cells[target], row.line)
        else:
            score = parse_score(row.cells[layout.score])
            if isinstance(score, str):
                yield BadRow(f"{corpus.path}, line {row.line}", score)
            else:
                yield RawPair(row.cells[source], row.cells[target], row.line, score)


def _refuse_repeated(columns: Columns, header: Sequence[str], corpus: Corpus) -> None:
    extra = (column.name for column in corpus.extra_columns)
    for name in (*columns, *extra):
        if name is not None and header.count(name) > 1:
            raise DataError(
                f"{corpus.path}: {header.count(name)} columns are called {name!r}: give each "
                "its own name"
            )


def _is_data(cells: Sequence[str], corpus: Corpus) -> bool:
    """Tell whether a first row is a pair and not a header, by the script of its cells."""
    if len(cells) != 2:
        return False
    # Column names are in Latin letters: only a cell in another script shows that the row is a pair.
    languages = (corpus.source_language, corpus.target_language)
    return any(
        script_of(language) != "Latn" and (script_share(cell, language) or 0) > 0.5
        for cell, language in zip(cells, languages, strict=True)
    )
