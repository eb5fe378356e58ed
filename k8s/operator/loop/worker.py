"""The worker: it takes names from the queue and looks at each until nothing is left to do."""

import logging
from collections.abc import Callable
from typing import Protocol

from k8s.operator.loop.metrics import Metrics
from k8s.operator.loop.queue import WorkQueue
from nmt.errors import NmtError

logger = logging.getLogger(__name__)

RESYNC_SECONDS = 600.0
"""Each campaign is looked at this often even if nothing says that it has changed."""


class Reconcile(Protocol):
    """What brings one campaign a step further."""

    def __call__(self, name: str) -> float | None:
        """Look at a campaign, and do what is due.

        Returns:
            The seconds until it is due again; None if only a change can make it due.
        """
        ...


class Worker:
    """One worker. A failure at one name never keeps it from the others."""

    def __init__(
        self,
        queue: WorkQueue,
        reconcile: Reconcile,
        metrics: Metrics,
        clock: Callable[[], float],
        exists: Callable[[str], bool],
    ) -> None:
        """Prepare to work.

        Args:
            queue: the names.
            reconcile: does the work.
            metrics: counts it.
            clock: seconds that only rise.
            exists: tells whether there still is an object of a name. A name without one is
                forgotten as soon as nothing is left to do for it.
        """
        self._queue = queue
        self._reconcile = reconcile
        self._metrics = metrics
        self._clock = clock
        self._exists = exists

    def work(self, wait_seconds: float = 0.0) -> bool:
        """Look at the next name; return False if none was due within the time."""
        name = self._queue.take(wait_seconds)
        if name is None:
            return False
        begun = self._clock()
        try:
            again = self._reconcile(name)
        except NmtError as error:
            self._failed(name, begun, error)
        except Exception as error:
            # A bug that one campaign meets must not stop all others.
            logger.exception("a bug in the operator", extra={"campaign": name})
            self._failed(name, begun, error)
        else:
            self._metrics.reconciled("done", self._clock() - begun)
            self._finish(name, again)
        return True

    def _finish(self, name: str, again_after_seconds: float | None) -> None:
        # What a deleted campaign still holds is given back by later looks.
        if again_after_seconds is None and not self._exists(name):
            self._queue.done(name)
            self._queue.forget(name)
            return
        again = RESYNC_SECONDS if again_after_seconds is None else again_after_seconds
        self._queue.done(name, min(again, RESYNC_SECONDS))

    def _failed(self, name: str, begun: float, error: Exception) -> None:
        self._metrics.reconciled("failed", self._clock() - begun)
        delay = self._queue.retry(name)
        logger.warning("%s; tried again in %.0f s", error, delay, extra={"campaign": name})
