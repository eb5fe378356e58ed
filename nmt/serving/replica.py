"""A translator replica: an engine, its request batcher, and the hot swap to another engine."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt.config import ServingConfig
from nmt.decoding.hypothesis import Hypothesis
from nmt.engines.engine import Row, SearchEngine, load_engine
from nmt.errors import TranslationError
from nmt.serving.batcher import TokenBatcher
from nmt.serving.errors import NoEngineError, StoppingError, UnsupportedLanguageError
from nmt.serving.follower import Follower
from nmt.serving.types import Served, ServedRoute, TranslatedSentence, Translation
from nmt.storage import Storage
from nmt.text.document import sentence_separator
from nmt.traffic import fetch_engine


@dataclass(frozen=True, slots=True)
class _Live:
    """The engine that translates new requests."""

    engine: SearchEngine
    batcher: TokenBatcher
    route: ServedRoute


class Replica:
    """A translator that uses the engine named by the traffic pointer."""

    def __init__(
        self,
        storage: Storage,
        serving: ServingConfig,
        replica_id: str,
        *,
        metrics: object | None = None,
        load: Callable[[str], SearchEngine] | None = None,
    ) -> None:
        """Set up the replica; `start` reads the pointer.

        Args:
            storage: the storage root.
            serving: batching, polling and the name of the pointer.
            replica_id: the name of the replica's report.
            metrics: what the replica is seen by.
            load: loads the engine of a digest; by default from the storage root.
        """
        self._storage = storage
        self._serving = serving
        self._metrics = metrics
        self._live: _Live | None = None
        self._served = Served()
        self._in_work = 0
        self._is_stopped = False
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

    def served(self) -> Served:
        """Return what is served at the moment."""
        return self._served

    async def translate(
        self, sentences: Sequence[str], route: ServedRoute, client: str
    ) -> Translation:
        """Translate sentences with one engine of a route, even if it is swapped meanwhile.

        Args:
            sentences: in the source language of the route.
            route: one of those that `served` returned.
            client: who asks.

        Raises:
            RequestError: no engine, a full queue, or a replica that stops.
        """
        live = self._live
        if self._is_stopped:
            raise StoppingError("this replica has stopped")
        if live is None:
            raise NoEngineError("no engine is loaded yet")
        if route.key != live.route.key:
            raise UnsupportedLanguageError(
                f"{route.key} is no longer served: the engine translates {live.route.key}"
            )
        self._in_work += 1
        try:
            # In a thread: tokenizing a long text would block the other requests.
            encoded = await asyncio.to_thread(_encode, live.engine, sentences)
            rows = [row for rows in encoded for row in rows]
            found = iter(await live.batcher.submit(rows))
        finally:
            self._in_work -= 1
        separator = sentence_separator(live.route.target_language)
        translated = [_join([next(found) for _ in parts], separator) for parts in encoded]
        return Translation(translated, live.engine.digest, sum(map(len, rows)))

    def check(self) -> None:
        """Check that the replica still works.

        Raises:
            TranslationError: it no longer follows the pointer, or no longer translates.
        """
        if self._following is None or self._following.done():
            raise TranslationError("the traffic pointer is no longer followed")
        if self._live:
            self._live.batcher.check()

    async def leave(self) -> int:
        """Say from now on that the replica stops; return the number of translations in work."""
        self._served = Served(self._served.routes, self._served.default, is_stopping=True)
        return self._in_work

    async def stop(self) -> None:
        """Finish the waiting requests and delete the report."""
        await self.leave()
        self._is_stopped = True
        # The follower first: it must not adopt an engine while the one in use is closed.
        if self._following:
            self._following.cancel()
        await self._follower.stop()
        if self._live:
            await self._live.batcher.close()

    def _load(self, digest: str) -> SearchEngine:
        folder = fetch_engine(self._storage, digest)
        return load_engine(folder, self._serving, digest)

    def _adopt(self, engine: SearchEngine) -> None:
        """Send new requests to an engine, and let the old one finish its own."""
        old, card = self._live, engine.card
        batcher = TokenBatcher(
            lambda rows: [found[0] for found in engine.search(rows, scored=True)],
            max_batch_tokens=self._serving.max_batch_tokens,
            max_queued_tokens=self._serving.max_queued_tokens,
        )
        route = ServedRoute(
            key=f"{card.source_language}-{card.target_language}",
            source_language=card.source_language,
            target_language=card.target_language,
            domain=None,
            engine=engine.digest,
            base=card.base,
            license=card.license,
        )
        self._live = _Live(engine, batcher, route)
        self._served = Served((route,), route, self._served.is_stopping)
        if old:
            closing = asyncio.create_task(old.batcher.close())
            # The event loop keeps only a weak reference to a task.
            self._retired.add(closing)
            closing.add_done_callback(self._retired.discard)


def _encode(engine: SearchEngine, sentences: Sequence[str]) -> list[Sequence[Row]]:
    return [engine.encode(sentence) for sentence in sentences]


def _join(parts: Sequence[Hypothesis], separator: str) -> TranslatedSentence:
    return TranslatedSentence(
        separator.join(part.text for part in parts),
        sum(part.tokens for part in parts),
        sum(part.log_probability for part in parts),
    )
