"""The trials of a search: one file each on the storage root, one table in the log."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from ray import tune
from ray.tune.experiment import Trial

from nmt.config import Config, digest_of
from nmt.steps import TUNE
from nmt.storage import Storage

log = logging.getLogger(__name__)

_ENDED = ("finished", "pruned", "diverged", "abandoned")
_REFUSED = "refused"
"""By the trial's own settings where another trial gave a score, else by what all of them share."""
_FAILED = "failed"
"""Whatever it was, a full disk or a lost machine may be gone when the command is given again."""


def trial_folder(run: str, sample: dict[str, Any]) -> str:
    """A trial's folder, named by its settings: the same settings find the same checkpoints."""
    return f"{TUNE.path(run)}/trials/{digest_of(sample)}"


@dataclass
class TrialLog(tune.Callback):
    """Follows the trials in the driver; what it wrote is where a stopped search goes on."""

    storage: Storage
    config: Config
    _entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    _last_table: float = 0.0

    def __post_init__(self) -> None:
        folder = f"{TUNE.path(self.config.run)}/trials"
        for name in self.storage.list(folder):
            entry = self.storage.find_json(f"{folder}/{name}/trial.json")
            if entry is not None:
                self._entries[name] = entry

    # What is known

    def entries(self) -> list[dict[str, Any]]:
        """All trials, best first."""
        scored = sorted(
            self._entries.values(), key=lambda e: (e["bleu"] is None, -(e["bleu"] or 0.0))
        )
        return [dict(entry) for entry in scored]

    def ended(self) -> list[dict[str, Any]]:
        """Trials that need no further step."""
        return [e for e in self.entries() if self._has_ended(e)]

    def begun(self) -> list[dict[str, Any]]:
        """Trials that an earlier call left unfinished, or that failed in it."""
        return [e for e in self.entries() if not self._has_ended(e)]

    def failed(self) -> list[dict[str, Any]]:
        """Trials that another call may bring to an end."""
        return [e for e in self.entries() if e["state"] == _FAILED]

    def all_refused(self) -> bool:
        """Whether there were trials, and not one with settings that can work."""
        return bool(self._entries) and all(e["state"] == _REFUSED for e in self.entries())

    def best(self) -> dict[str, Any] | None:
        """The trial with the highest BLEU, as `best.json` holds it."""
        scored = [e for e in self.entries() if e["bleu"] is not None]
        if not scored:
            return None
        top = scored[0]
        folder = trial_folder(self.config.run, top["config"])
        return {**top, "checkpoints": f"{folder}/checkpoints"}

    def faults(self) -> str:
        """What trials without an end said, once each."""
        return "; ".join(sorted({e["error"] for e in self._entries.values() if e.get("error")}))

    # Called by Tune

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: object
    ) -> None:
        """A trial begins, or goes on."""
        if digest_of(trial.config) not in self._entries:
            self._write(trial, state="running", bleu=None, steps=0, curve=[])

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Trial],
        trial: Trial,
        result: dict[str, Any],
        **info: object,
    ) -> None:
        """A trial was validated."""
        before = self._entries.get(digest_of(trial.config), {})
        if "ended" in result:
            # What it scored before is no reason to train with its settings.
            told = {"state": result["ended"], "error": result["error"], "bleu": None}
            self._write(trial, **({"steps": 0, "curve": []} | before | told))
            return
        point = {"step": result["step"], "bleu": result["bleu"]}
        # A trial that goes on tells its earlier scores again.
        others = [p for p in before.get("curve", []) if p["step"] != point["step"]]
        curve = sorted([*others, point], key=lambda p: p["step"])
        best, went_on = max(p["bleu"] for p in curve), point["step"] > before.get("steps", -1)
        kept = {} if went_on else {key: before[key] for key in before.keys() & {"state", "error"}}
        told = {"bleu": best, "steps": curve[-1]["step"], "curve": curve}
        self._write(trial, **({"state": "running"} | kept | told))
        self._table()

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: object
    ) -> None:
        """A trial ended by itself, or ASHA cut it."""
        entry = self._entries[digest_of(trial.config)]
        if entry["state"] in ("diverged", _REFUSED):
            return
        state = "finished" if self._came_to_its_end(entry) else "pruned"
        self._write(trial, **{key: entry[key] for key in ("bleu", "steps", "curve")}, state=state)
        self._table(force=True)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: object
    ) -> None:
        """A trial failed for good; in two calls at the same place, so would it in a third."""
        entry = self._entries.get(digest_of(trial.config), {"bleu": None, "steps": 0, "curve": []})
        text = (trial.error_file and "see its error file") or "failed"
        cause = trial.get_error()
        lines = str(cause or "").strip().splitlines() or [text]
        state = "abandoned" if entry.get("state") == _FAILED else _FAILED
        self._write(trial, **(entry | {"state": state, "error": lines[-1][:300]}))
        self._table(force=True)

    def _has_ended(self, entry: dict[str, Any]) -> bool:
        shared = all(e["bleu"] is None for e in self._entries.values())
        return entry["state"] in _ENDED or (entry["state"] == _REFUSED and not shared)

    def _came_to_its_end(self, entry: dict[str, Any]) -> bool:
        """At its last step, or out of patience before it."""
        training, scores = self.config.training, [point["bleu"] for point in entry["curve"]]
        if entry["steps"] >= min(self.config.tune.max_steps, training.max_steps):
            return True
        worse = len(scores) - 1 - scores.index(max(scores)) if scores else 0
        return training.patience is not None and worse >= training.patience

    def _write(self, trial: Trial, **entry: object) -> None:
        name = digest_of(trial.config)
        self._entries[name] = {**entry, "config": dict(trial.config)}
        folder = trial_folder(self.config.run, trial.config)
        self.storage.write_json(f"{folder}/trial.json", self._entries[name])

    def _table(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._last_table < self.config.training.log_every_seconds:
            return
        self._last_table = now
        for line in table_lines(self.entries(), self.config.tune.trials):
            log.info("%s", line)


def table_lines(entries: list[dict[str, Any]], total: int) -> list[str]:
    """The trials as a table for a log, best first."""
    keys = sorted({key for entry in entries for key in entry["config"]})
    ended = sum(entry["state"] in (*_ENDED, _REFUSED, _FAILED) for entry in entries)
    head = ["BLEU", "steps", "state", *(key.rpartition(".")[2] for key in keys)]
    rows = [
        [
            "-" if entry["bleu"] is None else f"{entry['bleu']:.2f}",
            str(entry["steps"]),
            entry["state"],
            *(_shown(entry["config"].get(key)) for key in keys),
        ]
        for entry in entries
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in [head, *rows]
    ]
    return [f"tune: {ended} of {total} trials ended", *lines]


def _shown(value: object) -> str:
    return f"{value:.2e}" if isinstance(value, float) else str(value)
