"""How far raters agree with each other and with themselves, and whether they see bad translations.

Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.ratings.protocols import Level

MIN_CONTROLS_PASSED = 0.7
"""Share of the degraded translations that a rater should have rated lower."""


@dataclass(frozen=True, slots=True)
class RaterSummary:
    """How one rater has rated."""

    rater: str
    rows: int
    """Without repeats and degraded rows."""
    mean: float
    deviation: float
    controls: int
    """Degraded translations."""
    controls_passed: int
    """Those that got less than the translation itself."""
    repeats: int
    """Translations that were rated twice."""
    repeat_difference: float | None
    """Mean absolute difference of the two ratings, in points."""

    @property
    def warning(self) -> str | None:
        """Say that too many degraded translations went unnoticed; None if they did not."""
        if self.controls_passed >= MIN_CONTROLS_PASSED * self.controls:
            return None
        return (
            f"warning: rater '{self.rater}' rated {self.controls - self.controls_passed} of "
            f"{self.controls} degraded translations no lower than the translations themselves"
        )


def krippendorff_alpha(values: Sequence[Sequence[float]], level: Level) -> float | None:
    """Compute Krippendorff's alpha.

    Args:
        values: `(raters, units)`, NaN where a rater has not rated a unit.
        level: `nominal`, `ordinal`, `interval` or `ratio`.

    Returns:
        None where alpha is not defined: no unit has two ratings, or all ratings are equal.
    """
    from krippendorff import alpha

    matrix = np.array(values, dtype=np.float64)
    paired = matrix[:, (~np.isnan(matrix)).sum(axis=0) > 1] if matrix.size else matrix
    known = paired[~np.isnan(paired)]
    if not known.size or (known == known[0]).all():
        return None
    return float(alpha(reliability_data=paired, level_of_measurement=level))


def agreement_of_raters(ratings: Iterable[Rating], design: Design) -> dict[str, float | None]:
    """Compute alpha over the raters of the same translations, for each field."""
    rows = [rating for rating in ratings if rating.kind == "rating"]
    units = [(rating.segment, system) for rating in rows for system in rating.values]
    places = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
    found: dict[str, float | None] = {}
    for field in design.how.fields:
        if field.is_text:
            continue
        matrix = np.full((len(design.raters), len(places)), np.nan)
        for rating in rows:
            for system, values in rating.values.items():
                place = design.raters.index(rating.rater), places[rating.segment, system]
                matrix[place] = values[field.name]
        found[field.name] = krippendorff_alpha(matrix.tolist(), design.how.level)
    return found


def agreement_with_oneself(ratings: Iterable[Rating], design: Design) -> dict[str, float | None]:
    """Compute alpha over the two ratings of each repeated translation, for each field."""
    known = list(ratings)
    pairs = list(_repeated(known))
    return {
        field.name: krippendorff_alpha(
            [[each[field.name] for each in side] for side in zip(*pairs, strict=True)],
            design.how.level,
        )
        for field in design.how.fields
        if not field.is_text
    }


def summarize_raters(ratings: Iterable[Rating], design: Design) -> list[RaterSummary]:
    """Summarize each rater who has rated anything, in the order of the design."""
    known = list(ratings)
    found: list[RaterSummary] = []
    for rater in design.raters:
        own = [rating for rating in known if rating.rater == rater]
        if own and not design.how.one_system:
            found.append(_summarize(rater, own, design))
    return found


def _summarize(rater: str, own: Sequence[Rating], design: Design) -> RaterSummary:
    points = design.how.points
    originals = [rating for rating in own if rating.kind == "rating"]
    values = np.array([points(each) for rating in originals for each in rating.values.values()])
    differences = [abs(points(one) - points(two)) for one, two in _repeated(own)]
    by_id = {rating.row: rating for rating in originals}
    controls = [
        _is_lower(rating, by_id[rating.original], design)
        for rating in own
        if rating.degraded and rating.original in by_id
    ]
    return RaterSummary(
        rater=rater,
        rows=len(originals),
        mean=float(values.mean()) if values.size else math.nan,
        deviation=float(values.std()) if values.size else math.nan,
        controls=len(controls),
        controls_passed=sum(controls),
        repeats=len(differences),
        repeat_difference=float(np.mean(differences)) if differences else None,
    )


def _is_lower(rating: Rating, original: Rating, design: Design) -> bool:
    """Tell whether the degraded translation of a row got less than the translation itself."""
    degraded = rating.degraded or ""
    points = design.how.points
    if design.protocol == "pairwise":
        # A rank depends on the other translations: the degraded one should be the last.
        own = points(rating.values[degraded])
        return all(
            own < points(values) for system, values in rating.values.items() if system != degraded
        )
    return points(rating.values[degraded]) < points(original.values[degraded])


def _repeated(ratings: Sequence[Rating]) -> Iterable[tuple[dict[str, float], dict[str, float]]]:
    """Yield both ratings of each translation that was rated twice."""
    by_id = {rating.row: rating for rating in ratings}
    for rating in ratings:
        original = by_id.get(rating.original or "")
        if rating.kind == "repeat" and original is not None:
            for system, values in rating.values.items():
                yield original.values[system], values


def standardize(ratings: Iterable[Rating], design: Design) -> dict[tuple[int, str], float]:
    """Return the standard score of each rated translation, as the mean over its raters.

    A rater's scores have mean 0 and deviation 1, so that a strict rater weighs like a mild one.

    Returns:
        (segment, system) -> standard score.
    """
    found: dict[tuple[int, str], list[float]] = {}
    rows = [rating for rating in ratings if rating.kind == "rating"]
    points = design.how.points
    for rater in design.raters:
        own = [
            ((rating.segment, system), points(values))
            for rating in rows
            if rating.rater == rater
            for system, values in rating.values.items()
        ]
        for (unit, _), score in zip(own, _standard([each for _, each in own]), strict=True):
            found.setdefault(unit, []).append(float(score))
    return {unit: sum(scores) / len(scores) for unit, scores in found.items()}


def _standard(values: Sequence[float]) -> NDArray[np.float64]:
    plain = np.array(values, dtype=np.float64)
    # Not by the deviation: the mean of equal numbers may differ from them in its last digit.
    if not plain.size or plain.min() == plain.max():
        return np.zeros(len(plain))
    return (plain - plain.mean()) / plain.std()
