"""One plain line every few seconds: where a run is, how fast, how long still."""

import logging
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from nmt.training.tracking import Tracking

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """Rate and time left since the last line, for the worker that writes the log."""

    name: str
    max_steps: int
    every_seconds: float
    enabled: bool
    best_bleu: float | None = None
    tracking: Tracking = field(default_factory=lambda: Tracking({}))
    _started: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _paused: float = 0.0
    _tokens: int = 0
    _losses: list[float] = field(default_factory=list)
    _first_step: int | None = None

    def step(
        self, step: int, loss: float, learning_rate: float, tokens: int, gradient_norm: float
    ) -> None:
        """Count a finished step; write a line when it is time, and at the last step."""
        if not self.enabled:
            return
        self._first_step = step - 1 if self._first_step is None else self._first_step
        self._tokens += tokens
        self._losses.append(loss)
        now = time.monotonic()
        if now - self._last < self.every_seconds and step != self.max_steps:
            return
        values = {
            "train/loss": sum(self._losses) / len(self._losses),
            "train/learning_rate": learning_rate,
            "train/gradient_norm": gradient_norm,
            "train/tokens_per_second": self._tokens / max(1e-9, now - self._last - self._paused),
            "memory/peak_gib": peak_memory_gib(),
        }
        self.tracking.metrics(step, values)
        self._write(step, values, now)
        self._last, self._paused, self._tokens, self._losses = now, 0.0, 0, []

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Around what is no step: it takes from the time left, and lowers no rate."""
        began = time.monotonic()
        yield
        self._paused += time.monotonic() - began

    def _write(self, step: int, values: Mapping[str, float], now: float) -> None:
        done = step - (self._first_step or 0)
        left = (now - self._started) / max(1, done) * (self.max_steps - step)
        best = "-" if self.best_bleu is None else f"{self.best_bleu:.1f}"
        log.info(
            "%s step %d/%d | loss %.3f | lr %.1e | %.0f tokens/s | %.1f GiB | "
            "best BLEU %s | %s left",
            self.name,
            step,
            self.max_steps,
            values["train/loss"],
            values["train/learning_rate"],
            values["train/tokens_per_second"],
            values["memory/peak_gib"],
            best,
            clock(left),
        )


def peak_memory_gib() -> float:
    """Most memory held so far: of the GPU where it is used, else of this process."""
    if torch.cuda.is_initialized() and (held := torch.cuda.max_memory_allocated()):
        return held / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes: `2m05s`, `3h20m`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 60}m{whole % 60:02d}s"
