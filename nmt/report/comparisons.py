"""How the systems of an evaluation compare, as parts of the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nmt.report import charts, formatting
from nmt.report.charts import Bar
from nmt.report.highlight import DiffSpan, mark_differences
from nmt.report.scores import (
    ScoreRow,
    comparisons_on,
    other_systems,
    score_row,
    score_rows,
    system_names,
    value_of,
)
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    GENERAL_SET,
    TEST_SET,
    TUNED_SYSTEM,
    Comparison,
    EvaluationResult,
    Sample,
    format_p_value,
)

_TEST_SET_LABELS = {TEST_SET: "Test set", GENERAL_SET: "General test set"}
_OTHER_STYLES = 4
"""Number of the classes `other-1`, `other-2` ... in the style sheet."""


@dataclass(frozen=True, slots=True)
class Headline:
    """BLEU of the base and of the tuned system on the test set."""

    base: float | None
    tuned: float | None

    @property
    def direction(self) -> str:
        """Return the class of the style sheet: `up`, `down` or none."""
        gain = 0.0 if self.base is None or self.tuned is None else self.tuned - self.base
        return "up" if gain > 0 else "down" if gain < 0 else ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A verdict beside the headline."""

    title: str
    verdict: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The scores of one test set."""

    label: str
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sentence with the words that only one of two systems has right."""

    source: str
    reference: str
    translations: dict[str, tuple[DiffSpan, ...]]
    """System -> its translation."""


def headline(evaluation: EvaluationResult) -> Headline:
    """Take the two scores that the page begins with."""
    return Headline(
        value_of(evaluation, BASE_SYSTEM, TEST_SET), value_of(evaluation, TUNED_SYSTEM, TEST_SET)
    )


def facts(evaluation: EvaluationResult) -> list[Fact]:
    """Say of each system how sure its difference is, and whether it lost general text."""
    # The general set has no comparison: a small loss there is accepted, however sure it is.
    found: list[Fact] = []
    for test_set in evaluation.test_sets:
        for comparison in comparisons_on(evaluation, test_set):
            found.append(_difference(evaluation, comparison))
    if not found:
        found.append(Fact("Difference", formatting.NOT_COMPUTED, None))
    return [*found, *(_general(evaluation, name) for name in other_systems(evaluation))]


def _difference(evaluation: EvaluationResult, row: Comparison) -> Fact:
    low, high = (formatting.change(0, end) for end in row.interval)
    metric = formatting.metric_name(row.metric)
    title = "Difference" if row.test_set == TEST_SET else f"Difference, {label_of(row.test_set)}"
    return Fact(
        _titled(evaluation, title, row.system),
        formatting.chance_verdict(row),
        f"{format_p_value(row.p_value)}, 95 % interval {low} to {high} {metric}",
    )


def _general(evaluation: EvaluationResult, system: str) -> Fact:
    before = value_of(evaluation, BASE_SYSTEM, GENERAL_SET)
    after = value_of(evaluation, system, GENERAL_SET)
    detail = None
    if before is not None and after is not None:
        scores = f"{formatting.number(before, 1)} → {formatting.number(after, 1)} BLEU"
        detail = f"{scores} ({formatting.change(before, after)})"
    title = _titled(evaluation, label_of(GENERAL_SET), system)
    return Fact(title, formatting.general_verdict(before, after), detail)


def _titled(evaluation: EvaluationResult, title: str, system: str) -> str:
    """Add the system to a title where there is more than one beside the base."""
    return f"{title}, {system}" if len(other_systems(evaluation)) > 1 else title


def label_of(test_set: str) -> str:
    """Return the heading of a test set."""
    return _TEST_SET_LABELS.get(test_set, test_set)


def score_tables(evaluation: EvaluationResult) -> list[ScoreTable]:
    """Make a table of each test set; one without rows says that the general set is missing."""
    # Own data has no general set; an empty table says so, rather than leaving it out.
    tables = [
        ScoreTable(label_of(name), tuple(score_rows(evaluation, name)))
        for name in evaluation.test_sets
    ]
    if GENERAL_SET not in evaluation.test_sets:
        tables.append(ScoreTable(label_of(GENERAL_SET), ()))
    return tables


def score_chart(evaluation: EvaluationResult) -> Markup:
    """Draw BLEU on every test set, and chrF++ on all but the general one."""
    test_sets = dict.fromkeys([*evaluation.test_sets, GENERAL_SET])
    wanted = [("bleu", name) for name in test_sets]
    wanted += [("chrf++", name) for name in test_sets if name != GENERAL_SET]
    systems = system_names(evaluation)
    groups: list[tuple[str, Sequence[Bar]]] = []
    for metric, test_set in wanted:
        row = score_row(evaluation, test_set, metric)
        bars = [
            Bar(name, value, _style_of(systems, name), interval)
            for name, value, interval in zip(systems, row.values, row.intervals, strict=True)
        ]
        groups.append((f"{row.name}, {label_of(test_set).lower()}", bars))
    return charts.bar_chart(f"BLEU and chrF++ of {' and '.join(systems)}", groups)


def _style_of(systems: Sequence[str], name: str) -> str:
    if name in (BASE_SYSTEM, TUNED_SYSTEM):
        return name
    others = [each for each in systems if each not in (BASE_SYSTEM, TUNED_SYSTEM)]
    return f"other-{others.index(name) % _OTHER_STYLES + 1}"


def sample_rows(evaluation: EvaluationResult) -> list[SampleRow]:
    """Mark in each sample the words in which the systems differ."""
    return [_sample_row(sample) for sample in evaluation.samples]


def _sample_row(sample: Sample) -> SampleRow:
    # Invisible characters are removed first, because they would split words.
    reference = formatting.clean(sample.reference)
    cleaned = {name: formatting.clean(text) for name, text in sample.hypotheses.items()}
    spans = mark_differences(reference, cleaned, BASE_SYSTEM)
    return SampleRow(sample.source, reference, spans)
