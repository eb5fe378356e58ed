"""Rows of an evaluation: systems, test sets, and what was measured of them."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, computed_field

from nmt.runs.evaluation.names import LOWER_IS_BETTER
from nmt.runs.step_result import ResultPart

Interval = tuple[float, float]
Verdict = Literal["better", "worse", "no significant difference"]
Sentences = Literal["all", "unseen"]
"""`unseen`: without the sentences that are like a training pair."""


class Decoding(ResultPart):
    """How a system searched its translations."""

    method: Literal["greedy", "beam", "mbr"]
    beam_size: PositiveInt = 1
    length_penalty: float = 1.0
    mbr_samples: PositiveInt | None = None
    splits_sentences: bool = False
    """Whether a text was split into sentences that were translated one by one."""
    precision: str = ""
    """Number format of the weights, such as `bf16` or `int8`."""


class SystemInfo(ResultPart):
    """One translation system."""

    kind: Literal["base", "tuned", "engine", "file", "memory", "few-shot", "retrieved"] = "file"
    parameters: NonNegativeInt | None = None
    """Parameters of the model, with those of an adapter; null for a system without a model."""
    trained_parameters: NonNegativeInt | None = None
    """Parameters that the run has trained; null where that is unknown."""
    preparation_seconds: NonNegativeFloat | None = None
    """Time to make the system from the training data, by training or indexing; null where there
    was nothing to do or it is unknown."""
    engine: str | None = None
    """Digest of an engine."""
    run: str | None = None
    """Run that made the engine."""
    weights: str | None = None
    """Digest of the trained weights of a variant."""
    size_bytes: NonNegativeInt | None = None
    """Size of its files."""
    device: str | None = None
    """Device that translated, such as `cpu` or a GPU's name."""
    decoding: Decoding | None = None


class TestSetInfo(ResultPart):
    """One test set."""

    __test__ = False  # pytest collects classes by this prefix

    sentences: PositiveInt
    """Sentences that were scored."""
    digest: str = ""
    """Twelve hexadecimal digits of the SHA-256 of its sources and references."""
    references: PositiveInt = 1
    """References of each sentence."""
    source_language: str = ""
    """FLORES-200 code."""
    target_language: str = ""
    """FLORES-200 code."""
    split_size: PositiveInt | None = None
    """Size of the held-out split of which the first sentences were scored; null for a whole set."""
    screened: bool = False
    """Whether `prepare` dropped the training pairs that are like its sentences."""
    overlap: NonNegativeInt | None = None
    """Sentences that are like a training pair; null where they were not counted."""
    documents: PositiveInt | None = None
    """Documents by which differences are judged; null where the unit is the sentence."""
    forgetting: bool = False
    """Whether the set shows what the training made the model forget."""


class SystemScore(ResultPart):
    """One score of one system on one test set."""

    system: str
    test_set: str
    metric: str
    """A key of `METRIC_NAMES`."""
    value: float
    """0-100 for all but COMET and MetricX. Of TER lower is better, and it may exceed 100."""
    signature: str
    """Settings and version of the metric; only scores with equal signatures can be compared."""
    interval: Interval | None = None
    """95 % interval of the value; null where it was not computed."""
    part: Sentences = "all"
    """The sentences that count."""


class NotComputed(ResultPart):
    """A metric that has no score, and why."""

    metric: str
    """A key of `METRIC_NAMES`, or `EVERY_METRIC`."""
    reason: str
    """With what to do about it."""
    test_set: str | None = None
    """Null: on any test set."""
    system: str | None = None
    """Null: of any system."""


class Comparison(ResultPart):
    """One system against a baseline on the same sentences."""

    test_set: str
    metric: str
    """One of `COMPARED_METRICS`."""
    baseline: str
    system: str
    difference: float
    """Score of the system minus score of the baseline."""
    interval: Interval
    """95 % interval of the difference, by the paired bootstrap."""
    standard_error: NonNegativeFloat
    """Of the difference, from the influence of each sentence or document."""
    p_value: Annotated[float, Field(ge=0, le=1)]
    """Chance of such a difference between equal systems, two-sided, from the standard error."""
    bootstrap_p: Annotated[float, Field(ge=0, le=1)]
    """The p-value of sacreBLEU's paired bootstrap, which is too small for small differences."""
    resamples: PositiveInt
    detectable: NonNegativeFloat
    """Least difference that this test finds in 80 % of cases, from the standard error."""
    predicted_detectable: NonNegativeFloat | None = None
    """The same as predicted from how alike the translations are, and from the sentence scores of
    the baseline alone."""
    agreement: float | None = None
    """Mean chrF between the translations of the two systems, 0-100."""
    equal: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the sentences that both systems translate alike; null in an earlier release."""

    @property
    def is_significant(self) -> bool:
        """Tell whether so large a difference has a chance below 5 % between equal systems."""
        return self.p_value < 0.05

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


class SliceScore(ResultPart):
    """The scores of a system on some sentences of a test set."""

    test_set: str
    system: str
    kind: str
    """What the sentences have in common: `length`, `domain`, `rare words`, `numbers`, ..."""
    label: str
    """Which of that kind, such as `11-20 words`."""
    sentences: PositiveInt
    scores: dict[str, float]
    """Metric -> score of these sentences."""


class FlagCount(ResultPart):
    """How many translations of a system have a fault."""

    test_set: str
    system: str
    flag: str
    """A key of `FLAGS`."""
    count: NonNegativeInt
    of: NonNegativeInt
    """Translations that could have it: for `numbers`, those whose source has a number."""


class NgramChange(ResultPart):
    """Words that a system has right more, or less, often than a baseline."""

    test_set: str
    baseline: str
    system: str
    ngram: str
    gained: int
    """Matches with the reference more than the baseline has; negative: fewer."""


class Cost(ResultPart):
    """What it took a system to translate a test set."""

    test_set: str
    system: str
    seconds: NonNegativeFloat
    characters: NonNegativeInt
    """Characters of the sources."""


class ConfidenceBin(ResultPart):
    """Sentences of similar confidence."""

    confidence: float
    """Mean log-probability of a token, averaged over the sentences."""
    estimated: float
    """Share that was estimated to be usable as it is, 0-1."""
    usable: float
    """Share whose chrF++ shows it, 0-1."""
    sentences: PositiveInt


class ConfidenceSummary(ResultPart):
    """How well a system's confidence foretells the quality of its translations."""

    test_set: str
    system: str
    threshold: float
    """chrF++ of a sentence from which it counts as usable as it is."""
    estimated: float
    """Share of the sentences that is usable, as estimated from the confidence, 0-1."""
    usable: float
    """The same by chrF++, 0-1."""
    correlation: float | None = None
    """Of confidence and chrF++ over the sentences; null where one of them is constant."""
    bins: tuple[ConfidenceBin, ...] = ()


class Sample(ResultPart):
    """One test sentence and what each system made of it."""

    test_set: str
    source: str
    reference: str
    hypotheses: dict[str, str]
    """System -> translation."""
