"""What each step of a run found, and the summary of a run: typed and torch-free."""

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    field_serializer,
)
from typing_extensions import override

from nmt.runs.evaluation import METRIC_NAMES, EvaluationResult
from nmt.runs.gate import GateResult
from nmt.runs.step_result import ResultPart, StepResult
from nmt.runs.trials import Trial, TrialWithCheckpoints
from nmt.runs.tuning import EndOfSearch, MethodResult, TrialDifference
from nmt.runs.validation_scores import Bleu, MetricKey, MetricScore, of_old_record


class InputCounts(ResultPart):
    """What became of the pairs of one input."""

    read: NonNegativeInt
    kept: NonNegativeInt
    dropped: dict[str, NonNegativeInt] = Field(default_factory=dict)
    """Rule -> pairs that it dropped."""
    flagged: dict[str, NonNegativeInt] = Field(default_factory=dict)
    """Flag -> kept pairs that have it."""
    bad_rows: NonNegativeInt = 0
    """Damaged rows, which were not read."""


class ScreenedSet(ResultPart):
    """A named test set that no training pair is like."""

    pairs: NonNegativeInt
    digest: str
    """Twelve hexadecimal digits of the SHA-256 of its sources and references."""
    fingerprint: str | None = None
    """SHA-256 of its files; null for a data set of the hub."""


class PrepareResult(StepResult):
    """The result of `prepare`."""

    fingerprint: str | None = None
    """SHA-256 of the local input files; null where there are none."""
    sizes: dict[str, NonNegativeInt]
    """Split -> pairs."""
    dropped: dict[str, NonNegativeInt] = Field(default_factory=dict)
    """Rule -> pairs that it dropped."""
    inputs: dict[str, InputCounts] = Field(default_factory=dict)
    """Input -> what became of its pairs; empty in the record of an earlier release."""
    flagged: dict[str, dict[str, NonNegativeInt]] = Field(default_factory=dict)
    """Split -> flag -> pairs that have it."""
    screened: dict[str, ScreenedSet] = Field(default_factory=dict)
    """Named test set -> what the training pairs were compared with."""
    given: tuple[str, ...] = ()
    """The splits that the user gave and that are kept as they are."""

    @override
    def headline(self) -> str:
        """List the sizes of the splits."""
        return ", ".join(f"{split} {size}" for split, size in self.sizes.items())


class BaseResult(StepResult):
    """The result of `base`."""

    license: str
    """Licence of the base model, which the trained model inherits."""
    model: dict[str, JsonValue] | None = None
    """Fields of `nmt.models.sources.source.ModelSource`."""
    # Left out where there is none, as in the records of earlier releases.
    validation_bleu: Bleu | None = Field(default=None, exclude_if=lambda value: value is None)
    """BLEU of a base that was trained on the spot."""


class TuneResult(StepResult):
    """The result of `tune`."""

    best: TrialWithCheckpoints
    trials: tuple[Trial, ...]
    """All trials, best first."""
    metric: MetricKey = "bleu"
    methods: tuple[MethodResult, ...] = ()
    """One entry for each method that was compared, best first."""
    between_methods: tuple[TrialDifference, ...] = ()
    """The best trial of the best method against the best one of each other method."""
    ended_by: EndOfSearch = "trials"
    """What ended the search: its number of trials, a limit, or that nothing was left to try."""
    hours: NonNegativeFloat = 0.0
    """Hours in which at least one trial ran, over all calls."""
    gpu_hours: NonNegativeFloat = 0.0
    """Hours of all trials, each times its share of GPUs."""

    @override
    def headline(self) -> str:
        """Name the best score, the number of trials, and the limit that ended the search."""
        if self.best.score is None:
            return f"{len(self.trials)} trials"
        text = (
            f"best {METRIC_NAMES[self.metric]} {self.best.score:.2f} of {len(self.trials)} trials"
        )
        if self.best.method and len(self.methods) > 1:
            text += f" ({self.best.method})"
        return f"{text}, ended by tune.{self.ended_by}" if self.ended_by != "trials" else text


class TrainingPoint(ResultPart):
    """One validation of the final training."""

    step: NonNegativeInt
    bleu: float
    score: float = Field(default_factory=of_old_record("bleu"))
    """In `training.validation_metric`."""
    loss: float | None = None
    """Training loss, in nats per token; null before the first step that had a finite one."""


class TrainResult(StepResult):
    """The result of `train`."""

    trained_parameters: NonNegativeInt
    """Parameters that the training changed."""
    left_out: NonNegativeInt
    """Training pairs left out because they are too long for the model's limits."""
    steps: NonNegativeInt
    metric: MetricKey = "bleu"
    """Metric of the validations, which chose the best one."""
    validation_sentences: NonNegativeInt | None = None
    """Pairs that each validation translated; null in the record of an earlier release."""
    base_bleu: Bleu | None = None
    base_score: MetricScore | None = Field(default_factory=of_old_record("base_bleu"))
    """Validation score of the base; null where it was not validated."""
    best_step: NonNegativeInt | None = None
    best_bleu: Bleu | None = None
    """BLEU of the validation with the best score."""
    best_score: MetricScore | None = Field(default_factory=of_old_record("best_bleu"))
    train_seconds: float = 0.0
    curve: tuple[TrainingPoint, ...] = ()

    @override
    def headline(self) -> str:
        """Name the scores before the training and of its best weights."""
        if self.best_score is None:
            return f"{self.steps} steps, not validated"
        before = "" if self.base_score is None else f"{self.base_score:.2f} -> "
        name = METRIC_NAMES[self.metric]
        return f"{name} {before}{self.best_score:.2f} (validation) at step {self.best_step}"

    @field_serializer("curve")
    def _write_curve(self, curve: tuple[TrainingPoint, ...]) -> list[dict[str, float]]:
        # A record leaves out a loss that was not finite, as the checkpoints do.
        return [point.model_dump(exclude_none=True) for point in curve]


class VocabularyScore(ResultPart):
    """A score of an engine with all its tokens, and of the same engine with fewer."""

    full: float
    limited: float
    signature: str
    """Settings and version of the metric."""


class EngineVocabulary(ResultPart):
    """The tokens of an engine, and what the translations of the validation set lose by them."""

    form: Literal["full", "mapped", "trimmed"]
    """The kind of engine that was stored."""
    model_tokens: NonNegativeInt
    """Tokens of the exported model."""
    known_tokens: NonNegativeInt
    """Tokens that the engine knows."""
    written_tokens: NonNegativeInt
    """Tokens that it can write."""
    sentences: NonNegativeInt = 0
    """Validation sentences that were translated in both ways; 0 if none were."""
    scores: dict[str, VocabularyScore] = Field(default_factory=dict)
    """Metric -> scores; also where `auto` kept all tokens because of them."""

    def describe(self) -> str:
        """Describe the choice and its cost in one sentence."""
        text = f"The engine can write {self.written_tokens:,} of the model's {self.model_tokens:,} "
        text += f"tokens and knows {self.known_tokens:,} (export.vocabulary: {self.form})"
        if not self.scores:
            return f"{text}."
        differences = ", ".join(
            f"{metric} {score.full:.2f} with all tokens and {score.limited:.2f} with fewer"
            for metric, score in self.scores.items()
        )
        return f"{text}. On {self.sentences} sentences of the validation set: {differences}."


class Software(ResultPart):
    """What a step was done with."""

    version: str
    """Version of this package."""
    revision: str | None = None
    """Its git commit, with the ending `-dirty` if files were changed since; null where unknown."""
    python: str
    packages: dict[str, str] = Field(default_factory=dict)
    """Package -> version."""


class ExportResult(StepResult):
    """The result of `export`."""

    engine: str
    """Digest of the engine."""
    format: Literal["ctranslate2", "torch"]
    logit_difference: float
    """Largest difference between the logits of the trained model and of what was exported."""
    license: str
    # Left out where there is none: in earlier releases, and of a torch engine.
    vocabulary: EngineVocabulary | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    software: Software | None = Field(default=None, exclude_if=lambda value: value is None)


class SummaryPart(BaseModel):
    """A frozen part of the summary."""

    # Unknown fields are refused: a misspelt one would be missing from the report without notice.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class PairExample(SummaryPart):
    """A pair that a rule dropped, shortened."""

    source: str
    target: str


class DataSummary(SummaryPart):
    """The corpus."""

    name: str
    """Where it came from."""
    sizes: dict[str, NonNegativeInt]
    """Split -> pairs."""
    dropped: dict[str, NonNegativeInt] = {}
    """Rule -> pairs that it dropped."""
    inputs: dict[str, InputCounts] = {}
    """Input -> what became of its pairs."""
    flagged: dict[str, dict[str, NonNegativeInt]] = {}
    """Split -> flag -> pairs that have it."""
    examples: dict[str, tuple[PairExample, ...]] = {}
    """Rule -> a few random pairs that it dropped."""
    digest: str | None = None
    """Of the prepared pairs."""
    fingerprint: str | None = None
    """SHA-256 of the local input files."""


class ModelSummary(SummaryPart):
    """The model that was adapted."""

    name: str
    license: str
    """The trained model inherits its terms."""
    tiny: bool
    """Whether it was built and trained on the spot, which shows the path and not quality."""
    trainable: NonNegativeInt
    """Parameters that the training changed."""


class EndpointSummary(SummaryPart):
    """What the endpoint answered when it was asked for one sentence."""

    checked: bool
    source: str | None = None
    target: str | None = None
    engine: str | None = None
    """Digest of the engine that answered."""


class Summary(SummaryPart):
    """Everything a run found: the content of `summary.json`.

    A field that is null was not computed; it never stands for 0.
    """

    run: str
    version: str
    """Version of this package."""
    data: DataSummary
    model: ModelSummary
    evaluation: EvaluationResult
    trials: tuple[Trial, ...] = ()
    methods: tuple[MethodResult, ...] = ()
    """What the search found of each method, the best one first."""
    against_second: TrialDifference | None = None
    """The search's best trial compared with its second best."""
    between_methods: tuple[TrialDifference, ...] = ()
    """The best trial of the best method against the best one of each other method."""
    best_config: dict[str, Any] = {}
    """Dotted setting -> value that the final training took from the search."""
    validation_metric: MetricKey = "bleu"
    """Metric of `trials`, `curve` and the base's score."""
    base_validation_bleu: float | None = None
    base_validation_score: float | None = Field(
        default_factory=of_old_record("base_validation_bleu")
    )
    """Score of the base on the validation set, which `curve` is to be compared with."""
    curve: tuple[TrainingPoint, ...] = ()
    seconds: dict[str, float] = {}
    """Step -> time taken."""
    endpoint: EndpointSummary = EndpointSummary(checked=False)
    engine: str | None = None
    """Digest of the exported engine."""
    gate: GateResult | None = None
    """The decision on that engine; null before the gate has judged it."""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""
    versions: dict[str, str] = {}
    """Package -> version that made the figures."""
    config: dict[str, Any] = {}
    """All settings, resolved."""

    def best_trial(self) -> int | None:
        """Return the index of the trial that `best_config` came from, else of the best score."""
        scored = [i for i, trial in enumerate(self.trials) if trial.score is not None]
        # A setting that the user gave wins over the search, so perhaps no trial fits any more.
        taken = self.best_config.items()
        chosen = [i for i in scored if self.trials[i].config.items() <= taken]
        return max(chosen or scored, key=lambda i: self.trials[i].gain or 0.0, default=None)
