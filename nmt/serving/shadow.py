"""Pairs: sentences that the stable engine and a canary or shadow both translate, to be counted."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from nmt.documents.translation.glossary import Term, TermFinder
from nmt.serving.batching.batcher import Batcher
from nmt.serving.batching.sentences import encode_sentences, join_rows
from nmt.serving.engines.routes import ActiveRoute, HeldEngine
from nmt.serving.monitoring.signals import PairCounter, PairOutput
from nmt.serving.types import Translation
from nmt.traffic import Arm, PairCounts, is_sampled, slot_of

log = logging.getLogger(__name__)

# Above these, no more pairs are drawn. A pair that is drawn is never dropped for being slow.
_MAX_PENDING_PAIRS = 256
_MAX_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Pair:
    """A sentence that both engines of a route still have to translate."""

    active: ActiveRoute
    other: HeldEngine
    arm: Arm
    """The engine whose translation the client got."""
    sentence: str
    text: str | None
    """That translation; None if the engine failed."""
    terms: Sequence[Term]
    """Of the client's glossary that the sentence has."""


class Pairs:
    """The pairs of a replica, translated in the background, and their counts."""

    def __init__(self, batcher: Batcher, clock: Callable[[], float] = time.time) -> None:
        """Set up without pairs.

        Args:
            batcher: translates when no request waits.
            clock: returns the seconds since 1970.
        """
        self._batcher = batcher
        self._clock = clock
        self._counters: dict[tuple[str, int, str, str], PairCounter] = {}
        self._slot = -1
        self._drawn: set[tuple[str, str]] = set()
        self._corrected: set[tuple[str, str]] = set()
        self._pending: deque[_Pair] = deque()
        self._outputs: dict[Arm, PairOutput] = {}
        self._task: asyncio.Task[None] | None = None
        self._random = random.Random()

    def draw(
        self,
        active: ActiveRoute,
        arm: Arm,
        client: str,
        sentences: Sequence[str],
        translation: Translation | None,
        glossary: Mapping[str, str] | None = None,
    ) -> None:
        """Compare both engines on one sentence of a request, if its client is in the sample.

        Args:
            active: the route when the request came.
            arm: the engine that answered.
            client: who asked.
            sentences: of the request.
            translation: the answer; None if the engine failed.
            glossary: terms that the client wants, with their translations.
        """
        other = active.other
        if other is None or not sentences or len(self._pending) >= _MAX_PENDING_PAIRS:
            return
        if not self._is_first_of_slot(active.route.rollout, client) or not is_sampled(
            active.route, client, self._clock()
        ):
            return
        self._drawn.add((active.route.rollout, client))
        # The signals are about sentences, and those of a document are too alike to count each.
        index = self._random.randrange(len(sentences))
        sentence = sentences[index]
        text = translation.sentences[index].text if translation else None
        terms = TermFinder.of(glossary).find(sentence) if glossary else ()
        # Held until the pair is counted, or its rollout ends.
        active.stable.acquire()
        other.acquire()
        self._pending.append(_Pair(active, other, arm, sentence, text, terms))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._translate_pending())

    def count_error(self, active: ActiveRoute, arm: Arm) -> None:
        """Count a request that an engine failed to translate."""
        if active.other:
            self._counter(active, active.other).event(arm, "errors")

    def count_correction(self, active: ActiveRoute, arm: Arm, client: str) -> None:
        """Count that a client has corrected a translation; once in ten minutes for each client."""
        self._begin_slot()
        # Whoever corrects one sentence of a document corrects others too, which says nothing new.
        key = (active.route.rollout, client)
        if active.other and key not in self._corrected and len(self._corrected) < _MAX_CLIENTS:
            self._corrected.add(key)
            self._counter(active, active.other).event(arm, "corrections")

    def counts(self) -> tuple[PairCounts, ...]:
        """Return all counts of the rollouts that run."""
        return tuple(counts for counter in self._counters.values() for counts in counter.counts())

    def keep_only(self, rollouts: Container[str]) -> None:
        """Forget the rollouts that have ended, with their pairs."""
        self._counters = {key: each for key, each in self._counters.items() if key[0] in rollouts}
        ended = [pair for pair in self._pending if pair.active.route.rollout not in rollouts]
        for pair in ended:
            self._pending.remove(pair)
            _release(pair)

    async def finish(self, timeout_seconds: float) -> None:
        """Translate the pending pairs, as far as time allows.

        A pair that does not end in time counts as a failure of the engine that is at work. Those
        that have not begun are dropped, which says nothing about either engine.
        """
        if self._task is None or self._task.done():
            return
        _, late = await asyncio.wait([self._task], timeout=timeout_seconds)
        for task in late:
            log.warning("%d pairs of a rollout were dropped at the stop", len(self._pending))
            while self._pending:
                _release(self._pending.pop())
            task.cancel()
            await asyncio.wait([task])

    def _begin_slot(self) -> None:
        """Forget the clients of the ten minutes before."""
        slot = slot_of(self._clock())
        if slot != self._slot:
            self._slot = slot
            self._drawn.clear()
            self._corrected.clear()

    def _is_first_of_slot(self, rollout: str, client: str) -> bool:
        self._begin_slot()
        return (rollout, client) not in self._drawn and len(self._drawn) < _MAX_CLIENTS

    async def _translate_pending(self) -> None:
        while self._pending:
            pair = self._pending.popleft()
            try:
                await self._translate(pair)
            finally:
                _release(pair)

    async def _translate(self, pair: _Pair) -> None:
        """Let both engines translate a sentence, and count what came out."""
        # Both, although the client has the answer of one: the time of a request depends on the
        # batch that it shared, so that only these two times can be compared. In random order, as
        # the second one finds the processor's caches filled by the first.
        order: list[Arm] = ["stable", "canary"]
        self._random.shuffle(order)
        engines: dict[Arm, HeldEngine] = {"stable": pair.active.stable, "canary": pair.other}
        other: Arm = "canary" if pair.arm == "stable" else "stable"
        outputs: dict[Arm, PairOutput] = {}
        try:
            for arm in order:
                # An engine that does not get as far as an answer has failed.
                outputs[arm] = PairOutput(None)
                outputs[arm] = await self._measure(engines[arm], pair.sentence)
        finally:
            if other in outputs:
                # What the client got is what counts.
                seconds = outputs[pair.arm].seconds if pair.arm in outputs else None
                outputs[pair.arm] = PairOutput(pair.text, seconds)
                counter = self._counter(pair.active, pair.other)
                counter.add(pair.sentence, outputs["stable"], outputs["canary"], pair.terms)

    async def _measure(self, held: HeldEngine, sentence: str) -> PairOutput:
        try:
            (rows,) = await encode_sentences(held.engine, [sentence])
            found = await self._batcher.measure(held.engine, rows)
        # An engine's library may raise anything, and a failure must count, not be dropped.
        except Exception as error:
            log.warning("engine %s failed on a pair: %s", held.digest, error)
            return PairOutput(None)
        language = held.engine.card.target_language
        return PairOutput(join_rows(found.hypotheses, language).text, found.seconds)

    def _counter(self, active: ActiveRoute, other: HeldEngine) -> PairCounter:
        route, stable = active.route, active.stable.digest
        key = (route.rollout, route.step, stable, other.digest)
        if key not in self._counters:
            usual = route.usual_length
            self._counters[key] = PairCounter(
                route.rollout,
                route.step,
                active.served.key,
                stable=stable,
                other=other.digest,
                source_language=active.served.source_language,
                target_language=active.served.target_language,
                # A field of the file that may be about an engine before this one.
                usual_length=usual if usual and usual.engine == stable else None,
            )
        return self._counters[key]


def _release(pair: _Pair) -> None:
    pair.active.stable.release()
    pair.other.release()
