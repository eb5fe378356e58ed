"""The report of a run: one HTML file that loads nothing and runs no script."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nmt.errors import ConfigError
from nmt.languages import languages, resolve_language
from nmt.report import charts, formatting
from nmt.report.charts import Dot, Line
from nmt.report.comparisons import (
    facts,
    headline,
    label_of,
    sample_rows,
    score_chart,
    score_tables,
)
from nmt.report.data_tables import data_tables
from nmt.report.scores import headings, metrics_disagree, other_systems
from nmt.runs.evaluation import BASE_SYSTEM, TUNED_SYSTEM, SystemInfo
from nmt.runs.results import Summary
from nmt.runs.trials import Setting, Trial


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


@dataclass(frozen=True, slots=True)
class Side:
    """The language of one side."""

    name: str
    tag: str
    """BCP 47 tag."""


def render_report(summary: Summary) -> str:
    """Render the whole page, as UTF-8 text for `report.html`."""
    style = files("nmt.report").joinpath("report.css").read_text(encoding="utf-8")
    # The policy of the page allows this one style sheet, by its hash.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    evaluation = summary.evaluation
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            evaluation=evaluation,
            style=Markup(style),  # noqa: S704 - a file of this package
            style_hash=f"'sha256-{digest}'",
            source=_side(summary, "source"),
            target=_side(summary, "target"),
            headline=headline(evaluation),
            facts=facts(evaluation),
            base_system=BASE_SYSTEM,
            other_systems=other_systems(evaluation),
            headings=headings(evaluation),
            score_tables=score_tables(evaluation),
            score_chart=score_chart(evaluation),
            metrics_disagree=metrics_disagree(evaluation),
            legend=_legend(summary),
            learning_chart=_learning_chart(summary),
            loss_chart=_loss_chart(summary),
            trial_rows=trial_rows(summary),
            searched=_searched(summary),
            scatter_charts=_scatter_charts(summary),
            sample_rows=sample_rows(evaluation),
            data_tables=data_tables(summary.data),
            parameters=evaluation.systems.get(TUNED_SYSTEM, SystemInfo()).parameters,
            # In JSON mode, tuples become lists, which YAML can write.
            config_yaml=_write_yaml(summary.model_dump(mode="json")["config"]),
        )
    )


def trial_rows(summary: Summary) -> list[TrialRow]:
    """List the trials by BLEU, the highest first and those without one last."""
    best = summary.best_trial()
    rows = [TrialRow(i + 1, trial, i == best) for i, trial in enumerate(summary.trials)]
    return sorted(
        rows, key=lambda row: -1.0 if row.trial.bleu is None else row.trial.bleu, reverse=True
    )


def _side(summary: Summary, side: str) -> Side:
    code = str(summary.config.get("data", {}).get(f"{side}_language", ""))
    try:
        language = languages()[resolve_language(code)]
    except ConfigError:  # settings of another release may name a language that is gone
        return Side(code or side, "und")
    return Side(language.name, f"{language.iso}-{language.script}")


def _learning_chart(summary: Summary) -> Markup | None:
    # The lines that matter most are drawn last, above the others.
    order = {"running": 0, "failed": 1, "pruned": 2, "finished": 3, "chosen": 4}
    lines = [
        Line(
            label=f"trial {row.number}, {row.trial.state}",
            points=tuple((point.step, point.bleu) for point in row.trial.curve),
            style=row.style,
        )
        for row in trial_rows(summary)
    ]
    lines.sort(key=lambda line: order[line.style])
    points = tuple((point.step, point.bleu) for point in summary.curve)
    lines += [*_base_line(summary), Line("final training", points, "final")]
    return charts.line_chart("Validation BLEU by optimizer step", lines, y_label="validation BLEU")


def _base_line(summary: Summary) -> list[Line]:
    """Draw the validation BLEU of the base over the steps of the final training."""
    bleu = summary.base_validation_bleu
    if bleu is None or not summary.curve:
        return []
    return [Line("base", ((0, bleu), (summary.curve[-1].step, bleu)), "base")]


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
    scored = [row for row in trial_rows(summary) if row.trial.bleu is not None]
    made: list[Markup] = []
    for key in _searched(summary):
        dots = [_dot(row, row.trial.config[key]) for row in scored if key in row.trial.config]
        if len({dot.x for dot in dots}) > 1:
            # Reversed, so that the dot of the best trial is drawn above the others.
            made.append(charts.scatter_chart(f"BLEU by {key}", dots[::-1], x_label=key))
    return made


def _dot(row: TrialRow, value: Setting) -> Dot:
    label = f"trial {row.number}: {formatting.setting(value)}, {row.trial.bleu:.2f} BLEU"
    return Dot(label, value, row.trial.bleu or 0.0, row.style)


def _write_yaml(config: Mapping[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True) if config else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nmt", "report"),
        # Sentences and names come from the user's files, and may look like HTML.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every value passes through here on its way into the page.
        finalize=_show,
    )
    environment.globals.update(formatting=formatting, label_of=label_of, share_bar=charts.share_bar)
    # Hyphens in negative numbers become minus signs.
    environment.filters["minus"] = lambda text: text.replace("-", "\u2212")
    return environment


def _show(value: object) -> object:
    """Write null in words, and clean text of control and bidirectional characters."""
    if value is None:
        return formatting.NOT_COMPUTED
    if isinstance(value, Markup):
        return value
    return formatting.clean(value) if isinstance(value, str) else value
