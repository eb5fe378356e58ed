"""The trials of a search: one file each on the storage root, one table in the log."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial

from nmt.config import Config, digest_of
from nmt.runs import layout
from nmt.runs.records import TRIAL
from nmt.runs.trials import FAILED, UNFINISHED, Trial, TrialPoint, TrialWithCheckpoints
from nmt.runs.tuning import TrialSettings
from nmt.runs.validation_scores import gain_of
from nmt.storage import Storage
from nmt.training.schedule import is_out_of_patience
from ray_jobs.search.table import table_lines

log = logging.getLogger(__name__)

_ENDED = ("finished", "pruned", "diverged", "abandoned")
_MENDABLE = ("refused", "out_of_memory", FAILED)
"""By the trial's own settings where another trial gave a score, else by what all of them share, or
by the machine: a full disk may be gone when the command is given again."""
_TOLD = ("diverged", "refused", "out_of_memory")
"""States that a trial reports itself, before it returns."""


def gpus_per_worker(config: Config) -> float:
    """Return the GPUs, or the share of one, that each worker of a trial reserves."""
    share = config.tune.gpus_per_trial
    return config.scaling.gpus_per_worker if share is None else share


def reserved_gpus(config: Config) -> float:
    """Return the GPUs that the workers of a trial reserve together."""
    return gpus_per_worker(config) * config.tune.workers_per_trial


def last_step_of(config: Config) -> int:
    """Return the last step of a trial that is not stopped early."""
    return min(config.tune.max_steps, config.training.max_steps)


@dataclass
class TrialLog(tune.Callback):
    """Follows the trials in the driver; what it wrote is where a stopped search goes on."""

    storage: Storage
    config: Config
    is_stopping: bool = False
    """Whether a limit of the search ends the trials that run."""
    is_exchanging: bool = False
    """Whether a trial that ends before its last step waits for an exchange."""
    _trials: dict[str, Trial] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _at_work: set[str] = field(default_factory=set)
    _last_table: float = 0.0

    def __post_init__(self) -> None:
        run = self.config.run
        for name in self.storage.list(layout.trials(run)):
            trial = self._find(layout.trial_record(run, name), name)
            if trial is not None:
                self._trials[name] = trial
                self._numbers[name] = trial.number

    # What is known

    def entries(self) -> list[Trial]:
        """List all trials, best first."""
        # Of equal ones the first, so that a search that was killed has the same best trial.
        return sorted(
            self._trials.values(), key=lambda t: (t.gain is None, -(t.gain or 0.0), t.number)
        )

    def in_order(self) -> list[Trial]:
        """Return all trials in the order in which they were drawn."""
        return sorted(self._trials.values(), key=lambda t: t.number)

    def ended(self) -> list[Trial]:
        """List the trials that are over, in the order in which they were drawn."""
        return [trial for trial in self.in_order() if self._has_ended(trial)]

    def begun(self) -> list[Trial]:
        """List the trials that an earlier call left unfinished, in their order.

        While no trial has a score, those that failed or were refused are among them.
        """
        return [trial for trial in self.in_order() if not self._has_ended(trial)]

    def failed(self) -> list[Trial]:
        """List the trials that failed."""
        return [trial for trial in self.in_order() if trial.state == FAILED]

    def all_refused(self) -> bool:
        """Tell whether there were trials, and none of them could work with its settings."""
        states = {trial.state for trial in self._trials.values()}
        return bool(states) and states <= {"refused", "out_of_memory"}

    def best(self) -> TrialWithCheckpoints | None:
        """Return the trial with the best score."""
        top = next((trial for trial in self.entries() if trial.score is not None), None)
        if top is None:
            return None
        checkpoints = layout.checkpoints(self.folder_of(top))
        return TrialWithCheckpoints(**top.model_dump(), checkpoints=checkpoints)

    def folder_of(self, trial: Trial) -> str:
        """Return the training folder of a trial."""
        return layout.trial_folder(self.config.run, digest_of(trial.config))

    def note_draw(self, settings: TrialSettings) -> None:
        """Record a trial as soon as it is drawn, so that a search that is killed draws it first."""
        if digest_of(settings) not in self._trials:
            self._write(self._new(settings))

    def _new(self, settings: TrialSettings) -> Trial:
        metric = self.config.training.validation_metric
        number = self._number_of(settings)
        return Trial(config=settings, state="running", number=number, metric=metric)

    def _number_of(self, settings: TrialSettings) -> int:
        """Return the number of a trial; settings that are new get the next one."""
        # In the order of the draws: of trials that start together, the later may be the faster.
        digest = digest_of(settings)
        if digest not in self._numbers:
            # Not the number of records: one may have been lost, and left its number out.
            self._numbers[digest] = 1 + max(self._numbers.values(), default=0)
        return self._numbers[digest]

    def faults(self) -> str:
        """Join the distinct error messages of the trials."""
        return "; ".join(sorted({t.error for t in self._trials.values() if t.error}))

    def count_time(self, *, keep: bool) -> None:
        """Add the time up to now to the trials that run.

        Args:
            keep: write it, so that a driver that is killed has counted it.
        """
        for digest in self._at_work:
            trial = self._trials[digest].at_work()
            if keep:
                self._write(trial)
            self._trials[digest] = trial

    def begin_round(self, members: Collection[TrialSettings]) -> None:
        """Number the trials of a population, and record that all others go on no more."""
        for settings in members:
            self._number_of(settings)
        names = {digest_of(settings) for settings in members}
        for name, trial in self._trials.items():
            if trial.state in UNFINISHED and name not in names:
                self._write(trial.model_copy(update={"state": "pruned"}))

    # Called by Tune

    def on_trial_start(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial begins or resumes."""
        started = self._of(trial)
        self._at_work.add(digest_of(trial.config))
        self._write(started.started(reserved_gpus(self.config)))

    def on_trial_result(
        self,
        iteration: int,
        trials: list[TuneTrial],
        trial: TuneTrial,
        result: dict[str, Any],
        **info: object,
    ) -> None:
        """Record a validation of a trial."""
        before = self._of(trial).at_work()
        if "ended" in result:
            # What it scored before is no reason to train with its settings.
            none = {"score": None, "bleu": None}
            changes = {"state": result["ended"], "error": result["error"], **none}
            self._write(before.model_copy(update=changes))
            return
        changes: dict[str, Any] = {}
        if not result.get("done"):  # which Tune sets where its scheduler cuts the trial
            changes["passed_step"] = max(result["step"], before.passed_step or 0)
        if "trained_parameters" in result:
            changes["trained_parameters"] = int(result["trained_parameters"])
        after = before.validated(TrialPoint.model_validate(result))
        self._write(after.model_copy(update=changes))
        self._table()

    def on_trial_complete(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial ended by itself, or was stopped by ASHA or a limit."""
        known = self._ended_now(trial)
        # Its last report has said so already: to Tune, every trial that returns is complete.
        if known.state in _TOLD:
            self._write(known)
            return
        if self._came_to_its_end(known):
            state = "finished"
        else:
            state = "stopped" if self.is_stopping or self.is_exchanging else "pruned"
        self._write(known.model_copy(update={"state": state, "error": None}))
        self._table(force=True)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial failed more often than `scaling.max_failures`."""
        known = self._ended_now(trial)
        text = (trial.error_file and "see its error file") or "failed"
        cause = trial.get_error()
        lines = str(cause or "").strip().splitlines() or [text]
        self._write(known.model_copy(update={"state": FAILED, "error": lines[-1][:300]}))
        self._table(force=True)

    def _find(self, path: str, name: str) -> Trial | None:
        """Read a trial; one that is damaged is named and left out, and may be drawn again."""
        left_out = "the search leaves this trial out; its checkpoints stay beside it"
        trial = TRIAL.find_or_leave_out(self.storage, path, left_out, log.warning)
        if trial is not None and digest_of(trial.config) != name:
            place = self.storage.locate(path)
            log.warning("%s: the record of another trial than its folder's: %s", place, left_out)
            return None
        return trial

    def _of(self, trial: TuneTrial) -> Trial:
        """Return what is recorded of a trial, or a new entry with the next number."""
        recorded = self._trials.get(digest_of(trial.config))
        if recorded is not None:
            return recorded
        return self._new(dict(trial.config))

    def _ended_now(self, trial: TuneTrial) -> Trial:
        """Return what is recorded of a trial, with its time up to now."""
        self._at_work.discard(digest_of(trial.config))
        return self._of(trial).at_work()

    def _has_ended(self, trial: Trial) -> bool:
        # While no trial has a score, what went wrong may be due to what all of them share, which
        # the user can correct: then those trials are drawn again.
        shared = all(t.score is None for t in self._trials.values())
        return trial.state in _ENDED or (trial.state in _MENDABLE and not shared)

    def _came_to_its_end(self, trial: Trial) -> bool:
        """Tell whether a trial reached its last step or ran out of patience."""
        training = self.config.training
        if trial.steps >= last_step_of(self.config):
            return True
        if self.is_exchanging:
            return False
        gains = [gain_of(trial.metric, point.score) for point in trial.curve]
        return is_out_of_patience(training.patience, gains)

    def _write(self, trial: Trial) -> None:
        self._trials[digest_of(trial.config)] = trial
        path = layout.trial_record(self.config.run, digest_of(trial.config))
        TRIAL.write(self.storage, path, trial)

    def _table(self, *, force: bool = False) -> None:
        # Many short trials would else fill the log with tables.
        now = time.monotonic()
        if not force and now - self._last_table < self.config.training.log_every_seconds:
            return
        self._last_table = now
        metric = self.config.training.validation_metric
        listed = self.entries()
        # A population makes more trials than it has places.
        total = max(self.config.tune.trials, len(listed))
        for line in table_lines(listed, total, metric):
            log.info("%s", line)
