"""The limits of a search: its trials, its hours and its GPU-hours."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from ray import tune

from nmt.config import Config
from nmt.runs.trials import UNFINISHED, Trial, covered_seconds
from nmt.runs.tuning import EndOfSearch
from ray_jobs.search.sampler import combinations
from ray_jobs.search.trials import TrialLog, reserved_gpus

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_NOTES = 10.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What the trials of a search have taken, over all calls."""

    hours: float
    """In which at least one trial ran."""
    gpu_hours: float


def spent_on(config: Config, trials: Collection[Trial]) -> Spent:
    """Add up the time of trials."""
    periods = [period for trial in trials for period in trial.periods]
    now = reserved_gpus(config)
    # Each at what it reserved: a search may go on with other shares of a GPU.
    gpu_seconds = sum(
        (period.end - period.start) * (now if period.gpus is None else period.gpus)
        for period in periods
    )
    return Spent(covered_seconds(periods) / 3600, gpu_seconds / 3600)


def limit_of(config: Config, spent: Spent) -> EndOfSearch | None:
    """Return the limit that is reached, if one is."""
    if config.tune.max_hours is not None and spent.hours >= config.tune.max_hours:
        return "max_hours"
    limit = config.tune.max_gpu_hours
    return "max_gpu_hours" if limit is not None and spent.gpu_hours >= limit else None


def end_of(
    config: Config, trials: Collection[Trial], made: int | None = None
) -> EndOfSearch | None:
    """Tell what ends a search with these trials; None where it goes on.

    Args:
        config: all settings.
        trials: all that were begun.
        made: number of those that are over; None: all but those that a limit or a kill stopped.
    """
    if limit := limit_of(config, spent_on(config, trials)):
        return limit
    if made is None:
        made = sum(trial.state not in UNFINISHED for trial in trials)
    if made >= config.tune.trials:
        return "trials"
    counts = [combinations(space) for space in config.search_spaces.values()]
    is_used_up = None not in counts and made >= sum(count or 0 for count in counts)
    return "space" if is_used_up else None


def explain_end(config: Config, ended_by: EndOfSearch, trials: Collection[Trial]) -> None:
    """Name in the log what ended a search before it had all its trials."""
    made, spent = sum(trial.state not in UNFINISHED for trial in trials), spent_on(config, trials)
    if ended_by == "space" and made < config.tune.trials:
        log.warning(
            "tune: tune.space has %d combinations, and all of them are tried: no more than %d of "
            "tune.trials=%d trials are made", made, made, config.tune.trials,
        )  # fmt: skip
    if ended_by in ("max_hours", "max_gpu_hours"):
        log.warning(
            "tune: ended by tune.%s=%g after %.3f hours, %.3f GPU-hours and %d of %d trials: the "
            "best one so far is taken; a higher limit goes on with the search",
            ended_by, getattr(config.tune, ended_by), spent.hours, spent.gpu_hours, made,
            config.tune.trials,
        )  # fmt: skip


@dataclass
class LimitWatch(tune.Callback):
    """Ends a search under Tune when one of its hours is used up."""

    config: Config
    trials: TrialLog
    stop: Callable[[], object]
    """Draws no more trials, and asks those that run to write their checkpoints and end."""
    _noted: float = field(default_factory=time.monotonic)

    def on_step_end(self, iteration: int, trials: list[Any], **info: object) -> None:
        """Count the time of the trials that run, and compare it with the limits."""
        is_due = time.monotonic() - self._noted >= _SECONDS_BETWEEN_NOTES
        # What is only in memory would be forgotten if the driver were killed.
        self.trials.count_time(keep=is_due)
        if is_due:
            self._noted = time.monotonic()
        limit = limit_of(self.config, spent_on(self.config, self.trials.in_order()))
        if limit and not self.trials.is_stopping:
            self.trials.is_stopping = True
            log.info("tune: tune.%s is reached: the trials that run write their checkpoints", limit)
            self.stop()
