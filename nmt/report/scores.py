"""Scores and differences of an evaluation, found by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nmt.runs.evaluation import (
    BASE_SYSTEM,
    COMPARED_METRICS,
    GENERAL_SET,
    LOWER_IS_BETTER,
    METRIC_NAMES,
    Comparison,
    EvaluationResult,
    Interval,
    Sentences,
    SystemScore,
)

DECIDING_METRICS = ("chrf++", "chrf", "bleu")
"""Metrics by which systems are ranked: the first one in which they are compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a system has more than a baseline on a test set in one metric."""

    system: str
    baseline: str
    metric: str
    value: float
    interval: Interval
    p_value: float
    row: Comparison

    @property
    def is_significant(self) -> bool:
        """Tell whether equal systems would rarely differ as much."""
        return self.row.is_significant

    @property
    def is_gain(self) -> bool:
        """Tell whether the system is the better of the two, by chance or not."""
        return (self.value > 0) != (self.metric in LOWER_IS_BETTER)


class Results:
    """An evaluation whose rows are found by name."""

    def __init__(self, evaluation: EvaluationResult) -> None:
        """Wrap an evaluation."""
        self.evaluation = evaluation

    # With eight systems there are hundreds of rows, which every cell of the page would search.
    @cached_property
    def _scores(self) -> dict[tuple[str, str, str, Sentences], SystemScore]:
        return {
            (row.system, row.test_set, row.metric, row.part): row for row in self.evaluation.scores
        }

    @cached_property
    def _comparisons(self) -> dict[tuple[str, str, str, str], Comparison]:
        return {
            (row.test_set, row.metric, row.baseline, row.system): row
            for row in self.evaluation.comparisons
        }

    @cached_property
    def baseline(self) -> str:
        """Return the system with which the others are compared: the base, else the first."""
        systems = self.evaluation.systems
        return BASE_SYSTEM if BASE_SYSTEM in systems else next(iter(systems))

    @cached_property
    def systems(self) -> list[str]:
        """List the baseline and then the other systems."""
        others = [name for name in self.evaluation.systems if name != self.baseline]
        return [self.baseline, *others]

    @cached_property
    def main_sets(self) -> list[str]:
        """List the test sets that show what the systems are for."""
        return [name for name in self.evaluation.test_sets if name not in self.forgetting_sets]

    @cached_property
    def forgetting_sets(self) -> list[str]:
        """List the test sets that show what a training made the base forget."""
        if BASE_SYSTEM not in self.evaluation.systems:
            return []
        sets = self.evaluation.test_sets.items()
        return [name for name, info in sets if info.forgetting or name == GENERAL_SET]

    def score(
        self, system: str, test_set: str, metric: str, part: Sentences = "all"
    ) -> SystemScore | None:
        """Return a score, or None if it was not computed."""
        return self._scores.get((system, test_set, metric, part))

    def value(self, system: str, test_set: str, metric: str = "bleu") -> float | None:
        """Return the value of a score over all sentences, or None if it was not computed."""
        found = self.score(system, test_set, metric)
        return found.value if found else None

    def systems_on(self, test_set: str) -> list[str]:
        """List the systems that have a score on a test set."""
        scored = {row.system for row in self.evaluation.scores if row.test_set == test_set}
        return [name for name in self.systems if name in scored]

    def metrics(self, test_sets: Iterable[str] | None = None) -> list[str]:
        """List the metrics of some test sets, or of all, in the usual order."""
        wanted = set(self.evaluation.test_sets if test_sets is None else test_sets)
        found = {row.metric for row in self.evaluation.scores if row.test_set in wanted}
        usual = [metric for metric in METRIC_NAMES if metric in found]
        return [*usual, *sorted(found - METRIC_NAMES.keys())]

    def deciding_metric(self, test_set: str) -> str | None:
        """Return the metric by which the systems of a test set are ranked."""
        found = self.metrics([test_set])
        tested = self.compared_metrics(test_set)
        order = [metric for metric in DECIDING_METRICS if metric in tested]
        order += [metric for metric in [*DECIDING_METRICS, *found] if metric in found]
        return order[0] if order else None

    def difference(
        self, system: str, baseline: str, test_set: str, metric: str
    ) -> Difference | None:
        """Return the difference of two systems, or None if it was not tested."""
        row = self._comparisons.get((test_set, metric, baseline, system))
        if row:
            low, high = row.interval
            value = row.difference
        else:
            # Each pair is compared in one direction only, and read here in both.
            row = self._comparisons.get((test_set, metric, system, baseline))
            if not row:
                return None
            low, high = -row.interval[1], -row.interval[0]
            value = -row.difference
        return Difference(system, baseline, metric, value, (low, high), row.p_value, row)

    def tested_difference(self, system: str, baseline: str, test_set: str) -> Difference | None:
        """Return the difference of two systems in the first metric in which it was tested."""
        found = (self.difference(system, baseline, test_set, metric) for metric in DECIDING_METRICS)
        return next((difference for difference in found if difference), None)

    def comparisons_on(self, test_set: str, metric: str) -> list[Comparison]:
        """List the comparisons of a test set in one metric."""
        return [
            row
            for row in self.evaluation.comparisons
            if (row.test_set, row.metric) == (test_set, metric)
        ]

    def compared_metrics(self, test_set: str) -> list[str]:
        """List the metrics in which the systems of a test set are compared."""
        return [metric for metric in COMPARED_METRICS if self.comparisons_on(test_set, metric)]
