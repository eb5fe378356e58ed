"""Charts of an evaluation: scores with intervals, quality against cost and confidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nmt.report import formatting
from nmt.report.page import charts
from nmt.report.page.charts import Dot, Line, Range
from nmt.report.page.outcome import label_of
from nmt.report.page.tables import Cell, Table
from nmt.report.ranking import rank
from nmt.report.scores import Results
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM, TUNED_SYSTEM, Cost

_OTHER_STYLES = 5
"""Number of the classes `other-1`, `other-2` ... in the style sheet."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart and the text above it."""

    caption: str
    image: Markup


def style_of(systems: Sequence[str], name: str) -> str:
    """Return the class of the style sheet that colours a system."""
    own = (BASE_SYSTEM, TUNED_SYSTEM, ENGINE_SYSTEM)
    if name in own:
        return name
    others = [each for each in systems if each not in own]
    return f"other-{others.index(name) % _OTHER_STYLES + 1}"


def score_charts(results: Results) -> list[Chart]:
    """Draw the scores of all systems on each test set, in the metric that ranks them."""
    made: list[Chart] = []
    for test_set in results.main_sets:
        metric = results.deciding_metric(test_set)
        ranges = [
            Range(row.system, row.score.value, row.score.interval, _style(results, row.system))
            for row in (rank(results, test_set, metric) if metric else [])
        ]
        if metric and ranges:
            caption = f"{formatting.metric_name(metric)}, {label_of(test_set)}"
            title = f"{caption}, of {' and '.join(row.label for row in ranges)}"
            made.append(Chart(caption, charts.interval_chart(title, ranges)))
    return made


def _style(results: Results, system: str) -> str:
    return style_of(results.systems, system)


def cost_charts(results: Results) -> list[Chart]:
    """Draw quality against the time of a translation, and against the size of the files."""
    return [chart for test_set in results.main_sets for chart in _cost_charts(results, test_set)]


def _cost_charts(results: Results, test_set: str) -> Iterator[Chart]:
    metric = results.deciding_metric(test_set)
    if metric is None:
        return
    costs = {row.system: row for row in results.evaluation.costs if row.test_set == test_set}
    times = {name: time for name, row in costs.items() if (time := _time(row))}
    sizes = {
        name: info.size_bytes / _MEGABYTE
        for name, info in results.evaluation.systems.items()
        if info.size_bytes
    }
    for values, label in ((times, "seconds per 1,000 characters"), (sizes, "size in MB")):
        scores = {name: results.value(name, test_set, metric) for name in values}
        dots = [
            Dot(f"{name}: {score:.2f}, {values[name]:.3g} {label}", values[name], score,
                _style(results, name), name)
            for name, score in scores.items() if score is not None
        ]  # fmt: skip
        if len(dots) > 1:
            title = f"{formatting.metric_name(metric)} by {label}, {label_of(test_set)}"
            name = formatting.metric_name(metric)
            yield Chart(
                label_of(test_set),
                charts.scatter_chart(title, dots, x_label=label, y_label=name, height=240),
            )


def _time(row: Cost) -> float:
    return 1000 * row.seconds / row.characters if row.characters else 0.0


def cost_table(results: Results) -> Table | None:
    """Make a table of what a translation takes, for each system and test set."""
    rows = tuple(
        (
            f"{row.system}, {label_of(row.test_set)}",
            (
                Cell(f"{_time(row):.3f}"),
                Cell(formatting.duration(row.seconds)),
                Cell(f"{row.characters:,}"),
                Cell(results.evaluation.systems[row.system].device or "unknown"),
            ),
        )
        for row in results.evaluation.costs
    )
    columns = (
        Cell("Seconds per 1,000 characters"), Cell("Time"), Cell("Characters"), Cell("Device"),
    )  # fmt: skip
    return Table("Time of translation", "System and test set", columns, rows) if rows else None


def confidence_charts(results: Results) -> list[Chart]:
    """Draw for each test set how well the estimated share of usable translations is met."""
    made: list[Chart] = []
    for test_set in results.evaluation.test_sets:
        lines = [
            Line(
                row.system,
                tuple((100 * part.estimated, 100 * part.usable) for part in row.bins),
                _style(results, row.system),
            )
            for row in results.evaluation.confidences
            if row.test_set == test_set and row.bins
        ]
        if lines:
            title = f"Usable translations as estimated and as seen, {label_of(test_set)}"
            made.append(Chart(label_of(test_set), charts.calibration_chart(title, lines)))
    return made
