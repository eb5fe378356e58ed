"""Scores of an evaluation as rows of a table, for the console and the report."""

from dataclasses import dataclass

from nmt.report.formatting import change, metric_name, number
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    LOWER_IS_BETTER,
    METRIC_NAMES,
    Comparison,
    EvaluationResult,
    Interval,
)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One metric on one test set."""

    name: str
    """The metric as it is written."""
    lower_is_better: bool
    values: tuple[float | None, ...]
    """One value per system, in the order of `system_names`."""
    intervals: tuple[Interval | None, ...]

    def cells(self) -> list[str]:
        """Write the value of the base, then the value and the change of every other system."""
        base, *others = self.values
        pairs = [(number(value), change(base, value)) for value in others]
        return [number(base), *(cell for pair in pairs for cell in pair)]


def other_systems(evaluation: EvaluationResult) -> list[str]:
    """List the systems that are compared with the base."""
    return [name for name in evaluation.systems if name != BASE_SYSTEM]


def system_names(evaluation: EvaluationResult) -> list[str]:
    """List the base and then the other systems."""
    return [BASE_SYSTEM, *other_systems(evaluation)]


def headings(evaluation: EvaluationResult) -> list[str]:
    """List the headings over the cells of a `ScoreRow`."""
    pairs = [(name, "change") for name in other_systems(evaluation)]
    return [BASE_SYSTEM, *(heading for pair in pairs for heading in pair)]


def score_rows(evaluation: EvaluationResult, test_set: str) -> list[ScoreRow]:
    """List the metrics of a test set, the usual ones first."""
    found = {row.metric for row in evaluation.scores if row.test_set == test_set}
    usual = [metric for metric in METRIC_NAMES if metric in found]
    return [
        score_row(evaluation, test_set, metric)
        for metric in [*usual, *sorted(found - METRIC_NAMES.keys())]
    ]


def score_row(evaluation: EvaluationResult, test_set: str, metric: str) -> ScoreRow:
    """Collect the scores of all systems on a test set in one metric."""
    rows = [evaluation.score(name, test_set, metric) for name in system_names(evaluation)]
    return ScoreRow(
        name=metric_name(metric),
        lower_is_better=metric in LOWER_IS_BETTER,
        values=tuple(row.value if row else None for row in rows),
        intervals=tuple(row.interval if row else None for row in rows),
    )


def value_of(
    evaluation: EvaluationResult, system: str, test_set: str, metric: str = "bleu"
) -> float | None:
    """Return the value of one score, or None if it was not computed."""
    score = evaluation.score(system, test_set, metric)
    return score.value if score else None


def comparisons_on(evaluation: EvaluationResult, test_set: str) -> list[Comparison]:
    """List the comparisons of a test set."""
    return [row for row in evaluation.comparisons if row.test_set == test_set]


def metrics_disagree(evaluation: EvaluationResult) -> bool:
    """Tell whether BLEU and chrF++ disagree on which of two compared systems is better."""
    return any(_disagree(evaluation, comparison) for comparison in evaluation.comparisons)


def _disagree(evaluation: EvaluationResult, compared: Comparison) -> bool:
    moves: list[float] = []
    for metric in ("bleu", "chrf++"):
        before = evaluation.score(compared.baseline, compared.test_set, metric)
        after = evaluation.score(compared.system, compared.test_set, metric)
        if before and after:
            moves.append(after.value - before.value)
    return len(moves) == 2 and moves[0] * moves[1] < 0  # opposite signs
