"""The figures of a training for TensorBoard and MLflow; an error here never stops a training."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

from nmt.runs import layout
from nmt.training.job import TrainingJob
from nmt.training.monitoring.mlflow_tracker import MlflowTracker
from nmt.training.monitoring.tensorboard_tracker import TensorBoardTracker

log = logging.getLogger(__name__)

Status = Literal["FINISHED", "FAILED", "KILLED"]


class Tracker(Protocol):
    """A destination for the figures of a training."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        ...

    def flush(self) -> None:
        """Make the recorded figures visible to others."""
        ...

    def close(self, status: Status) -> None:
        """End the record."""
        ...


class Tracking:
    """All trackers of a training as one, which drops a tracker at its first error."""

    def __init__(self) -> None:
        self.status: Status = "KILLED"
        """How the training ended, as far as this is known."""
        self._trackers: dict[str, Tracker] = {}

    @contextmanager
    def recording(self, job: TrainingJob, step: int, *, enabled: bool) -> Iterator[None]:
        """Record the figures of one attempt, which begins after `step`, if this is enabled."""
        for name, opener in _openers(job, step).items() if enabled else ():
            with self._guard(name):
                self._trackers[name] = opener()
        try:
            yield
        except Exception:
            self.status = "FAILED"
            raise
        finally:
            self._each(lambda tracker: tracker.close(self.status))

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of a step."""
        self._each(lambda tracker: tracker.metrics(step, values))

    def flush(self) -> None:
        """Make the recorded figures visible to others."""
        self._each(lambda tracker: tracker.flush())

    def _each(self, action: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._guard(name):
                action(tracker)

    @contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        """Turn an error of a tracker into a warning, and drop the tracker."""
        try:
            yield
        # Whatever it is: hours of training are worth more than their curves.
        except Exception as error:
            self._trackers.pop(name, None)
            log.warning("tracking.%s: no more is recorded: %s", name, error)


def _openers(job: TrainingJob, step: int) -> dict[str, Callable[[], Tracker]]:
    openers: dict[str, Callable[[], Tracker]] = {}
    if job.config.tracking.tensorboard:
        folder = layout.tensorboard(job.folder)
        openers["tensorboard"] = lambda: TensorBoardTracker(job.storage, folder, step)
    if job.config.tracking.mlflow:
        openers["mlflow"] = lambda: MlflowTracker(job)
    return openers
