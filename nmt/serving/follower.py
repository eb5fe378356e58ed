"""Keeps a replica at the engine that the traffic pointer names, and says how it went."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from nmt.engines.engine import Engine
from nmt.storage import Storage
from nmt.traffic import (
    REPORT_EVERY_SECONDS,
    ReplicaReport,
    Traffic,
    read_traffic,
    replicas_path,
    sweep_reports,
)

log = logging.getLogger(__name__)

_LONGEST_DELAY_SECONDS = 300.0
_MOST_DOUBLINGS = 16
_SWEEP_EVERY_SECONDS = 3600.0


def replica_path(name: str, replica_id: str) -> str:
    """Where the report of a replica lies on the storage root."""
    return f"{replicas_path(name)}/{replica_id}.json"


class Follower:
    """Looks at the pointer, loads what it names, and hands the engine over once it is ready.

    A pointer or engine that is broken changes nothing but the report. A replica that has no engine
    yet takes the latest one before a broken one, so that it answers as its older siblings do.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        replica_id: str,
        *,
        load: Callable[[str], Engine],
        adopt: Callable[[Engine], None],
        poll_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to follow; reads nothing yet.

        Args:
            storage: the storage root.
            name: of the traffic pointer.
            replica_id: names the report.
            load: digest to a checked engine; called in a thread, may raise anything.
            adopt: takes a new engine, in the event loop.
            poll_seconds: time between two looks.
            clock: seconds since 1970.
        """
        self._storage = storage
        self._name = name
        self._load = load
        self._adopt = adopt
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._path = replica_path(name, replica_id)
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
            await self.step()

    async def step(self) -> None:
        """One look at the pointer, with all that follows from it."""
        try:
            traffic = await asyncio.to_thread(read_traffic, self._storage, self._name)
        except Exception as error:  # a half-configured store raises what it likes
            self._note(error=str(error))
        else:
            await self._follow(traffic)
        await self._publish()
        await self._sweep()

    async def stop(self) -> None:
        """Take the report back: this replica is going, and `run` has been cancelled."""
        if self._writing and not self._writing.done():
            # A thread is not cancelled with its task: it would write the report again.
            await asyncio.wait([self._writing])
        try:
            await asyncio.to_thread(self._storage.delete, self._path)
        except Exception as error:
            log.warning("cannot delete %s: %s", self._storage.locate(self._path), error)

    async def _follow(self, traffic: Traffic | None) -> None:
        if traffic is None:
            lost = "the traffic pointer is gone" if self.report.digest else None
            self._note(wanted=None, error=lost)
            return
        if traffic.stable != self.report.wanted:
            self._failures, self._retry_at = 0, 0.0
        self._note(wanted=traffic.stable)
        if traffic.stable == self.report.digest:
            self._note(error=None)
        elif self._clock() >= self._retry_at:
            await self._switch(traffic)

    async def _switch(self, traffic: Traffic) -> None:
        """Load the stable engine; with nothing to answer with, else the one before it."""
        await self._publish()  # loading may take longer than a reader waits for a report
        fallbacks = () if self.report.digest else traffic.previous
        error: str | None = None
        for digest in (traffic.stable, *fallbacks):
            failure = await self._try(digest)
            error = error or failure
            if failure is None:
                break
        self._note(error=error)
        if error:
            self._failures += 1
            delay = self._poll_seconds * 2 ** min(self._failures, _MOST_DOUBLINGS)
            self._retry_at = self._clock() + min(delay, _LONGEST_DELAY_SECONDS)

    async def _try(self, digest: str) -> str | None:
        """Why the engine cannot serve, or None when it now does."""
        try:
            engine = await asyncio.to_thread(self._load, digest)
        except Exception as error:  # whatever a damaged file makes a library raise
            log.warning("engine %s cannot serve: %s", digest, error)
            return f"{digest}: {error}"
        self._adopt(engine)
        log.info("engine %s serves", digest)
        self._note(digest=digest, since=self._now())
        return None

    def _note(self, **changes: str | None) -> None:
        self.report = self.report.model_copy(update=changes)

    async def _publish(self) -> None:
        """Write the report when it changed, or when a reader would take the replica for dead."""
        now = self._clock()
        if self.report == self._written and now - self._written_at < REPORT_EVERY_SECONDS:
            return
        content = {**self.report.model_dump(mode="json"), "seen": self._now()}
        write = asyncio.to_thread(self._storage.write_json, self._path, content)
        self._writing = asyncio.create_task(write)
        try:
            await asyncio.shield(self._writing)
        except Exception as error:
            log.warning("cannot write %s: %s", self._storage.locate(self._path), error)
        self._written, self._written_at = self.report, now

    async def _sweep(self) -> None:
        """Clear away what replicas that were killed have left."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY_SECONDS:
            return
        self._swept_at, time_now = now, datetime.fromtimestamp(now, UTC)
        try:
            await asyncio.to_thread(sweep_reports, self._storage, self._name, time_now)
        except Exception as error:
            log.warning("cannot clear away old reports of replicas: %s", error)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
