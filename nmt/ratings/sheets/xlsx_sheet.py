"""Sheets as workbooks of Excel, in which every text is typed as text and nothing is computed."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nmt.errors import DataError, InputError
from nmt.ratings.batches import KeyRow
from nmt.ratings.design import Design
from nmt.ratings.sheets.cells import clean_text
from nmt.ratings.sheets.csv_sheet import MAX_COLUMNS, MAX_ROWS, lines_of
from nmt.ratings.sheets.line import Line
from nmt.ratings.sheets.table import ID, Column, columns_of, table_rows

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_MAX_UNPACKED = 25 * 1024**2
"""Bytes of a workbook that are read at most, which take up to 35 times as much memory. 500 rows
with 10 translations of 100 words in any script have 20 MiB."""
_MAX_RATIO = 100
"""By how much a part of a workbook may be packed at most: sheets are by 5 to 20, and only what
repeats itself without end by far more."""
_MIN_SUSPECT = 1024**2
_SPARE = 0.9
"""Part of the limit that a sheet fills when it is written: spreadsheets add to it."""
_WIDE, _NARROW = 60, 12
_LITERAL = re.compile(r'"[^"]*"|\\.')
"""What a number format shows as it is, quoted or escaped: its per cent sign does not multiply."""


def write_xlsx(design: Design, rows: Sequence[KeyRow]) -> bytes:
    """Write the sheet of a rater; only the cells to fill in can be changed.

    Raises:
        InputError: a text is longer than a cell, or the workbook larger than what is read.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, Protection

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "ratings"
    columns = columns_of(design)
    for number, column in enumerate(columns, start=1):
        head = sheet.cell(1, number, column.name)
        head.font = Font(bold=True)
        is_number = column.low is not None or column.name == ID
        sheet.column_dimensions[head.column_letter].width = _NARROW if is_number else _WIDE
    count = 1
    for cells in table_rows(design, rows):
        count += 1
        for number, (column, text) in enumerate(zip(columns, cells, strict=True), start=1):
            is_text = column.low is None
            cell = sheet.cell(count, number, clean_text(text) if is_text else None)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.protection = Protection(locked=not column.is_filled_in)
            if is_text:
                # Typed as text, and it stays text if somebody edits the cell.
                cell.data_type = "s"
                cell.number_format = "@"
                cell.quotePrefix = True
    _guard(sheet, columns, count)
    sheet.freeze_panes = "B2"
    sheet.protection.sheet = True
    stream = io.BytesIO()
    book.save(stream)
    content = stream.getvalue()
    size = sum(part.file_size for part in _parts(content))
    if size > _SPARE * _MAX_UNPACKED:
        raise InputError(
            f"--format xlsx: a sheet of {len(rows)} rows has {size:,} bytes unpacked, which is "
            "more than is read when it comes back: give --format csv"
        )
    return content


def _parts(content: bytes) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.infolist()


def _guard(sheet: "Worksheet", columns: Sequence[Column], rows: int) -> None:
    """Let the spreadsheet itself refuse numbers outside their limits."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for number, column in enumerate(columns, start=1):
        if column.low is None:
            continue
        rule = DataValidation(
            type="decimal",
            operator="between",
            formula1=f"{column.low:g}",
            formula2=f"{column.high:g}",
            showErrorMessage=True,
            error=f"{column.low:g} to {column.high:g}",
        )
        letter = get_column_letter(number)
        rule.add(f"{letter}2:{letter}{rows}")
        sheet.add_data_validation(rule)


def read_xlsx(content: bytes, place: str) -> Iterator[Line]:
    """Read the first sheet of a workbook; a formula is read as its text, never computed.

    Raises:
        DataError: it is not a workbook, or not such a sheet.
    """
    from openpyxl import load_workbook

    not_a_workbook = f"{place}: not an .xlsx workbook, or damaged: save it as .xlsx or 'CSV UTF-8'"
    try:
        parts = _parts(content)
    except zipfile.BadZipFile:
        raise DataError(not_a_workbook) from None
    size = sum(part.file_size for part in parts)
    if size > _MAX_UNPACKED or any(map(_is_bomb, parts)):
        raise DataError(
            f"{place}: unpacks from {len(content):,} to {size:,} bytes, and at most "
            f"{_MAX_UNPACKED:,} and {_MAX_RATIO} times as much are read: save it as 'CSV UTF-8'"
        )
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        found = book.worksheets[0].iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS)
        rows = [
            (number, [_shown(cell.value, cell.number_format) for cell in row])
            for number, row in enumerate(found, start=1)
            # A sheet that is formatted to its end has a million empty rows.
            if any(cell.value is not None for cell in row)
        ]
    except Exception as error:  # the parser raises what its parts do, on a damaged file
        raise DataError(f"{not_a_workbook} ({type(error).__name__})") from None
    return lines_of(rows, place)


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    return part.file_size > max(_MIN_SUSPECT, _MAX_RATIO * part.compress_size)


def _shown(value: object, number_format: str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and "%" in _LITERAL.sub("", number_format or ""):
        # Excel keeps 85 % as 0.85, and only the format tells it from a rating of 0.85.
        return f"{100 * value:g}%"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
