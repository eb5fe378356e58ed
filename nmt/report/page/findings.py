"""What stands out in the translations: slices, faults, n-grams and confidence, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from nmt.report import formatting
from nmt.report.page.outcome import label_of
from nmt.report.page.tables import Cell, MetricTables, Table, metric_order
from nmt.report.scores import Results
from nmt.runs.evaluation import FLAGS, LOWER_IS_BETTER, FlagCount, NgramChange, SliceScore


@dataclass(frozen=True, slots=True)
class NgramList:
    """The n-grams that a system has right more, and less, often than the baseline."""

    test_set: str
    system: str
    baseline: str
    gained: tuple[NgramChange, ...]
    lost: tuple[NgramChange, ...]


def slice_tables(results: Results) -> list[MetricTables]:
    """Make a table of slices by systems for each test set and metric."""
    rows = results.evaluation.slices
    made: list[MetricTables] = []
    for metric in metric_order(results):
        scored = [row for row in rows if metric in row.scores]
        tables = [
            _slice_table(results, found, metric, label_of(test_set))
            for test_set in results.evaluation.test_sets
            if (found := [row for row in scored if row.test_set == test_set])
        ]
        if tables:
            made.append(MetricTables(metric, formatting.metric_name(metric), tuple(tables)))
    return made


def _slice_table(results: Results, found: Sequence[SliceScore], metric: str, label: str) -> Table:
    scores = {(row.kind, row.label, row.system): row.scores[metric] for row in found}
    systems = [name for name in results.systems if any(row.system == name for row in found)]
    places = dict.fromkeys((row.kind, row.label, row.sentences) for row in found)
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for kind, part, sentences in places:
        values = [scores.get((kind, part, name)) for name in systems]
        computed = [value for value in values if value is not None]
        best = (min if metric in LOWER_IS_BETTER else max)(computed)
        cells = [
            Cell(formatting.score(value, metric), style="strong" if value == best else "")
            for value in values
        ]
        rows.append((f"{kind}: {part}", (Cell(f"{sentences:,}"), *cells)))
    columns = (Cell("Sentences"), *(Cell(name) for name in systems))
    return Table(f"{label}: {formatting.metric_name(metric)}", "Slice", columns, tuple(rows))


def flag_tables(results: Results) -> list[Table]:
    """Make a table of faults by systems for each test set."""
    made: list[Table] = []
    for test_set in results.evaluation.test_sets:
        found = [row for row in results.evaluation.flags if row.test_set == test_set]
        if found:
            made.append(_flag_table(results, found, label_of(test_set)))
    return made


def _flag_table(results: Results, found: Sequence[FlagCount], label: str) -> Table:
    counts = {(row.flag, row.system): row for row in found}
    systems = [name for name in results.systems if any(row.system == name for row in found)]
    flags = [flag for flag in FLAGS if any(row.flag == flag for row in found)]
    rows = tuple(
        (FLAGS[flag], tuple(_flag_cell(counts.get((flag, name))) for name in systems))
        for flag in flags
    )
    return Table(label, "Translation", tuple(Cell(name) for name in systems), rows)


def _flag_cell(row: FlagCount | None) -> Cell:
    if row is None:
        return Cell(formatting.NOT_COMPUTED, style="empty")
    if not row.of:
        return Cell("–", ("no such source",), "soft")
    share = f"{100 * row.count / row.of:.1f} % of {row.of:,}"
    return Cell(f"{row.count:,}", (share,), "strong" if row.count else "soft")


def ngram_lists(results: Results) -> list[NgramList]:
    """Collect the n-grams won and lost by each system on each test set."""
    rows = results.evaluation.ngrams
    made: list[NgramList] = []
    for test_set, system, baseline in dict.fromkeys(
        (row.test_set, row.system, row.baseline) for row in rows
    ):
        place = (test_set, system, baseline)
        mine = [row for row in rows if (row.test_set, row.system, row.baseline) == place]
        mine.sort(key=lambda row: -abs(row.gained))
        gained = tuple(row for row in mine if row.gained > 0)
        lost = tuple(row for row in mine if row.gained < 0)
        made.append(NgramList(test_set, system, baseline, gained, lost))
    return made


def confidence_table(results: Results) -> Table | None:
    """Make a table of how well each system's confidence predicts quality."""
    found = results.evaluation.confidences
    if not found:
        return None
    columns = (
        Cell("Usable, estimated", ("from the confidence",)),
        Cell("Usable, seen", ("by chrF++",)),
        Cell("Usable from", ("chrF++ of a sentence",)),
        Cell("Correlation", ("confidence and chrF++",)),
    )
    rows = tuple(
        (
            f"{row.system}, {label_of(row.test_set)}",
            (
                Cell(f"{100 * row.estimated:.1f} %"),
                Cell(f"{100 * row.usable:.1f} %"),
                Cell(f"{row.threshold:g}"),
                Cell(formatting.number(row.correlation)),
            ),
        )
        for row in found
    )
    return Table("Confidence and quality", "System and test set", columns, rows)
