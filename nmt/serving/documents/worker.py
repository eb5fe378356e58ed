"""The workers of a replica, which translate documents one after the other."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from nmt.config import ServingConfig
from nmt.errors import StorageError, TranslationError
from nmt.serving.documents.job import DocumentJob
from nmt.serving.documents.leases import LeaseLostError, Leases, utc_now
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.types import StoredDocument
from nmt.serving.errors import NoEngineError, StoppingError
from nmt.serving.types import Translator

log = logging.getLogger(__name__)

# More than one, so that a short document does not wait for a long one.
_WORKERS = 2
# In units of `serving.poll_seconds`, like everything that replicas learn from the storage root.
_LEASE_POLLS, _LOOK_POLLS = 15, 2
_RENEWALS_OF_LEASE = 6
_SWEEP_SECONDS = 60.0
_MAX_STOP_SECONDS = 3.0
# A document that nobody can translate, as its route was removed, must not stay for ever.
_MAX_WAIT = timedelta(hours=24)
_MAX_UPLOAD_SECONDS = 1800.0


class DocumentWorkers:
    """The workers of one replica, in its event loop."""

    def __init__(
        self,
        store: DocumentStore,
        translator: Translator,
        config: ServingConfig,
        *,
        lease_seconds: float | None = None,
        poll_seconds: float | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Set up; `start` begins to work.

        Args:
            store: the documents.
            translator: of the replica.
            config: limits of a document, and how long it is kept.
            lease_seconds: after which others take over a document of a replica that has died.
            poll_seconds: time between two looks for documents that other replicas were sent.
            clock: returns the time, by which documents are deleted.
        """
        self._store, self._translator, self._config = store, translator, config
        self._poll_seconds = poll_seconds or _LOOK_POLLS * config.poll_seconds
        self._clock = clock
        hours = config.document_retention_hours
        lease_seconds = lease_seconds or _LEASE_POLLS * config.poll_seconds
        self._leases = Leases(store, seconds=lease_seconds, hours=hours)
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._incomplete: dict[str, float] = {}
        """Folder without a state -> when it was seen first."""

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._run()) for _ in range(_WORKERS)]
        self._tasks.append(asyncio.create_task(self._sweep_again()))

    def wake(self) -> None:
        """Look for documents at once."""
        self._wake.set()

    def interrupt(self, document: str) -> None:
        """Stop the work on a document that was cancelled or deleted, if it is done here."""
        if job := self._jobs.get(document):
            job.cancel()

    def check(self) -> None:
        """Check that documents are still translated.

        Raises:
            TranslationError: a task has ended.
        """
        if any(task.done() and not task.cancelled() for task in self._tasks):
            raise TranslationError("documents are no longer translated")

    async def stop(self) -> None:
        """Give back the documents in work, so that other replicas go on with them at once."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            # Storage that does not answer must not keep the replica.
            await asyncio.wait(tasks, timeout=_MAX_STOP_SECONDS)

    async def _run(self) -> None:
        while True:
            try:
                if document := await self._take():
                    await self._work(document)
                    continue
            except StorageError as error:
                log.warning("documents cannot be read: %s", error)
            # A bug must not end the work on all documents.
            except Exception as error:
                log.error("the work on a document failed", exc_info=error)
            await self._wait()

    async def _wait(self) -> None:
        """Wait until there may be another document."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _take(self) -> StoredDocument | None:
        """Take the lease of a document that this replica can translate."""
        served = self._translator.served()
        if served.is_stopping or not served.routes:
            return None
        routes = {route.key for route in served.routes}
        taking = asyncio.create_task(asyncio.to_thread(self._leases.take, routes))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # The thread goes on, and what it takes would wait until its lease is over.
            if document := await taking:
                await asyncio.to_thread(self._leases.give_back, document)
            raise

    async def _work(self, document: StoredDocument) -> None:
        """Translate a document until it has ended, or somebody else may have it."""
        job = DocumentJob(
            document,
            store=self._store,
            leases=self._leases,
            translator=self._translator,
            config=self._config,
        )
        working = asyncio.create_task(job.run())
        tasks = [working, asyncio.create_task(self._renew(job))]
        self._jobs[document.request.id] = working
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._jobs[document.request.id]
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self._leases.give_back, document)
        for end in ends:
            if isinstance(end, NoEngineError | StoppingError):
                # Else it would be taken again at once.
                await asyncio.sleep(self._poll_seconds)
            elif isinstance(end, Exception) and not isinstance(end, LeaseLostError):
                raise end

    async def _renew(self, job: DocumentJob) -> None:
        """Keep the lease of a document until it is lost."""
        renewed = time.monotonic()
        # Others may take the document then, even if this worker does not know it.
        while time.monotonic() - renewed < self._leases.seconds:
            await asyncio.sleep(self._leases.seconds / _RENEWALS_OF_LEASE)
            try:
                await job.renew()
                renewed = time.monotonic()
            except LeaseLostError:
                return
            except StorageError as error:
                log.warning("the lease of a document was not renewed: %s", error)

    async def _sweep_again(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.sweep)
            # The next time may succeed, whatever it was.
            except Exception as error:
                log.warning("documents were not deleted: %s", error)
            await asyncio.sleep(_SWEEP_SECONDS)

    def sweep(self) -> None:
        """Delete the documents whose time is over, and what uploads that broke off have left.

        Raises:
            StorageError: they cannot be listed or deleted.
        """
        now, states = self._clock(), self._store.states()
        self._incomplete = {
            key: self._incomplete.get(key, time.monotonic())
            for key, state in states.items()
            if state is None
        }
        for key, state in states.items():
            if state is None:
                is_over = time.monotonic() - self._incomplete[key] > _MAX_UPLOAD_SECONDS
            else:
                is_over = now > (state.expires or state.updated + _MAX_WAIT)
            if is_over:
                self._store.delete(key)
