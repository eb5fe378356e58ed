"""The engines of a replica: which are held within the memory, and when they are loaded."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from nmt.errors import StorageError, TranslationError
from nmt.serving.engines.engine_set import EngineSet
from nmt.serving.engines.plan import Holdings, make_plan
from nmt.storage import Storage
from nmt.traffic import Route, Traffic
from tests.support.serving import KEY, MIB, World, until

FRENCH = "eng_Latn-fra_Latn"
MEDICAL = f"{KEY}/medical"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(Storage(str(tmp_path)), targets={"f": "fra_Latn"})


def traffic(default: str = KEY, **routes: Route) -> Traffic:
    """Traffic of the routes `tamil`, `french` and `medical`."""
    keys = {"tamil": KEY, "french": FRENCH, "medical": MEDICAL}
    return Traffic(default=default, routes={keys[name]: route for name, route in routes.items()})


def run(
    world: World, check: Callable[[EngineSet], Awaitable[None]], max_mib: float = 100
) -> EngineSet:
    engines = world.engine_set(max_mib)
    asyncio.run(asyncio.wait_for(_checked(check, engines), 10))
    return engines


async def _checked(check: Callable[[EngineSet], Awaitable[None]], engines: EngineSet) -> None:
    await check(engines)


async def follow(engines: EngineSet, wanted: Traffic) -> None:
    engines.follow(wanted)
    await engines.wait_until_settled()


def held(engines: EngineSet) -> list[str]:
    return sorted(engines.held)


def answers(engines: EngineSet) -> dict[str, tuple[str, ...]]:
    """The engines of each route: stable, and canary or shadow."""
    return {
        key: (route.stable.digest, *([route.other.digest] if route.other else []))
        for key, route in engines.routes.items()
    }


def test_engines_are_loaded_one_after_the_other_and_the_default_route_first(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        wanted = traffic(
            FRENCH,
            tamil=Route(stable="a", canary="b", rollout="r"),
            french=Route(stable="f"),
            medical=Route(stable="m", shadow="s", rollout="q"),
        )
        await follow(engines, wanted)
        assert world.loads == ["f", "a", "m", "b", "s"]
        assert answers(engines) == {KEY: ("a", "b"), FRENCH: ("f",), MEDICAL: ("m", "s")}

    run(world, check)


def test_a_route_changes_only_once_its_engine_is_loaded(world: World) -> None:
    gate = threading.Event()

    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        world.on_load = lambda _digest: _wait(gate)
        engines.follow(traffic(tamil=Route(stable="b", previous=("a",))))
        await until(lambda: "b" in world.loads)
        assert answers(engines) == {KEY: ("a",)}
        gate.set()
        await engines.wait_until_settled()
        assert answers(engines) == {KEY: ("b",)}

    run(world, check)


def _wait(gate: threading.Event) -> None:
    assert gate.wait(5)


def test_a_rollback_while_an_engine_is_loaded_takes_effect_at_once(world: World) -> None:
    gate = threading.Event()

    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        await follow(engines, traffic(tamil=Route(stable="b", previous=("a",))))
        world.on_load = lambda _digest: _wait(gate)
        engines.follow(traffic(tamil=Route(stable="b", canary="c", rollout="r", previous=("a",))))
        await until(lambda: "c" in world.loads)
        engines.follow(traffic(tamil=Route(stable="a")))
        assert answers(engines) == {KEY: ("a",)}
        gate.set()
        await engines.wait_until_settled()
        assert held(engines) == ["a"]

    run(world, check)


def test_the_previous_stable_engine_stays_and_older_ones_go(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        await follow(engines, traffic(tamil=Route(stable="b", previous=("a",))))
        assert held(engines) == ["a", "b"]
        await follow(engines, traffic(tamil=Route(stable="c", previous=("b", "a"))))
        assert held(engines) == ["b", "c"]
        assert world.engines["a"].is_closed
        assert not world.engines["b"].is_closed

    run(world, check)


def test_an_engine_kept_for_a_rollback_goes_before_a_canary_is_refused(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        await follow(engines, traffic(tamil=Route(stable="b", previous=("a",))))
        wanted = Route(stable="b", canary="c", rollout="r", previous=("a",))
        await follow(engines, traffic(tamil=wanted))
        assert held(engines) == ["b", "c"]

    run(world, check, max_mib=2)


def test_of_engines_kept_for_a_rollback_the_least_recently_used_goes_first(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a"), medical=Route(stable="m")))
        # Both are still in work, `a` longer.
        engines.held["a"].acquire()
        engines.held["m"].acquire()
        swapped = traffic(
            tamil=Route(stable="b", previous=("a",)), medical=Route(stable="n", previous=("m",))
        )
        await follow(engines, swapped)
        engines.held["m"].release()
        engines.held["a"].release()
        assert held(engines) == ["a", "b", "m", "n"]
        shadow = Route(stable="b", previous=("a",), shadow="s", rollout="r")
        await follow(engines, swapped.with_route(KEY, shadow))
        assert held(engines) == ["a", "b", "n", "s"]

    run(world, check, max_mib=4)


def test_a_shadow_goes_before_a_canary_and_neither_costs_a_stable_engine(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        before = traffic(tamil=Route(stable="a", shadow="s", rollout="r"), french=Route(stable="f"))
        await follow(engines, before)
        assert held(engines) == ["a", "f", "s"]
        after = before.with_route(FRENCH, Route(stable="f", canary="g", rollout="q"))
        world.targets["g"] = "fra_Latn"
        await follow(engines, after)
        assert held(engines) == ["a", "f", "g"]
        error = engines.error_of(KEY, "s")
        assert error
        assert "serving.max_engine_gib" in error

    run(world, check, max_mib=3)


def test_a_canary_that_does_not_fit_beside_the_stable_engines_is_not_loaded(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(
            engines,
            traffic(tamil=Route(stable="a", canary="b", rollout="r"), french=Route(stable="f")),
        )
        assert answers(engines) == {KEY: ("a",), FRENCH: ("f",)}
        assert world.loads == ["a", "f"]

    run(world, check, max_mib=2.5)


def test_stable_engines_that_do_not_fit_together_leave_out_the_later_routes(world: World) -> None:
    world.sizes = {"f": 2048 * MIB, "m": 512 * MIB, "a": 1024 * MIB}

    async def check(engines: EngineSet) -> None:
        await follow(
            engines,
            traffic(tamil=Route(stable="a"), french=Route(stable="f"), medical=Route(stable="m")),
        )
        assert answers(engines) == {KEY: ("a",), MEDICAL: ("m",)}
        assert engines.error_of(FRENCH, "f") == (
            "f: the engine takes 2.00 GiB and does not fit beside the other engines into "
            "serving.max_engine_gib=2: set it to 3.5 or more, or serve fewer routes"
        )

    run(world, check, max_mib=2048)


def test_the_stable_engine_that_answers_stays_if_its_successor_does_not_fit(world: World) -> None:
    world.sizes["b"] = 2 * MIB

    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        await follow(engines, traffic(tamil=Route(stable="b", previous=("a",))))
        assert answers(engines) == {KEY: ("a",)}
        assert world.loads == ["a"]
        assert engines.error_of(KEY, "b")

    run(world, check, max_mib=2.5)


def test_a_new_replica_takes_the_last_engine_that_fits(world: World) -> None:
    world.sizes["c"] = 5 * MIB

    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="c", previous=("b", "a"))))
        assert answers(engines) == {KEY: ("b",)}

    run(world, check, max_mib=4)


def test_an_engine_larger_than_estimated_does_not_push_out_one_that_answers(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        # Estimated as 1 MiB, and 3 MiB once it is loaded.
        engines._source = type(engines._source)(world.load, lambda _digest: MIB)
        world.sizes["f"] = 3 * MIB
        wanted = traffic(tamil=Route(stable="a"), french=Route(stable="f"))
        await follow(engines, wanted)
        assert answers(engines) == {KEY: ("a",)}
        assert world.engines["f"].is_closed
        assert engines.error_of(FRENCH, "f")
        await follow(engines, wanted)
        assert world.loads == ["a", "f"]

    run(world, check, max_mib=3)


def test_loading_waits_for_memory_that_requests_still_use(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a", canary="b", rollout="r")))
        canary = engines.held["b"]
        canary.acquire()
        await follow(engines, traffic(tamil=Route(stable="a", canary="c", rollout="q")))
        assert world.loads == ["a", "b"]
        assert answers(engines) == {KEY: ("a",)}
        canary.release()
        await engines.wait_until_settled()
        assert world.engines["b"].is_closed
        assert answers(engines) == {KEY: ("a", "c")}

    run(world, check, max_mib=2)


def test_an_engine_in_use_that_is_wanted_again_is_not_unloaded(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        canary = traffic(tamil=Route(stable="a", canary="b", rollout="r"))
        await follow(engines, canary)
        engines.held["b"].acquire()
        await follow(engines, traffic(tamil=Route(stable="a")))
        await follow(engines, canary)
        engines.held["b"].release()
        await engines.wait_until_settled()
        assert world.loads == ["a", "b"]
        assert answers(engines) == {KEY: ("a", "b")}

    run(world, check)


def test_an_engine_of_other_languages_does_not_answer_a_route(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="f", previous=("a",))))
        assert engines.error_of(KEY, "f") == (
            "f: the engine translates eng_Latn to fra_Latn, which is not eng_Latn-tam_Taml: "
            "remove the route"
        )
        assert answers(engines) == {}

    run(world, check)


def test_a_broken_stable_engine_of_one_route_leaves_the_others_alone(world: World) -> None:
    world.broken.add("a")

    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a"), french=Route(stable="f")))
        assert answers(engines) == {FRENCH: ("f",)}
        assert "a: a differs" in (engines.error_of(KEY, "a") or "")

    run(world, check)


def test_an_engine_whose_size_cannot_be_read_is_reported_and_retried(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        def refuse(digest: str) -> int:
            raise StorageError(f"{digest} is missing")

        source = type(engines._source)
        engines._source = source(world.load, refuse)
        await follow(engines, traffic(tamil=Route(stable="a")))
        assert engines.error_of(KEY, "a") == "a: a is missing"
        engines._source = source(world.load, world.estimate)
        world.now += 10
        engines.retry()
        await engines.wait_until_settled()
        assert answers(engines) == {KEY: ("a",)}

    run(world, check)


def test_no_canary_runs_beside_an_engine_that_only_stands_in(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a")))
        world.broken.add("b")
        await follow(engines, traffic(tamil=Route(stable="b", canary="c", percent=50, rollout="r")))
        # Its counts would be about another pair of engines than the rollout's.
        assert answers(engines) == {KEY: ("a",)}

    run(world, check)


def test_an_engine_of_two_routes_is_loaded_once(world: World) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a"), medical=Route(stable="a")))
        assert world.loads == ["a"]
        assert answers(engines) == {KEY: ("a",), MEDICAL: ("a",)}

    run(world, check)


def test_a_canary_that_makes_room_gets_no_request_while_it_is_closed(world: World) -> None:
    gate = threading.Event()

    async def check(engines: EngineSet) -> None:
        before = traffic(tamil=Route(stable="a", canary="b", percent=100, rollout="r"))
        await follow(engines, before)
        closing: list[bool] = []
        world.engines["b"].close = lambda: (closing.append(True), _wait(gate))[1]
        engines.follow(before.with_route(FRENCH, Route(stable="f")))
        await until(lambda: bool(closing))
        assert engines.routes[KEY].engine_of("canary").digest == "a"
        gate.set()
        await engines.wait_until_settled()
        assert answers(engines) == {KEY: ("a",), FRENCH: ("f",)}

    run(world, check, max_mib=2)


def test_an_error_while_an_engine_is_closed_does_not_end_the_loading(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(engines: EngineSet) -> None:
        await follow(engines, traffic(tamil=Route(stable="a", canary="b", rollout="r")))
        monkeypatch.setattr(world.engines["b"], "close", lambda: 1 / 0)
        await follow(engines, traffic(tamil=Route(stable="a", canary="c", rollout="q")))
        assert answers(engines) == {KEY: ("a", "c")}
        engines.check()

    run(world, check)


def test_a_dead_loader_fails_the_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(engines: EngineSet) -> None:
        monkeypatch.setattr(engines, "_plan", lambda: 1 / 0)
        await follow(engines, traffic(tamil=Route(stable="a")))
        with pytest.raises(TranslationError, match="loaded"):
            engines.check()

    run(world, check)


def test_a_plan_ends_even_if_nothing_fits() -> None:
    route = Route(stable="a", canary="b", shadow="c", rollout="r", previous=("d", "e"))
    sizes = dict.fromkeys("abcde", 10)
    plan = make_plan(traffic(tamil=route), Holdings({}, {}, (), sizes), 5)
    assert plan.keep == ()
    assert plan.unfit.keys() >= {"a", "b", "c"}


def test_a_plan_keeps_an_engine_that_answers_even_above_the_memory() -> None:
    holdings = Holdings({KEY: "a"}, {"a": 0.0}, (), {"a": 10, "b": 1})
    plan = make_plan(traffic(tamil=Route(stable="b", previous=("a",))), holdings, 5)
    assert plan.keep == ("a",)
    assert plan.unfit == {"b": 11}
