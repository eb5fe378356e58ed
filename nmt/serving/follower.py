"""Switching a replica to the engine that the traffic pointer names, and reporting it."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from nmt.engines.engine import SearchEngine
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic import (
    REPORT_EVERY_SECONDS,
    ReplicaReport,
    Route,
    Traffic,
    read_traffic,
    sweep_reports,
)

log = logging.getLogger(__name__)

_MAX_RETRY_SECONDS = 300.0
# Without a limit, 2 ** failures would become too large for a float.
_MAX_DOUBLINGS = 16
_SWEEP_EVERY_SECONDS = 3600.0


class Follower:
    """A poller of the traffic pointer that loads the engine and passes it on once it is ready.

    A broken pointer or engine only changes the report: the replica keeps its engine. A replica that
    has no engine yet falls back to the last engine that works.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        replica_id: str,
        *,
        load: Callable[[str], SearchEngine],
        adopt: Callable[[SearchEngine], None],
        poll_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up the follower; nothing is read yet.

        Args:
            storage: the storage root.
            name: name of the traffic pointer.
            replica_id: name of the report.
            load: loads and checks the engine of a digest; called in a thread, may raise anything.
            adopt: receives a new engine, in the event loop.
            poll_seconds: time between two polls.
            clock: returns the seconds since 1970.
        """
        self._storage = storage
        self._name = name
        self._load = load
        self._adopt = adopt
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._path = layout.replica_report(name, replica_id)
        self.report = ReplicaReport(
            replica=replica_id,
            host=socket.gethostname(),
            every_seconds=max(REPORT_EVERY_SECONDS, poll_seconds),
        )
        self._written: ReplicaReport | None = None
        self._written_at = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._swept_at: float | None = None
        self._failures = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            await self.poll()

    async def poll(self) -> None:
        """Read the pointer once, switch the engine if needed, and write the report."""
        try:
            traffic = await asyncio.to_thread(read_traffic, self._storage, self._name)
        # An object store's library may raise anything, and the replica must go on serving.
        except Exception as error:
            self._update_report(error=str(error))
        else:
            await self._follow(traffic)
        await self._write_report()
        await self._sweep()

    async def stop(self) -> None:
        """Delete the report of a replica that ends; call it after `run` has been cancelled."""
        if self._writing and not self._writing.done():
            # A thread is not cancelled with its task: it would write the report after the deletion.
            await asyncio.wait([self._writing])
        try:
            await asyncio.to_thread(self._storage.delete, self._path)
        except Exception as error:
            log.warning("cannot delete %s: %s", self._storage.locate(self._path), error)

    async def _follow(self, traffic: Traffic | None) -> None:
        if traffic is None:
            # Before the first promotion, a missing pointer is not an error.
            error = "the traffic pointer is gone" if self.report.digest else None
            self._update_report(wanted=None, error=error)
            return
        route = traffic.route()
        if route.stable != self.report.wanted:
            self._failures, self._retry_at = 0, 0.0
        self._update_report(wanted=route.stable)
        if route.stable == self.report.digest:
            self._update_report(error=None)
        elif self._clock() >= self._retry_at:
            await self._switch(route)

    async def _switch(self, route: Route) -> None:
        """Load the stable engine, or an earlier one if it fails and the replica has none."""
        # Loading may take so long that a reader would count the replica as silent.
        await self._write_report()
        # An earlier engine is what the other replicas still serve.
        fallbacks = () if self.report.digest else route.previous
        error: str | None = None
        for digest in (route.stable, *fallbacks):
            failure = await self._load_engine(digest)
            error = error or failure
            if failure is None:
                break
        self._update_report(error=error)
        if error:
            self._failures += 1
            delay = self._poll_seconds * 2 ** min(self._failures, _MAX_DOUBLINGS)
            self._retry_at = self._clock() + min(delay, _MAX_RETRY_SECONDS)

    async def _load_engine(self, digest: str) -> str | None:
        """Load an engine and pass it on; return the error, or None on success."""
        try:
            engine = await asyncio.to_thread(self._load, digest)
        # Libraries may raise anything for a damaged file.
        except Exception as error:
            log.warning("engine %s cannot be served: %s", digest, error)
            return f"{digest}: {error}"
        self._adopt(engine)
        log.info("serving engine %s", digest)
        self._update_report(digest=digest, since=self._timestamp())
        return None

    def _update_report(self, **changes: str | None) -> None:
        self.report = self.report.model_copy(update=changes)

    async def _write_report(self) -> None:
        """Write the report if it has changed, or often enough to show that the replica lives."""
        now = self._clock()
        if self.report == self._written and now - self._written_at < REPORT_EVERY_SECONDS:
            return
        content = {**self.report.model_dump(mode="json"), "seen": self._timestamp()}
        write = asyncio.to_thread(self._storage.write_json, self._path, content)
        self._writing = asyncio.create_task(write)
        try:
            # Shielded, so that `stop` can wait for the thread after a cancellation.
            await asyncio.shield(self._writing)
        except Exception as error:
            log.warning("cannot write %s: %s", self._storage.locate(self._path), error)
        self._written, self._written_at = self.report, now

    async def _sweep(self) -> None:
        """Delete old reports of replicas that were killed, once an hour."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY_SECONDS:
            return
        self._swept_at = now
        date = datetime.fromtimestamp(now, UTC)
        try:
            await asyncio.to_thread(sweep_reports, self._storage, self._name, date)
        except Exception as error:
            log.warning("cannot delete old reports of replicas: %s", error)

    def _timestamp(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
