"""What a validation scored: BLEU, and the metric that chooses checkpoints and trials."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from nmt.runs.evaluation import LOWER_IS_BETTER, METRIC_NAMES

Bleu = Annotated[float, Field(ge=0, le=100.001)]
"""0-100; rounding can put the score of exact matches slightly above 100."""

MetricScore = Annotated[float, Field(ge=0)]
"""0-100, or more where lower is better, as of TER."""


def _is_known(metric: object) -> object:
    if metric not in METRIC_NAMES:
        raise ValueError(f"is not a metric: {metric!r}")
    return metric


MetricKey = Annotated[str, BeforeValidator(_is_known)]
"""A key of `METRIC_NAMES`."""


def gain_of(metric: str, score: float) -> float:
    """Turn a score into a number that is higher for a better one."""
    return -score if metric in LOWER_IS_BETTER else score


def worst_gain(metric: str) -> float:
    """Return the gain of settings that did not work: lower than that of any that did."""
    # An edit rate has no upper bound, but only the order of the trials counts.
    return -1e6 if metric in LOWER_IS_BETTER else 0.0


def score_of(point: Mapping[str, float]) -> float:
    """Return the score of a validation, which earlier releases named `bleu` alone."""
    return point.get("score", point["bleu"])


def of_old_record(bleu: str) -> Callable[[dict[str, Any]], Any]:
    """Make the default of a score: what a record of an earlier release has as BLEU alone.

    Args:
        bleu: name of the field with the BLEU, which must stand before that of the score.
    """
    return lambda data: data.get(bleu)
