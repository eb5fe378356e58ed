"""Whether people find the candidate better than the baseline: accept, reject or undecided.

A gate calls `decide` with the ratings that have come back. While the answer is undecided and looks
are left, it asks for the next batch. The answer of an earlier look stays, whatever comes later.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmt.errors import InputError
from nmt.ratings.batches import Key
from nmt.ratings.checks import missing_controls
from nmt.ratings.design import CONTROL_METRIC, LEAST_SENTENCES, Design
from nmt.ratings.given import Rating
from nmt.ratings.statistics.gain import estimate_gain
from nmt.ratings.statistics.pocock import pocock_bound
from nmt.runs.evaluation import Interval
from nmt.runs.step_result import ResultPart
from nmt.scoring.significance.student_t import quantile

Answer = Literal["accept", "reject", "undecided"]
_LEAST_DIFFERING, _ENOUGH_SENTENCES = 5, 50
"""A look decides nothing if fewer sentences than the first differ from the commonest difference,
unless it has as many as the second: the deviation of so few says little, and of none nothing."""


class Decision(ResultPart):
    """The answer of the ratings so far, and what it rests on."""

    answer: Answer
    reason: str
    """One sentence."""
    estimate: float | None = None
    """Gain of the candidate over the whole test set, in points of 0-100; null before the first
    look."""
    bounds: Interval | None = None
    """Of the estimate, by the bound of Pocock."""
    z: float | None = None
    """Gain in standard errors, corrected for skewness."""
    bound: float
    """What z must reach for an accept, at each look."""
    gain: float
    """Least gain that matters."""
    ratings_used: int = 0
    """Sentences of the looks so far."""
    looks: int = 0
    """Looks so far."""
    looks_left: int
    next_batch: int | None = None
    """Number of the batch that is needed to go on; null if no more is needed or left."""
    missing: int = 0
    """Sentences of that batch that have no rating yet."""
    missing_controls: int = 0
    """The same of its repeats and degraded rows."""


def decide(ratings: Sequence[Rating], design: Design, keys: Iterable[Key] = ()) -> Decision:
    """Decide by the ratings that have come back.

    Repeats and degraded translations do not count, but a batch is complete only with them. Raters
    of a sentence are averaged.

    Args:
        ratings: all of the study, in any order.
        design: of the study.
        keys: of all batches that have been written.

    Raises:
        InputError: the study compares more than two systems, or its protocol decides nothing.
    """
    _check_decides(design)
    controls = {key.batch: missing_controls(ratings, key) for key in keys}
    return decide_by_differences(_differences(ratings, design), design, controls)


def _check_decides(design: Design) -> None:
    if design.gain is None:
        raise InputError(
            f"study '{design.study}' decides nothing: a decision needs two systems and a protocol "
            "with scores or ranks"
        )


def decide_by_differences(
    rated: Mapping[int, float], design: Design, missing_controls: Mapping[int, int] | None = None
) -> Decision:
    """Look at the differences after each complete batch, and stop at the first answer.

    A look rejects if the upper bound of the gain is below `design.gain`. Otherwise it accepts if
    z, corrected for skewness, reaches the bound of Pocock for `design.looks` looks, and there are
    enough sentences for it. Neither is said by a small sample that is nearly all ties.

    Args:
        rated: place of a segment in the design -> points of the candidate minus the baseline's.
        design: of the study.
        missing_controls: batch -> its repeats and degraded rows without a rating.

    Sources: Pocock 1977; the control variate is that of a difference estimator, Cochran 1977,
    Sampling Techniques, chapter 7.
    """
    critical = pocock_bound(design.looks, design.alpha)
    last: Decision | None = None
    look = 0
    while last is None or (last.answer == "undecided" and last.looks_left):
        look += 1
        segments = design.batch_segments(look)
        missing = sum(segment not in rated for segment in segments)
        controls = missing_controls.get(look, 0) if missing_controls else 0
        if missing or controls:
            return _waiting(last, design, critical, look, (missing, controls))
        last = _look(rated, design, critical, look, segments.stop)
    return last


def _differences(ratings: Iterable[Rating], design: Design) -> dict[int, float]:
    """Return the difference of each segment that all its raters have rated, as their mean."""
    baseline, candidate = design.systems
    points = design.how.points
    found: dict[int, list[float]] = {}
    for rating in ratings:
        if rating.kind == "rating":
            # The mean of a rater cancels in a difference of two ratings by the same rater.
            difference = points(rating.values[candidate]) - points(rating.values[baseline])
            found.setdefault(rating.segment, []).append(difference)
    # A rating that came after a look would change it.
    return {
        segment: sum(each) / len(each)
        for segment, each in found.items()
        if len(each) >= design.raters_of(segment)
    }


def _look(
    rated: Mapping[int, float], design: Design, critical: float, look: int, count: int
) -> Decision:
    values = np.array([rated[segment] for segment in range(count)])
    metric = metric_differences(design) if design.slope else np.zeros(count)
    estimate = estimate_gain(
        values,
        metric[:count],
        metric,
        slope=design.slope,
        share_differing=design.share_differing,
    )
    # Student's t has the same chance to exceed this as the normal distribution the bound.
    bound = quantile(NormalDist().cdf(critical), count - 1) if count > 1 else math.inf
    z, bounds = estimate.z(), estimate.bounds(bound)
    gain = design.gain or 0.0
    left = design.looks - look
    answer, reason = _answer(estimate.gain, bounds, gain, is_significant=z >= bound)
    if answer == "accept" and count < LEAST_SENTENCES:
        answer = "undecided"
        reason += f", but fewer than {LEAST_SENTENCES} sentences accept nothing"
    elif answer != "undecided" and not _tells_enough(values):
        answer = "undecided"
        reason += (
            f", but nearly all of the {count} differences are equal: that decides from "
            f"{_ENOUGH_SENTENCES} sentences on"
        )
    if answer == "undecided":
        reason += f": {left} looks are left" if left else ", and no looks are left"
    else:
        left = 0
    return Decision(
        answer=answer,
        reason=reason,
        estimate=estimate.gain,
        bounds=bounds if all(map(math.isfinite, bounds)) else None,
        z=z if math.isfinite(z) else None,
        bound=critical,
        gain=gain,
        ratings_used=count,
        looks=look,
        looks_left=left,
        next_batch=look + 1 if left else None,
        missing=len(design.batch_segments(look + 1)) if left else 0,
    )


def _tells_enough(differences: NDArray[np.float64]) -> bool:
    """Tell whether the spread of a sample can be trusted."""
    # Rounded: 3.3 - 1.1 and 5.5 - 3.3 are equal.
    _, counts = np.unique(differences.round(9), return_counts=True)
    size = len(differences)
    return size >= _ENOUGH_SENTENCES or size - int(counts.max()) >= _LEAST_DIFFERING


def _answer(
    estimate: float, bounds: Interval, gain: float, *, is_significant: bool
) -> tuple[Answer, str]:
    low, high = bounds
    shown = f"the gain is {estimate:+.1f} points ({low:+.1f} to {high:+.1f})"
    if high < gain:
        return "reject", f"{shown}, which is less than {gain:g}"
    if is_significant:
        return "accept", f"{shown}, which is more than 0"
    return "undecided", f"{shown}, which shows neither a gain nor less than {gain:g}"


def _waiting(
    last: Decision | None,
    design: Design,
    critical: float,
    look: int,
    missing_rows: tuple[int, int],
) -> Decision:
    """Say that the ratings of a batch are not all there: of its sentences, or of its controls."""
    missing, controls = missing_rows
    total = len(design.batch_segments(look))
    if last is not None and missing == total:
        return last
    reason = f"batch {look} has ratings for {total - missing} of its {total} sentences"
    if controls:
        reason += f", and none for {controls} of its repeats and degraded rows"
    if last is not None:
        changes = {"missing": missing, "missing_controls": controls}
        return last.model_copy(update={"reason": f"{last.reason}; {reason}", **changes})
    return Decision(
        answer="undecided",
        reason=reason,
        bound=critical,
        gain=design.gain or 0.0,
        looks_left=design.looks,
        next_batch=look,
        missing=missing,
        missing_controls=controls,
    )


def metric_differences(design: Design) -> NDArray[np.float64]:
    """Return the difference of the metric of each differing segment; NaN where it is unknown."""
    unknown = (None,) * len(design.systems)
    pairs = [each.scores.get(CONTROL_METRIC, unknown)[:2] for each in design.segments]
    return np.array([_difference(pair) for pair in pairs])


def _difference(pair: Sequence[float | None]) -> float:
    baseline, candidate = pair
    return math.nan if baseline is None or candidate is None else candidate - baseline


def fit_slope(ratings: Iterable[Rating], design: Design) -> float:
    """Fit how many rating points a point of the metric is worth, for a later study.

    Returns:
        0 if fewer than 30 sentences have both, or the metric does not differ among them.

    Raises:
        InputError: the study decides nothing, so it says nothing about a difference.
    """
    _check_decides(design)
    rated = _differences(ratings, design)
    metric = metric_differences(design)
    both = [segment for segment in rated if not math.isnan(metric[segment])]
    if len(both) < 30:
        return 0.0
    values = np.array([rated[segment] for segment in both])
    known = metric[both]
    variance = float(known.var())
    if not variance:
        return 0.0
    return float(((known - known.mean()) * (values - values.mean())).mean()) / variance
