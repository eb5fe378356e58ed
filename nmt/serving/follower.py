"""Following the traffic file of an endpoint, and reporting what a replica serves."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from nmt.runs import layout
from nmt.serving.engines.engine_set import EngineSet
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.worker import Worker
from nmt.storage import Storage
from nmt.traffic import (
    REPORT_EVERY_SECONDS,
    EngineReport,
    PairCounts,
    ReplicaReport,
    Route,
    RouteReport,
    read_traffic,
    sweep_reports,
)

log = logging.getLogger(__name__)

_SWEEP_EVERY_SECONDS = 3600.0


class Follower:
    """A poller of the traffic file that passes it to the engines, and writes the report.

    A traffic file that is damaged, gone or of a later release only changes the report.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        replica_id: str,
        *,
        engines: EngineSet,
        poll_seconds: float,
        counts: Callable[[], tuple[PairCounts, ...]] = tuple,
        clock: Callable[[], float] = time.time,
        metrics: ServingMetrics | None = None,
    ) -> None:
        """Set up the follower; nothing is read yet.

        Args:
            storage: the storage root.
            name: name of the endpoint.
            replica_id: name of the report.
            engines: those of the replica.
            poll_seconds: time between two polls.
            counts: returns the counts of the rollouts that run.
            clock: returns the seconds since 1970.
            metrics: receive when the traffic file was read, and the space of the storage.
        """
        self._storage = storage
        self._metrics = metrics
        self._name = name
        self.engines = engines
        self._poll_seconds = poll_seconds
        self._counts = counts
        self._clock = clock
        self._path = layout.replica_report(name, replica_id)
        self._empty = ReplicaReport(
            replica=replica_id,
            host=socket.gethostname(),
            every_seconds=max(REPORT_EVERY_SECONDS, poll_seconds),
        )
        # One thread, so that what `stop` writes or deletes comes after any earlier write.
        self._worker = Worker("storage")
        self._error: str | None = None
        self._written: ReplicaReport | None = None
        self._written_at = 0.0
        self._swept_at: float | None = None

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            await self.poll()

    async def poll(self) -> None:
        """Read the traffic file once, pass it on, and write the report if it is time."""
        try:
            traffic = await self._worker.run(read_traffic, self._storage, self._name)
            if traffic:
                self.engines.follow(traffic)
        # An object store's library may raise anything, and the replica must go on serving.
        except Exception as error:
            traffic, self._error = None, str(error)
        else:
            # Before the first promotion, a missing file is not an error.
            if self._metrics:
                self._metrics.set_traffic_read(self._clock())
            is_lost = traffic is None and self.engines.traffic is not None
            self._error = "the traffic file is gone" if is_lost else None
        if traffic is None:
            self.engines.retry()
        await self.write_report()
        await self._sweep()

    def report(self) -> ReplicaReport:
        """Describe what the replica serves now, without the time."""
        engines = {
            digest: EngineReport(
                memory_bytes=held.memory_bytes,
                load_seconds=held.load_seconds,
                since=_timestamp(held.since),
            )
            for digest, held in self.engines.held.items()
        }
        known = {"engines": engines, "counts": self._counts(), "error": self._error}
        traffic = self.engines.traffic
        if traffic is None:
            return self._empty.model_copy(update=known)
        routes = {key: self._route_report(key, route) for key, route in traffic.routes.items()}
        default = self.engines.routes.get(traffic.default)
        wanted = traffic.routes[traffic.default].stable
        known |= {
            "routes": routes,
            "digest": default.stable.digest if default else None,
            "wanted": wanted,
            "error": self._error or self.engines.error_of(traffic.default, wanted),
            "since": _timestamp(default.since) if default else None,
        }
        return self._empty.model_copy(update=known)

    async def write_report(self) -> None:
        """Write the report if it has changed, or often enough to show that the replica lives."""
        now, report = self._clock(), self.report()
        # Counts grow with every few requests. They need no more than the usual report.
        shown = report.model_copy(update={"counts": ()})
        if shown == self._written and now - self._written_at < REPORT_EVERY_SECONDS:
            return
        await self._write(report)
        self._written, self._written_at = shown, now

    async def write_now(self) -> None:
        """Write the report with its latest counts."""
        self._written = None
        await self.write_report()

    async def stop(self) -> None:
        """Delete the report of a replica that ends, unless it has counts of a running rollout.

        Call it after `run` has been cancelled.
        """
        counts, traffic = self._counts(), self.engines.traffic
        rollouts = traffic.rollouts if traffic else ()
        last = self._empty.model_copy(update={"ended": True, "counts": counts})
        if last.has_counts_of(rollouts):
            # Else the rollout would forget what this replica has seen.
            await self._write(last)
        else:
            await self._delete()
        self._worker.close()

    def _route_report(self, key: str, route: Route) -> RouteReport:
        active = self.engines.routes.get(key)
        roles = (("", route.stable), ("canary ", route.canary), ("shadow ", route.shadow))
        errors = [
            f"{role}{error}"
            for role, digest in roles
            if digest and (error := self.engines.error_of(key, digest))
        ]
        return RouteReport(
            stable=active.stable.digest if active else None,
            canary=active.canary.digest if active and active.canary else None,
            shadow=active.shadow.digest if active and active.shadow else None,
            wanted_stable=route.stable,
            wanted_canary=route.canary,
            wanted_shadow=route.shadow,
            error="; ".join(errors) or None,
        )

    async def _write(self, report: ReplicaReport) -> None:
        content = {**report.model_dump(mode="json"), "seen": _timestamp(self._clock())}
        try:
            await self._worker.run(self._storage.write_json, self._path, content)
        except Exception as error:
            log.warning("cannot write %s: %s", self._storage.locate(self._path), error)
        # Also if the report could not be written, since a full disk is a likely reason.
        if self._metrics:
            await self._measure_disk(self._metrics)

    async def _measure_disk(self, metrics: ServingMetrics) -> None:
        # Not of the root: a Pod may have mounted only the folders of the storage that it needs.
        folder = layout.replica_reports(self._name)
        try:
            space = await self._worker.run(self._storage.disk_space, folder)
        except Exception as error:
            log.warning("cannot measure the space of the storage: %s", error)
            return
        if space:
            metrics.set_disk(space.free_bytes, space.size_bytes)

    async def _delete(self) -> None:
        try:
            await self._worker.run(self._storage.delete, self._path)
        except Exception as error:
            log.warning("cannot delete %s: %s", self._storage.locate(self._path), error)

    async def _sweep(self) -> None:
        """Delete old reports of replicas that were killed, once an hour."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY_SECONDS:
            return
        self._swept_at = now
        if self._error:
            # Which rollouts still need the counts of a replica that is gone is not known.
            return
        traffic = self.engines.traffic
        rollouts = traffic.rollouts if traffic else frozenset[str]()
        date = datetime.fromtimestamp(now, UTC)
        try:
            await self._worker.run(sweep_reports, self._storage, self._name, date, rollouts)
        except Exception as error:
            log.warning("cannot delete old reports of replicas: %s", error)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
