"""Which worker works on a document: leases that are taken, renewed and given back."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from nmt.errors import NmtError, StorageError
from nmt.serving.documents.store import DocumentStore
from nmt.serving.documents.types import DocumentState, Lease, StoredDocument

log = logging.getLogger(__name__)

_MAX_LOSSES = 3
"""Workers that may end with a document before it counts as the cause."""


class LeaseLostError(NmtError):
    """The document was cancelled, deleted, or taken over by another worker."""


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Leases:
    """The leases of a replica's workers; every function blocks."""

    def __init__(
        self,
        store: DocumentStore,
        *,
        seconds: float,
        hours: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up without a lease.

        Args:
            store: the documents.
            seconds: after which a lease that was not renewed is over.
            hours: for which a document that has failed is kept.
            clock: returns seconds, of this machine alone.
        """
        self.seconds = seconds
        self._store = store
        self._hours = hours
        self._clock = clock
        # Each worker of the replica takes documents in a thread of its own.
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Lease, float]] = {}
        """Document -> its lease, and since when it has not been renewed."""

    def take(self, routes: Collection[str]) -> StoredDocument | None:
        """Take the next document that nobody works on.

        Args:
            routes: keys of those that this replica answers.

        Returns:
            The document with its new lease; None if there is none.

        Raises:
            StorageError: the documents cannot be read.
        """
        with self._lock:
            return self._take_next(routes)

    def _take_next(self, routes: Collection[str]) -> StoredDocument | None:
        states = {key: state for key, state in self._store.states().items() if state}
        free = [key for key, state in states.items() if self._is_free(key, state)]
        self._seen = {key: each for key, each in self._seen.items() if key in states}
        requests = self._store.requests(key for key in states if not states[key].has_ended)
        free = [key for key in free if key in requests]
        busy = [requests[key].owner for key in requests if states[key].lease and key not in free]
        # Else the many documents of one client would keep those of all others waiting.
        free.sort(key=lambda key: (busy.count(requests[key].owner), requests[key].created))
        for key in free:
            if requests[key].route in routes and (taken := self._take(key, states[key])):
                return StoredDocument(requests[key], taken)
        return None

    def change(
        self, document: StoredDocument, change: Callable[[DocumentState], DocumentState]
    ) -> DocumentState:
        """Change the state of a document whose lease is held, and renew the lease.

        Raises:
            LeaseLostError: it is not held any more.
            StorageError: the state cannot be read or written.
        """
        holder = document.state.lease.holder if document.state.lease else ""

        def renew(state: DocumentState) -> DocumentState:
            if state.lease is None or state.lease.holder != holder:
                raise LeaseLostError("another worker has the document")
            lease = Lease(holder=holder, renewals=state.lease.renewals + 1)
            return change(state.model_copy(update={"lease": lease, "updated": utc_now()}))

        changed = self._store.change(document.request.id, renew)
        if changed is None:
            raise LeaseLostError("the document was deleted")
        return changed

    def give_back(self, document: StoredDocument) -> None:
        """Let others go on with a document at once, if the lease is still held."""
        try:
            self.change(document, lambda state: state.waiting(utc_now()))
        except LeaseLostError:
            # What this worker has written since its client deleted the document.
            if self._store.state(document.request.id) is None:
                self._store.delete(document.request.id)
        except StorageError as error:
            log.warning("a document waits until its lease is over: %s", error)

    def _is_free(self, document: str, state: DocumentState) -> bool:
        """Tell whether nobody works on a document that has to be translated."""
        if state.has_ended:
            return False
        if state.lease is None:
            return True
        lease, since = self._seen.get(document, (None, 0.0))
        if lease != state.lease:
            self._seen[document] = state.lease, self._clock()
            return False
        return self._clock() - since > self.seconds

    def _take(self, document: str, seen: DocumentState) -> DocumentState | None:
        """Take a document, unless another worker or its client was faster."""
        lease = Lease(holder=secrets.token_hex(8))

        def take(state: DocumentState) -> DocumentState:
            if state.has_ended or state.lease != seen.lease:
                return state
            losses = state.losses + (state.lease is not None)
            if losses >= _MAX_LOSSES:
                error = f"the service ended {losses} times while it translated this document"
                return state.ended("failed", utc_now(), self._hours, error)
            update = {"status": "translating", "lease": lease, "losses": losses}
            return state.model_copy(update=update | {"updated": utc_now()})

        taken = self._store.change(document, take)
        return taken if taken and taken.lease == lease else None
