"""Canary and shadow of a replica: who gets which engine, and what is compared."""

import asyncio

import pytest

from nmt.decoding.settings import Search
from nmt.errors import TranslationError
from nmt.serving.replica import Replica
from nmt.traffic import (
    PairCounts,
    Traffic,
    UsualLength,
    change_traffic,
    choose_arm,
    promote,
    read_reports,
    read_traffic,
    rollback,
    start_canary,
    start_shadow,
)
from tests.support.replica import clients, every_client_is_sampled, loads, run, serves
from tests.support.serving import KEY, NAME, ROUTE, World, translate, until


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
        start_canary(world.storage, NAME, "b", 0)
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
        rollback(world.storage, NAME)
        await until(lambda: one._engines.routes[KEY].canary is None)
        canary.gate.set()
        assert (await working).texts == ["b:x"]
        await until(lambda: canary.is_closed)

    run(world, check)


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


@pytest.mark.parametrize(("engine", "counted"), [("a", True), ("c", False)])
def test_unusual_lengths_are_counted_if_those_of_the_stable_engine_are_known(
    world: World, engine: str, counted: bool
) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 0)
    every_client_is_sampled(world)
    usual = UsualLength(engine=engine, median=0, deviation=1)

    def change(traffic: Traffic | None) -> Traffic:
        assert traffic
        route = traffic.route().model_copy(update={"usual_length": usual})
        return traffic.with_route(KEY, route)

    change_traffic(world.storage, NAME, change)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        await translate(one, ["x"], ROUTE, "client")
        await until(lambda: _pairs(one) == 1)
        assert ("len" in {each.signal for each in one._pairs.counts()}) == counted

    run(world, check)


def test_corrections_count_for_the_engine_that_the_client_gets(world: World) -> None:
    promote(world.storage, NAME, "a")
    start_canary(world.storage, NAME, "b", 100)

    async def check(one: Replica) -> None:
        await loads(one, "b")
        for engine in ("b", "a", "unknown"):
            one.count_correction(engine, "client")
        counted = [each for each in one._pairs.counts() if each.signal == "corrections"]
        assert [(each.events_canary, each.events_stable) for each in counted] == [(1, 0)]

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
