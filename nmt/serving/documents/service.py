"""The documents of an endpoint, as the web application sees them."""

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from nmt.config import ServingConfig
from nmt.errors import StorageError
from nmt.serving.documents.leases import utc_now
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.types import DocumentRequest, DocumentState, StoredDocument
from nmt.serving.documents.worker import DocumentWorkers
from nmt.serving.errors import OverloadedError, StorageUnavailableError
from nmt.serving.types import Translator
from nmt.storage import Storage

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Documents:
    """The documents of an endpoint, and the workers of this replica."""

    def __init__(
        self, store: DocumentStore, workers: DocumentWorkers, config: ServingConfig
    ) -> None:
        self._store, self._workers, self._config = store, workers, config

    def check(self) -> None:
        """Check that documents are still translated.

        Raises:
            TranslationError: a worker has ended.
        """
        self._workers.check()

    async def stop(self) -> None:
        """Let other replicas go on with the documents of this one."""
        await self._workers.stop()

    async def check_space(self) -> None:
        """Refuse a new document while too many are not done.

        Raises:
            OverloadedError: there are as many as there may be.
            StorageUnavailableError: the storage root does not answer.
        """
        states = await self._call(self._store.states)
        unfinished = sum(state is not None and not state.has_ended for state in states.values())
        if unfinished >= self._config.max_documents:
            raise OverloadedError(
                f"{unfinished} documents wait or are being translated (serving.max_documents)"
            )

    async def add(self, request: DocumentRequest, source: bytes) -> StoredDocument:
        """Store a document, which a worker then translates.

        Raises:
            StorageUnavailableError: it could not be stored.
        """
        state = DocumentState(updated=request.created)
        await self._call(self._store.create, request, source, state)
        self._workers.wake()
        return StoredDocument(request, state)

    async def add_result(self, request: DocumentRequest, result: bytes) -> None:
        """Store a document that is translated already.

        Raises:
            StorageUnavailableError: it could not be stored.
        """
        hours = self._config.document_retention_hours
        state = DocumentState(updated=request.created).ended("done", request.created, hours)
        await self._call(self._store.write_result, request.id, result)
        await self._call(self._store.create, request, b"", state)

    async def find(self, document: str) -> StoredDocument | None:
        """Read a document; None if there is none of this id.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """
        return await self._call(self._find, document)

    async def list(self, may_see: Callable[[DocumentRequest], bool]) -> list[StoredDocument]:
        """Read the documents that somebody may see, the newest first.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """

        def read() -> list[StoredDocument]:
            states = {key: state for key, state in self._store.states().items() if state}
            requests = self._store.requests(states)
            found = [StoredDocument(asked, states[key]) for key, asked in requests.items()]
            visible = [each for each in found if may_see(each.request)]
            return sorted(visible, key=lambda each: each.request.created, reverse=True)

        return await self._call(read)

    async def result(self, document: str) -> bytes:
        """Read the translated file.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """
        return await self._call(self._store.result, document)

    async def cancel(self, document: str) -> DocumentState | None:
        """Stop the translation, and keep what is translated; return None if there is no document.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """
        hours = self._config.document_retention_hours

        def cancel(state: DocumentState) -> DocumentState:
            return state if state.has_ended else state.ended("cancelled", utc_now(), hours)

        changed = await self._call(self._store.change, document, cancel)
        self._workers.interrupt(document)
        return changed

    async def resume(self, document: str) -> DocumentState | None:
        """Continue a document that was cancelled or has failed; return None if there is none.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """

        def resume(state: DocumentState) -> DocumentState:
            return state.waiting(utc_now()) if state.status in ("cancelled", "failed") else state

        changed = await self._call(self._store.change, document, resume)
        self._workers.wake()
        return changed

    async def delete(self, document: str) -> None:
        """Delete a document with all that is stored of it.

        Raises:
            StorageUnavailableError: the storage root does not answer.
        """
        await self._call(self._store.delete, document)
        self._workers.interrupt(document)

    def _find(self, document: str) -> StoredDocument | None:
        state = self._store.state(document)
        return StoredDocument(self._store.request(document), state) if state else None

    async def _call(self, function: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
        """Call a function that uses the storage root in a thread."""
        try:
            return await asyncio.to_thread(function, *args, **options)
        except StorageError as error:
            # The message names paths, which are not for clients.
            log.error("documents: %s", error)
            raise StorageUnavailableError("documents cannot be stored or read now") from None


def start_documents(storage: Storage, translator: Translator, config: ServingConfig) -> Documents:
    """Start the workers of a replica, in its event loop.

    Args:
        storage: the storage root.
        translator: the replica.
        config: name of the endpoint, and limits of documents.
    """
    store = DocumentStore(storage, config.name)
    workers = DocumentWorkers(store, translator, config)
    workers.start()
    return Documents(store, workers, config)
