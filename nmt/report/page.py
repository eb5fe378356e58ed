"""One HTML file that tells how a run went; it loads nothing and runs no script.

Every value goes through one door (`_shown`): null is said in words, control and bidirectional
characters are taken out, and autoescaping does the rest.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nmt.errors import ConfigError
from nmt.languages import languages, resolve_language
from nmt.report import charts, formatting
from nmt.report.charts import Bar, Dot, Line
from nmt.report.highlight import Piece, mark_differences
from nmt.report.summary import (
    Sample,
    Setting,
    Summary,
    TrialSummary,
    metrics_disagree,
)
from nmt.runs.comparison import SystemSummary

SCORE_NAMES = {"bleu": "BLEU", "chrf++": "chrF++", "ter": "TER"}


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of one part of the test data, for both systems."""

    part: str
    name: str
    base: float | None
    best: float | None
    signature: str
    lower_is_better: bool


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial as the table shows it."""

    number: int
    """Place in the order of the search, from 1."""
    trial: TrialSummary
    is_best: bool

    @property
    def style(self) -> str:
        """Class of the style sheet; one for all that ended before their time by themselves."""
        if self.is_best:
            return "chosen"
        state = self.trial.state
        return state if state in ("running", "finished", "pruned") else "failed"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sentence with what only one of the two systems has right."""

    source: str
    reference: str
    base: tuple[Piece, ...]
    best: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """The language of one side."""

    name: str
    tag: str
    """BCP 47 tag."""


def render_report(summary: Summary) -> str:
    """The whole page, as UTF-8 text to be written to `report.html`."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            style=Markup(style),  # noqa: S704 - a file of this package
            style_hash=f"'sha256-{digest}'",
            source=_side(summary, "source"),
            target=_side(summary, "target"),
            score_rows=score_rows(summary),
            score_chart=_score_chart(summary),
            metrics_disagree=metrics_disagree(summary),
            legend=_legend(summary),
            learning_chart=_learning_chart(summary),
            loss_chart=_loss_chart(summary),
            trial_rows=trial_rows(summary),
            searched=_searched(summary),
            scatter_charts=_scatter_charts(summary),
            sample_rows=[sample_row(sample) for sample in summary.samples],
            config_yaml=_config_yaml(summary),
        )
    )


def score_rows(summary: Summary) -> list[ScoreRow]:
    """Every score of the test set, then of its general part."""
    parts = [
        ("Test set", summary.base.scores, summary.best.scores),
        ("General part", summary.base.general_scores or {}, summary.best.general_scores or {}),
    ]
    return [
        ScoreRow(
            part=part,
            name=SCORE_NAMES.get(key, key),
            base=base[key].value if key in base else None,
            best=best[key].value if key in best else None,
            signature=(best.get(key) or base[key]).signature,
            lower_is_better=key == "ter",
        )
        for part, base, best in parts
        for key in dict.fromkeys([*base, *best])
    ]


def trial_rows(summary: Summary) -> list[TrialRow]:
    """Trials by BLEU, the highest first; those without one come last."""
    best = summary.best_trial()
    rows = [TrialRow(i + 1, trial, i == best) for i, trial in enumerate(summary.trials)]
    return sorted(
        rows, key=lambda row: -1.0 if row.trial.bleu is None else row.trial.bleu, reverse=True
    )


def sample_row(sample: Sample) -> SampleRow:
    """Mark the words; invisible characters go first, or they would split words."""
    reference = formatting.clean(sample.reference)
    base, best = formatting.clean(sample.base), formatting.clean(sample.best)
    return SampleRow(sample.source, reference, *mark_differences(reference, base, best))


def _side(summary: Summary, side: str) -> Side:
    code = str(summary.config.get("data", {}).get(f"{side}_language", ""))
    try:
        language = languages()[resolve_language(code)]
    except ConfigError:
        return Side(code or side, "und")
    return Side(language.name, f"{language.iso}-{language.script}")


def _score_chart(summary: Summary) -> Markup:
    significance = summary.significance
    intervals = (
        (significance.base_interval, significance.best_interval) if significance else (None, None)
    )
    both = summary.base, summary.best
    groups = [
        ("BLEU, test set", _bars([system.bleu for system in both], intervals)),
        ("BLEU, general part", _bars([system.general_bleu for system in both])),
        ("chrF++, test set", _bars([_score_of(system, "chrf++") for system in both])),
    ]
    return charts.bar_chart("BLEU and chrF++ of base and best", groups)


def _score_of(system: SystemSummary, name: str) -> float | None:
    return system.scores[name].value if name in system.scores else None


def _bars(
    values: list[float | None],
    intervals: tuple[tuple[float, float] | None, ...] = (None, None),
) -> list[Bar]:
    return [
        Bar(name, value, name, interval)
        for name, value, interval in zip(("base", "best"), values, intervals, strict=True)
    ]


def _learning_chart(summary: Summary) -> Markup | None:
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
    """Style, meaning of every kind of line that the learning chart has."""
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
    """Dotted settings that the trials have, in order of appearance."""
    return list(dict.fromkeys(key for trial in summary.trials for key in trial.config))


def _scatter_charts(summary: Summary) -> list[Markup]:
    """One chart for every setting of which at least two values were scored."""
    scored = [row for row in trial_rows(summary) if row.trial.bleu is not None]
    made: list[Markup] = []
    for key in _searched(summary):
        dots = [_dot(row, row.trial.config[key]) for row in scored if key in row.trial.config]
        if len({dot.x for dot in dots}) > 1:
            made.append(charts.scatter_chart(f"BLEU by {key}", dots[::-1], x_label=key))
    return made


def _dot(row: TrialRow, value: Setting) -> Dot:
    label = f"trial {row.number}: {formatting.setting(value)}, {row.trial.bleu:.2f} BLEU"
    return Dot(label, value, row.trial.bleu or 0.0, row.style)


def _config_yaml(summary: Summary) -> str:
    plain = summary.model_dump(mode="json")["config"]
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True) if plain else ""


def _style() -> str:
    return files("nmt.report").joinpath("report.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nmt", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(wording=formatting, share_bar=charts.share_bar)
    environment.filters["minus"] = lambda text: text.replace("-", "\u2212")
    return environment


def _shown(value: object) -> object:
    if value is None:
        return formatting.NOT_COMPUTED
    if isinstance(value, Markup):
        return value
    return formatting.clean(value) if isinstance(value, str) else value
