"""The controller: the threads that follow objects and the one that works, while the Lease lasts."""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import cast

from k8s.api.cluster import CAMPAIGN, RAY_JOB, Cluster, JsonObject
from k8s.objects.campaign.names import LABEL_CAMPAIGN
from k8s.operator.loop.follow import Follower
from k8s.operator.loop.lease import RETRY_SECONDS, Clocks, Election
from k8s.operator.loop.metrics import Metrics
from k8s.operator.loop.queue import WorkQueue
from k8s.operator.loop.worker import RESYNC_SECONDS, Reconcile, Worker
from nmt.errors import ClusterError, NmtError

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 60.0
_FINISH_SECONDS = 20.0  # Kubernetes gives a Pod 30 s to end
_STUCK_SECONDS = 900.0
_SHORT_WATCH_SECONDS = 1.0


class LostLeaseError(ClusterError):
    """A Lease that another replica has taken, or that could not be renewed in time."""


class Controller:
    """One replica of the operator."""

    def __init__(
        self,
        cluster: Cluster,
        reconcile: Reconcile,
        lease: str,
        identity: str,
        clocks: Clocks,
        random: Random,
        held: Callable[[], Iterable[str]] = tuple[str, ...],
    ) -> None:
        """Prepare; nothing runs before `run`.

        Args:
            cluster: where the campaigns are.
            reconcile: brings one campaign a step further.
            lease: name of the Lease that the replicas share.
            identity: of this replica; no two processes may ever have the same.
            clocks: time.
            random: spreads retries.
            held: lists the campaigns that may hold something, though their objects may be gone.
        """
        self._clock = clocks.monotonic
        self._identity = identity
        self._held = held
        self.queue = WorkQueue(clocks.monotonic, random)
        self.election = Election(cluster, lease, identity, clocks)
        # Else a campaign whose status changes with each look would be looked at without a pause.
        self.campaigns = Follower(
            cluster, CAMPAIGN, "", phase_of, self._campaign_changed, ignores_status=True
        )
        self.jobs = Follower(cluster, RAY_JOB, LABEL_CAMPAIGN, campaign_of, self._job_changed)
        self.metrics = Metrics(
            lambda: float(len(self.queue)),
            self.election.is_leader,
            lambda: list(self.campaigns.notes.values()),
        )
        self.worker = Worker(
            self.queue, reconcile, self.metrics, self._clock, self.campaigns.__contains__
        )
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._worked_at = self._clock()

    def run(self) -> None:
        """Wait for the Lease, and then work until it is lost or the process is told to stop.

        Raises:
            LostLeaseError: another replica works now: this process has to end.
            ClusterError: the account lacks a right.
        """
        try:
            self._wait_for_lease()
            logger.info("%s is the leader now", self._identity)
            self._start()
            while self.election.step() or self.election.is_leader():
                self._check_threads()
                self._stopped.wait(RETRY_SECONDS)
            raise LostLeaseError(f"{self._identity} has lost the Lease: another replica works now")
        finally:
            self._stop()

    def problem(self) -> str:
        """Say why this process should be started again; empty while it is well."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        if dead:
            return f"these threads have ended: {', '.join(dead)}"
        if self._threads and self._clock() - self._worked_at > _STUCK_SECONDS:
            return f"one look at a campaign takes more than {_STUCK_SECONDS:.0f} s"
        return ""

    def _wait_for_lease(self) -> None:
        while not self.election.step():
            self._stopped.wait(RETRY_SECONDS)

    def _start(self) -> None:
        work: list[tuple[str, Callable[[], None]]] = [
            ("campaigns", partial(self._follow, self.campaigns)),
            ("jobs", partial(self._follow, self.jobs)),
            ("worker", self._work),
        ]
        self._worked_at = self._clock()
        # Daemons: a watch waits for minutes, and a process that ends must not wait for it.
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True) for name, target in work
        ]
        for thread in self._threads:
            thread.start()

    def _stop(self) -> None:
        self._stopped.set()
        self.queue.close()
        workers = [thread for thread in self._threads if thread.name == "worker"]
        for worker in workers:
            worker.join(_FINISH_SECONDS)
        # What the worker has begun is finished before another replica may begin.
        if not any(worker.is_alive() for worker in workers):
            self.election.release()

    def _check_threads(self) -> None:
        if problem := self.problem():
            raise ClusterError(f"the operator has to start again: {problem}")

    def _work(self) -> None:
        lists_again_at = self._clock()
        while not self._stopped.is_set():
            self._worked_at = now = self._clock()
            # The work ends with the Lease, even while the main thread waits for an answer.
            if self.election.is_leader():
                if now >= lists_again_at:
                    is_listed = self._queue_held()
                    lists_again_at = now + (RESYNC_SECONDS if is_listed else _LONGEST_PAUSE_SECONDS)
                self.worker.work(1.0)
            else:
                self._stopped.wait(0.1)

    def _queue_held(self) -> bool:
        """Add the campaigns to the queue that may hold something, those that are deleted too.

        Returns:
            Whether they could be listed.
        """
        try:
            for name in self._held():
                self.queue.add(name)
        except NmtError as error:
            logger.warning("what campaigns hold cannot be listed now: %s", error)
            return False
        return True

    def _follow(self, follower: Follower) -> None:
        pause = 1.0
        while not self._stopped.is_set():
            begun = self._clock()
            try:
                if follower.follow():
                    pause = 1.0
                    # A server or a proxy that ends each watch at once would be asked all the time.
                    if self._clock() - begun < _SHORT_WATCH_SECONDS:
                        self._stopped.wait(_SHORT_WATCH_SECONDS)
                    continue
            except NmtError as error:
                logger.warning("the watch of %s: %s", follower.kind.resource, error)
            except Exception:
                logger.exception("a bug in the watch of %s", follower.kind.resource)
            self.metrics.lost_watch(follower.kind.plural)
            self._stopped.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _campaign_changed(self, name: str, phase: str) -> None:
        self.queue.add(name)

    def _job_changed(self, name: str, campaign: str) -> None:
        if campaign:
            self.queue.add(campaign)


def phase_of(campaign: JsonObject) -> str:
    """Read the phase of a campaign, for the metrics."""
    status = cast(JsonObject, campaign.get("status") or {})
    return str(status.get("phase") or "Pending")


def campaign_of(job: JsonObject) -> str:
    """Read the campaign of a RayJob."""
    labels = cast(dict[str, str], job["metadata"].get("labels") or {})
    return labels.get(LABEL_CAMPAIGN, "")
