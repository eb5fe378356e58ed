"""The documents of an endpoint on the storage root; every function blocks."""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from nmt.errors import StorageError, first_validation_error
from nmt.runs import layout
from nmt.serving.documents.slices import Answers, dump_slice, parse_slice
from nmt.serving.documents.types import DocumentRequest, DocumentState
from nmt.storage import Storage

log = logging.getLogger(__name__)

_ModelT = TypeVar("_ModelT", bound=BaseModel)

_ID = re.compile(r"[0-9a-f]{32}")
_DELETE_ATTEMPTS = 5
_REQUEST, _STATE, _SOURCE, _RESULT = "request.json", "state.json", "source", "result"


def new_id() -> str:
    """Make an id that nobody can guess: without API keys, it alone gives access."""
    return secrets.token_hex(16)


class DamagedDocumentError(StorageError):
    """A file of a document with another content than it should have."""


class DocumentStore:
    """A folder for each document, which exists once it has a state."""

    def __init__(self, storage: Storage, name: str) -> None:
        """Set up; nothing is read yet.

        Args:
            storage: the storage root.
            name: of the endpoint.
        """
        self._storage = storage
        self._root = layout.documents(name)
        # Neither ever changes, and each poll of a client or a worker asks for them.
        self._requests: dict[str, DocumentRequest] = {}
        self._done: dict[str, DocumentState] = {}

    def states(self) -> dict[str, DocumentState | None]:
        """Read the states of all documents; None where a folder has none, or a damaged one.

        Raises:
            StorageError: the documents cannot be listed.
        """
        ids = [name for name in self._storage.list(self._root) if _ID.fullmatch(name)]
        for gone in {*self._requests, *self._done}.difference(ids):
            self._requests.pop(gone, None)
            self._done.pop(gone, None)
        states: dict[str, DocumentState | None] = {}
        for document in ids:
            try:
                states[document] = self._done.get(document) or self.state(document)
            except DamagedDocumentError:
                states[document] = None
            # One document that cannot be read must not stop the work on all others.
            except StorageError as error:
                log.warning("a document cannot be read: %s", error)
        self._done |= {key: each for key, each in states.items() if each and each.status == "done"}
        return states

    def create(self, request: DocumentRequest, source: bytes, state: DocumentState) -> None:
        """Store a new document."""
        self._storage.write_bytes(self._path(request.id, _SOURCE), source)
        self._storage.write_bytes(self._path(request.id, _REQUEST), _dump(request))
        # Last: without it, what a killed process has left is not a document.
        self._storage.replace_if(self._path(request.id, _STATE), _dump(state), None)

    def request(self, document: str) -> DocumentRequest:
        """Read what was asked for.

        Raises:
            StorageError: it cannot be read.
        """
        if document not in self._requests:
            path = self._path(document, _REQUEST)
            content = self._storage.read_bytes(path)
            self._requests[document] = self._parse(DocumentRequest, path, content)
        return self._requests[document]

    def requests(self, documents: Iterable[str]) -> dict[str, DocumentRequest]:
        """Read what was asked for of several documents, without those that cannot be read."""
        requests: dict[str, DocumentRequest] = {}
        for document in documents:
            try:
                requests[document] = self.request(document)
            except StorageError as error:
                log.warning("a document cannot be read: %s", error)
        return requests

    def state(self, document: str) -> DocumentState | None:
        """Read the state of a document; None if there is no such document.

        Raises:
            StorageError: it cannot be read.
        """
        # What a client sends as an id must not become another path.
        if not _ID.fullmatch(document):
            return None
        path = self._path(document, _STATE)
        found = self._storage.read_versioned(path)
        return self._parse(DocumentState, path, found.content) if found else None

    def change(
        self, document: str, change: Callable[[DocumentState], DocumentState]
    ) -> DocumentState | None:
        """Change the state, so that no change of another process is lost.

        Args:
            document: its id.
            change: makes the new state; returns the same object to change nothing. Called again if
                another process was faster.

        Returns:
            The new state; None if there is no such document.

        Raises:
            StorageError: it cannot be read or written.
        """
        path = self._path(document, _STATE)
        while _ID.fullmatch(document):
            found = self._storage.read_versioned(path)
            if found is None:
                return None
            state = self._parse(DocumentState, path, found.content)
            changed = change(state)
            if changed is state:
                return state
            if self._storage.replace_if(path, _dump(changed), found.token):
                return changed
        return None

    def source(self, document: str) -> bytes:
        """Read the file that was sent."""
        return self._storage.read_bytes(self._path(document, _SOURCE))

    def write_result(self, document: str, content: bytes) -> None:
        """Store the translated file."""
        self._storage.write_bytes(self._path(document, _RESULT), content)

    def result(self, document: str) -> bytes:
        """Read the translated file."""
        return self._storage.read_bytes(self._path(document, _RESULT))

    def write_slice(self, document: str, answers: Answers) -> str:
        """Store translated sentences, and return the name of their file."""
        # A name of its own: a worker that has lost its lease must not replace another one's file.
        name = secrets.token_hex(8)
        self._storage.write_bytes(self._slice(document, name), dump_slice(answers))
        return name

    def slices(self, document: str, names: Sequence[str]) -> Iterator[Answers]:
        """Yield the sentences in some files; one that is missing or damaged is left out."""
        for name in names:
            found = self._storage.read_versioned(self._slice(document, name))
            try:
                yield parse_slice(found.content if found else b"[]")
            except (ValueError, TypeError) as error:
                # Its sentences are translated again.
                log.warning("a slice of a document is damaged: %s", error)

    def delete(self, document: str) -> None:
        """Delete a document with all that is stored of it."""
        # First: killed in between, this leaves something that is not a document any more.
        self._storage.delete(self._path(document, _STATE))
        for attempt in reversed(range(_DELETE_ATTEMPTS)):
            try:
                self._storage.delete(f"{self._root}/{document}")
                break
            # A worker may still write, or delete as well what it has written.
            except StorageError:
                if not attempt:
                    raise
        self._requests.pop(document, None)
        self._done.pop(document, None)

    def _path(self, document: str, name: str) -> str:
        return f"{self._root}/{document}/{name}"

    def _slice(self, document: str, name: str) -> str:
        return self._path(document, f"slices/{name}.json")

    def _parse(self, model: type[_ModelT], path: str, content: bytes) -> _ModelT:
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            problem = first_validation_error(error)
            place = self._storage.locate(path)
            raise DamagedDocumentError(f"{place} is damaged: {problem}") from None


def _dump(model: BaseModel) -> bytes:
    return model.model_dump_json(indent=2).encode()
