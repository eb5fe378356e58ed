"""What a gate decided: its rules, each with its figure, and the answer."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt
from typing_extensions import override

from nmt.runs.evaluation.names import METRIC_NAMES
from nmt.runs.step_result import ResultPart, StepResult

GateVerdict = Literal["accept", "reject", "undecided"]
Outcome = Literal["passed", "failed", "open"]
"""Open: the test sets cannot tell."""


_QUALITY = frozenset({"gain", "difference", "loss", "BLEU", "error rate"})
"""Rules about the quality of translations."""
_OF_ALL_SETS = frozenset({"gain", "difference", "BLEU", "error rate"})


class GateRule(ResultPart):
    """One rule of the gate."""

    name: str
    """Such as `gain`, `loss`, `BLEU`, `off-target`."""
    outcome: Outcome
    text: str
    """The figure and the limit, as a clause."""
    test_set: str | None = None
    """Null: a rule over all sets."""
    figure: float | None = None
    """Null where it could not be measured."""
    limit: float | None = None

    def describe(self) -> str:
        """Write the rule with its set and figures."""
        place = f" on {self.test_set}" if self.test_set else ""
        return f"{self.name}{place}: {self.text}"


def explain_verdict(verdict: GateVerdict, rules: Sequence[GateRule]) -> str:
    """Join what the rules say that led to a verdict."""
    wanted: Outcome = (
        "failed" if verdict == "reject" else "open" if verdict == "undecided" else "passed"
    )
    told = [rule for rule in rules if rule.outcome == wanted]
    # All rules of an accepted engine have passed: its gain says enough.
    shown = told[:1] if verdict == "accept" else told
    return "; ".join(rule.describe() for rule in shown)


class GateSet(ResultPart):
    """A test set of the gate, and how the two engines compare on it."""

    name: str
    digest: str
    """Of its sources and references."""
    sentences: PositiveInt
    documents: PositiveInt | None = None
    forgetting: bool
    """Whether it only shows forgetting, and has no part in the gain."""
    difference: float
    """Score of the engine minus score of the baseline, in points of the metric."""
    standard_error: NonNegativeFloat
    predicted_detectable: NonNegativeFloat | None
    """Least difference that a test at 5 % finds in 80 % of cases, as predicted before."""
    detectable: NonNegativeFloat
    """The same from the standard error seen."""
    agreement: float | None
    """Mean chrF between the translations of both, 0-100."""
    equal: float | None = None
    """Share of the sentences that both translate alike."""
    use: NonNegativeInt = 0
    """Number of this use of the set; 0 for one that shows forgetting."""


class LengthRatio(ResultPart):
    """How long the translations of a system usually are, as logarithms of the ratios of lengths.

    A ratio is characters of the translation by characters of the source, both normalised.
    """

    median: float
    deviation: Annotated[float, Field(gt=0)]
    """Median of the absolute differences from the median."""


class PeopleAnswer(ResultPart):
    """What people say of an engine, where the gate could not decide."""

    study: str
    """Name of the study of ratings."""
    answer: GateVerdict
    reason: str
    ratings: NonNegativeInt
    """Sentences that were rated."""
    looks_left: NonNegativeInt
    warnings: tuple[str, ...] = ()
    """About raters who did not see degraded translations."""


class GateResult(StepResult):
    """The decision on an engine."""

    verdict: GateVerdict
    """Of the rules, or of people if the rules left it undecided."""
    reason: str
    """What decided, as a sentence."""
    people: PeopleAnswer | None = None
    """Null where the rules decided, and before anybody has rated."""
    engine: str
    """Digest of the engine that was judged."""
    baseline: str | None
    """Digest of the engine that serves; null: the base, since nothing serves the route yet."""
    endpoint: str
    route: str
    """Key of the route."""
    metric: str
    """A key of `METRIC_NAMES`."""
    signature: str
    goal: Literal["better", "as_good"]
    rules_digest: str
    """Digest of the settings of the gate."""
    error_rate: Annotated[float, Field(gt=0, lt=1)]
    """Chance to accept an engine that is not better, by this use alone."""
    difference: float
    """Of all sets that decide, weighted by their precision, in points of the metric."""
    standard_error: NonNegativeFloat
    low: float
    """Lower bound of the difference at the error rate of this use, one-sided."""
    high: float
    """Upper bound of the difference at 5 %, one-sided."""
    findable: float | None = None
    """True gain that is accepted in 80 % of cases, as predicted before the test."""
    rules: tuple[GateRule, ...]
    sets: tuple[GateSet, ...]
    baseline_lengths: LengthRatio | None = None
    """Of the translations of the baseline; null in the record of an earlier release."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """Test set -> why it was left out."""
    remarks: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""

    @property
    def deciding_sets(self) -> list[str]:
        """List the test sets that decide."""
        return [each.name for each in self.sets if not each.forgetting]

    @property
    def rated_set(self) -> str:
        """Return the test set that people rate: the largest one that decides."""
        deciding = [each for each in self.sets if not each.forgetting]
        return max(deciding, key=lambda each: each.sentences).name

    @property
    def is_for_people(self) -> bool:
        """Tell whether the rules left the engine undecided, and only what people can judge."""
        # The ratings are tested for a gain, so they cannot tell that an engine is as good.
        if self.goal != "better" or any(rule.outcome == "failed" for rule in self.rules):
            return False
        open_rules = [rule for rule in self.rules if rule.outcome == "open"]
        return bool(open_rules) and all(
            rule.name in _QUALITY and (rule.name in _OF_ALL_SETS or rule.test_set == self.rated_set)
            for rule in open_rules
        )

    @override
    def headline(self) -> str:
        """Name the answer and the difference."""
        return f"{self.verdict}: {self.difference:+.2f} {METRIC_NAMES[self.metric]}"
