"""What an evaluation found: scores of named systems on named test sets, and how they compare."""

# No import of torch or sacreBLEU: a small image reads this to decide on a promotion.

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    computed_field,
    model_validator,
)
from typing_extensions import override

from nmt.runs.step_result import ResultPart, StepResult

BASE_SYSTEM = "base"
"""The model before the training."""
TUNED_SYSTEM = "tuned"
"""What the run trained, with its best weights."""

TEST_SET = "test"
"""Unseen text like the training data."""
GENERAL_SET = "general"
"""Text of what the base already knew, on which forgetting shows."""

METRIC_NAMES = {"bleu": "BLEU", "chrf++": "chrF++", "ter": "TER"}
"""Metric -> how it is written, in the order in which metrics are shown."""
LOWER_IS_BETTER = frozenset({"ter"})

Interval = tuple[float, float]
Verdict = Literal["better", "worse", "no significant difference"]


class SystemInfo(ResultPart):
    """One translation system."""

    parameters: NonNegativeInt | None = None
    """Parameters of the model, with those of an adapter; null for a system without a model."""


class TestSetInfo(ResultPart):
    """One test set."""

    __test__ = False  # pytest collects classes by this prefix

    sentences: PositiveInt


class SystemScore(ResultPart):
    """One score of one system on one test set."""

    system: str
    test_set: str
    metric: str
    """`bleu`, `chrf++` or `ter`."""
    value: float
    """BLEU and chrF++: 0-100, higher is better. TER: lower is better, may exceed 100."""
    signature: str
    """Settings and version of the metric; only scores with equal signatures can be compared."""
    interval: Interval | None = None
    """95 % interval of the value; null where it was not resampled."""


class Comparison(ResultPart):
    """One system against a baseline on the same sentences."""

    test_set: str
    metric: str
    baseline: str
    system: str
    difference: float
    """Score of the system minus score of the baseline."""
    interval: Interval
    """95 % interval of the difference."""
    p_value: Annotated[float, Field(ge=0, le=1)]
    """Chance of such a difference between equal systems; at least 1/(resamples + 1)."""
    resamples: PositiveInt

    @property
    def is_significant(self) -> bool:
        """Tell whether p is below .05 and the interval excludes 0."""
        # Both are asked, because this p-value alone is somewhat generous to small differences.
        low, high = self.interval
        return self.p_value < 0.05 and (low > 0 or high < 0)

    # Computed, so that a stored verdict cannot contradict its own figures.
    @computed_field
    @property
    def verdict(self) -> Verdict:
        """Say how the system compares with the baseline."""
        if not self.is_significant:
            return "no significant difference"
        # For a metric where lower is better, a higher score is worse.
        rises = self.difference > 0
        return "worse" if rises == (self.metric in LOWER_IS_BETTER) else "better"


class Sample(ResultPart):
    """One test sentence and what each system made of it."""

    test_set: str
    source: str
    reference: str
    hypotheses: dict[str, str]
    """System -> translation."""


class EvaluationResult(StepResult):
    """Scores, comparisons and samples, one row each, of any number of systems and test sets."""

    systems: Annotated[dict[str, SystemInfo], Field(min_length=1)]
    test_sets: Annotated[dict[str, TestSetInfo], Field(min_length=1)]
    scores: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]
    samples: tuple[Sample, ...] = ()

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        # A row with a misspelt name would silently be missing from every table.
        rows = [*self.scores, *self.comparisons, *self.samples]
        used = {row.test_set for row in rows} - self.test_sets.keys()
        used |= {row.system for row in (*self.scores, *self.comparisons)} - self.systems.keys()
        used |= {row.baseline for row in self.comparisons} - self.systems.keys()
        used |= {name for row in self.samples for name in row.hypotheses} - self.systems.keys()
        if used:
            names = ", ".join(sorted(used))
            raise ValueError(f"rows name unknown systems or test sets: {names}")
        places = [(row.system, row.test_set, row.metric) for row in self.scores]
        if len(places) != len(set(places)):
            raise ValueError("two scores of one system on one test set in one metric")
        return self

    @override
    def headline(self) -> str:
        """Name the BLEU of the base and of the tuned system on the test set."""
        scores = [self.score(name, TEST_SET, "bleu") for name in (BASE_SYSTEM, TUNED_SYSTEM)]
        return f"BLEU {' -> '.join(f'{score.value:.2f}' for score in scores if score)} (test)"

    def score(self, system: str, test_set: str, metric: str) -> SystemScore | None:
        """Return one score, or None if it was not computed."""
        wanted = (system, test_set, metric)
        rows = (row for row in self.scores if (row.system, row.test_set, row.metric) == wanted)
        return next(rows, None)

    def comparison(
        self,
        system: str = TUNED_SYSTEM,
        test_set: str = TEST_SET,
        *,
        metric: str = "bleu",
        baseline: str = BASE_SYSTEM,
    ) -> Comparison | None:
        """Return one comparison, or None if it was not computed."""
        wanted = (test_set, metric, baseline, system)
        rows = (
            row
            for row in self.comparisons
            if (row.test_set, row.metric, row.baseline, row.system) == wanted
        )
        return next(rows, None)


def format_p_value(p_value: float) -> str:
    """Write a p-value as `p = 0.032` or `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
