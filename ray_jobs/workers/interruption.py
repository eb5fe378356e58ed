"""How a training in Ray's workers learns that it has to end: from driver, node or process."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError

from nmt.cli.signals import prepend_handler
from nmt.training.events import Signal
from ray_jobs.workers.stop_board import board_of_the_driver

_ASK_EVERY_SECONDS = 0.5
_ASK_NODES_EVERY_STEPS = 10
_WAIT_SECONDS = 20.0
_WAIT_FOR_CHECKPOINT_SECONDS = 60.0
"""As long as Kubernetes waits for the Pods of the chart's workers."""


@dataclass
class StopSwitch:
    """The driver's way to have its trainings write a checkpoint and end; goes to the workers."""

    board: Any = field(default_factory=board_of_the_driver)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Around what waits for trainings: an interruption is passed on once they have ended.

        A second interruption does not wait.
        """
        try:
            yield
        except KeyboardInterrupt:
            with suppress(RayError):  # a board that is gone asks nobody to stop
                self._stop()
            raise

    def reached(self) -> int:
        """Steps that a training has taken, as of half a second ago."""
        return ray.get(self.board.reached.remote(), timeout=_WAIT_SECONDS)

    def _stop(self) -> None:
        ray.get(self.board.ask_to_stop.remote(), timeout=_WAIT_SECONDS)
        give_up = time.monotonic() + _WAIT_FOR_CHECKPOINT_SECONDS
        while time.monotonic() < give_up and ray.get(self.board.under_way.remote(), timeout=5):
            time.sleep(0.1)


class WorkerNotice:
    """One worker's view; asked before each step, and in the midst of a validation."""

    def __init__(self, switch: StopSwitch, *, under_train: bool) -> None:
        """Prepare.

        Args:
            switch: of the driver.
            under_train: whether Ray Train, which watches the nodes, runs this worker.
        """
        self.stopping = False
        """Whether the driver wants an end."""
        self._board = switch.board
        self._under_train = under_train
        self._asked_at = 0.0
        self._warned = False

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Around the training."""
        ray.get(self._board.count.remote(1))
        try:
            with _terminable():
                yield
        finally:
            ray.get(self._board.count.remote(-1))

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around what only the driver can end: it must not wait for this in turn."""
        ray.get(self._board.count.remote(-1))
        try:
            yield
        finally:  # Tune ends a trial that it cuts in here
            ray.get(self._board.count.remote(1))

    def __call__(self, step: int) -> Signal:
        """Stop for driver or SIGTERM; a checkpoint when the node is about to go."""
        node_goes = self._node_goes(step)  # a barrier: first, by the workers that are to stop too
        if self.wants_stop(step):
            return Signal.STOP
        return Signal.CHECKPOINT if node_goes else Signal.CONTINUE

    def wants_stop(self, step: int) -> bool:
        """For driver or SIGTERM; no other worker is waited for."""
        return _terminated.is_set() or self._asked(step)

    def ended(self, step: int) -> None:
        """Tell the driver how far the training came; it may have asked another worker to end it."""
        self.stopping = bool(ray.get(self._board.note.remote(step))) or self.stopping

    def _asked(self, step: int) -> bool:
        if not self.stopping and time.monotonic() - self._asked_at >= _ASK_EVERY_SECONDS:
            self.stopping = bool(ray.get(self._board.note.remote(step)))
            self._asked_at = time.monotonic()
        return self.stopping

    def _node_goes(self, step: int) -> bool:
        """True once; every worker asks at the same steps, since the question is a barrier."""
        if not self._under_train or self._warned or step % _ASK_NODES_EVERY_STEPS:
            return False
        import ray.train  # not for the process that merely hands the notice on

        self._warned = ray.train.get_preemption_info() is not None
        return self._warned


_terminated, _training = threading.Event(), threading.Event()


@contextmanager
def _terminable() -> Iterator[None]:
    _training.set()
    try:
        yield
    finally:
        _training.clear()


def watch_sigterm() -> None:
    """Note a SIGTERM, in a worker's main thread, which is free while it trains in another."""

    def note() -> bool:
        if _training.is_set():
            _terminated.set()
        return _training.is_set()

    prepend_handler(signal.SIGTERM, note)
