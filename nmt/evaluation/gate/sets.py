"""Test sets on which two systems are compared, one by one and pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

from nmt.runs.evaluation import Comparison, TestSetInfo
from nmt.runs.gate import GateSet
from nmt.scoring.significance.differences import detectable_errors
from nmt.scoring.significance.student_t import quantile

_LEAST_POINTS = 50.0
"""Of n equal translations up to 3/n could differ in other text, by some 30 points of chrF++ each:
then the standard error is about 50/n."""


@dataclass(frozen=True, slots=True)
class ComparedSet:
    """A test set and the difference that it shows in one metric."""

    name: str
    info: TestSetInfo
    comparison: Comparison

    @property
    def degrees(self) -> int:
        """Return the degrees of freedom of the difference, at least 1."""
        return max(1, (self.info.documents or self.info.sentences) - 1)

    @property
    def is_equal(self) -> bool:
        """Tell whether both systems have the same score by each sentence."""
        return self.comparison.standard_error == 0

    @property
    def error(self) -> float:
        """Return the standard error of the difference, never 0."""
        return self.comparison.standard_error or _LEAST_POINTS / self.info.sentences

    @property
    def predicted_error(self) -> float | None:
        """Return the standard error as predicted before the comparison, if it was."""
        if self.is_equal:
            return self.error
        predicted = self.comparison.predicted_detectable
        return None if predicted is None else predicted / detectable_errors(self.degrees + 1)

    def bound(self, level: float, side: int) -> float:
        """Compute a one-sided bound of the difference.

        Args:
            level: chance that the true difference is beyond it.
            side: +1 for the upper bound, -1 for the lower one.
        """
        return self.comparison.difference + side * quantile(1 - level, self.degrees) * self.error

    def row(self) -> GateSet:
        """Describe the set in the record of the gate."""
        one_sided = quantile(0.95, self.degrees) + quantile(0.8, self.degrees)
        error = self.predicted_error
        return GateSet(
            name=self.name,
            digest=self.info.digest,
            sentences=self.info.sentences,
            documents=self.info.documents,
            forgetting=self.info.forgetting,
            difference=self.comparison.difference,
            standard_error=self.comparison.standard_error,
            predicted_detectable=None if error is None else one_sided * error,
            detectable=one_sided * self.comparison.standard_error,
            agreement=self.comparison.agreement,
            equal=self.comparison.equal,
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """The difference over several test sets, each weighted by its precision."""

    difference: float
    standard_error: float
    degrees: int
    sentences: int
    is_equal: bool
    """Whether the systems translate all sentences of all sets alike."""

    def bound(self, level: float, side: int) -> float:
        """Compute a one-sided bound of the difference, the upper one with side +1."""
        return self.difference + side * quantile(1 - level, self.degrees) * self.standard_error


def pool(sets: Sequence[ComparedSet]) -> Pool:
    """Join the differences of test sets by the inverse of their variances."""
    weights = [each.error**-2 for each in sets]
    total = sum(weights)
    weighted = sum(w * each.comparison.difference for w, each in zip(weights, sets, strict=True))
    # Welch and Satterthwaite: few documents in a set of great weight leave few degrees.
    inverse = sum(w**2 / each.degrees for w, each in zip(weights, sets, strict=True))
    return Pool(
        difference=weighted / total,
        standard_error=total**-0.5,
        degrees=max(1, int(total**2 / inverse)),
        sentences=sum(each.info.sentences for each in sets),
        is_equal=all(each.is_equal for each in sets),
    )
