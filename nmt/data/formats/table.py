"""CSV and TSV, with or without a header."""

import csv
from collections.abc import Iterator

from nmt.data.formats.columns import find_columns, no_columns
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.data.formats.lines import read_lines
from nmt.data.scripts import script_share
from nmt.errors import DataError
from nmt.languages import script_of

Row = tuple[int, list[str]]
"""Number of the row's first line, and its cells."""


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
    width, source, target = 0, 0, 0
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if not width:
            width = len(cells)
            columns = find_columns(cells, corpus)
            if columns:
                source, target = cells.index(columns.source), cells.index(columns.target)
                continue
            if not _is_data(cells, corpus):
                raise DataError(f"{corpus.path}, line {number}: {no_columns(cells, corpus)}")
            source, target = 0, 1
        if len(cells) != width:
            raise DataError(_ragged(corpus, number, len(cells), width))
        yield cells[source], cells[target]


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
    lines = (f"{line}\n" for line in read_lines(corpus.file))
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)

    def whole() -> Iterator[str]:
        yield first
        yield from lines

    reader = csv.reader(whole(), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{corpus.path}, line {begins}: no whole CSV row ({error}). Quote a cell that "
            'holds the delimiter or a quote, and double its quotes: "say ""hi"""'
        ) from None


def _tsv_rows(corpus: Corpus) -> Iterator[Row]:
    all_quoted = False
    for number, line in enumerate(read_lines(corpus.file), start=1):
        cells = line.split("\t")
        if number == 1:
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
