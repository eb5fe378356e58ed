"""Small studies, and simulated raters who fill in their sheets."""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nmt.ratings.batches import Key, KeyRow, labels_of
from nmt.ratings.design import Design, Outputs, Wishes, make_design
from nmt.ratings.given import Rating

SYSTEMS = ("old", "new")
Fill = Callable[[KeyRow, str, str], str]
"""From row, label and field to what a rater writes."""


def outputs(
    sentences: int = 40,
    same: int = 0,
    systems: tuple[str, ...] = SYSTEMS,
    last_scores: Sequence[float] | None = None,
) -> Outputs:
    """Make translations; the last `same` ones are the same for all systems.

    Args:
        sentences: their number.
        same: sentences that all systems translate alike.
        systems: their names.
        last_scores: chrF++ of the last system; None: five more than the one before it.
    """
    numbers = range(sentences)
    texts = {
        system: [
            f"{'all' if number >= sentences - same else system} words of text number {number} here"
            for number in numbers
        ]
        for system in systems
    }
    scores = {
        system: [50.0 + 5 * place + number % 7 for number in numbers]
        for place, system in enumerate(systems)
    }
    if last_scores is not None:
        scores[systems[-1]] = list(last_scores)
    sources = [f"sentence number {number} to translate" for number in numbers]
    return Outputs("news", "eng_Latn", "tam_Taml", sources, texts, {"chrf++": scores})


def design(given: Outputs | None = None, **wishes: object) -> Design:
    """Make a design with batches of twenty sentences and two looks."""
    plain = {"rows": 20, "looks": 2} | wishes
    return make_design("demo", "first", given or outputs(), Wishes(**plain), seed=1)  # type: ignore[arg-type]


def fill_in(sheet: bytes, key: Key, fill: Fill, delimiter: str = ",") -> bytes:
    """Write what a rater makes of a CSV sheet."""
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    by_id = {row.id: row for row in key.rows}
    for cells in rows:
        row = by_id[cells["id"]]
        for label in labels_of(row):
            for column in cells:
                if column.endswith(f" {label}") and not cells[column]:
                    cells[column] = fill(row, label, column.removesuffix(f" {label}"))
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def score_by(means: Mapping[str, float], spread: float = 5.0) -> Fill:
    """Rate each system around a mean, and a degraded translation far lower."""

    def fill(row: KeyRow, label: str, _field: str) -> str:
        system = row.systems[labels_of(row).index(label)]
        # Ids are random, and a test must not be.
        noise = random.Random(f"{row.segment}{system}{row.kind}").gauss(0, spread)
        value = means[system] + noise - (50 if row.degraded == system else 0)
        return str(round(min(100.0, max(0.0, value))))

    return fill


def rating(
    segment: int, scores: Mapping[str, float], rater: str = "1", **changes: object
) -> Rating:
    """Make a rating of a segment with a score for each system."""
    plain: dict[str, object] = {
        "row": f"r{segment}{rater}",
        "batch": 1,
        "rater": rater,
        "segment": segment,
        "kind": "rating",
        "values": {system: {"score": value} for system, value in scores.items()},
    }
    return Rating.model_validate(plain | changes)


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content)
    return path
