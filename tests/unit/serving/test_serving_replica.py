"""The replica: requests, routes, swaps, canary, shadow and stop, with fake engines."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nmt.config import ServingConfig
from nmt.decoding.settings import Search
from nmt.errors import TranslationError
from nmt.runs import layout
from nmt.serving.errors import (
    NoEngineError,
    OverloadedError,
    StoppingError,
    UnknownEngineError,
)
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.replica import Replica
from nmt.storage import Storage
from nmt.traffic import (
    PairCounts,
    Traffic,
    change_traffic,
    choose_arm,
    end_rollout,
    promote,
    read_reports,
    read_traffic,
    remove_route,
    rollback,
    set_percent,
    start_canary,
    start_shadow,
)
from tests.support.runs.evaluated_run import leave_engine
from tests.support.serving import KEY, MIB, NAME, ROUTE, World, translate, until


@pytest.fixture
def world(tmp_path: Path) -> World:
    storage = Storage(str(tmp_path))
    for digest in ("a", "b", "c"):
        leave_engine(storage, digest)
    leave_engine(storage, "f", "fra_Latn")
    return World(storage, targets={"f": "fra_Latn"})


def run(
    world: World,
    check: Callable[[Replica], Awaitable[None]],
    start: bool = True,
    **settings: Any,
) -> None:
    async def body() -> None:
        one = world.replica(**settings)
        if start:
            await one.start()
        await check(one)
        await one.stop()

    asyncio.run(asyncio.wait_for(body(), 15))


async def serves(one: Replica, digest: str, key: str = KEY) -> None:
    """Wait until a route is answered by an engine."""
    await until(lambda: any(r.key == key and r.engine == digest for r in one.served().routes))


async def loads(one: Replica, digest: str) -> None:
    await until(lambda: digest in one._engines.held)


def test_a_replica_without_an_engine_starts_and_refuses_requests(world: World) -> None:
    async def check(one: Replica) -> None:
        assert one.served().default is None
        one.check()
        with pytest.raises(NoEngineError):
            await translate(one, ["x"], ROUTE, "client")

    run(world, check)


def test_a_replica_that_has_stopped_says_so(world: World) -> None:
    async def body() -> None:
        promote(world.storage, NAME, "a")
        one = world.replica()
        await one.start()
        await one.stop()
        with pytest.raises(TranslationError):
            one.check()
        with pytest.raises(StoppingError):
            await translate(one, ["x"], ROUTE, "client")
        assert not world.has_report()

    asyncio.run(body())


def test_start_waits_for_the_stable_engine_of_every_route(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "f")

    async def check(one: Replica) -> None:
        served = one.served()
        assert [(r.key, r.engine, r.target_language) for r in served.routes] == [
            (KEY, "a", "tam_Taml"),
            ("eng_Latn-fra_Latn", "f", "fra_Latn"),
        ]
        assert served.default == served.routes[0]

    run(world, check)


def test_start_does_not_wait_for_an_engine_that_is_broken(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "f")
    world.broken.add("a")

    async def check(one: Replica) -> None:
        served = one.served()
        assert [r.engine for r in served.routes] == ["f"]
        # Nobody who named no language may get French instead of Tamil.
        assert served.default is None

    run(world, check)


def test_a_domain_is_a_route_of_its_own(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "b", domain="medical")

    async def check(one: Replica) -> None:
        general, medical = one.served().routes
        assert (medical.domain, medical.key) == ("medical", f"{KEY}/medical")
        assert (await translate(one, ["x"], general, "c")).texts == ["a:x"]
        assert (await translate(one, ["x"], medical, "c")).texts == ["b:x"]

    run(world, check)


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


def test_a_route_that_has_gone_is_refused(world: World) -> None:
    promote(world.storage, NAME, "a")
    promote(world.storage, NAME, "f")

    async def check(one: Replica) -> None:
        french = one.served().routes[1]
        remove_route(world.storage, NAME, french.key)
        await until(lambda: len(one.served().routes) == 1)
        with pytest.raises(NoEngineError, match="eng_Latn-fra_Latn"):
            await translate(one, ["x"], french, "client")
        await until(lambda: world.engines["f"].is_closed)

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


def test_a_route_says_what_share_of_the_clients_its_canary_answers(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 30)
    world.broken.add("b")

    async def check(one: Replica) -> None:
        (route,) = one.served().routes
        assert (route.canary, route.percent) == (None, 0)
        world.broken.clear()
        world.now += 1000
        await until(lambda: one.served().routes[0].canary == "b")
        assert one.served().routes[0].percent == 30

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


def test_storage_that_does_not_answer_does_not_keep_a_replica(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt.serving.replica._MAX_REPORT_SECONDS", 0.05)
    promote(world.storage, NAME, "a")
    gate = threading.Event()

    async def check(one: Replica) -> None:
        monkeypatch.setattr(world.storage, "write_json", lambda *_args: gate.wait(10))
        await one.leave()
        await one.stop()
        gate.set()

    run(world, check)


def test_a_full_queue_refuses_requests(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        world.engines["a"].gate.clear()
        tasks = [asyncio.create_task(translate(one, ["x"], ROUTE, "c"))]
        await until(lambda: bool(world.engines["a"].batches))
        tasks += [asyncio.create_task(translate(one, [f"x{n}"], ROUTE, "c")) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await translate(one, ["y", "z"], ROUTE, "c")
        world.engines["a"].gate.set()
        await asyncio.gather(*tasks)

    run(world, check, max_queued_tokens=3)


def test_a_replica_that_leaves_still_finishes_what_it_accepted(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        world.engines["a"].gate.clear()
        working = asyncio.create_task(translate(one, ["x"], ROUTE, "client"))
        await asyncio.sleep(0)
        assert await one.leave() == 1
        assert one.served().is_stopping
        # One whose body was still being read when the replica left.
        late = asyncio.create_task(translate(one, ["y"], ROUTE, "client"))
        await asyncio.sleep(0)
        assert await one.leave() == 2
        world.engines["a"].gate.set()
        assert [(await each).texts for each in (working, late)] == [["a:x"], ["a:y"]]
        assert await one.leave() == 0
        # Still after a change of the traffic file.
        promote(world.storage, NAME, "b")
        await serves(one, "b")
        assert one.served().is_stopping

    run(world, check)


def clients(count: int = 100) -> list[str]:
    return [f"client{n}" for n in range(count)]


def test_a_canary_answers_its_share_and_the_same_clients_each_time(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 30)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        traffic = read_traffic(world.storage, NAME)
        assert traffic
        expected = ["b" if choose_arm(traffic.route(), c) == "canary" else "a" for c in clients()]
        for _ in range(2):
            answers = [await translate(one, ["x"], ROUTE, client) for client in clients()]
            assert [each.engine for each in answers] == expected
        # What the endpoint says about itself is the stable engine.
        assert one.served().routes[0].engine == "a"
        set_percent(world.storage, NAME, 0)
        await until(lambda: one._engines.routes[KEY].route.percent == 0)
        assert {(await translate(one, ["x"], ROUTE, c)).engine for c in clients()} == {"a"}

    run(world, check)


def test_the_clients_of_a_broken_canary_get_the_stable_engine(world: World) -> None:
    promote(world.storage, NAME, "a")
    world.broken.add("b")
    start_canary(world.storage, NAME, "b", 100)

    async def check(one: Replica) -> None:
        await until(lambda: bool(world.report()["routes"][KEY]["error"]))
        assert (await translate(one, ["x"], ROUTE, "client")).engine == "a"
        report = world.report()
        assert report["routes"][KEY]["error"].startswith("canary b: b differs")
        assert report["error"] is None
        assert (report["digest"], report["wanted"]) == ("a", "a")
        assert report["counts"] == []

    run(world, check)


def test_a_promoted_canary_is_not_loaded_again(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 30)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        promote(world.storage, NAME, "b")
        await serves(one, "b")
        rollback(world.storage, NAME)
        await serves(one, "a")
        assert world.loads == ["a", "b"]

    run(world, check)


def test_a_request_keeps_its_engine_while_the_canary_ends(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 100)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        canary = world.engines["b"]
        canary.gate.clear()
        working = asyncio.create_task(translate(one, ["x"], ROUTE, "client"))
        await until(lambda: bool(canary.batches))
        end_rollout(world.storage, NAME)
        await until(lambda: one._engines.routes[KEY].canary is None)
        canary.gate.set()
        assert (await working).texts == ["b:x"]
        await until(lambda: canary.is_closed)

    run(world, check)


def every_client_is_sampled(world: World) -> None:
    def change(traffic: Traffic | None) -> Traffic:
        assert traffic
        route = traffic.route().model_copy(update={"shadow_percent": 100})
        return traffic.with_route(KEY, route)

    change_traffic(world.storage, NAME, change)


def test_a_session_is_compared_once_and_only_by_the_usual_search(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 0)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        with one.session(ROUTE, "one", engine="canary") as session:
            await session.translate(["chosen"])
        with one.session(ROUTE, "two") as session:
            await session.translate(["wide"], Search(beam_size=2))
            for n in range(3):
                world.now += 100_000
                await session.translate([f"x{n}"])
        await until(lambda: _pairs(one) == 1)
        assert world.engines["b"].batches == [[["chosen"]], [["x0"]]]

    run(world, check)


def test_a_shadow_translates_along_and_is_never_returned(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_shadow(world.storage, NAME, "b")
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        for client in clients(3):
            assert (await translate(one, ["x"], ROUTE, client)).texts == ["a:x"]
        await until(lambda: _pairs(one) == 3)
        assert world.engines["b"].batches == [[["x"]]] * 3

    run(world, check)


def _pairs(one: Replica) -> int:
    return sum(each.pairs for each in one._pairs.counts() if each.signal == "broken")


def test_counts_are_reported_at_once_when_a_replica_leaves(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 50)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        await translate(one, ["x"], ROUTE, "client")
        with pytest.raises(TranslationError):
            await translate(one, ["bad"], ROUTE, "other")
        await until(lambda: _pairs(one) == 2)
        await one.leave()
        assert {each["signal"] for each in world.report()["counts"]} >= {"broken", "errors"}

        await asyncio.gather(one.stop(), one.stop())

    run(world, check)
    (report,) = read_reports(world.storage, NAME)
    assert report.ended
    errors = [each for each in report.counts if each.signal == "errors"]
    assert sum(each.events_canary + each.events_stable for each in errors) == 1


def test_pairs_that_wait_are_counted_before_the_replica_ends(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 50)
    every_client_is_sampled(world)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        await asyncio.gather(*(translate(one, ["x"], ROUTE, client) for client in clients(5)))

    run(world, check)
    (report,) = read_reports(world.storage, NAME)
    assert _of(report.counts, "broken").pairs == 5


def _of(counts: tuple[PairCounts, ...], signal: str) -> PairCounts:
    (found,) = (each for each in counts if each.signal == signal)
    return found


def test_a_newer_traffic_file_keeps_the_engines(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        content = world.storage.read_json(layout.traffic(NAME)) | {"version": 3}
        world.storage.write_json(layout.traffic(NAME), content)
        await until(lambda: "version 3" in (world.report()["error"] or ""))
        assert (await translate(one, ["x"], ROUTE, "client")).texts == ["a:x"]

    run(world, check)


def test_a_dead_follower_or_batcher_fails_the_check(world: World) -> None:
    async def check(one: Replica) -> None:
        one.check()
        one._batcher._task.cancel()
        await asyncio.sleep(0.01)
        with pytest.raises(TranslationError, match="loop"):
            one.check()

    run(world, check)


def test_metrics_see_what_a_replica_does(world: World) -> None:
    promote(world.storage, NAME, "a")
    metrics = ServingMetrics("replica1")

    async def body() -> None:
        one = Replica(
            world.storage,
            ServingConfig(poll_seconds=0.01),
            "replica1",
            metrics=metrics,
            load=world.load,
            estimate=world.estimate,
        )
        await one.start()
        await translate(one, ["x", "x|y"], ROUTE, "client")
        await one.stop()

    asyncio.run(body())
    text = metrics.exposition().decode()
    for line in (
        'nmt_sentences_total{engine="a"} 2.0',
        'nmt_source_tokens_total{engine="a"} 3.0',
        "nmt_cache_misses_total 2.0",
        "nmt_requests_in_work 0.0",
        "nmt_queued_tokens 0.0",
        'nmt_engine_loads_total{result="ok"} 1.0',
        f'nmt_route_current{{route="{KEY}"}} 1.0',
        'nmt_batch_rows_count{engine="a"} 1.0',
        "nmt_engine_swap_seconds_count 1.0",
    ):
        assert line in text


def test_a_request_uses_the_route_as_it_is_now(world: World) -> None:
    promote(world.storage, NAME, "a")

    async def check(one: Replica) -> None:
        stale = replace(ROUTE, engine="gone")
        assert (await translate(one, ["x"], stale, "client")).engine == "a"

    run(world, check)
