"""A translator replica: an engine, its request batcher, and the hot swap to another engine."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt.config import ServingConfig
from nmt.engines.engine import Engine, Row, load_engine
from nmt.errors import TranslationError
from nmt.serving.batcher import TokenBatcher
from nmt.serving.errors import NoEngineError, UnsupportedLanguageError
from nmt.serving.follower import Follower
from nmt.serving.types import ServedEngine, Translation
from nmt.storage import Storage
from nmt.text.document import join_parts
from nmt.traffic import fetch_engine


@dataclass(frozen=True, slots=True)
class _Live:
    """The engine that translates new requests."""

    engine: Engine
    batcher: TokenBatcher
    served: ServedEngine


class Replica:
    """A translator that uses the engine named by the traffic pointer."""

    def __init__(
        self,
        storage: Storage,
        serving: ServingConfig,
        replica_id: str,
        load: Callable[[str], Engine] | None = None,
    ) -> None:
        """Set up the replica; `start` reads the pointer.

        Args:
            storage: the storage root.
            serving: batching, polling and the name of the pointer.
            replica_id: the name of the replica's report.
            load: loads the engine of a digest; by default from the storage root.
        """
        self._storage = storage
        self._serving = serving
        self._live: _Live | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._follower = Follower(
            storage,
            serving.name,
            replica_id,
            load=load or self._load,
            adopt=self._adopt,
            poll_seconds=serving.poll_seconds,
        )

    async def start(self) -> None:
        """Try to load an engine, then follow the pointer, even if no engine could be loaded."""
        # Waits for the first engine: a replica that joined without one would refuse requests that
        # the other replicas can answer.
        await self._follower.poll()
        self._following = asyncio.create_task(self._follower.run())

    async def translate(self, sentences: list[str], source: str, target: str) -> Translation:
        """Translate sentences with the current engine, even if it is swapped meanwhile.

        Raises:
            RequestError: no engine, another language pair, or a full queue.
        """
        live = self._live
        if live is None:
            raise NoEngineError("no engine is loaded yet")
        served = live.served
        if (source, target) != (served.source_language, served.target_language):
            raise UnsupportedLanguageError(
                f"{source} to {target} is no longer served: "
                f"the engine translates {served.source_language} to {served.target_language}"
            )
        # In a thread: tokenizing a long text would block the other requests.
        encoded = await asyncio.to_thread(_encode, live.engine, sentences)
        texts = await live.batcher.submit([row for rows in encoded for row in rows])
        return Translation(join_parts(encoded, texts, target), served)

    def status(self) -> ServedEngine | None:
        """Return the current engine, or None."""
        return self._live.served if self._live else None

    def check(self) -> None:
        """Check that the replica still works.

        Raises:
            TranslationError: it no longer follows the pointer, or no longer translates.
        """
        if self._following is None or self._following.done():
            raise TranslationError("the traffic pointer is no longer followed")
        if self._live:
            self._live.batcher.check()

    async def stop(self) -> None:
        """Finish the waiting requests and delete the report."""
        # The follower first: it must not adopt an engine while the one in use is closed.
        if self._following:
            self._following.cancel()
        await self._follower.stop()
        if self._live:
            await self._live.batcher.close()

    def _load(self, digest: str) -> Engine:
        folder = fetch_engine(self._storage, digest)
        return load_engine(folder, self._serving, digest)

    def _adopt(self, engine: Engine) -> None:
        """Send new requests to an engine, and let the old one finish its own."""
        old, card = self._live, engine.card
        batcher = TokenBatcher(
            engine.translate,
            max_batch_tokens=self._serving.max_batch_tokens,
            max_queued_tokens=self._serving.max_queued_tokens,
        )
        served = ServedEngine(
            engine.digest, card.base, card.license, card.source_language, card.target_language
        )
        self._live = _Live(engine, batcher, served)
        if old:
            closing = asyncio.create_task(old.batcher.close())
            # The event loop keeps only a weak reference to a task.
            self._retired.add(closing)
            closing.add_done_callback(self._retired.discard)


def _encode(engine: Engine, sentences: Sequence[str]) -> list[Sequence[Row]]:
    return [engine.encode(sentence) for sentence in sentences]
