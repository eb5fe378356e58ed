"""Documents of an endpoint, with the workers of replicas and a fake engine."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nmt.config import ServingConfig
from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.documents.document import ReadOptions
from nmt.errors import StorageError
from nmt.serving.documents import sentences
from nmt.serving.documents.service import Documents
from nmt.serving.documents.store import DocumentStore, new_id
from nmt.serving.documents.types import DocumentRequest, DocumentState
from nmt.serving.documents.worker import DocumentWorkers
from nmt.serving.errors import UnknownEngineError
from nmt.serving.types import Served, ServedRoute, TranslatedSentence, Translation
from nmt.storage import Storage

NAME = "default"
ROUTE = ServedRoute("eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, "d1", "tiny", "mit")
CONFIG = ServingConfig(max_documents=3)
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "கசடதபறஙஞணநமனயரலவழளகசடதபறயர")
LINES = [f"The river number {n} is high today." for n in range(450)]


class Session:
    """An engine that writes Tamil letters, and waits for a gate after some calls."""

    def __init__(self, translator: "Translator", engine: str, is_background: bool) -> None:
        self.engine = engine
        self.is_background = is_background
        self._translator = translator

    def __enter__(self) -> "Session":
        self._translator.open_sessions += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._translator.open_sessions -= 1

    async def translate(
        self, sentences: Sequence[str], search: Search = DEFAULT_SEARCH
    ) -> Translation:
        translator = self._translator
        if translator.free_calls <= 0:
            await translator.gate.wait()
        translator.free_calls -= 1
        if translator.errors:
            raise translator.errors.pop()
        translator.calls.append((self.engine, list(sentences)))
        found = [TranslatedSentence(_translate(each), 5, -0.5) for each in sentences]
        return Translation(found, self.engine, len(found))


class Translator:
    """A replica with one route, whose engine can be replaced."""

    def __init__(self) -> None:
        self.routes: tuple[ServedRoute, ...] = (ROUTE,)
        self.engines = ["d1"]
        """The stable engine first."""
        self.calls: list[tuple[str, list[str]]] = []
        self.errors: list[Exception] = []
        self.free_calls = 1_000_000
        self.gate = asyncio.Event()
        self.open_sessions = 0
        self.glossaries: list[Mapping[str, str] | None] = []
        """Of the sessions, in order."""

    @property
    def sentences(self) -> list[str]:
        """Return all sentences that were translated, in order."""
        return [sentence for _, sentences in self.calls for sentence in sentences]

    def served(self) -> Served:
        return Served(self.routes, self.routes[0] if self.routes else None)

    def session(
        self,
        route: ServedRoute,
        client: str,
        *,
        engine: str | None = None,
        is_background: bool = False,
        glossary: Mapping[str, str] | None = None,
    ) -> Session:
        assert route == ROUTE
        assert client
        digest = self.engines[0] if engine in (None, "stable") else engine
        if digest not in self.engines:
            raise UnknownEngineError(f"no engine {engine}")
        self.glossaries.append(glossary)
        return Session(self, digest, is_background)


class Endpoint:
    """Documents on a storage root, and replicas with their workers."""

    def __init__(self, storage: Storage, config: ServingConfig = CONFIG) -> None:
        self.storage, self.config = storage, config
        self.store = DocumentStore(storage, NAME)
        self.replicas: list[DocumentWorkers] = []

    def replica(self, translator: Any, **options: Any) -> Documents:
        """Start the workers of another replica."""
        options = {"lease_seconds": 0.3, "poll_seconds": 0.02} | options
        # A store of its own, since replicas share no memory.
        store = DocumentStore(self.storage, NAME)
        workers = DocumentWorkers(store, translator, self.config, **options)
        workers.start()
        self.replicas.append(workers)
        return Documents(store, workers, self.config)

    def kill(self, replica: int) -> None:
        """End a replica as a killed process ends, which gives nothing back."""
        workers = self.replicas[replica]
        workers._leases.give_back = lambda document: None
        for task in (*workers._tasks, *workers._jobs.values()):
            task.cancel()

    async def stop(self) -> None:
        for workers in self.replicas:
            await workers.stop()

    def create(self, asked: DocumentRequest) -> None:
        """Store a document that no replica was told of."""
        self.store.create(asked, source(), DocumentState(updated=asked.created))

    def sentences_done(self, document: str) -> int:
        """Count the sentences that are stored: a slice that is being written does not count."""
        state = self.store.state(document)
        return 200 * len(state.slices) if state else -1

    async def reaches(self, document: str, status: str) -> DocumentState:
        """Wait until a document has a status."""
        async with asyncio.timeout(20):
            while True:
                state = await asyncio.to_thread(self.store.state, document)
                if state and state.status == status:
                    return state
                await asyncio.sleep(0.01)


def fail() -> object:
    """Fail as storage that does not answer."""
    raise StorageError("no answer")


def failing(
    function: Callable[..., object], name: str, failures: dict[str, int]
) -> Callable[..., object]:
    """Return a function of the storage that fails some times before it works."""

    def call(*args: object) -> object:
        if failures[name]:
            failures[name] -= 1
            fail()
        return function(*args)

    return call


def request(owner: str = "key1", name: str = "report.txt", **changes: Any) -> DocumentRequest:
    """Return the request of a document."""
    values: dict[str, Any] = {
        "id": new_id(),
        "owner": owner,
        "client": "client",
        "name": name,
        "format": "text",
        "route": ROUTE.key,
        "options": ReadOptions("eng_Latn", "tam_Taml"),
        "characters": 10,
        "created": datetime.now(UTC),
    }
    return DocumentRequest(**(values | changes))


def source(lines: Sequence[str] = LINES) -> bytes:
    """Return a plain text."""
    return "\n".join(lines).encode()


def expected(lines: Sequence[str] = LINES) -> bytes:
    """Return its translation by the fake engine."""
    return "\n".join(map(_translate, lines)).encode()


def run(storage: Storage, check: Callable[[Endpoint], Awaitable[None]], **config: Any) -> None:
    """Run a check with an endpoint, and stop its replicas."""

    async def body() -> None:
        endpoint = Endpoint(storage, CONFIG.model_copy(update=config))
        try:
            await check(endpoint)
        finally:
            await endpoint.stop()

    asyncio.run(asyncio.wait_for(body(), 60))


def _translate(sentence: str) -> str:
    """Write the words in Tamil letters, so that nothing about the translation is doubtful."""
    return sentence.lower().translate(_LETTERS)


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setattr(sentences, "_RETRY_SECONDS", 0.01)
    return Storage(str(tmp_path))
