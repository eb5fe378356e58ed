"""Callbacks and signals between the training loop and its caller."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Protocol

from nmt.cli.signals import handled_signals


class Signal(IntEnum):
    """A request to a run; the greatest of all workers' requests counts."""

    CONTINUE = 0
    STOP = 1
    """Write a checkpoint after the next step, then end."""


Report = Callable[[dict[str, float]], None]
"""Takes a validation's figures after its checkpoint is written; called by every worker."""


class Notice(Protocol):
    """A source of requests to a run."""

    def __call__(self, step: int) -> Signal:
        """Return the request; every worker asks before each step, with the steps taken so far."""
        ...

    def wants_stop(self, step: int) -> bool:
        """Tell whether the run must end; a worker may ask alone, for example in a validation."""
        ...


def ignore_report(metrics: dict[str, float]) -> None:
    """Ignore a validation's figures, for runs without a listener."""


class StoppedError(Exception):
    """A stop request during the loading of a training."""


def never() -> bool:
    """Return False, for work that no request ends early."""
    return False


class NoNotice:
    """No requests, for runs that only their own process can stop."""

    def __call__(self, step: int) -> Signal:
        """Return CONTINUE."""
        return Signal.CONTINUE

    def wants_stop(self, step: int) -> bool:
        """Return False."""
        return False


class Interruption:
    """A SIGTERM to this process, which the loop checks for between two steps."""

    def __init__(self) -> None:
        self.raised = False

    @property
    def signal(self) -> Signal:
        """Return the request that SIGTERM means."""
        return Signal.STOP if self.raised else Signal.CONTINUE

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note SIGTERM instead of ending the process; works in the main thread only."""

        def note(number: int, frame: object) -> None:
            self.raised = True

        with handled_signals([signal.SIGTERM], note):
            yield
