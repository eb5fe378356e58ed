"""One replica of the translator: an engine, the batcher before it, and what exchanges both."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt.config import ServingConfig
from nmt.engines.engine import Engine, Row, load_engine
from nmt.errors import TranslationError
from nmt.serving.batcher import TokenBatcher
from nmt.serving.contract import (
    Answer,
    NoAdapterError,
    ServedEngine,
    UnsupportedLanguageError,
)
from nmt.serving.follower import Follower
from nmt.storage import Storage
from nmt.text.segment import sentence_separator
from nmt.traffic import fetch_engine


@dataclass(frozen=True, slots=True)
class _Live:
    engine: Engine
    batcher: TokenBatcher
    served: ServedEngine


class Replica:
    """Translates with the engine that the traffic pointer names."""

    def __init__(
        self,
        storage: Storage,
        serving: ServingConfig,
        replica_id: str,
        load: Callable[[str], Engine] | None = None,
    ) -> None:
        """Prepare; `start` reads the pointer.

        Args:
            storage: the storage root.
            serving: batching, polling and the pointer's name.
            replica_id: names the replica's report.
            load: digest to engine; by default from the storage root.
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
        """Try for a first engine, then follow; without one the replica starts all the same.

        The first try is waited for: a replica that joined before it had loaded would refuse the
        share of requests that its siblings could have answered.
        """
        await self._follower.step()
        self._following = asyncio.create_task(self._follower.run())

    async def translate(self, sentences: list[str], source: str, target: str) -> Answer:
        """Translations by the engine of this moment, which a swap meanwhile does not change.

        Raises:
            RequestError: no engine, another language pair, too much waiting.
        """
        live = self._live
        if live is None:
            raise NoAdapterError("no engine is loaded here yet")
        served = live.served
        if (source, target) != (served.source_language, served.target_language):
            raise UnsupportedLanguageError(
                f"{source} to {target} is not served any more: "
                f"now {served.source_language} to {served.target_language} is"
            )
        # In a thread, as the tokens of a long text take a while.
        prepared = await asyncio.to_thread(_prepare, live.engine, sentences)
        texts = iter(await live.batcher.submit([row for rows in prepared for row in rows]))
        gap = sentence_separator(target)
        return Answer([gap.join(next(texts) for _ in rows) for rows in prepared], served)

    def status(self) -> ServedEngine | None:
        """The engine that answers, or None."""
        return self._live.served if self._live else None

    def check(self) -> None:
        """Tell whether the replica still works.

        Raises:
            TranslationError: it no longer follows the pointer, or no longer takes batches.
        """
        if self._following is None or self._following.done():
            raise TranslationError("the traffic pointer is no longer followed")
        if self._live:
            self._live.batcher.check()

    async def stop(self) -> None:
        """Finish what waits and take the report back."""
        if self._following:
            self._following.cancel()
        await self._follower.stop()
        if self._live:
            await self._live.batcher.close()

    def _load(self, digest: str) -> Engine:
        folder = fetch_engine(self._storage, digest)
        return load_engine(folder, self._serving, digest)

    def _adopt(self, engine: Engine) -> None:
        """Send new requests to the engine; the old one finishes its own."""
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
            self._retired.add(closing)
            closing.add_done_callback(self._retired.discard)


def _prepare(engine: Engine, sentences: Sequence[str]) -> list[Sequence[Row]]:
    return [engine.prepare(sentence) for sentence in sentences]
