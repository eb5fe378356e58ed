"""What a run ends with: the types of `summary.json`, and its lines for a terminal.

A field that is null was not computed; it never stands for 0.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from nmt.report import formatting
from nmt.runs.comparison import Significance, SystemSummary
from nmt.runs.trials import Setting, TrialPoint, TrialState
from nmt.storage import RecordKind


class SummaryPart(BaseModel):
    """A frozen part of the summary that refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class DataSummary(SummaryPart):
    """The corpus."""

    name: str
    """Where it came from."""
    sizes: dict[str, NonNegativeInt]
    """Split -> pairs."""
    dropped: dict[str, NonNegativeInt] = {}
    """Filter -> pairs it left out."""


class ModelSummary(SummaryPart):
    """The model that was adapted."""

    name: str
    license: str
    """The adapter inherits its terms."""
    tiny: bool
    """Built and trained on the spot: shows the path, not quality."""
    parameters: NonNegativeInt
    trainable: NonNegativeInt
    """Parameters that the training changed."""


class TrialSummary(SummaryPart):
    """One setting that the search tried."""

    config: dict[str, Setting]
    """Dotted setting -> value, of what was searched."""
    bleu: float | None
    """Best validation BLEU; null: it had no validation, or is none to train with."""
    state: TrialState
    steps: NonNegativeInt
    curve: tuple[TrialPoint, ...] = ()


class TrainingPoint(SummaryPart):
    """One validation of the final training."""

    step: NonNegativeInt
    bleu: float
    loss: float | None = None
    """Training loss, in nats per token; null before the first step that had a finite one."""


class Sample(SummaryPart):
    """One test sentence and both systems' hypotheses."""

    source: str
    reference: str
    base: str
    best: str


class EndpointSummary(SummaryPart):
    """What the endpoint answered when it was asked for one sentence."""

    checked: bool
    source: str | None = None
    target: str | None = None
    adapter: str | None = None
    """Digest of the adapter that answered."""


class Summary(SummaryPart):
    """Everything a run found."""

    run: str
    version: str
    """Version of this package."""
    data: DataSummary
    model: ModelSummary
    base: SystemSummary
    best: SystemSummary
    p_value: float | None = Field(None, ge=0, le=1)
    significance: Significance | None = None
    trials: tuple[TrialSummary, ...] = ()
    best_config: dict[str, Any] = {}
    """Dotted setting -> value that the final training took from the search."""
    base_validation_bleu: float | None = None
    """BLEU of the base on the validation set, 0-100, which `curve` is to be compared with."""
    curve: tuple[TrainingPoint, ...] = ()
    samples: tuple[Sample, ...] = ()
    seconds: dict[str, float] = {}
    """Step -> time taken."""
    endpoint: EndpointSummary = EndpointSummary(checked=False)
    engine: str | None = None
    """Digest of the exported engine."""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside the figures."""
    versions: dict[str, str] = {}
    """Package -> version that made the figures."""
    config: dict[str, Any] = {}
    """All settings, resolved."""

    @model_validator(mode="after")
    def _same_p_value(self) -> Self:
        if self.significance and self.p_value != self.significance.p_value:
            raise ValueError("p_value differs from significance.p_value")
        return self

    def best_trial(self) -> int | None:
        """Index of the trial that `best_config` came from, else of the highest BLEU."""
        scored = [i for i, trial in enumerate(self.trials) if trial.bleu is not None]
        chosen = [i for i in scored if self._was_chosen(self.trials[i])]
        return max(chosen or scored, key=lambda i: self.trials[i].bleu or 0.0, default=None)

    def _was_chosen(self, trial: TrialSummary) -> bool:
        return bool(trial.config) and all(
            self.best_config.get(key) == value for key, value in trial.config.items()
        )


SUMMARY_RECORD = RecordKind(Summary, "the summary of a run")


def metrics_disagree(summary: Summary) -> bool:
    """Whether BLEU and chrF++ rank base and best differently."""
    moves = [
        summary.best.scores[name].value - summary.base.scores[name].value
        for name in ("bleu", "chrf++")
        if name in summary.base.scores and name in summary.best.scores
    ]
    return len(moves) == 2 and moves[0] * moves[1] < 0


def console_lines(summary: Summary) -> list[str]:
    """The outcome in at most 20 plain lines."""
    lines = [
        f"run {summary.run}: {summary.model.name}, licence {summary.model.license}",
        *comparison_lines(summary.base, summary.best, summary.significance),
        _general_line(summary),
        *_search_lines(summary),
        f"seconds     {_listed({k: formatting.number(v, 1) for k, v in summary.seconds.items()})}",
        *_endpoint_lines(summary.endpoint),
        *(f"note        {note}" for note in summary.notes[:4]),
    ]
    if metrics_disagree(summary):
        lines.append("warning     BLEU and chrF++ disagree on which system is better")
    return [" ".join(formatting.clean(line).splitlines()) for line in lines]


def comparison_lines(
    base: SystemSummary, best: SystemSummary, significance: Significance | None
) -> list[str]:
    """Show the scores of both systems as a table, and the verdict in words below it."""
    rows = [f"{'':<11} {'base':>8} {'best':>8} {'change':>8}"]
    names = {"bleu": "BLEU", "chrf++": "chrF++", "ter": "TER"}
    for key, name in names.items():
        pair = [system.scores.get(key) for system in (base, best)]
        values = [score.value if score else None for score in pair]
        shown = [*map(formatting.number, values), formatting.change(*values)]
        hint = "   lower is better" if key == "ter" else ""
        rows.append(f"{name:<11} {' '.join(f'{value:>8}' for value in shown)}{hint}")
    return [*rows, f"verdict     {formatting.verdict(significance)}"]


def _general_line(summary: Summary) -> str:
    before, after = summary.base.general_bleu, summary.best.general_bleu
    verdict = formatting.general_verdict(before, after)
    if before is None or after is None:
        return f"general     {verdict}"
    change = formatting.change(before, after)
    return f"general     {before:.2f} -> {after:.2f} BLEU ({change}): {verdict}"


def _search_lines(summary: Summary) -> list[str]:
    if not summary.trials:
        return ["search      none"]
    states = [trial.state for trial in summary.trials]
    counts = {state: str(states.count(state)) for state in dict.fromkeys(states)}
    settings = {key: formatting.setting(value) for key, value in summary.best_config.items()}
    return [
        f"search      {len(states)} trials: {_listed(counts)}",
        f"settings    {_listed(settings)}",
    ]


def _endpoint_lines(endpoint: EndpointSummary) -> list[str]:
    if not endpoint.checked:
        return ["endpoint    not checked"]
    return [f"endpoint    {endpoint.source} -> {endpoint.target}"]


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or formatting.NOT_COMPUTED
