"""Sessions of a replica: one engine each, candidates, the cache, and documents."""

import asyncio

import pytest

from nmt.decoding.settings import Search
from nmt.errors import TranslationError
from nmt.serving.errors import (
    NoEngineError,
    UnknownEngineError,
)
from nmt.serving.replica import Replica
from nmt.traffic import (
    promote,
    start_canary,
    start_shadow,
)
from tests.support.replica import loads, run, serves
from tests.support.serving import MIB, NAME, ROUTE, World, translate, until


def test_a_call_is_translated_by_one_engine_while_engines_are_swapped(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        seen = set()
        for turn in range(60):
            if turn % 10 == 5:
                promote(world.storage, NAME, "b" if turn % 20 == 5 else "a")
            answer = await translate(one, [f"x{turn}|y", "z"] * 20, ROUTE, "client")
            digest = answer.engine
            assert answer.texts == [f"{digest}:x{turn} {digest}:y", f"{digest}:z"] * 20
            assert answer.source_tokens == 60
            seen.add(digest)
            await asyncio.sleep(0.005)
        assert seen == {"a", "b"}

    run(world, check)


def test_an_engine_in_use_is_not_unloaded(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        old = world.engines["a"]
        old.gate.clear()
        working = asyncio.create_task(translate(one, ["x"], ROUTE, "client"))
        await until(lambda: bool(old.batches))
        # Two promotions, so that `a` is not even kept for a rollback.
        promote(world.storage, NAME, "b")
        await serves(one, "b")
        promote(world.storage, NAME, "c")
        await serves(one, "c")
        assert not old.is_closed
        old.gate.set()
        assert (await working).texts == ["a:x"]
        await until(lambda: old.is_closed)
        assert sorted(one._engines.held) == ["b", "c"]

    run(world, check)


def test_a_session_keeps_its_engine_whatever_is_promoted(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        with one.session(ROUTE, "client") as session:
            promote(world.storage, NAME, "b")
            await serves(one, "b")
            promote(world.storage, NAME, "c")
            await serves(one, "c")
            assert session.engine == "a"
            assert (await session.translate(["x"])).texts == ["a:x"]
            assert await one.leave() == 1
        await until(lambda: world.engines["a"].is_closed)
        assert await one.leave() == 0

    run(world, check)


def test_candidates_of_a_sentence_differ_and_come_in_the_order_of_their_scores(
    world: World,
) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        search = Search(count=3)
        with one.session(ROUTE, "client") as session:
            for is_cached in (False, True):
                short, long = (await session.translate(["x", "y|long"], search)).sentences
                assert [short.text, *(each.text for each in short.others)] == [
                    "a:x", "a:x!", "a:x!!"
                ]  # fmt: skip
                assert long.text == "a:y a:long"
                # Of equal scores.
                assert {each.text for each in long.others} == {"a:y! a:long", "a:y a:long!"}
                assert [short.is_complete, long.is_complete] == [True, False]
                assert [short.is_cached, long.is_cached] == [is_cached] * 2
        assert world.engines["a"].searches == [search]

    run(world, check)


def test_translations_of_one_search_do_not_answer_another(world: World) -> None:
    promote(world.storage, NAME, "a")
    searches = [Search(), Search(count=2), Search(beam_size=4), Search(no_repeat_ngram_size=3)]

    async def check(one: Replica) -> None:
        with one.session(ROUTE, "client") as session:
            world.engines["a"].gate.clear()
            calls = [session.translate([f"x{n % 2}"], s) for s in searches for n in range(4)]
            tasks = [asyncio.create_task(call) for call in calls]
            await until(lambda: bool(world.engines["a"].batches))
            world.engines["a"].gate.set()
            await asyncio.gather(*tasks)
        seen = world.engines["a"].searches
        rows = sum(map(len, world.engines["a"].batches))
        assert (set(seen), rows) == (set(searches), 2 * len(searches))

    run(world, check)


def test_a_session_may_name_its_engine(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "b")

    async def check(one: Replica) -> None:
        with pytest.raises(UnknownEngineError, match=r"no engine 'canary'.* one of stable, b$"):
            one.session(ROUTE, "client", engine="canary")
        start_canary(world.storage, NAME, "c", 0)
        await loads(one, "c")
        await until(lambda: one.served().routes[0].canary == "c")
        for name, digest in (("stable", "b"), ("canary", "c"), ("b", "b"), ("c", "c")):
            with one.session(ROUTE, "client", engine=name) as session:
                assert session.engine == digest
        with pytest.raises(UnknownEngineError, match=r"one of stable, b, canary, c$"):
            one.session(ROUTE, "client", engine="z")
        promote(world.storage, NAME, "c")
        await serves(one, "c")
        # Kept for a rollback, and for a document that it has begun.
        with one.session(ROUTE, "client", engine="b") as session:
            assert session.engine == "b"

    run(world, check)


def test_a_document_gives_way_to_an_engine_that_needs_its_memory(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "b")

    async def check(one: Replica) -> None:
        with (
            one.session(ROUTE, "client", engine="b", is_background=True) as document,
            one.session(ROUTE, "client", engine="b") as request,
        ):
            assert (await document.translate(["x"])).texts == ["b:x"]
            world.sizes |= {"c": 3 * MIB}
            promote(world.storage, NAME, "c")
            # Both fit: the earlier engine stays for a rollback.
            await serves(one, "c")
            world.sizes |= {"a": 3 * MIB}
            promote(world.storage, NAME, "a")
            await until(lambda: document._held.is_in_the_way)
            with pytest.raises(NoEngineError, match="makes room"):
                await document.translate(["y"])
            assert (await request.translate(["y"])).texts == ["b:y"]
        await serves(one, "a")

    run(world, check, max_engine_gib=6 / 1024)


def test_a_shadow_cannot_be_chosen(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_shadow(world.storage, NAME, "b")

    async def check(one: Replica) -> None:
        await loads(one, "b")
        with pytest.raises(UnknownEngineError, match=r"one of stable, a$"):
            one.session(ROUTE, "client", engine="b")

    run(world, check)


def test_equal_sentences_are_translated_once(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        first = await translate(one, ["x", "x", "y"], ROUTE, "client")
        again = await translate(one, ["y", "x"], ROUTE, "client")
        assert first.texts + again.texts == ["a:x", "a:x", "a:y", "a:y", "a:x"]
        assert [each.is_cached for each in again.sentences] == [True, True]
        assert again.source_tokens == 2
        assert world.engines["a"].batches == [[["x"], ["y"]]]

    run(world, check)


def test_another_engine_does_not_answer_from_the_cache(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        await translate(one, ["x"], ROUTE, "client")
        promote(world.storage, NAME, "b")
        await serves(one, "b")
        assert (await translate(one, ["x"], ROUTE, "client")).texts == ["b:x"]

    run(world, check)


def test_a_failing_engine_fails_its_request_and_is_asked_again(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        for _ in range(2):
            with pytest.raises(TranslationError, match="cannot"):
                await translate(one, ["bad"], ROUTE, "client")
        assert len(world.engines["a"].batches) == 2
        one.check()

    run(world, check)


def test_an_engine_that_cannot_read_a_sentence_has_failed(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        for sentence in ("x", "x" * 2000):
            world.engines["a"].encode = lambda _sentence: 1 / 0  # type: ignore[assignment]
            with pytest.raises(TranslationError, match="cannot read"):
                await translate(one, [sentence], ROUTE, "client")

    run(world, check)
