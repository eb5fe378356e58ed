"""How far metrics agree with people."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.ratings.design import Design
from nmt.ratings.given import Rating
from nmt.ratings.statistics.agreement import standardize

Floats = NDArray[np.float64]

_MIN_PAIRS = 3


@dataclass(frozen=True, slots=True)
class MetricCorrelation:
    """The correlation of a metric with standard scores of people."""

    metric: str
    what: str
    """`translations`; `differences` of two systems in a sentence; or means of `systems`."""
    count: int
    pearson: float | None
    kendall: float | None
    """Tau-b."""


def correlate_metrics(ratings: Iterable[Rating], design: Design) -> list[MetricCorrelation]:
    """Compute how every metric that the design knows correlates with the ratings.

    Returns:
        For each metric a row for translations, and one for differences or, with at least three
        systems, for systems. A metric with fewer than three known scores is left out.
    """
    scores = standardize(ratings, design)
    names = {name for segment in design.segments for name in segment.scores}
    found: list[MetricCorrelation] = []
    for name in sorted(names):
        table = _pairs(scores, design, name)
        if len(table) < _MIN_PAIRS:
            continue
        people, metric = table[:, :, 0], table[:, :, 1]
        found.append(_row(name, "translations", people.ravel(), metric.ravel()))
        if len(design.systems) == 2:
            found.append(_row(name, "differences", np.diff(people)[:, 0], np.diff(metric)[:, 0]))
        else:
            found.append(_row(name, "systems", people.mean(axis=0), metric.mean(axis=0)))
    return found


def _pairs(scores: dict[tuple[int, str], float], design: Design, metric: str) -> Floats:
    """Return rating and metric of each system, `(segments, systems, 2)`, where all are known."""
    rows: list[list[tuple[float, float]]] = []
    for segment in sorted({segment for segment, _ in scores}):
        known = design.segments[segment].scores.get(metric, ())
        pairs = [
            (scores[segment, system], value)
            for system, value in zip(design.systems, known, strict=False)
            if value is not None and (segment, system) in scores
        ]
        if len(pairs) == len(design.systems):
            rows.append(pairs)
    return np.array(rows)


def _row(metric: str, what: str, people: Floats, values: Floats) -> MetricCorrelation:
    return MetricCorrelation(
        metric, what, len(people), pearson(people, values), kendall_tau(people, values)
    )


def pearson(one: Floats, other: Floats) -> float | None:
    """Compute Pearson's correlation; None if one side does not vary."""
    if _is_constant(one) or _is_constant(other):
        return None
    x, y = one - one.mean(), other - other.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else None


def _is_constant(values: Floats) -> bool:
    # The mean of equal numbers may differ from them in its last digit.
    return not values.size or bool(values.min() == values.max())


def kendall_tau(one: Floats, other: Floats) -> float | None:
    """Compute Kendall's tau-b, which allows for ties; None if one side does not vary."""
    upper = np.triu_indices(len(one), 1)
    x = np.sign(np.subtract.outer(one, one))[upper]
    y = np.sign(np.subtract.outer(other, other))[upper]
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else None
