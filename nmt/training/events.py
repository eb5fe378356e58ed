"""What a run tells, and what may reach it from outside: a notice, a signal of the system."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Protocol


class Signal(IntEnum):
    """What is wanted of a run; the greatest of all workers' holds."""

    CONTINUE = 0
    CHECKPOINT = 1
    """Write a checkpoint after the next step, then go on."""
    STOP = 2
    """Write a checkpoint after the next step, then end."""


Report = Callable[[dict[str, float]], None]
"""Takes a validation's figures, once its checkpoint is written; called by every worker."""


class Notice(Protocol):
    """Tells of what is coming; called by every worker before each step."""

    def __call__(self, step: int) -> Signal:
        """Answer what the run shall do; `step` counts those taken."""
        ...

    def wants_stop(self, step: int) -> bool:
        """Whether the run shall end; a worker may ask alone, as in the midst of a validation."""
        ...


def ignore_report(metrics: dict[str, float]) -> None:
    """For runs that nobody listens to."""


class NoNotice:
    """For runs that only their own process can stop."""

    def __call__(self, step: int) -> Signal:
        """Go on."""
        return Signal.CONTINUE

    def wants_stop(self, step: int) -> bool:
        """Never."""
        return False


class Interruption:
    """Whether SIGTERM has arrived; the loop looks at it between two steps."""

    def __init__(self) -> None:
        self.raised = False

    @property
    def signal(self) -> Signal:
        """What that means for the run."""
        return Signal.STOP if self.raised else Signal.CONTINUE

    def _on_signal(self, number: int, frame: object) -> None:
        self.raised = True


@contextmanager
def watch_sigterm() -> Iterator[Interruption]:
    """Turn SIGTERM into a flag; only the main thread may, elsewhere the flag stays down."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGTERM, interruption._on_signal)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGTERM, before)
