"""What may reach a run from outside: a report's answer, or a signal of the operating system."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol


class Signal(Enum):
    """Answer to a report."""

    CONTINUE = "continue"
    CHECKPOINT = "checkpoint"
    """Write a checkpoint at the next step, then go on."""
    STOP = "stop"
    """Write a checkpoint at the next step, then end."""


class Report(Protocol):
    """Takes a validation's figures; called by every worker."""

    def __call__(self, metrics: dict[str, float]) -> Signal:
        """Answer what the run shall do."""
        ...


def ignore_report(metrics: dict[str, float]) -> Signal:
    """For runs that nobody listens to."""
    return Signal.CONTINUE


class Interruption:
    """Whether SIGTERM has arrived; the loop looks at it between two steps."""

    def __init__(self) -> None:
        self.raised = False

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
