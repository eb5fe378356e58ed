"""Readers for CSV and TSV, with or without a header."""

from collections.abc import Iterator, Sequence
from itertools import chain

from nmt.data.cleaning.scripts import script_share
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, RawPair, Row
from nmt.data.formats.tables.columns import Columns, explain_missing_columns, find_columns
from nmt.data.formats.tables.table_rows import TableRow, csv_rows, tsv_rows
from nmt.data.formats.tables.values import check_values
from nmt.errors import DataError
from nmt.languages import script_of


def read_csv(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a CSV file in order.

    The delimiter is the most frequent one of comma, semicolon and tab in the first line.

    Raises:
        DataError: no columns fit.
    """
    return _read(corpus, csv_rows(corpus.file))


def read_tsv(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a TSV file in order, one per line.

    Quotes belong to the text, since most such files are written without quoting. They are removed
    if all cells of the first row are quoted, or if a cell has doubled quotes.

    Raises:
        DataError: no columns fit.
    """
    return _read(corpus, tsv_rows(corpus.file))


def _read(corpus: Corpus, rows: Iterator[TableRow | BadRow]) -> Iterator[Row]:
    filled = (row for row in rows if isinstance(row, BadRow) or any(map(str.strip, row.cells)))
    for first in filled:
        if isinstance(first, BadRow):
            yield first
            continue
        columns = find_columns(first.cells, corpus)
        if columns:
            _refuse_repeated(columns, first.cells, corpus)
            positions = first.cells.index(columns.source), first.cells.index(columns.target)
            pairs = _pairs(corpus, filled, len(first.cells), positions)
            found = (row if isinstance(row, BadRow) else (columns, row) for row in pairs)
            yield from check_values(found, corpus)
        elif _is_data(first.cells, corpus):
            yield from _pairs(corpus, chain([first], filled), len(first.cells), (0, 1))
        else:
            problem = explain_missing_columns(first.cells, corpus)
            raise DataError(f"{corpus.path}, line {first.line}: {problem}")


def _pairs(
    corpus: Corpus, rows: Iterator[TableRow | BadRow], width: int, positions: tuple[int, int]
) -> Iterator[Row]:
    source, target = positions
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        elif len(row.cells) != width:
            yield BadRow(
                f"{corpus.path}, line {row.line}",
                f"{len(row.cells)} columns, but the first row has {width}. Quote cells that "
                "contain the delimiter, and give each row the same columns",
            )
        else:
            yield RawPair(row.cells[source], row.cells[target], row.line)


def _refuse_repeated(columns: Columns, header: Sequence[str], corpus: Corpus) -> None:
    for name in columns:
        if header.count(name) > 1:
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
