"""The record of a search's trial, which the summary of a run also shows."""

import time
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

from nmt.runs.tuning import TrialDifference, TrialSettings
from nmt.runs.validation_scores import Bleu, MetricKey, MetricScore, gain_of, of_old_record

TrialState = Literal[
    "running",
    "stopped",
    "finished",
    "pruned",
    "failed",
    "diverged",
    "out_of_memory",
    "refused",
    "abandoned",
]
"""Stopped: a limit of the search ended it, and a higher one lets it go on. Diverged: its loss was
not a number. Refused: its settings are invalid. Abandoned: failed, in an earlier release."""

FAILED = "failed"
UNFINISHED = ("running", "stopped")
"""States of trials that a search goes on with when it is given again, or enlarged."""


class TrialPoint(BaseModel):
    """One validation of a trial."""

    model_config = ConfigDict(frozen=True)

    step: NonNegativeInt
    bleu: Bleu
    score: MetricScore = Field(default_factory=of_old_record("bleu"))
    """In the metric of the search."""


class Period(BaseModel):
    """A time in which a trial ran."""

    model_config = ConfigDict(frozen=True)

    start: float
    """In seconds since 1970."""
    end: float
    gpus: float | None = Field(default=None, ge=0)
    """That its workers reserved together; null in a record of an earlier release."""


class Trial(BaseModel):
    """One trial: the content of `trial.json`."""

    model_config = ConfigDict(frozen=True)

    config: TrialSettings = Field(min_length=1)
    """With `adapter.type` where several methods are compared."""
    state: TrialState
    number: NonNegativeInt = 0
    """Position in the order in which the search drew its trials."""
    metric: MetricKey = "bleu"
    """Metric of the search."""
    bleu: Bleu | None = None
    """BLEU of the validation with the best score."""
    score: MetricScore | None = Field(default_factory=of_old_record("bleu"))
    """Best validation score; null if it was not validated, or if its settings cannot be used."""
    steps: NonNegativeInt = 0
    """Step of the last validation."""
    passed_step: NonNegativeInt | None = None
    """Step of the last validation after which the search let it go on; null where none did."""
    curve: tuple[TrialPoint, ...] = ()
    error: str | None = None
    """Why it failed, diverged or was refused."""
    periods: tuple[Period, ...] = ()
    """When it ran, one period for each attempt."""
    trained_parameters: NonNegativeInt | None = None
    """Parameters that it changes; null until they are known."""

    @model_validator(mode="after")
    def _check_ascending(self) -> Self:
        steps = [point.step for point in self.curve]
        if steps != sorted(set(steps)):
            raise ValueError("the steps of the curve do not ascend")
        return self

    @property
    def method(self) -> str | None:
        """Return its method where several are compared."""
        method = self.config.get("adapter.type")
        return None if method is None else str(method)

    @property
    def gain(self) -> float | None:
        """Return the score as a number that is higher for a better one; None without a score."""
        return None if self.score is None else gain_of(self.metric, self.score)

    @property
    def best_step(self) -> int | None:
        """Return the step of the best validation, the first one of several."""
        best = max(self.curve, key=lambda point: gain_of(self.metric, point.score), default=None)
        return best.step if best else None

    @property
    def seconds(self) -> float:
        """Return how long it ran, over all its attempts."""
        return sum(period.end - period.start for period in self.periods)

    def validated(self, point: TrialPoint) -> Self:
        """Return the trial with one more validation, which replaces one of the same step."""
        # A trial that resumes from its checkpoint reports its earlier validations again.
        others = [each for each in self.curve if each.step != point.step]
        curve = sorted([*others, point], key=lambda each: each.step)
        best = max(curve, key=lambda each: gain_of(self.metric, each.score))
        changes = {"score": best.score, "bleu": best.bleu, "steps": curve[-1].step}
        return self.model_copy(update={**changes, "curve": tuple(curve)})

    def started(self, gpus: float | None = None) -> Self:
        """Return the trial at the start of an attempt, which reserves so many GPUs."""
        now = time.time()
        attempt = Period(start=now, end=now, gpus=gpus)
        changes = {"state": "running", "error": None, "periods": (*self.periods, attempt)}
        return self.model_copy(update=changes)

    def at_work(self) -> Self:
        """Return the trial with the time up to now in its last attempt."""
        if not self.periods:
            return self.started()
        *earlier, last = self.periods
        longer = last.model_copy(update={"end": max(last.end, time.time())})
        return self.model_copy(update={"periods": (*earlier, longer)})


class TrialWithCheckpoints(Trial):
    """The best trial of a search: the content of `best.json`."""

    checkpoints: str = Field(min_length=1)
    """Folder of its checkpoints, relative to the storage root."""
    against_second: TrialDifference | None = None
    """Compared with the second best trial; null where there is none, or no translations of it."""


class EarlierSearch(BaseModel):
    """The trials of another run's search."""

    model_config = ConfigDict(frozen=True)

    run: str
    method: str | None = None
    """Of its trials, where it compared no methods."""
    trials: tuple[Trial, ...]
    """In the order of their draws."""


class EarlierSearches(BaseModel):
    """What a search learns from other runs: the content of `warm_start.json`."""

    model_config = ConfigDict(frozen=True)

    searches: tuple[EarlierSearch, ...]


def covered_seconds(periods: Iterable[Period]) -> float:
    """Return the length of the time that periods cover together; what overlaps counts once."""
    total, until = 0.0, 0.0
    for period in sorted(periods, key=lambda each: each.start):
        total += max(0.0, period.end - max(period.start, until))
        until = max(until, period.end)
    return total
