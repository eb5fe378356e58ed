"""Translations that a replica remembers, and those that several requests wait for together."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from sys import getsizeof

from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.errors import TranslationError
from nmt.serving.batching.rows import Place
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.types import TranslatedSentence

# What an entry takes besides its two texts: the key, the two objects below, their numbers, and its
# node in the ordered dictionary.
_ENTRY_BYTES = 400
# A further candidate with its numbers.
_OTHER_BYTES = 200


@dataclass(frozen=True, slots=True)
class SentenceResult:
    """A translated sentence, with what a translation adds up."""

    sentence: TranslatedSentence
    source_tokens: int
    is_off_target: bool = False


Compute = Callable[[Sequence[str], Sequence[Place]], Awaitable[Sequence[SentenceResult]]]
"""Translates sentences, each with its place in the request."""
_Kind = tuple[str, Search | None]
"""Digest of an engine, and how it searches; None for `DEFAULT_SEARCH`."""
_Key = tuple[str, _Kind]


@dataclass(frozen=True, slots=True)
class _InWork:
    """A sentence that is being translated."""

    place: Place
    # An error is a result here, since asyncio complains about an exception that nobody awaits.
    future: asyncio.Future[SentenceResult | TranslationError]


class TranslationCache:
    """The translations of latest use, by sentence, engine and search, in one event loop."""

    def __init__(self, max_bytes: int, metrics: ServingMetrics | None = None) -> None:
        """Create an empty cache.

        Args:
            max_bytes: memory that the entries may take; 0 remembers nothing.
            metrics: receive hits and misses.
        """
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._entries: OrderedDict[_Key, SentenceResult] = OrderedDict()
        self._bytes = 0
        self._in_work: dict[_Key, _InWork] = {}

    @property
    def bytes(self) -> int:
        """Return the memory that the entries take."""
        return self._bytes

    async def translate(
        self,
        engine: str,
        sentences: Sequence[str],
        compute: Compute,
        options: Search = DEFAULT_SEARCH,
        *,
        is_background: bool = False,
    ) -> list[SentenceResult]:
        """Translate sentences, and compute only those that nobody has translated yet.

        Args:
            engine: digest.
            sentences: may hold equal ones.
            compute: translates the sentences that are missing; called at most once, unless another
                request gives up a sentence that this one waited for.
            options: how they are searched.
            is_background: whether the sentences of others go first.

        Raises:
            NmtError: that of `compute`, which is not remembered.
        """
        # Nearly all requests search by default, and a key with None is compared much faster.
        kind = (engine, None if options == DEFAULT_SEARCH else options)
        places: dict[str, Place] = {}
        for index, sentence in enumerate(sentences):
            places.setdefault(sentence, Place(index, is_background))
        found: dict[str, SentenceResult] = {}
        computed = 0
        while missing := [sentence for sentence in places if sentence not in found]:
            own: list[str] = []
            others: list[str] = []
            for sentence in missing:
                if result := self._recall((sentence, kind)):
                    found[sentence] = result
                else:
                    (others if (sentence, kind) in self._in_work else own).append(sentence)
            waiting = {
                sentence: self._join((sentence, kind), places[sentence]) for sentence in others
            }
            if own:
                found |= await self._compute(kind, {each: places[each] for each in own}, compute)
                computed += len(own)
            found |= await _collect(waiting)
        if self._metrics:
            self._metrics.observe_cache(len(sentences) - computed, computed)
        return [found[sentence] for sentence in sentences]

    def forget(self, engine: str) -> None:
        """Remove the translations of an engine."""
        for key in [key for key in self._entries if key[1][0] == engine]:
            self._drop(key)

    def _join(self, key: _Key, place: Place) -> _InWork:
        """Wait for a sentence of another request, at the earlier one of both places."""
        work = self._in_work[key]
        # A short request would else wait until a long document reaches its sentence.
        work.place.move_up(place)
        return work

    async def _compute(
        self, kind: _Kind, places: Mapping[str, Place], compute: Compute
    ) -> dict[str, SentenceResult]:
        """Translate sentences, remember them, and pass them on to the requests that joined."""
        loop = asyncio.get_running_loop()
        works = {each: _InWork(place, loop.create_future()) for each, place in places.items()}
        self._in_work |= {(sentence, kind): work for sentence, work in works.items()}
        try:
            results = await compute([*places], [*places.values()])
            for (sentence, work), result in zip(works.items(), results, strict=True):
                remembered = _as_cached(result)
                self._remember((sentence, kind), remembered)
                work.future.set_result(remembered)
            return dict(zip(places, results, strict=True))
        except TranslationError as error:
            for work in works.values():
                work.future.set_result(error)
            raise
        finally:
            for sentence, work in works.items():
                del self._in_work[sentence, kind]
                # After a cancelled or refused request, those that joined translate it themselves.
                work.future.cancel()

    def _recall(self, key: _Key) -> SentenceResult | None:
        result = self._entries.get(key)
        if result:
            self._entries.move_to_end(key)
        return result

    def _remember(self, key: _Key, result: SentenceResult) -> None:
        if _bytes_of(key, result) > self._max_bytes:
            return
        self._entries[key] = result
        self._bytes += _bytes_of(key, result)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: _Key) -> None:
        self._bytes -= _bytes_of(key, self._entries.pop(key))


async def _collect(waiting: Mapping[str, _InWork]) -> dict[str, SentenceResult]:
    """Wait for sentences that other requests translate; leave out those that they gave up.

    Raises:
        TranslationError: the engine failed on one of them.
    """
    if waiting:
        # A plain await would cancel the future of the others together with this request.
        await asyncio.wait([work.future for work in waiting.values()])
    found: dict[str, SentenceResult] = {}
    for sentence, work in waiting.items():
        if work.future.cancelled():
            continue
        result = work.future.result()
        if isinstance(result, TranslationError):
            raise TranslationError(str(result))
        found[sentence] = result
    return found


def _as_cached(result: SentenceResult) -> SentenceResult:
    # Not by `dataclasses.replace`, which takes several times as long.
    own = result.sentence
    cached = TranslatedSentence(
        own.text, own.tokens, own.log_probability, True, own.is_complete, own.others
    )
    return SentenceResult(cached, result.source_tokens, result.is_off_target)


def _bytes_of(key: _Key, result: SentenceResult) -> int:
    taken = getsizeof(key[0]) + getsizeof(result.sentence.text) + _ENTRY_BYTES
    if others := result.sentence.others:
        taken += sum(getsizeof(each.text) + _OTHER_BYTES for each in others)
    return taken
