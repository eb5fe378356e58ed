"""The way of ratings from files into the studies that they belong to: all of them, or none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.errors import DataError
from nmt.ratings.batches import Key
from nmt.ratings.checks import (
    Checked,
    check_lines,
    find_conflicts,
    is_same_rating,
    newer_rating,
)
from nmt.ratings.design import Design
from nmt.ratings.given import RATINGS, Rating, Ratings
from nmt.ratings.sheets.files import read_file
from nmt.ratings.sheets.line import Line
from nmt.ratings.sheets.table import ID
from nmt.ratings.studies import RESTORE, list_studies, read_design, read_keys, read_ratings
from nmt.runs import layout
from nmt.storage import Storage

_MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has added to a study."""

    design: Design
    new: int
    known: int
    """Rows that the study had already, with the same ratings."""
    replaced: int
    unrated: int
    """Rows of the files that nobody has filled in."""


def import_files(
    storage: Storage,
    run: str,
    files: Sequence[Path],
    *,
    replace: bool = False,
    partial: bool = False,
) -> list[Imported]:
    """Add the ratings of files to the studies of a run that they belong to.

    Either all files are imported or, after any problem, none.

    Args:
        storage: the storage root.
        run: name of the run.
        files: sheets, annotations of Pearmut or exports of Appraise.
        replace: let ratings replace others of the same rows.
        partial: accept sheets with rows that nobody has filled in.

    Raises:
        DataError: lists what is wrong with the files.
    """
    studies = {name: read_design(storage, run, name) for name in list_studies(storage, run)}
    keys = {name: read_keys(storage, design) for name, design in studies.items()}
    checked: dict[str, Checked] = {}
    problems: list[str] = []
    for path in files:
        lines = list(read_file(path))
        name = _study_of(lines, keys, path, run)
        found = check_lines(lines, studies[name], keys[name])
        problems += found.problems
        problems += [] if partial else found.empty
        problems += [] if partial else _missing_lines(lines, keys[name], path)
        into = checked.setdefault(name, Checked())
        into.ratings += found.ratings
        into.empty += found.empty
    for name, found in checked.items():
        problems += _disagreements(found.ratings)
        if not replace:
            problems += _conflicts(read_ratings(storage, run, name), found.ratings)
    if problems:
        raise DataError(_list_problems(problems))
    return [_add(storage, studies[name], found, replace=replace) for name, found in checked.items()]


def _study_of(lines: Iterable[Line], keys: dict[str, list[Key]], path: Path, run: str) -> str:
    """Find the study that most rows of a file belong to."""
    ids = {line.cells[ID].strip() for line in lines}
    counts = {
        name: sum(row.id in ids for key in of_study for row in key.rows)
        for name, of_study in keys.items()
    }
    best = max(counts, key=lambda name: counts[name], default="")
    if not best or not counts[best]:
        raise DataError(
            f"{path.name}: none of its {len(ids)} rows is of a study of run '{run}': name the run "
            "that the sheet was made for by run=NAME"
        )
    return best


def _missing_lines(lines: Iterable[Line], keys: Iterable[Key], path: Path) -> Iterator[str]:
    """Find rows that were removed from a sheet."""
    ids = {line.cells[ID].strip() for line in lines}
    for key in keys:
        for rater in dict.fromkeys(row.rater for row in key.rows):
            sheet = key.sheet(rater)
            missing = [row.id for row in sheet if row.id not in ids]
            if 0 < len(missing) < len(sheet):
                yield (
                    f"{path.name}: lacks {len(missing)} of the {len(sheet)} rows of rater "
                    f"'{rater}' in batch {key.batch}, such as '{missing[0]}': send the whole "
                    "sheet, or give --partial"
                )


def _disagreements(ratings: Iterable[Rating]) -> Iterator[str]:
    """Find rows that two files of one import rate differently."""
    first: dict[str, Rating] = {}
    for rating in ratings:
        if not is_same_rating(first.setdefault(rating.row, rating), rating):
            yield f"row '{rating.row}' has different ratings in two of the files: import one"


def _conflicts(stored: Iterable[Rating], ratings: Iterable[Rating]) -> Iterator[str]:
    known_rows = {rating.row: rating for rating in stored}
    for rating, known in find_conflicts(ratings, known_rows):
        yield (
            f"row '{rating.row}' of rater '{rating.rater}' has other ratings than were imported "
            f"before ({_shown(known)} there, {_shown(rating)} now): give --replace to change them"
        )


def _shown(rating: Rating) -> str:
    values = [f"{value:g}" for fields in rating.values.values() for value in fields.values()]
    return "/".join(values) or "a text"


def _list_problems(problems: Sequence[str]) -> str:
    """Write problems as lines, the first of them if there are many."""
    shown = list(problems[:_MAX_SHOWN])
    if len(problems) > _MAX_SHOWN:
        shown.append(f"... and {len(problems) - _MAX_SHOWN} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"nothing was imported, because of {count}:\n  " + "\n  ".join(shown)


def _add(storage: Storage, design: Design, checked: Checked, *, replace: bool) -> Imported:
    new: dict[str, Rating] = {}
    for rating in checked.ratings:
        new[rating.row] = newer_rating(new.get(rating.row), rating)
    counts = {"new": 0, "known": 0, "replaced": 0}

    def merge(current: Ratings | None) -> Ratings:
        rows = {rating.row: rating for rating in (current.rows if current else ())}
        # Again, under the lock: another import may have come since the first check.
        problems = list(_conflicts(rows.values(), new.values()))
        if problems and not replace:
            raise DataError(_list_problems(problems))
        added, changed = len(new.keys() - rows.keys()), len(problems)
        counts.update(new=added, known=len(new) - added - changed, replaced=changed)
        merged = rows | {row: newer_rating(rows.get(row), each) for row, each in new.items()}
        return Ratings(rows=tuple(merged[row] for row in sorted(merged)))

    RATINGS.update(storage, layout.ratings(design.run, design.study), merge, RESTORE)
    return Imported(design, counts["new"], counts["known"], counts["replaced"], len(checked.empty))
