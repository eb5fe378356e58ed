"""Checks of what has come back from raters, against the keys of a study.

All problems of a file are found, each with its place and the rule; a row with one is not a rating.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nmt.errors import shortened
from nmt.ratings.batches import Key, KeyRow, labels_of
from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.ratings.protocols import LABELS, Field
from nmt.ratings.sheets.cells import clean_text, is_same_text, read_edit, read_text
from nmt.ratings.sheets.line import Line, column_of
from nmt.ratings.sheets.table import COMMENT, ID, SOURCE, TRANSLATION

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+|,\d{1,2})?")
_AMBIGUOUS = re.compile(r"[+-]?\d+,\d{3,}")
_MAX_COMMENT = 5000


@dataclass(slots=True)
class Checked:
    """The ratings of files, and what is wrong with the rest."""

    ratings: list[Rating] = field(default_factory=list[Rating])
    problems: list[str] = field(default_factory=list[str])
    empty: list[str] = field(default_factory=list[str])
    """Places of the rows that nobody has filled in."""


def check_lines(lines: Iterable[Line], design: Design, keys: Iterable[Key]) -> Checked:
    """Turn rows into ratings.

    Args:
        lines: of one file.
        design: of the study that they belong to.
        keys: of all its batches so far.
    """
    rows = {row.id: (key.batch, row) for key in keys for row in key.rows}
    seen: dict[str, str] = {}
    checked = Checked()
    known = list(lines)
    if missing := _missing_columns(known, design):
        # One problem, and not one for each row.
        place = known[0].place.rpartition(", ")[0]
        columns = ", ".join(f"'{column}'" for column in missing)
        checked.problems.append(
            f"{place}: lacks the columns {columns} of protocol {design.protocol}"
        )
        return checked
    for line in known:
        row_id = read_text(line.cells[ID]).strip()
        if row_id in seen:
            checked.problems.append(
                f"{line.place}: row {row_id!r} is also in {seen[row_id]}: keep one of them"
            )
            continue
        seen[row_id] = line.place
        if row_id not in rows:
            checked.problems.append(
                f"{line.place}: {shortened(row_id, 40)!r} is not the id of a row of study "
                f"'{design.study}' in run '{design.run}'"
            )
            continue
        batch, row = rows[row_id]
        _check_row(line, row, batch, design, checked)
    return checked


def _missing_columns(lines: Sequence[Line], design: Design) -> list[str]:
    """Find columns to fill in, and those of texts, that no row of a file has."""
    found = {column for line in lines for column in line.cells}
    count = 1 if design.how.one_system else len(design.systems)
    columns = [
        column_of(each.name, label)
        for label in LABELS[:count]
        for each in design.how.fields
        if each.default is None
    ]
    if any(line.needs_text for line in lines):
        columns += [SOURCE, *(column_of(TRANSLATION, label) for label in LABELS[:count])]
    return [column for column in columns if column not in found] if lines else []


def _check_row(line: Line, row: KeyRow, batch: int, design: Design, checked: Checked) -> None:
    problems = list(_changed_texts(line, row))
    if not problems and _is_empty(line, row, design):
        checked.empty.append(f"{line.place}: row '{row.id}' has no rating")
        return
    values: dict[str, dict[str, float]] = {}
    texts: dict[str, str] = {}
    shown = zip(labels_of(row), row.systems, row.translations, strict=True)
    for label, system, translation in shown:
        values[system] = {}
        for each in design.how.fields:
            cell = line.cells.get(column_of(each.name, label), "")
            if each.is_text:
                texts[system] = _edited(line, each, label, translation)
                problems += _text_problems(line, each, label, texts[system])
                continue
            found = _number(cell, each, len(row.systems))
            if isinstance(found, str):
                problems.append(f"{line.place}, column '{column_of(each.name, label)}': {found}")
            else:
                values[system][each.name] = found
    checked.problems += problems
    if not problems:
        checked.ratings.append(
            Rating(
                row=row.id,
                batch=batch,
                rater=row.rater,
                segment=row.segment,
                kind=row.kind,
                original=row.original,
                degraded=row.degraded,
                values=values,
                texts=texts,
                seconds=line.seconds,
                comment=read_text(line.cells.get(COMMENT, ""))[:_MAX_COMMENT],
            )
        )


def _changed_texts(line: Line, row: KeyRow) -> Iterator[str]:
    shown = {SOURCE: row.source}
    for label, text in zip(labels_of(row), row.translations, strict=True):
        shown[column_of(TRANSLATION, label)] = text
    for column, text in shown.items():
        cell = line.cells.get(column)
        if cell is None and not line.needs_text:
            continue
        if cell is None or not is_same_text(cell, text):
            yield (
                f"{line.place}, column '{column}': the text was changed to "
                f"{shortened(cell or '', 40)!r}; it was {shortened(text, 40)!r}"
            )


def _is_empty(line: Line, row: KeyRow, design: Design) -> bool:
    """Tell whether a rater has filled in nothing; a corrected text is filled in beforehand."""
    return not any(
        _edited(line, each, label, shown) != clean_text(shown)
        if each.is_text
        else _is_filled_in(line.cells.get(column_of(each.name, label), ""), each, row)
        for label, shown in zip(labels_of(row), row.translations, strict=True)
        for each in design.how.fields
    )


def _is_filled_in(cell: str, rule: Field, row: KeyRow) -> bool:
    # Pearmut counts the errors of a text that nobody has looked at: 0.
    return bool(cell.strip()) and _number(cell, rule, len(row.systems)) != rule.default


def _edited(line: Line, rule: Field, label: str, shown: str) -> str:
    beside = line.cells.get(column_of(TRANSLATION, label), "")
    return read_edit(line.cells.get(column_of(rule.name, label), ""), shown, beside)


def _number(cell: str, rule: Field, systems: int) -> float | str:
    """Read a number as spreadsheets of any country write it; return a problem as text."""
    text = " ".join(read_text(cell).split())
    if not text:
        return f"is empty: give {rule.rule}" if rule.default is None else rule.default
    if _AMBIGUOUS.fullmatch(text):
        return (
            f"{shortened(text, 40)!r} could be a decimal number or have a comma between "
            "thousands: write 1000 or 1.0"
        )
    if not _NUMBER.fullmatch(text):
        return f"{shortened(text, 40)!r} is not a number: give {rule.rule}"
    value = float(text.replace(",", "."))
    high = systems if rule.name == "rank" else rule.high
    if not rule.low <= value <= high:
        return f"{text} is not from {rule.low:g} to {high:g}"
    if rule.is_whole and value != int(value):
        return f"{text} is not a whole number"
    return value


def _text_problems(line: Line, rule: Field, label: str, text: str) -> Iterator[str]:
    if not text.strip():
        yield (
            f"{line.place}, column '{column_of(rule.name, label)}': is empty: leave the "
            "translation there if nothing has to be corrected"
        )


def missing_rows(ratings: Iterable[Rating], key: Key) -> dict[str, int]:
    """Count the rows of a batch without a rating, by rater."""
    done = {rating.row for rating in ratings}
    counts: dict[str, int] = {}
    for row in key.rows:
        if row.id not in done:
            counts[row.rater] = counts.get(row.rater, 0) + 1
    return counts


def missing_controls(ratings: Iterable[Rating], key: Key) -> int:
    """Count the repeats and degraded rows of a batch without a rating."""
    done = {rating.row for rating in ratings}
    return sum(row.kind != "rating" and row.id not in done for row in key.rows)


def is_same_rating(one: Rating, other: Rating) -> bool:
    """Tell whether two ratings of a row say the same; their comments and times may differ."""
    return (one.values, one.texts) == (other.values, other.texts)


def find_conflicts(
    new: Iterable[Rating], stored: Mapping[str, Rating]
) -> Iterator[tuple[Rating, Rating]]:
    """Find ratings that differ from those that the study has of the same rows."""
    for rating in new:
        known = stored.get(rating.row)
        if known is not None and not is_same_rating(known, rating):
            yield rating, known


def newer_rating(known: Rating | None, new: Rating) -> Rating:
    """Return a rating as it came last, with the earlier comment and time where it has none."""
    if known is None:
        return new
    seconds = known.seconds if new.seconds is None else new.seconds
    return new.model_copy(update={"comment": new.comment or known.comment, "seconds": seconds})
