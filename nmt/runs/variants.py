"""The result of `variants`: trainings beside the run's own, with other seeds or methods."""

import statistics
from typing import Literal

from pydantic import Field, NonNegativeInt
from typing_extensions import override

from nmt.config.sections.evaluation import VARIANTS
from nmt.runs.evaluation.names import METRIC_NAMES
from nmt.runs.results import TrainResult
from nmt.runs.step_result import ResultPart, StepResult


class Variant(ResultPart):
    """A training beside the run's own: the content of `variant.json`."""

    name: str
    """`seed-<number>`, or the method, where `full` is full fine-tuning."""
    kind: Literal["seed", "method"]
    method: str
    """Type of its adapter."""
    seed: NonNegativeInt
    folder: str
    """Its training folder, relative to the storage root."""
    settings: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    """Settings in which it differs from the run's own training."""
    trained: TrainResult
    weights: str
    """Digest of its published weights."""

    @property
    def system(self) -> str:
        """Return its name among the systems of an evaluation."""
        return f"{VARIANTS}{self.name}"


class LeftOut(ResultPart):
    """A training that ended without weights."""

    name: str
    folder: str
    """Its training folder, relative to the storage root."""
    reason: str


class SeedSpread(ResultPart):
    """How far the seed moves the validation score of the same settings."""

    scores: tuple[float, ...]
    """Of the run's own training, and of each other seed."""
    mean: float
    deviation: float
    """Standard deviation."""


class VariantsResult(StepResult):
    """The result of `variants`."""

    metric: str = "bleu"
    variants: tuple[Variant, ...] = ()
    spread: SeedSpread | None = None
    """Null where only one seed was trained."""
    left_out: tuple[LeftOut, ...] = ()

    @override
    def headline(self) -> str:
        """Name the spread over the seeds, and the score of each other method."""
        name, parts = METRIC_NAMES[self.metric], list[str]()
        if self.spread:
            count = len(self.spread.scores)
            mean, deviation = self.spread.mean, self.spread.deviation
            parts.append(f"{name} {mean:.2f} ± {deviation:.2f} over {count} seeds")
        for variant in self.variants:
            if variant.kind == "method" and variant.trained.best_score is not None:
                parts.append(f"{variant.name} {variant.trained.best_score:.2f}")
        return ", ".join(parts) or f"{len(self.variants)} variants"


def spread_of(own: TrainResult, variants: tuple[Variant, ...]) -> SeedSpread | None:
    """Compute how far the seed moves the score; None with fewer than two scores."""
    trained = [own, *(each.trained for each in variants if each.kind == "seed")]
    scores = tuple(each.best_score for each in trained if each.best_score is not None)
    if len(scores) < 2:
        return None
    return SeedSpread(
        scores=scores, mean=statistics.fmean(scores), deviation=statistics.stdev(scores)
    )
