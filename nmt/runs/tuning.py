"""What a search found of its methods, and how sure the differences between its trials are."""

from collections.abc import Iterable
from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from nmt.runs.evaluation import LOWER_IS_BETTER, METRIC_NAMES, Interval
from nmt.runs.step_result import ResultPart
from nmt.runs.validation_scores import MetricKey, MetricScore

Setting = bool | int | float | str

TrialSettings = dict[str, Setting]
"""Searched setting -> value."""

EndOfSearch = Literal["trials", "max_hours", "max_gpu_hours", "space"]
"""The key of `tune` that ended a search."""


class TrialDifference(ResultPart):
    """A trial compared with a worse one on the same validation sentences."""

    metric: MetricKey
    settings: TrialSettings
    """Of the better trial."""
    other: TrialSettings
    """Settings of the worse one."""
    difference: float
    """Score of the better trial minus that of the other."""
    interval: Interval
    """95 % interval of the difference, by the paired bootstrap over the sentences."""
    sentences: NonNegativeInt

    @property
    def may_be_chance(self) -> bool:
        """Tell whether the interval holds 0, or differences in favour of the other trial."""
        low, high = self.interval
        return high >= 0 if self.metric in LOWER_IS_BETTER else low <= 0

    def describe(self, better: str, other: str) -> str:
        """Describe the difference in one sentence.

        Args:
            better: what the better trial is called.
            other: what the other one is called.
        """
        low, high = self.interval
        text = (
            f"{better} against {other}: {self.difference:+.2f} {METRIC_NAMES[self.metric]} "
            f"(95 % interval {low:+.2f} to {high:+.2f}, {self.sentences} sentences)"
        )
        return f"{text}; this may be chance" if self.may_be_chance else text


def describe_differences(
    second: TrialDifference | None, between_methods: Iterable[TrialDifference]
) -> list[str]:
    """Describe the lead of the best trial and of the best method, in a sentence for each."""
    said = [second.describe("the best trial", "the second")] if second else []
    for found in between_methods:
        names = (
            f"the best of {each.get('adapter.type')}" for each in (found.settings, found.other)
        )
        said.append(found.describe(*names))
    return said


class MethodResult(ResultPart):
    """What a search found of one method."""

    method: str
    trials: NonNegativeInt
    settings: TrialSettings | None = None
    """Of its best trial; null where none has a score."""
    score: MetricScore | None = None
    seconds: NonNegativeFloat = 0.0
    """Time of all its trials."""
    trained_parameters: NonNegativeInt | None = None
    """Parameters that its best trial changes."""
