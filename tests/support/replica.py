"""A replica over a storage root with engines, for its tests."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from nmt.serving.replica import Replica
from nmt.storage import Storage
from nmt.traffic import (
    Traffic,
    change_traffic,
)
from tests.support.runs.evaluated_run import leave_engine
from tests.support.serving import KEY, NAME, World, until


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


def clients(count: int = 100) -> list[str]:
    return [f"client{n}" for n in range(count)]


def every_client_is_sampled(world: World) -> None:
    def change(traffic: Traffic | None) -> Traffic:
        assert traffic
        route = traffic.route().model_copy(update={"shadow_percent": 100})
        return traffic.with_route(KEY, route)

    change_traffic(world.storage, NAME, change)
