"""A session: the engine of one request or document, and the translations that it asks for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.errors import TranslationError
from nmt.scoring.faults.languages import is_in_other_script
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.cache import SentenceResult, TranslationCache
from nmt.serving.batching.rows import Place
from nmt.serving.batching.sentences import encode_sentences, join_candidates
from nmt.serving.engines.routes import ActiveRoute, HeldEngine
from nmt.serving.errors import NoEngineError
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.shadow import Pairs
from nmt.serving.types import Translation
from nmt.traffic import Arm

_SENTENCES_AT_ONCE = 64


@dataclass(slots=True)
class Shared:
    """What the sessions of a replica share."""

    batcher: Batcher
    cache: TranslationCache
    pairs: Pairs
    metrics: ServingMetrics | None
    sessions: int = 0
    """Number of those that have not ended."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Who asks, for the comparison of a canary or shadow with the stable engine."""

    active: ActiveRoute
    arm: Arm
    client: str
    glossary: Mapping[str, str] | None = None
    """Terms that the client wants, with their translations."""


class EngineSession:
    """The engine that answers one request, and stays loaded in a `with` block."""

    def __init__(
        self,
        shared: Shared,
        held: HeldEngine,
        sampled: Sampled | None,
        *,
        is_background: bool = False,
    ) -> None:
        """Set up a session.

        Args:
            shared: by all sessions of the replica.
            held: translates all that the session is asked for.
            sampled: whose request it is; None if it says nothing about a rollout, such as that of a
                client that has chosen its engine.
            is_background: whether the sentences of others go first.
        """
        self._shared = shared
        self._held = held
        self._engine = held.engine
        self._sampled = sampled
        self._is_background = is_background
        self._is_drawn = False

    def __enter__(self) -> Self:
        """Keep the engine loaded."""
        self._held.acquire()
        self._shared.sessions += 1
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the engine up."""
        self._shared.sessions -= 1
        self._held.release()

    @property
    def engine(self) -> str:
        """Return the digest of its engine."""
        return self._engine.digest

    async def translate(
        self, sentences: Sequence[str], search: Search = DEFAULT_SEARCH
    ) -> Translation:
        """Translate sentences in the source language of the route.

        Raises:
            NoEngineError: a document has to give way to an engine that waits for memory.
            OverloadedError: the queue is full.
            TranslationError: the engine failed.
        """
        # A request ends soon by itself, but a promotion should not wait for a long document.
        if self._is_background and self._held.is_in_the_way:
            raise NoEngineError(f"engine {self.engine} makes room for another one")
        try:
            results = await self._shared.cache.translate(
                self._engine.digest,
                sentences,
                lambda texts, places: self._compute(texts, places, search),
                search,
                is_background=self._is_background,
            )
        # Not of a request that was refused because of the load: no engine is to blame for that.
        except TranslationError:
            self._count(sentences, search, None)
            raise
        translation = Translation(
            [result.sentence for result in results],
            self._engine.digest,
            sum(result.source_tokens for result in results),
        )
        self._count(sentences, search, translation)
        if metrics := self._shared.metrics:
            is_off_target = [result.is_off_target for result in results]
            metrics.observe_translation(self._engine.digest, translation, is_off_target)
        return translation

    def _count(
        self, sentences: Sequence[str], search: Search, translation: Translation | None
    ) -> None:
        """Count a failure, and draw a pair of a rollout, at most one in the session."""
        sampled = self._sampled
        if sampled is None:
            return
        if translation is None:
            self._shared.pairs.count_error(sampled.active, sampled.arm)
        # Both engines of a pair are compared by the search of nearly all requests.
        if not self._is_drawn and search == DEFAULT_SEARCH:
            self._is_drawn = True
            self._shared.pairs.draw(
                sampled.active,
                sampled.arm,
                sampled.client,
                sentences,
                translation,
                sampled.glossary,
            )

    async def _compute(
        self, sentences: Sequence[str], places: Sequence[Place], search: Search
    ) -> list[SentenceResult]:
        """Translate sentences that are not in the cache."""
        encoded = await encode_sentences(self._engine, sentences)
        rows = [row for parts in encoded for row in parts]
        row_places = [place for parts, place in zip(encoded, places, strict=True) for _ in parts]
        found = iter(await self._shared.batcher.submit(self._engine, rows, row_places, search))
        card = self._engine.card
        languages = card.source_language, card.target_language
        results: list[SentenceResult] = []
        for index, parts in enumerate(encoded):
            if index % _SENTENCES_AT_ONCE == _SENTENCES_AT_ONCE - 1:
                # A document of hundreds of sentences must not hold up the other requests.
                await asyncio.sleep(0)
            sentence = join_candidates([next(found) for _ in parts], languages[1], search.count)
            is_off_target = is_in_other_script(sentence.text, *languages)
            results.append(SentenceResult(sentence, sum(map(len, parts)), is_off_target))
        return results
