"""What the lines of a job's log say about its progress. Pure."""

import re
from collections.abc import Callable

from nmt.cli.durations import read_clock
from nmt.runs.evaluation import METRIC_NAMES
from nmt.runs.job_progress import JobProgress
from nmt.runs.steps import EVALUATE, GATE, PREPARE, TUNE
from nmt.runs.validation_scores import gain_of

# Of the lines of a training, of `PairProgress`, of a search's table, and of what a step begins
# and ends with; the tests have the lines written by these.
_TIME = re.compile(r"^\d\d:\d\d:\d\d ")
_BEGUN = re.compile(r"\[\d+/\d+\] (\w+)$")
_DONE = re.compile(r"(\w+): (?:done in|already done|taken from) ")
_PART = re.compile(r"\w+: \[(\d+)/(\d+)\] ")
_TRIALS = re.compile(r"tune: (\d+) of (\d+) trials ended")
_TRAINING = re.compile(r"(.+) step (\d+)/(\d+) \| .* \| best (.+) (-|\d+(?:\.\d+)?) \| (\S+) left")
_CLEANED = re.compile(r"prepare: cleaned ([\d,]+) of ([\d,]+) pairs \| .* \| (\S+) left")
_TRANSLATED = re.compile(r"\w+: .+ ([\d,]+) of ([\d,]+) sentences \| .* \| (\S+) left")

_METRICS = {name: key for key, name in METRIC_NAMES.items()}


class LogProgress:
    """The progress of a job as the lines so far tell it."""

    def __init__(self, begun: JobProgress) -> None:
        """Begin with the first step."""
        self.progress = begun
        self._part, self._parts = 1, 1
        self._readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], None]], ...] = (
            (_BEGUN, self._begun),
            (_DONE, self._done),
            (_PART, self._part_begun),
            (_TRIALS, self._trials),
            (_TRAINING, self._training),
            (_CLEANED, self._cleaned),
            (_TRANSLATED, self._translated),
        )
        self._begin(begun.steps[0] if begun.steps else None)

    def read(self, line: str) -> None:
        """Take a line into account; most say nothing about the progress."""
        text = _TIME.sub("", line.rstrip())
        for pattern, read in self._readers:
            if found := pattern.match(text):
                read(found)
                return

    def _begun(self, found: re.Match[str]) -> None:
        if found[1] in self.progress.steps and found[1] != self.progress.step:
            self._begin(found[1])

    def _done(self, found: re.Match[str]) -> None:
        steps, name = self.progress.steps, found[1]
        # A step looks after those that it needs, which were done before it began.
        if name == self.progress.step:
            after = steps.index(name) + 1
            self._begin(steps[after] if after < len(steps) else None)

    def _part_begun(self, found: re.Match[str]) -> None:
        """Note which part of a step begins: a variant, or a system on a test set."""
        self._part, self._parts = int(found[1]), int(found[2])
        self._show(0.0, None)

    def _trials(self, found: re.Match[str]) -> None:
        if self.progress.step == TUNE.name:
            self._show(_share(found[1], found[2]), None)

    def _training(self, found: re.Match[str]) -> None:
        name, done, total, metric, best, left = found.groups()
        self._score(_METRICS.get(metric), None if best == "-" else float(best))
        # Trials run beside each other, and their number says how far the search has come.
        if name == self.progress.step or self._parts > 1:
            self._show(_share(done, total), left)

    def _cleaned(self, found: re.Match[str]) -> None:
        if self.progress.step == PREPARE.name:
            self._show(_share(found[1], found[2]), found[3])

    def _translated(self, found: re.Match[str]) -> None:
        if self.progress.step in (EVALUATE.name, GATE.name):
            self._show(_share(found[1], found[2]), found[3])

    def _begin(self, step: str | None) -> None:
        self._part, self._parts = 1, 1
        nothing = {"percent": None, "remaining_seconds": None, "metric": None, "best": None}
        self.progress = self.progress.model_copy(update={"step": step, **nothing})

    def _show(self, share: float, left: str | None) -> None:
        """Note the share of the part at work, and the time left where it is the last part."""
        percent = 100 * (self._part - 1 + share) / self._parts
        is_last = self._part == self._parts
        changes = {
            "percent": round(min(100.0, percent), 1),
            "remaining_seconds": read_clock(left) if left and is_last else None,
        }
        self.progress = self.progress.model_copy(update=changes)

    def _score(self, metric: str | None, score: float | None) -> None:
        """Note a validation score if it is the best so far."""
        if metric is None or score is None:
            return
        best = self.progress.best
        if (
            best is None
            or metric != self.progress.metric
            or gain_of(metric, score) > gain_of(metric, best)
        ):
            changes = {"metric": metric, "best": score}
            self.progress = self.progress.model_copy(update=changes)


def _share(done: str, total: str) -> float:
    return int(done.replace(",", "")) / max(1, int(total.replace(",", "")))
