"""The columns of a sheet, and its rows before anybody has filled them in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.errors import InputError
from nmt.ratings.batches import KeyRow, labels_of
from nmt.ratings.design import Design
from nmt.ratings.protocols import LABELS, Protocol
from nmt.ratings.sheets.cells import MAX_CHARACTERS, cell_length
from nmt.ratings.sheets.line import column_of

ID, SOURCE, COMMENT, TRANSLATION = "id", "source", "comment", "translation"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet."""

    name: str
    is_filled_in: bool = False
    """Whether the rater writes into it."""
    low: float | None = None
    high: float | None = None
    """Limits of its numbers; None for text."""


def columns_of(design: Design) -> list[Column]:
    """Return the columns of a study's sheets, from left to right."""
    protocol = design.how
    columns = [Column(ID), Column(SOURCE)]
    count = 1 if protocol.one_system else len(design.systems)
    for label in LABELS[:count]:
        columns.append(Column(column_of(TRANSLATION, label)))
        columns += _fields_of(protocol, label, count)
    return [*columns, Column(COMMENT, is_filled_in=True)]


def _fields_of(protocol: Protocol, label: str, count: int) -> Iterator[Column]:
    for field in protocol.fields:
        high = count if field.name == "rank" else field.high
        limits = (None, None) if field.is_text else (field.low, high)
        yield Column(column_of(field.name, label), True, *limits)


def table_rows(design: Design, rows: Sequence[KeyRow]) -> Iterator[list[str]]:
    """Yield the texts of the cells of each row, as they are.

    Raises:
        InputError: a text is longer than a cell.
    """
    names = [column.name for column in columns_of(design)]
    for row in rows:
        cells = {ID: row.id, SOURCE: row.source}
        for label, text in zip(labels_of(row), row.translations, strict=True):
            cells[column_of(TRANSLATION, label)] = text
            # Corrected in place, so that what is right need not be typed.
            cells[column_of("post-edit", label)] = text
        for text in cells.values():
            if cell_length(text) > MAX_CHARACTERS:
                number = design.segments[row.segment].number + 1
                raise InputError(
                    f"sentence {number} of '{design.test_set}': has {len(text):,} characters, and "
                    f"a cell holds {MAX_CHARACTERS:,}: give --format pearmut"
                )
        yield [cells.get(name, "") for name in names]
