"""One plain line every few seconds: where a run is, how fast, how long still."""

import logging
import resource
import sys
import time
from dataclasses import dataclass, field

import torch

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """Rate and time left since the last line, for the worker that writes the log."""

    name: str
    max_steps: int
    every_seconds: float
    enabled: bool
    best_bleu: float | None = None
    _started: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _tokens: int = 0
    _losses: list[float] = field(default_factory=list)
    _first_step: int | None = None

    def step(self, step: int, loss: float, learning_rate: float, tokens: int) -> None:
        """Count a finished step; write a line when it is time, and at the last step."""
        self._first_step = step - 1 if self._first_step is None else self._first_step
        self._tokens += tokens
        self._losses.append(loss)
        now = time.monotonic()
        if self.enabled and (now - self._last >= self.every_seconds or step == self.max_steps):
            self._write(step, learning_rate, now)
            self._last, self._tokens, self._losses = now, 0, []

    def _write(self, step: int, learning_rate: float, now: float) -> None:
        done = step - (self._first_step or 0)
        left = (now - self._started) / max(1, done) * (self.max_steps - step)
        best = "-" if self.best_bleu is None else f"{self.best_bleu:.1f}"
        log.info(
            "%s step %d/%d | loss %.3f | lr %.1e | %.0f tokens/s | %.1f GiB | "
            "best BLEU %s | %s left",
            self.name,
            step,
            self.max_steps,
            sum(self._losses) / len(self._losses),
            learning_rate,
            self._tokens / max(1e-9, now - self._last),
            peak_memory_gib(),
            best,
            clock(left),
        )


def peak_memory_gib() -> float:
    """Most memory held so far: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes: `2m05s`, `3h20m`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s"
