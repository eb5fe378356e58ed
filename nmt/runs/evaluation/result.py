"""The result of an evaluation: tables of rows that name systems and test sets."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from typing_extensions import override

from nmt.runs.evaluation.names import BASE_SYSTEM, ENGINE_SYSTEM, TEST_SET, TUNED_SYSTEM
from nmt.runs.evaluation.rows import (
    Comparison,
    ConfidenceSummary,
    Cost,
    FlagCount,
    NgramChange,
    NotComputed,
    Sample,
    SliceScore,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.runs.step_result import StepResult


class EvaluationResult(StepResult):
    """What was measured of any number of systems on any number of test sets, one row each."""

    systems: Annotated[dict[str, SystemInfo], Field(min_length=1)]
    test_sets: Annotated[dict[str, TestSetInfo], Field(min_length=1)]
    scores: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]
    not_computed: tuple[NotComputed, ...] = ()
    slices: tuple[SliceScore, ...] = ()
    flags: tuple[FlagCount, ...] = ()
    ngrams: tuple[NgramChange, ...] = ()
    costs: tuple[Cost, ...] = ()
    confidences: tuple[ConfidenceSummary, ...] = ()
    samples: tuple[Sample, ...] = ()

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        # A row with a misspelt name would silently be missing from every table.
        measured = [
            *self.scores, *self.comparisons, *self.slices, *self.flags, *self.ngrams, *self.costs,
            *self.confidences,
        ]  # fmt: skip
        used = {row.test_set for row in (*measured, *self.samples)} - self.test_sets.keys()
        used |= {row.system for row in measured} - self.systems.keys()
        used |= {row.baseline for row in (*self.comparisons, *self.ngrams)} - self.systems.keys()
        used |= {name for row in self.samples for name in row.hypotheses} - self.systems.keys()
        used |= {row.test_set for row in self.not_computed if row.test_set} - self.test_sets.keys()
        used |= {row.system for row in self.not_computed if row.system} - self.systems.keys()
        if used:
            names = ", ".join(sorted(used))
            raise ValueError(f"rows name unknown systems or test sets: {names}")
        places = [(row.system, row.test_set, row.metric, row.part) for row in self.scores]
        if len(places) != len(set(places)):
            raise ValueError("two scores of one system on one test set in one metric")
        return self

    @override
    def headline(self) -> str:
        """Name the BLEU of the run's own systems on the test set."""
        own = (BASE_SYSTEM, TUNED_SYSTEM, ENGINE_SYSTEM)
        scores = [self.score(name, TEST_SET, "bleu") for name in own]
        values = [f"{score.value:.2f}" for score in scores if score]
        if not values:  # such as a run that is scored on named sets alone
            return f"{len(self.systems)} systems on {', '.join(self.test_sets)}"
        return f"BLEU {' -> '.join(values)} (test)"

    def score(self, system: str, test_set: str, metric: str) -> SystemScore | None:
        """Return one score over all sentences, or None if it was not computed."""
        wanted = (system, test_set, metric, "all")
        rows = (
            row for row in self.scores if (row.system, row.test_set, row.metric, row.part) == wanted
        )
        return next(rows, None)

    def comparison(
        self,
        system: str = TUNED_SYSTEM,
        test_set: str = TEST_SET,
        *,
        metric: str = "bleu",
        baseline: str = BASE_SYSTEM,
    ) -> Comparison | None:
        """Return one comparison, or None if it was not computed."""
        wanted = (test_set, metric, baseline, system)
        rows = (
            row
            for row in self.comparisons
            if (row.test_set, row.metric, row.baseline, row.system) == wanted
        )
        return next(rows, None)


def format_p_value(p_value: float) -> str:
    """Write a p-value as `p = 0.032` or `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
