"""Stop requests that reach a training in Ray's workers: from the driver, the node or a signal."""

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
from ray_jobs.workers.stop_board import start_board

_BOARD_POLL_SECONDS = 0.5
_NODE_POLL_STEPS = 10
_BOARD_TIMEOUT_SECONDS = 20.0
# Kubernetes waits as long for the Pods of the chart's workers.
_CHECKPOINT_TIMEOUT_SECONDS = 60.0


@dataclass
class StopCoordinator:
    """The driver's side of a stop request; the workers receive a copy."""

    board: Any = field(default_factory=start_board)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Stop the trainings at an interruption, and raise it again after they have ended."""
        try:
            yield
        except KeyboardInterrupt:
            # A second interruption ends this wait. Without a board there is no one to ask.
            with suppress(RayError):
                self._stop()
            raise

    def reached(self) -> int:
        """Return the step that a training has reached, at most half a second ago."""
        return ray.get(self.board.reached.remote(), timeout=_BOARD_TIMEOUT_SECONDS)

    def ask_to_stop(self) -> None:
        """Ask the trainings to write their checkpoints and end, without waiting for them."""
        self.board.ask_to_stop.remote()

    def _stop(self) -> None:
        """Ask the trainings to stop, and wait until they have written their checkpoints."""
        ray.get(self.board.ask_to_stop.remote(), timeout=_BOARD_TIMEOUT_SECONDS)
        deadline = time.monotonic() + _CHECKPOINT_TIMEOUT_SECONDS
        while time.monotonic() < deadline and ray.get(self.board.under_way.remote(), timeout=5):
            time.sleep(0.1)


class WorkerNotice:
    """One worker's `Notice`, asked before each step and during a validation."""

    def __init__(self, coordinator: StopCoordinator, *, under_train: bool) -> None:
        """Connect to the driver's board.

        Args:
            coordinator: the driver's.
            under_train: whether Ray Train, which watches the nodes, runs this worker.
        """
        self.stopping = False
        """Whether the driver wants the training to end."""
        self._board = coordinator.board
        self._under_train = under_train
        self._asked_at = 0.0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count this training as running, and turn SIGTERM into a stop request meanwhile."""
        ray.get(self._board.count.remote(1))
        _training.set()
        try:
            yield
        finally:
            _training.clear()
            ray.get(self._board.count.remote(-1))

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count this training as ended while it waits for the driver."""
        # A driver that stops waits for the running trainings, and would wait for this one forever.
        ray.get(self._board.count.remote(-1))
        try:
            yield
        finally:  # Tune raises here in a trial that it ends
            ray.get(self._board.count.remote(1))

    def __call__(self, step: int) -> Signal:
        """Return STOP for the driver, for SIGTERM, and for a node that will be lost."""
        # The question about the node is a barrier: it comes first, so that workers that are about
        # to stop take part in it too. To train on until the node is lost would be in vain, and
        # KubeRay makes a new Pod only after the old one has ended.
        node_ends = self._node_ends(step)
        return Signal.STOP if node_ends or self.wants_stop(step) else Signal.CONTINUE

    def wants_stop(self, step: int) -> bool:
        """Tell whether the driver or SIGTERM wants a stop, without waiting for other workers."""
        return _terminated.is_set() or self._asked_to_stop(step)

    def ended(self, step: int) -> None:
        """Tell the driver the last step, and read whether it was the driver who ended it."""
        # The driver may have asked another worker, which then stopped this one.
        self.stopping = bool(ray.get(self._board.note.remote(step))) or self.stopping

    def _asked_to_stop(self, step: int) -> bool:
        """Ask the board, at most twice a second."""
        if not self.stopping and time.monotonic() - self._asked_at >= _BOARD_POLL_SECONDS:
            self.stopping = bool(ray.get(self._board.note.remote(step)))
            self._asked_at = time.monotonic()
        return self.stopping

    def _node_ends(self, step: int) -> bool:
        """Tell whether Ray has announced that a node of the training will be lost."""
        # Every worker asks at the same steps, because the question is a barrier.
        if not self._under_train or step % _NODE_POLL_STEPS:
            return False
        import ray.train  # a process that only passes this notice on must not pay for it

        return ray.train.get_preemption_info() is not None


_terminated, _training = threading.Event(), threading.Event()


def watch_sigterm() -> None:
    """Note a SIGTERM that arrives during a training; call this in the worker's main thread."""

    # Ray trains in another thread, so the main thread is free to run the handler.
    def note() -> bool:
        if _training.is_set():
            _terminated.set()
        return _training.is_set()

    prepend_handler(signal.SIGTERM, note)
