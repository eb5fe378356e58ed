"""Sheets as CSV, which every spreadsheet opens, and what spreadsheets make of it when they save."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from nmt.errors import DataError
from nmt.ratings.batches import KeyRow
from nmt.ratings.design import Design
from nmt.ratings.sheets.cells import mark_text
from nmt.ratings.sheets.line import Line
from nmt.ratings.sheets.table import ID, columns_of, table_rows

MAX_ROWS, MAX_COLUMNS = 20_000, 100
"""Far more than a sheet has; a file from outside may claim any number."""
_DELIMITERS = (",", ";", "\t")
# Of the format of .xls, in which Excel also wraps a workbook with a password.
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Excel reads a file as UTF-8 only if it begins with this.
_UTF_8_MARK = b"\xef\xbb\xbf"

_MAX_CELL_CHARACTERS = 100_000


def write_csv(design: Design, rows: Sequence[KeyRow]) -> bytes:
    """Write the sheet of a rater.

    Raises:
        InputError: a text is longer than a cell.
    """
    stream = io.StringIO(newline="")
    # Quotes around every cell: a separator inside of one must not begin another.
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([column.name for column in columns_of(design)])
    for cells in table_rows(design, rows):
        writer.writerow([mark_text(cell) for cell in cells])
    return _UTF_8_MARK + stream.getvalue().encode()


def read_csv(content: bytes, place: str) -> Iterator[Line]:
    """Read a sheet, whatever separator and Unicode encoding the spreadsheet has chosen.

    Raises:
        DataError: it is not Unicode, or not such a sheet.
    """
    text = decode(content, place)
    first = text.lstrip("\ufeff").partition("\n")[0].strip().lower()
    if first.startswith("sep="):
        text = text.partition("\n")[2]
    for delimiter in _DELIMITERS:
        rows = _parse(text, delimiter, place)
        heads = next(rows, None)
        if heads and ID in _heads(heads[1]):
            return lines_of(itertools.chain([heads], rows), place)
    return lines_of([], place)


def decode(content: bytes, place: str) -> str:
    """Decode a text file that a spreadsheet has saved.

    Raises:
        DataError: it is neither UTF-8 nor UTF-16.
    """
    if content.startswith(_OLD_WORKBOOK):
        raise DataError(
            f"{place}: is an old workbook (.xls), or one with a password: save it without a "
            "password, as .xlsx or 'CSV UTF-8'"
        )
    encoding = "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(
            f"{place}: is not in Unicode, so letters may be lost: save it as 'CSV UTF-8' or .xlsx"
        ) from None


def _parse(text: str, delimiter: str, place: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with their numbers, from 1."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for number, row in enumerate(rows, start=1):
            if len(row) > MAX_COLUMNS:
                raise DataError(
                    f"{place}: row {number} has {len(row):,} cells, and a sheet has at most "
                    f"{MAX_COLUMNS} columns: remove what was added"
                )
            # The limit of `csv` is one for the whole process, and other readers raise it.
            if any(len(cell) > _MAX_CELL_CHARACTERS for cell in row):
                raise DataError(
                    f"{place}: not a CSV file: line {number} has a cell of more than "
                    f"{_MAX_CELL_CHARACTERS:,} characters, perhaps a quote without its end"
                )
            yield number, row
    except csv.Error as error:
        raise DataError(f"{place}: not a CSV file: {error}") from None


def _heads(row: Sequence[str]) -> list[str]:
    names = [" ".join(cell.split()).lower() for cell in row]
    # The letter of a label is the only capital.
    return [name[:-1] + name[-1].upper() if name[-2:-1] == " " else name for name in names]


def lines_of(rows: Iterable[tuple[int, Sequence[str]]], place: str) -> Iterator[Line]:
    """Turn the numbered rows of a table into lines; the first has the names of the columns.

    Raises:
        DataError: it is not such a sheet.
    """
    numbered = iter(rows)
    _, first = next(numbered, (1, []))
    heads = _heads(first)
    if ID not in heads:
        raise DataError(
            f"{place}: has no column '{ID}' in its first row, so it is not a sheet of `nmt "
            "ratings`; keep the first row as it was"
        )
    twice = [name for name, count in Counter(heads).items() if name and count > 1]
    if twice:
        raise DataError(f"{place}: has several columns '{min(twice)}': remove what was added")
    for number, row in numbered:
        if number > MAX_ROWS:
            raise DataError(f"{place}: has more than {MAX_ROWS:,} rows, so it is not a sheet")
        # Spreadsheets add empty rows and columns.
        if any(cell.strip() for cell in row):
            if len(row) > len(heads):
                # Also if the last cell is empty: the comment after `85,5` is, moved by one.
                raise DataError(
                    f"{place}: row {number} has {len(row)} cells, and the first row has "
                    f'{len(heads)}: write numbers as 85.5 or "85,5", and remove what was added '
                    "beside the columns"
                )
            # A row may end early, and what was added beside the columns has no name.
            padded = [*row, *[""] * (len(heads) - len(row))]
            cells = dict(zip(heads, padded, strict=True))
            yield Line(f"{place}, row {number}", cells, needs_text=True)
