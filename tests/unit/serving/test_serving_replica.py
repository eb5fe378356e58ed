"""The replica: start, routes, load and stop, with fake engines."""

import asyncio
import threading
from dataclasses import replace

import pytest

from nmt.config import ServingConfig
from nmt.errors import StorageError, TranslationError
from nmt.runs import layout
from nmt.serving.errors import (
    NoEngineError,
    OverloadedError,
    StoppingError,
)
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.replica import Replica
from nmt.traffic import (
    promote,
    remove_route,
)
from tests.support.replica import run, serves
from tests.support.serving import KEY, MIB, NAME, ROUTE, World, translate, until


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


@pytest.mark.parametrize("is_missing", [True, False])
def test_metrics_count_the_engines_that_cannot_be_loaded(world: World, is_missing: bool) -> None:
    """A missing engine fails before it is loaded, so that no load is counted."""
    promote(world.storage, NAME, "a")

    def estimate(digest: str) -> int:
        if is_missing:
            raise StorageError(f"{digest} is missing")
        return MIB

    async def body() -> None:
        metrics = ServingMetrics("replica1")
        one = Replica(
            world.storage,
            ServingConfig(poll_seconds=0.01),
            "replica1",
            metrics=metrics,
            load=world.load,
            estimate=estimate,
        )
        await one.start()
        value = metrics.registry.get_sample_value("nmt_engines_failing")
        await one.stop()
        assert value == is_missing

    asyncio.run(body())
