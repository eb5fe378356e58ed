"""Tables of scores, verdicts and test sets, as the templates draw them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nmt.report import formatting
from nmt.report.ladder import COSTS, Ladder, ladders
from nmt.report.page.outcome import label_of, language_name
from nmt.report.ranking import detectable_range, rank
from nmt.report.scores import Results
from nmt.runs.evaluation import (
    COMPARED_METRICS,
    LOWER_IS_BETTER,
    Comparison,
    Interval,
    SystemScore,
    format_p_value,
)

_PILLS = {"best": "best", "tied": "not distinguishable"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, with smaller lines below its text."""

    text: str
    notes: tuple[str, ...] = ()
    style: str = ""
    """Class of the style sheet."""
    pill: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a heading for each column and each row."""

    caption: str
    corner: str
    """What the rows are."""
    columns: tuple[Cell, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class MetricTables:
    """Tables of one metric, of which the reader chooses one."""

    metric: str
    name: str
    tables: tuple[Table, ...]


def metric_order(results: Results) -> list[str]:
    """List all metrics, those that rank the systems first."""
    found = results.metrics()
    first = [results.deciding_metric(name) for name in results.main_sets]
    return list(dict.fromkeys([*(metric for metric in first if metric), *found]))


def score_tables(results: Results) -> list[MetricTables]:
    """Make tables of systems by test sets for each metric; forgetting is in a table of its own."""
    groups = [("Scores", results.main_sets), ("What was forgotten", results.forgetting_sets)]
    made: list[MetricTables] = []
    for metric in metric_order(results):
        tables = [
            _score_table(results, metric, caption, test_sets)
            for caption, test_sets in groups
            if metric in results.metrics(test_sets)
        ]
        made.append(MetricTables(metric, formatting.metric_name(metric), tuple(tables)))
    return made


def _score_table(results: Results, metric: str, caption: str, test_sets: Sequence[str]) -> Table:
    direction = ", lower is better" if metric in LOWER_IS_BETTER else ""
    places = {
        (name, row.system): row.place for name in test_sets for row in rank(results, name, metric)
    }
    # The best of the first test set comes first, as in its chart.
    ranked = [system for name, system in places if name == test_sets[0]]
    rows = tuple(
        (
            system,
            tuple(
                _score_cell(results, system, name, metric, places.get((name, system)))
                for name in test_sets
            ),
        )
        for system in dict.fromkeys([*ranked, *results.systems])
    )
    columns = tuple(
        Cell(label_of(name), (f"{results.evaluation.test_sets[name].sentences:,} sentences",))
        for name in test_sets
    )
    name = formatting.metric_name(metric)
    return Table(f"{caption}: {name}{direction}", "System", columns, rows)


def _score_cell(
    results: Results, system: str, test_set: str, metric: str, place: str | None
) -> Cell:
    score = results.score(system, test_set, metric)
    if score is None:
        return Cell(formatting.NOT_COMPUTED, style="empty")
    notes = [_written_interval(score)] if score.interval else []
    unseen = results.score(system, test_set, metric, "unseen")
    if unseen:
        notes.append(f"unseen {formatting.score(unseen.value, metric)}")
    alone = len(results.systems_on(test_set)) == 1
    style = "" if alone or place not in _PILLS else place
    return Cell(
        formatting.score(score.value, metric), tuple(notes), style or "", _PILLS.get(style or "")
    )


def _written_interval(score: SystemScore) -> str:
    low, high = score.interval or (score.value, score.value)
    return f"{formatting.score(low, score.metric)} to {formatting.score(high, score.metric)}"


def ladder_tables(results: Results) -> list[Table]:
    """Make a table of quality and cost for each main test set, if baselines were evaluated."""
    return [_ladder_table(ladder) for ladder in ladders(results)]


def _ladder_table(ladder: Ladder) -> Table:
    metrics = [Cell(formatting.metric_name(metric)) for metric in ladder.metrics]
    rows = tuple(
        (
            rung.system,
            (*map(_rung_score, rung.scores), *(Cell(text) for text in rung.cost_cells())),
        )
        for rung in ladder.rungs
    )
    costs = (Cell(heading.capitalize()) for heading in COSTS)
    caption = f"Quality and cost: {label_of(ladder.test_set)}"
    return Table(caption, "System", (*metrics, *costs), rows)


def _rung_score(score: SystemScore | None) -> Cell:
    if score is None:
        return Cell(formatting.NOT_COMPUTED, style="empty")
    notes = (_written_interval(score),) if score.interval else ()
    return Cell(formatting.score(score.value, score.metric), notes)


def verdict_tables(results: Results) -> list[MetricTables]:
    """Make a table of all pairs of systems for each test set and each compared metric."""
    made: list[MetricTables] = []
    for metric in metric_order(results):
        tables = [
            _verdict_table(rows, label_of(test_set))
            for test_set in results.evaluation.test_sets
            if metric in COMPARED_METRICS and (rows := results.comparisons_on(test_set, metric))
        ]
        if tables:
            made.append(MetricTables(metric, formatting.metric_name(metric), tuple(tables)))
    return made


def _verdict_table(comparisons: Sequence[Comparison], label: str) -> Table:
    metric = formatting.metric_name(comparisons[0].metric)
    columns = (
        Cell("Difference", ("95 % interval",)),
        Cell("Verdict"),
        Cell("p", ("standard error",)),
        Cell("p of sacreBLEU", ("often too small",)),
        Cell("Detectable", ("predicted",)),
        Cell("Agreement", ("chrF",)),
    )
    rows = tuple(
        (f"{row.system} against {row.baseline}", _verdict_cells(row)) for row in comparisons
    )
    return Table(f"{label}: {metric}", "Pair", columns, rows)


def _verdict_cells(row: Comparison) -> tuple[Cell, ...]:
    style = {"better": "up", "worse": "down"}.get(row.verdict, "")
    predicted = row.predicted_detectable
    return (
        Cell(formatting.signed(row.difference), (_signed_interval(row.interval),)),
        Cell("", (), style, row.verdict),
        Cell(_probability(row.p_value)),
        Cell(_probability(row.bootstrap_p)),
        Cell(f"{row.detectable:.2f}", () if predicted is None else (f"{predicted:.2f}",)),
        Cell("" if row.agreement is None else f"{row.agreement:.1f}"),
    )


def _signed_interval(interval: Interval) -> str:
    low, high = (formatting.signed(end) for end in interval)
    return f"{low} to {high}"


def _probability(value: float) -> str:
    # The heading of the column says `p`.
    return format_p_value(value).removeprefix("p ").removeprefix("= ")


def set_table(results: Results) -> Table:
    """Make a table of what is known of each test set."""
    columns = (
        Cell("Sentences"), Cell("References"), Cell("Languages", style="wrap"),
        Cell("Digest", style="code"), Cell("Like training pairs", style="wrap"),
        Cell("Unit of tests"), Cell("Detectable", ("difference",)),
    )  # fmt: skip
    rows = [(label_of(name), _set_cells(results, name)) for name in results.evaluation.test_sets]
    return Table("Test sets", "Set", columns, tuple(rows))


def _set_cells(results: Results, test_set: str) -> tuple[Cell, ...]:
    info = results.evaluation.test_sets[test_set]
    part = f"the first of {info.split_size:,}" if info.split_size else "all"
    languages = [
        language_name(code) or code for code in (info.source_language, info.target_language) if code
    ]
    overlap = "not counted" if info.overlap is None else f"{info.overlap:,} sentences"
    screened = ("dropped from the training data",) if info.screened else ()
    documents = f"{info.documents:,} documents" if info.documents else "sentence"
    found = {
        formatting.metric_name(metric): detectable_range(results, test_set, metric)
        for metric in results.compared_metrics(test_set)
    }
    sizes = tuple(
        f"{name} {low:.2f}" + (f" to {high:.2f}" if high > low else "")
        for name, (low, high) in ((name, size) for name, size in found.items() if size)
    )
    return (
        Cell(f"{info.sentences:,}", (part,)),
        Cell(str(info.references)),
        Cell(" to ".join(languages), style="wrap"),
        Cell(info.digest, style="code"),
        Cell("none" if info.screened and not info.overlap else overlap, screened, "wrap"),
        Cell(documents),
        Cell(sizes[0] if sizes else formatting.NOT_COMPUTED, sizes[1:]),
    )
