"""The cache of translations, and sentences that several requests wait for."""

import asyncio
import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence

import pytest

from nmt.decoding.settings import Search
from nmt.errors import NmtError, TranslationError
from nmt.serving.batching.cache import SentenceResult, TranslationCache
from nmt.serving.batching.rows import Place
from nmt.serving.errors import OverloadedError
from nmt.serving.types import TranslatedSentence


class Computer:
    """What translates the sentences that are missing: it records its calls and waits for a gate."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.places: list[Sequence[Place]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: NmtError | None = None

    async def __call__(
        self, sentences: Sequence[str], places: Sequence[Place]
    ) -> list[SentenceResult]:
        self.calls.append(list(sentences))
        self.places.append(places)
        await self.gate.wait()
        if self.error:
            raise self.error
        return [SentenceResult(TranslatedSentence(s.upper(), 1, -1.0), 2) for s in sentences]


def run(
    check: Callable[[TranslationCache, Computer], Awaitable[None]], max_bytes: int = 100_000
) -> None:
    async def body() -> None:
        await check(TranslationCache(max_bytes), Computer())

    asyncio.run(asyncio.wait_for(body(), 10))


def texts(results: Sequence[SentenceResult]) -> list[str]:
    return [result.sentence.text for result in results]


async def start(
    cache: TranslationCache, compute: Computer, *sentences: str
) -> "asyncio.Task[list[SentenceResult]]":
    """Begin a request, up to where it waits."""
    task = asyncio.create_task(cache.translate("e", sentences, compute))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


def test_a_translation_is_remembered_and_marked_as_such() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        first = await cache.translate("e", ["a", "b"], compute)
        again = await cache.translate("e", ["b", "c", "a"], compute)
        assert texts(first) == ["A", "B"]
        assert texts(again) == ["B", "C", "A"]
        assert [result.sentence.is_cached for result in again] == [True, False, True]
        assert sum(result.source_tokens for result in again) == 6
        assert compute.calls == [["a", "b"], ["c"]]

    run(check)


def test_engines_do_not_share_translations() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        await cache.translate("e", ["a"], compute)
        await cache.translate("f", ["a"], compute)
        assert compute.calls == [["a"], ["a"]]

    run(check)


def test_an_engine_that_is_forgotten_leaves_nothing() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        await cache.translate("e", ["a"], compute)
        await cache.translate("f", ["a"], compute)
        half = cache.bytes // 2
        cache.forget("e")
        assert cache.bytes == half
        await cache.translate("f", ["a"], compute)
        assert len(compute.calls) == 2
        cache.forget("f")
        assert cache.bytes == 0

    run(check)


def test_equal_sentences_of_one_request_are_translated_once() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        assert texts(await cache.translate("e", ["a", "b", "a"], compute)) == ["A", "B", "A"]
        assert compute.calls == [["a", "b"]]
        assert [place.index for place in compute.places[0]] == [0, 1]

    run(check)


def test_requests_at_the_same_time_share_a_translation() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        first = await start(cache, compute, "a", "b", "c")
        second = await start(cache, compute, "d", "c")
        compute.gate.set()
        assert texts(await first) == ["A", "B", "C"]
        assert texts(await second) == ["D", "C"]
        assert compute.calls == [["a", "b", "c"], ["d"]]

    run(check, max_bytes=0)


def test_a_shared_sentence_takes_the_earlier_place() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        first = await start(cache, compute, "a", "b", "c")
        second = await start(cache, compute, "c")
        assert [place.index for place in compute.places[0]] == [0, 1, 0]
        compute.gate.set()
        await asyncio.gather(first, second)

    run(check)


def test_a_request_that_joined_one_that_was_cancelled_translates_itself() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        first = await start(cache, compute, "a", "b")
        second = await start(cache, compute, "b", "c")
        third = await start(cache, compute, "b")
        first.cancel()
        await asyncio.wait([first])
        compute.gate.set()
        assert texts(await second) == ["B", "C"]
        assert texts(await third) == ["B"]
        assert sum(call.count("b") for call in compute.calls) == 2

    run(check)


def test_a_request_that_is_cancelled_does_not_disturb_the_one_that_it_joined() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        first = await start(cache, compute, "a")
        second = await start(cache, compute, "a")
        second.cancel()
        await asyncio.wait([second])
        compute.gate.set()
        assert texts(await first) == ["A"]

    run(check)


def test_an_engines_error_reaches_all_and_is_not_remembered() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        compute.error = TranslationError("cannot")
        tasks = [await start(cache, compute, "a") for _ in range(2)]
        compute.gate.set()
        for task in tasks:
            with pytest.raises(TranslationError, match="cannot"):
                await task
        assert len(compute.calls) == 1
        compute.error = None
        assert texts(await cache.translate("e", ["a"], compute)) == ["A"]

    run(check)


def test_a_refusal_is_not_passed_on() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        compute.error = OverloadedError("full")
        first = await start(cache, compute, "a", "b")
        second = await start(cache, compute, "a")
        compute.gate.set()
        with pytest.raises(OverloadedError):
            await first
        # The second one asks itself, and is refused for its own sentences alone.
        with pytest.raises(OverloadedError):
            await second
        assert compute.calls == [["a", "b"], ["a"]]

    run(check)


def test_the_least_recently_used_translation_goes_first() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        await cache.translate("e", ["a", "b", "c"], compute)
        full = cache.bytes
        cache._max_bytes = full
        await cache.translate("e", ["a"], compute)
        await cache.translate("e", ["d"], compute)
        assert cache.bytes <= full
        await cache.translate("e", ["a", "c"], compute)
        assert len(compute.calls) == 2
        await cache.translate("e", ["b"], compute)
        assert compute.calls[-1] == ["b"]

    run(check)


def test_a_translation_larger_than_the_cache_is_not_remembered() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        await cache.translate("e", ["a" * 2000], compute)
        assert cache.bytes == 0

    run(check, max_bytes=2000)


def test_the_memory_is_counted_honestly() -> None:
    async def check(cache: TranslationCache, _compute: Computer) -> None:
        async def compute(
            sentences: Sequence[str], _places: Sequence[Place]
        ) -> list[SentenceResult]:
            return [
                SentenceResult(TranslatedSentence(f"t{s}", 1000, -1.5 - len(s)), 1000)
                for s in sentences
            ]

        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(400):
            await cache.translate("e", [f"sentence {number} " + "x" * 40], compute)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert 0.8 * used <= cache.bytes <= 1.5 * used

    run(check, max_bytes=10_000_000)


def test_searches_are_remembered_apart_with_their_other_candidates() -> None:
    others = (TranslatedSentence("B", 1, -2.0),)
    wide = Search(count=2)

    async def compute(sentences: Sequence[str], _places: Sequence[Place]) -> list[SentenceResult]:
        found = TranslatedSentence("A", 1, -1.0, is_complete=False, others=others)
        return [SentenceResult(found, 2) for _ in sentences]

    async def check(cache: TranslationCache, compute_one: Computer) -> None:
        await cache.translate("e", ["x"], compute_one)
        before = cache.bytes
        for is_cached in (False, True):
            (found,) = await cache.translate("e", ["x"], compute, wide)
            sentence = found.sentence
            assert (sentence.text, sentence.others, sentence.is_complete) == ("A", others, False)
            assert sentence.is_cached == is_cached
        # An equal search, not only the same object.
        assert texts(await cache.translate("e", ["x"], compute_one, Search())) == ["X"]
        assert len(compute_one.calls) == 1
        assert cache.bytes - before > before
        cache.forget("e")
        assert cache.bytes == 0

    run(check)


def test_a_request_takes_a_sentence_out_of_the_background() -> None:
    async def check(cache: TranslationCache, compute: Computer) -> None:
        compute.gate.clear()
        document = cache.translate("e", ["x", "y"], compute, is_background=True)
        tasks = [asyncio.create_task(document)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(cache.translate("e", ["y"], compute)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert [place.is_background for place in compute.places[0]] == [True, False]
        compute.gate.set()
        await asyncio.gather(*tasks)
        assert compute.calls == [["x", "y"]]

    run(check)
