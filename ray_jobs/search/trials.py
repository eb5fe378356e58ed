"""The trials of a search: one file each on the storage root, one table in the log."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial

from nmt.config import Config, digest_of
from nmt.runs import layout
from nmt.runs.records import TRIAL
from nmt.runs.trials import Trial, TrialWithCheckpoints
from nmt.storage import Storage
from nmt.training.schedule import is_out_of_patience

log = logging.getLogger(__name__)

_DIVERGED = "diverged"
_ENDED = ("finished", "pruned", _DIVERGED, "abandoned")
_REFUSED = "refused"
"""By the trial's own settings where another trial gave a score, else by what all of them share."""
_FAILED = "failed"
"""Whatever it was, a full disk or a lost machine may be gone when the command is given again."""


@dataclass
class TrialLog(tune.Callback):
    """Follows the trials in the driver; what it wrote is where a stopped search goes on."""

    storage: Storage
    config: Config
    _trials: dict[str, Trial] = field(default_factory=dict)
    _last_table: float = 0.0

    def __post_init__(self) -> None:
        run = self.config.run
        for name in self.storage.list(layout.trials(run)):
            trial = self._find(layout.trial_record(run, name), name)
            if trial is not None:
                self._trials[name] = trial

    # What is known

    def entries(self) -> list[Trial]:
        """List all trials, best first."""
        return sorted(self._trials.values(), key=lambda t: (t.bleu is None, -(t.bleu or 0.0)))

    def in_order(self) -> list[Trial]:
        """Return all trials in the order in which they were drawn."""
        return sorted(self._trials.values(), key=lambda t: t.number)

    def ended(self) -> list[Trial]:
        """List the trials that are over, in the order in which they were drawn."""
        return [trial for trial in self.in_order() if self._has_ended(trial)]

    def begun(self) -> list[Trial]:
        """List the trials that an earlier call left unfinished or that failed, in their order."""
        return [trial for trial in self.in_order() if not self._has_ended(trial)]

    def failed(self) -> list[Trial]:
        """List the trials that failed and that another call tries again."""
        return [trial for trial in self.in_order() if trial.state == _FAILED]

    def all_refused(self) -> bool:
        """Tell whether there were trials, and the settings of all were refused."""
        return bool(self._trials) and all(t.state == _REFUSED for t in self._trials.values())

    def best(self) -> TrialWithCheckpoints | None:
        """Return the trial with the highest BLEU."""
        top = next((trial for trial in self.entries() if trial.bleu is not None), None)
        if top is None:
            return None
        folder = layout.trial_folder(self.config.run, digest_of(top.config))
        checkpoints = layout.checkpoints(folder)
        return TrialWithCheckpoints(**top.model_dump(), checkpoints=checkpoints)

    def faults(self) -> str:
        """Join the distinct error messages of the trials."""
        return "; ".join(sorted({t.error for t in self._trials.values() if t.error}))

    # Called by Tune

    def on_trial_start(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial begins or resumes."""
        if digest_of(trial.config) not in self._trials:
            self._write(self._of(trial))

    def on_trial_result(
        self,
        iteration: int,
        trials: list[TuneTrial],
        trial: TuneTrial,
        result: dict[str, Any],
        **info: object,
    ) -> None:
        """Record a validation of a trial."""
        before = self._of(trial)
        if "ended" in result:
            # What it scored before is no reason to train with its settings.
            changes = {"state": result["ended"], "error": result["error"], "bleu": None}
            self._write(before.model_copy(update=changes))
            return
        # A trial that resumes reports its earlier scores again, which does not show that it works.
        is_new = result["step"] > before.steps
        changes = {"state": "running", "error": None} if is_new else {}
        after = before.validated(result["step"], result["bleu"])
        self._write(after.model_copy(update=changes))
        self._table()

    def on_trial_complete(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial ended by itself or was stopped by ASHA."""
        known = self._of(trial)
        # Its last report has said so already: to Tune, every trial that returns is complete.
        if known.state in (_DIVERGED, _REFUSED):
            return
        state = "finished" if self._came_to_its_end(known) else "pruned"
        self._write(known.model_copy(update={"state": state, "error": None}))
        self._table(force=True)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: object
    ) -> None:
        """Record that a trial failed; abandon it if it failed in an earlier call too."""
        known = self._of(trial)
        text = (trial.error_file and "see its error file") or "failed"
        cause = trial.get_error()
        lines = str(cause or "").strip().splitlines() or [text]
        # A second failure is hardly an accident, and would stop the search at every call.
        state = "abandoned" if known.state == _FAILED else _FAILED
        self._write(known.model_copy(update={"state": state, "error": lines[-1][:300]}))
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
        # Not the number of records: one may have been lost, and left its number out.
        number = 1 + max((each.number for each in self._trials.values()), default=0)
        return Trial(config=dict(trial.config), state="running", number=number)

    def _has_ended(self, trial: Trial) -> bool:
        # While no trial has a score, a refusal may be due to settings that all of them share, which
        # the user can correct: then those trials are drawn again.
        shared = all(t.bleu is None for t in self._trials.values())
        return trial.state in _ENDED or (trial.state == _REFUSED and not shared)

    def _came_to_its_end(self, trial: Trial) -> bool:
        """Tell whether a trial reached its last step or ran out of patience."""
        training, bleus = self.config.training, [point.bleu for point in trial.curve]
        if trial.steps >= min(self.config.tune.max_steps, training.max_steps):
            return True
        return is_out_of_patience(training.patience, bleus)

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
        for line in table_lines(self.entries(), self.config.tune.trials):
            log.info("%s", line)


def table_lines(trials: Sequence[Trial], total: int) -> list[str]:
    """Format the trials as a table for the log, best first."""
    keys = sorted({key for trial in trials for key in trial.config})
    ended = sum(trial.state in (*_ENDED, _REFUSED, _FAILED) for trial in trials)
    head = ["BLEU", "steps", "state", *(key.rpartition(".")[2] for key in keys)]
    rows = [
        [
            "-" if trial.bleu is None else f"{trial.bleu:.2f}",
            str(trial.steps),
            trial.state,
            *(_shown(trial.config.get(key)) for key in keys),
        ]
        for trial in trials
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in [head, *rows]
    ]
    return [f"tune: {ended} of {total} trials ended", *lines]


def _shown(value: object) -> str:
    return f"{value:.2e}" if isinstance(value, float) else str(value)
