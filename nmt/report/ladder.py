"""Quality against cost: what a translation memory, prompting and training each reach."""

from collections.abc import Iterable
from dataclasses import dataclass

from nmt.cli.table import table
from nmt.config import BASELINES
from nmt.report import formatting
from nmt.report.scores import DECIDING_METRICS, Results
from nmt.runs.evaluation import METRIC_NAMES, Cost, SystemInfo, SystemScore

ORDER = ("memory", "base", "few-shot", "retrieved", "tuned", "engine", "file")
"""Kinds of systems, from those that need the least work to those that need the most."""
UNKNOWN = "-"
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Rung:
    """What one system reaches on a test set, and what it costs."""

    system: str
    scores: tuple[SystemScore | None, ...]
    """One for each metric of the ladder."""
    info: SystemInfo
    seconds: float | None = None
    """Time of the translation."""
    sentences_per_second: float | None = None

    def cost_cells(self) -> tuple[str, ...]:
        """Write the costs in the order of `COSTS`, and `-` for what is unknown."""
        info = self.info
        size = None if info.size_bytes is None else info.size_bytes / _MEGABYTE
        return (
            UNKNOWN if self.seconds is None else formatting.duration(self.seconds),
            _written(self.sentences_per_second, 1),
            UNKNOWN if size is None else f"{size:,.{2 if size < 10 else 1}f} MB",
            _written(info.parameters, 0),
            _written(info.trained_parameters, 0),
            UNKNOWN
            if info.preparation_seconds is None
            else formatting.duration(info.preparation_seconds),
        )


COSTS = ("time", "sentences/s", "size", "parameters", "trained", "preparation")
"""Headings of the costs."""
LEGEND = (
    "time: to translate the set; size: of all files, or of index and texts; preparation: to train "
    "or to index"
)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The systems of a test set, from a copy of the most similar training pair upwards."""

    test_set: str
    metrics: tuple[str, ...]
    rungs: tuple[Rung, ...]


def ladders(results: Results) -> list[Ladder]:
    """Make a ladder for each main test set; none where no baseline was evaluated."""
    systems = results.evaluation.systems
    if not any(info.kind in BASELINES for info in systems.values()):
        return []
    return [_ladder(results, test_set) for test_set in results.main_sets]


def _ladder(results: Results, test_set: str) -> Ladder:
    found = results.metrics([test_set])
    metrics = tuple(metric for metric in DECIDING_METRICS if metric in found)
    if "chrf++" in metrics:  # the other one is for languages without spaces between words
        metrics = tuple(metric for metric in metrics if metric != "chrf")
    costs = {row.system: row for row in results.evaluation.costs if row.test_set == test_set}
    return Ladder(
        test_set,
        metrics,
        tuple(
            _rung(results, test_set, system, metrics, costs.get(system))
            for system in _in_order(results.evaluation.systems.items())
        ),
    )


def _in_order(systems: Iterable[tuple[str, SystemInfo]]) -> list[str]:
    return [name for name, _ in sorted(systems, key=lambda row: ORDER.index(row[1].kind))]


def _rung(
    results: Results, test_set: str, system: str, metrics: Iterable[str], cost: Cost | None
) -> Rung:
    sentences = results.evaluation.test_sets[test_set].sentences
    return Rung(
        system,
        tuple(results.score(system, test_set, metric) for metric in metrics),
        results.evaluation.systems[system],
        cost.seconds if cost else None,
        sentences / cost.seconds if cost and cost.seconds else None,
    )


def ladder_lines(ladder: Ladder) -> list[str]:
    """Write a ladder as a table of plain lines, each score with half its 95 % interval."""
    headings = ["", *(METRIC_NAMES[metric] for metric in ladder.metrics), *COSTS]
    rows = [[rung.system, *map(_score, rung.scores), *rung.cost_cells()] for rung in ladder.rungs]
    return table(headings, rows).split("\n")


def _score(score: SystemScore | None) -> str:
    if score is None:
        return formatting.NOT_COMPUTED
    value = formatting.score(score.value, score.metric)
    if score.interval is None:
        return value
    low, high = score.interval
    return f"{value} ±{formatting.score((high - low) / 2, score.metric)}"


def _written(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:,.{digits}f}"
