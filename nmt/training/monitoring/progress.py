"""The progress line of a training: its step, its speed and the time left."""

import logging
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from nmt.cli.durations import clock
from nmt.models.adapters import trainable
from nmt.runs.evaluation import METRIC_NAMES
from nmt.training.loading import LoadedTraining
from nmt.training.monitoring.tracking import Tracking
from nmt.training.strategies import Strategy

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """The speed since the last line and the time left, for the worker that writes the log."""

    name: str
    max_steps: int
    every_seconds: float
    enabled: bool
    tracking: Tracking = field(default_factory=Tracking)
    metric: str = "bleu"
    """Metric of the validations."""
    _started: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _paused: float = 0.0
    _tokens: int = 0
    _losses: list[float] = field(default_factory=list)
    _first_step: int | None = None

    def step(
        self,
        step: int,
        loss: float,
        learning_rate: float,
        tokens: int,
        gradient_norm: float,
        best: float | None = None,
    ) -> None:
        """Count a finished step; write a line every few seconds and at the last step."""
        if not self.enabled:
            return
        # A resumed run has not taken the earlier steps in this process's time.
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
        self._write(step, values, best, now)
        self._last, self._paused, self._tokens, self._losses = now, 0.0, 0, []

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of a validation out of the speed."""
        # The time left still includes it: further validations will take as long.
        began = time.monotonic()
        yield
        self._paused += time.monotonic() - began

    def _write(
        self, step: int, values: Mapping[str, float], best: float | None, now: float
    ) -> None:
        done = step - (self._first_step or 0)
        left = (now - self._started) / max(1, done) * (self.max_steps - step)
        log.info(
            "%s step %d/%d | loss %.3f | lr %.1e | %.0f tokens/s | %.1f GiB | best %s %s | %s left",
            self.name,
            step,
            self.max_steps,
            values["train/loss"],
            values["train/learning_rate"],
            values["train/tokens_per_second"],
            values["memory/peak_gib"],
            METRIC_NAMES[self.metric],
            "-" if best is None else f"{best:.1f}",
            clock(left),
        )


def log_start(
    name: str, step: int, last_step: int, material: LoadedTraining, strategy: Strategy
) -> None:
    """Log the size of a training, and warn where the token limits drop most pairs."""
    trained = sum(p.numel() for p in trainable(material.model).values())
    total = sum(p.numel() for p in material.model.parameters())
    pairs = material.pairs
    log.info(
        "%s from step %d of %d | %s of %s parameters trained | %d pairs, %d too long | "
        "%d workers | padding %.0f %%",
        name, step, last_step, f"{trained:,}", f"{total:,}",
        len(pairs), pairs.dropped_pairs, strategy.workers, 100 * material.plan.padding(),
    )  # fmt: skip
    # A few long pairs are normal; if most are left out, a limit was set by mistake.
    if pairs.dropped_pairs > len(pairs):
        log.warning(
            "%s: most training pairs are longer than model.max_source_tokens or "
            "model.max_target_tokens, and are left out: raise them", name,
        )  # fmt: skip


def peak_memory_gib() -> float:
    """Return the peak memory use: of the GPU where one is used, else of this process."""
    if torch.cuda.is_initialized() and (peak := torch.cuda.max_memory_allocated()):
        return peak / 2**30
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
