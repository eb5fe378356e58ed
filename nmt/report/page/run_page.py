"""The page of a run: its evaluation, and how the model was made."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from markupsafe import Markup

from nmt.config import digest_of
from nmt.report import formatting
from nmt.report.data_tables import data_tables
from nmt.report.page import charts
from nmt.report.page.charts import Dot, Line
from nmt.report.page.environment import render
from nmt.report.page.gate import gate_view
from nmt.report.page.outcome import facts, headline, language_name
from nmt.report.page.score_page import evaluation_parts
from nmt.report.page.sentences import tag_of
from nmt.report.scores import Results
from nmt.report.stored import StoredSet
from nmt.runs.evaluation import METRIC_NAMES, TUNED_SYSTEM, SystemInfo
from nmt.runs.results import Summary
from nmt.runs.trials import Trial
from nmt.runs.tuning import Setting, describe_differences


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial as the table shows it."""

    number: int
    """Position in the summary's list, from 1."""
    trial: Trial
    is_best: bool

    @property
    def style(self) -> str:
        """Return the class of the style sheet."""
        if self.is_best:
            return "chosen"
        state = self.trial.state
        # All that ended early without being pruned look the same; the table names their state.
        return state if state in ("running", "finished", "pruned") else "failed"


def render_report(summary: Summary, stored: Iterable[StoredSet] = ()) -> str:
    """Render the page of a run, as UTF-8 text for `report.html`.

    Args:
        summary: everything the run found.
        stored: the translations, of which the page holds every sentence.

    Raises:
        StorageError: two systems have different numbers of translations of a test set.
    """
    evaluation = summary.evaluation
    results = Results(evaluation)
    source, target = (_code(summary, side) for side in ("source", "target"))
    # In JSON mode, tuples become lists, which YAML can write.
    config = summary.model_dump(mode="json")["config"]
    return render(
        "run.html.j2",
        summary=summary,
        title=summary.run,
        version=summary.version,
        source_name=language_name(source) or source or "source",
        target_name=language_name(target) or target or "target",
        tags=(tag_of(source), tag_of(target)),
        headline=headline(results),
        facts=facts(results),
        gate=gate_view(summary.gate),
        metric=_metric(summary),
        legend=_legend(summary),
        learning_chart=_learning_chart(summary),
        loss_chart=_loss_chart(summary),
        trial_rows=trial_rows(summary),
        searched=_searched(summary),
        differences=describe_differences(summary.against_second, summary.between_methods),
        scatter_charts=_scatter_charts(summary),
        data_tables=data_tables(summary.data),
        parameters=evaluation.systems.get(TUNED_SYSTEM, SystemInfo()).parameters,
        config_digest=digest_of(config),
        config_yaml=_write_yaml(config),
        gpu_hours=_gpu_hours(summary),
        **evaluation_parts(evaluation, stored, (source, target)),
    )


def _code(summary: Summary, side: str) -> str:
    return str(summary.config.get("data", {}).get(f"{side}_language", ""))


def _gpu_hours(summary: Summary) -> float | None:
    """Return the GPU-hours of the training; None where it had no GPU."""
    scaling = summary.config.get("scaling", {})
    gpus = scaling.get("workers", 1) * scaling.get("gpus_per_worker", 0)
    seconds = summary.seconds.get("train")
    return gpus * seconds / 3600 if gpus and seconds else None


def trial_rows(summary: Summary) -> list[TrialRow]:
    """List the trials by their score, the best first and those without one last."""
    best = summary.best_trial()
    rows = [TrialRow(i + 1, trial, i == best) for i, trial in enumerate(summary.trials)]
    return sorted(
        rows,
        key=lambda row: -math.inf if row.trial.gain is None else row.trial.gain,
        reverse=True,
    )


def _learning_chart(summary: Summary) -> Markup | None:
    # The lines that matter most are drawn last, above the others.
    order = {"running": 0, "failed": 1, "pruned": 2, "finished": 3, "chosen": 4}
    lines = [
        Line(
            label=f"trial {row.number}, {row.trial.state}",
            points=tuple((point.step, point.score) for point in row.trial.curve),
            style=row.style,
        )
        for row in trial_rows(summary)
    ]
    lines.sort(key=lambda line: order[line.style])
    points = tuple((point.step, point.score) for point in summary.curve)
    lines += [*_base_line(summary), Line("final training", points, "final")]
    label = f"validation {_metric(summary)}"
    return charts.line_chart(f"V{label[1:]} by optimizer step", lines, y_label=label)


def _metric(summary: Summary) -> str:
    """Return how the metric of the validations is written."""
    return METRIC_NAMES[summary.validation_metric]


def _base_line(summary: Summary) -> list[Line]:
    """Draw the validation score of the base over the steps of the final training."""
    score = summary.base_validation_score
    if score is None or not summary.curve:
        return []
    return [Line("base", ((0, score), (summary.curve[-1].step, score)), "base")]


def _loss_chart(summary: Summary) -> Markup | None:
    points = tuple((p.step, p.loss) for p in summary.curve if p.loss is not None)
    line = Line("final training", points, "final")
    return charts.line_chart("Training loss by optimizer step", [line], y_label="training loss")


def _legend(summary: Summary) -> list[tuple[str, str]]:
    """List the style and the meaning of each kind of line in the learning chart."""
    names = {
        "final": "final training",
        "base": "base",
        "chosen": "best trial",
        "finished": "finished trial",
        "pruned": "pruned trial",
        "failed": "failed trial",
        "running": "running trial",
    }
    present = {row.style for row in trial_rows(summary) if row.trial.curve} | (
        {"final"} if summary.curve else set()
    )
    present |= {line.style for line in _base_line(summary)}
    return [(style, name) for style, name in names.items() if style in present]


def _searched(summary: Summary) -> list[str]:
    """List the dotted settings of the trials, in order of appearance."""
    return list(dict.fromkeys(key for trial in summary.trials for key in trial.config))


def _scatter_charts(summary: Summary) -> list[Markup]:
    """Draw one chart for every setting of which at least two values were scored."""
    scored = [row for row in trial_rows(summary) if row.trial.score is not None]
    metric = _metric(summary)
    made: list[Markup] = []
    for key in _searched(summary):
        dots = [
            _dot(row, row.trial.config[key], metric) for row in scored if key in row.trial.config
        ]
        if len({dot.x for dot in dots}) > 1:
            # Reversed, so that the dot of the best trial is drawn above the others.
            chart = charts.scatter_chart(
                f"{metric} by {key}", dots[::-1], x_label=key, y_label=f"validation {metric}"
            )
            made.append(chart)
    return made


def _dot(row: TrialRow, value: Setting, metric: str) -> Dot:
    label = f"trial {row.number}: {formatting.setting(value)}, {row.trial.score:.2f} {metric}"
    return Dot(label, value, row.trial.score or 0.0, row.style)


def _write_yaml(config: Mapping[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True) if config else ""
