"""The line of the log that says that a worker of a training was lost."""

import logging
import math
import time

from ray.train.v2.api.callback import UserCallback
from typing_extensions import override

from nmt.errors import NmtError
from nmt.runs import layout
from nmt.storage import Storage
from ray_jobs.runtime.logs import setup_logging
from ray_jobs.workers.attempt import TrainingPlace

log = logging.getLogger(__name__)

# Ray asks its workers twice a second, and may see the same end again until it acts on it.
_ONE_LOSS_SECONDS = 10.0


class LostWorkers(UserCallback):
    """A callback of Ray's controller, which alone learns that a worker or its node has died."""

    def __init__(self, storage: Storage, place: TrainingPlace) -> None:
        self._storage, self._name = storage, place.name
        self._told_at = -math.inf
        self._folder = layout.checkpoints(place.folder)

    @override
    def after_exception(self, run_context: object, worker_exceptions: dict[int, Exception]) -> None:
        if time.monotonic() - self._told_at < _ONE_LOSS_SECONDS:
            return
        self._told_at = time.monotonic()
        setup_logging()
        # Ray decides only afterwards whether it starts new workers; if not, the command ends with
        # an error that says so, and going on from this step is then up to the user.
        log.warning(
            "%s: %s: the training goes on from step %d",
            self._name,
            _cause(list(worker_exceptions.values())),
            self._last_step(),
        )

    def _last_step(self) -> int:
        """Find the step of the last checkpoint, from the names of the folders alone."""
        steps = [layout.checkpoint_step(name) for name in self._storage.list(self._folder)]
        return max((step for step in steps if step is not None), default=0)


def _cause(errors: list[Exception]) -> str:
    own = [error for error in errors if isinstance(error, NmtError)]
    return f"a worker failed ({own[0]})" if own else "a worker was lost"
