"""From a model's confidence in a translation to the chance that it is usable as it is."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.runs.evaluation import ConfidenceBin, ConfidenceSummary
from nmt.runs.step_result import ResultPart

Floats = NDArray[np.float64]

MIN_SENTENCES = 20
"""Minimum number of sentences that a calibration is fitted to."""
_BINS = 5
_MAX_ITERATIONS = 100
# Far below what a share of usable sentences is shown with.
_TOLERANCE = 1e-10


class Calibration(ResultPart):
    """A logistic curve from confidence to the chance that a translation is usable."""

    slope: float
    intercept: float
    threshold: float
    """chrF++ of a sentence from which its translation counts as usable."""
    sentences: int
    """Sentences that the curve was fitted to."""

    def estimate(self, confidence: float) -> float:
        """Estimate the chance that a translation is usable, 0-1.

        Args:
            confidence: mean log-probability of its tokens.
        """
        return float(_logistic(np.array(self.slope * confidence + self.intercept)))


def fit_calibration(
    confidences: Sequence[float | None], chrf: Sequence[float] | Floats, threshold: float
) -> Calibration | None:
    """Fit how the chance of a usable translation depends on the confidence.

    Args:
        confidences: mean log-probability of the tokens of each translation; None where unknown.
        chrf: chrF++ of each translation, 0-100.
        threshold: chrF++ from which a translation counts as usable.

    Returns:
        None if fewer than `MIN_SENTENCES` translations have a confidence.

    Source: Platt 1999, Probabilistic outputs for support vector machines.
    """
    known, quality = _known(confidences, chrf)
    if len(known) < MIN_SENTENCES:
        return None
    usable = quality >= threshold
    # Platt's targets: a prior of one sentence of either kind. With 0 and 1, the slope would be
    # infinite wherever one confidence separates the usable translations from the others.
    count = int(usable.sum())
    high, low = (count + 1) / (count + 2), 1 / (len(known) - count + 2)
    mean, deviation = float(known.mean()), float(known.std())
    scale = deviation if _varies(known) else 1.0
    slope, intercept = _fit_logistic((known - mean) / scale, np.where(usable, high, low))
    return Calibration(
        slope=slope / scale,
        intercept=intercept - slope * mean / scale,
        threshold=threshold,
        sentences=len(known),
    )


def summarize_confidence(
    test_set: str,
    system: str,
    confidences: Sequence[float | None],
    chrf: Sequence[float] | Floats,
    calibration: Calibration,
) -> ConfidenceSummary | None:
    """Summarize how well a system's confidence predicts the quality of its translations.

    Args:
        test_set: name of the test set.
        system: name of the system.
        confidences: mean log-probability of the tokens of each translation; those without one,
            such as of an empty text, are left out.
        chrf: chrF++ of each translation, 0-100.
        calibration: fitted to other sentences of the same system.

    Returns:
        None if no translation has a confidence.
    """
    known, quality = _known(confidences, chrf)
    if not len(known):
        return None
    estimated = _logistic(calibration.slope * known + calibration.intercept)
    usable = quality >= calibration.threshold
    correlation = None
    if _varies(known) and _varies(quality):
        correlation = float(np.corrcoef(known, quality)[0, 1])
    parts = np.array_split(np.argsort(known, kind="stable"), min(_BINS, len(known)))
    return ConfidenceSummary(
        test_set=test_set,
        system=system,
        threshold=calibration.threshold,
        estimated=float(estimated.mean()),
        usable=float(usable.mean()),
        correlation=correlation,
        bins=tuple(
            ConfidenceBin(
                confidence=float(known[rows].mean()),
                estimated=float(estimated[rows].mean()),
                usable=float(usable[rows].mean()),
                sentences=len(rows),
            )
            for rows in parts
        ),
    )


def _known(
    confidences: Sequence[float | None], chrf: Sequence[float] | Floats
) -> tuple[Floats, Floats]:
    """Return the confidences that are known, and the chrF++ of the same sentences."""
    values = np.array([math.nan if each is None else each for each in confidences], np.float64)
    finite = np.isfinite(values)
    return values[finite], np.asarray(chrf, np.float64)[finite]


def _varies(values: Floats) -> bool:
    # Not by the deviation, which rounding makes positive for equal values.
    return bool(values.max() > values.min())


def _logistic(values: Floats) -> Floats:
    # Beyond these limits the result is 0 or 1, and the exponential overflows.
    return 1 / (1 + np.exp(-np.clip(values, -700, 700)))


def _fit_logistic(values: Floats, targets: Floats) -> tuple[float, float]:
    """Fit slope and intercept of a logistic curve by Newton's method.

    Args:
        values: standardised, so that slope and intercept are of similar size.
        targets: within 0-1, both excluded.
    """
    inputs = np.stack([values, np.ones_like(values)])
    weights = np.zeros(2)
    loss = _log_loss(weights @ inputs, targets)
    for _ in range(_MAX_ITERATIONS):
        chances = _logistic(weights @ inputs)
        gradient = inputs @ (chances - targets)
        curvature = (inputs * (chances * (1 - chances))) @ inputs.T
        # Equal confidences leave the slope open; the least squares then choose 0.
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        # A full step may overshoot where the curve is flat.
        while (lower := _log_loss((weights - step) @ inputs, targets)) > loss:
            step /= 2
        weights -= step
        if loss - lower < _TOLERANCE:
            break
        loss = lower
    return float(weights[0]), float(weights[1])


def _log_loss(logits: Floats, targets: Floats) -> float:
    return float((np.logaddexp(0, logits) - targets * logits).sum())
