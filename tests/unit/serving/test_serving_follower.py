"""The follower and the replica around it, with a real storage root and fake engines."""

import asyncio
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nmt.config import ServingConfig
from nmt.decoding.hypothesis import Hypothesis
from nmt.engines.card import EngineCard, Golden
from nmt.engines.engine import SearchEngine
from nmt.errors import StorageError, TranslationError
from nmt.runs import layout
from nmt.serving.errors import NoEngineError, StoppingError, UnsupportedLanguageError
from nmt.serving.follower import Follower
from nmt.serving.replica import Replica
from nmt.serving.types import ServedRoute
from nmt.storage import Storage
from nmt.traffic import promote, read_reports, rollback
from tests.support.runs.evaluated_run import leave_engine

NAME = "default"


class FakeEngine:
    """An engine that returns each row after its own digest."""

    def __init__(self, digest: str, target: str = "tam_Taml") -> None:
        self.digest = digest
        self.card = EngineCard(
            run="r",
            base="tiny",
            license="mit",
            source_language="eng_Latn",
            target_language=target,
            max_source_tokens=8,
            golden=Golden(source="a", target="b"),
        )

    def encode(self, sentence: str) -> list[list[str]]:
        return [[part] for part in sentence.split("|")]

    def translate(self, rows: Any) -> list[str]:
        return [found[0].text for found in self.search(rows)]

    def search(self, rows: Any, **_options: Any) -> list[list[Hypothesis]]:
        return [[Hypothesis(f"{self.digest}:{row[0]}", 1, -1.0, True)] for row in rows]


@dataclass
class World:
    """A storage root, a clock, engines that load or fail, and a record of what was loaded."""

    storage: Storage
    now: float = 1_800_000_000.0
    broken: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)

    def load(self, digest: str) -> SearchEngine:
        self.loads.append(digest)
        if digest in self.broken:
            raise StorageError(f"{digest} differs from its manifest")
        return FakeEngine(digest)

    def follower(self, replica_id: str = "replica1", poll_seconds: float = 2.0) -> Follower:
        return Follower(
            self.storage,
            NAME,
            replica_id,
            load=self.load,
            adopt=lambda engine: self.adopted.append(engine.digest),
            poll_seconds=poll_seconds,
            clock=lambda: self.now,
        )

    def report(self) -> dict[str, Any]:
        return self.storage.read_json(layout.replica_report(NAME, "replica1"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    storage = Storage(str(tmp_path))
    for digest in ("a", "b", "c"):
        leave_engine(storage, digest)
    return World(storage)


def poll(follower: Follower, count: int = 1) -> None:
    async def body() -> None:
        for _ in range(count):
            await follower.poll()

    asyncio.run(body())


def test_without_a_pointer_the_report_has_neither_engine_nor_error(world: World) -> None:
    poll(world.follower(), 2)
    report = world.report()
    assert (report["digest"], report["wanted"], report["error"]) == (None, None, None)


def test_follows_promotion_and_rollback(world: World) -> None:
    follower = world.follower()
    poll(follower)
    for digest in ("a", "b"):
        promote(world.storage, NAME, digest)
        poll(follower, 2)
    rollback(world.storage, NAME)
    poll(follower, 2)
    assert world.adopted == ["a", "b", "a"]
    assert world.loads == ["a", "b", "a"]
    assert world.report()["digest"] == "a"
    assert world.report()["since"].startswith("2027-01-15")


def test_a_broken_engine_changes_only_the_report(world: World) -> None:
    follower = world.follower()
    promote(world.storage, NAME, "a")
    poll(follower)
    world.broken.add("b")
    promote(world.storage, NAME, "b")
    poll(follower)
    report = world.report()
    assert (report["digest"], report["wanted"]) == ("a", "b")
    assert "manifest" in report["error"]
    rollback(world.storage, NAME)
    poll(follower)
    assert world.report()["error"] is None
    assert world.adopted == ["a"]


def test_a_broken_engine_is_retried_after_growing_delays(world: World) -> None:
    follower = world.follower()
    world.broken.add("a")
    promote(world.storage, NAME, "a")
    tries = []
    for _ in range(100):
        before = len(world.loads)
        poll(follower)
        if len(world.loads) > before:
            tries.append(world.now)
        world.now += 2
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps == [4, 8, 16, 32, 64]


def test_a_new_pointer_is_followed_at_once(world: World) -> None:
    follower = world.follower()
    world.broken.add("a")
    promote(world.storage, NAME, "a")
    poll(follower, 3)
    promote(world.storage, NAME, "b")
    poll(follower)
    assert world.loads == ["a", "b"]
    assert world.report()["error"] is None


def test_a_repaired_engine_is_loaded(world: World) -> None:
    follower = world.follower()
    world.broken.add("a")
    promote(world.storage, NAME, "a")
    poll(follower)
    world.broken.clear()
    world.now += 10
    poll(follower)
    assert world.adopted == ["a"]


def test_a_new_replica_falls_back_to_the_last_engine_that_works(world: World) -> None:
    for digest in ("a", "b", "c"):
        promote(world.storage, NAME, digest)
    world.broken |= {"c", "b"}
    follower = world.follower()
    poll(follower)
    report = world.report()
    assert (report["digest"], report["wanted"]) == ("a", "c")
    assert report["error"].startswith("c:")
    world.now += 1000
    poll(follower)
    assert world.loads == ["c", "b", "a", "c"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"stable": 5}', b"", b'{"next": "a"}'])
def test_a_broken_pointer_changes_only_the_report(world: World, content: bytes) -> None:
    follower = world.follower()
    promote(world.storage, NAME, "a")
    poll(follower)
    world.storage.write_bytes(layout.traffic(NAME), content)
    poll(follower, 2)
    assert "traffic.json" in world.report()["error"]
    assert world.report()["digest"] == "a"
    world.storage.write_json(layout.traffic(NAME), {"stable": "a"})
    poll(follower)
    assert world.report()["error"] is None


def test_a_lost_pointer_keeps_the_engine(world: World) -> None:
    follower = world.follower()
    promote(world.storage, NAME, "a")
    poll(follower)
    world.storage.delete(layout.traffic(NAME))
    poll(follower)
    assert world.report()["digest"] == "a"
    assert "gone" in world.report()["error"]


def test_the_report_is_written_on_changes_and_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    monkeypatch.setattr(world.storage, "write_json", lambda _path, value: written.append(value))
    follower = world.follower()
    for _ in range(31):
        poll(follower)
        world.now += 2
    assert len(written) == 2


def test_an_engine_is_loaded_even_if_the_report_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str, _value: object) -> None:
        raise StorageError("read-only")

    promote(world.storage, NAME, "a")
    monkeypatch.setattr(world.storage, "write_json", refuse)
    poll(world.follower())
    assert world.adopted == ["a"]


@pytest.mark.parametrize(("poll_seconds", "silent"), [(2.0, True), (300.0, False)])
def test_the_report_shows_when_a_replica_has_become_silent(
    world: World, poll_seconds: float, silent: bool
) -> None:
    poll(world.follower(poll_seconds=poll_seconds))
    (report,) = read_reports(world.storage, NAME)
    written = datetime.fromtimestamp(world.now, UTC)
    assert not report.is_silent(written + timedelta(seconds=100))
    assert report.is_silent(written + timedelta(seconds=400)) is silent


def test_an_engine_is_reported_as_wanted_before_it_is_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(world.storage, NAME, "a")
    reported: list[object] = []
    load = world.load

    def look(digest: str) -> SearchEngine:
        reported.append(world.report()["wanted"])
        return load(digest)

    monkeypatch.setattr(world, "load", look)
    poll(world.follower())
    assert reported == ["a"]


def test_stopping_deletes_the_report(world: World) -> None:
    follower = world.follower()
    poll(follower)
    asyncio.run(follower.stop())
    assert not world.storage.exists(layout.replica_report(NAME, "replica1"))


def test_stopping_deletes_a_report_that_is_being_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, write = threading.Event(), world.storage.write_json

    def slow(path: str, value: object) -> None:
        begun.set()
        time.sleep(0.2)
        write(path, value)

    monkeypatch.setattr(world.storage, "write_json", slow)

    async def body() -> None:
        follower = world.follower()
        step = asyncio.create_task(follower.poll())
        await asyncio.to_thread(begun.wait, 5)
        step.cancel()
        await follower.stop()

    asyncio.run(body())
    assert not world.storage.exists(layout.replica_report(NAME, "replica1"))


def test_old_reports_of_dead_replicas_are_deleted(world: World) -> None:
    first = world.follower("first")
    poll(first)
    world.now += 600
    poll(world.follower("second"))
    assert world.storage.exists(layout.replica_report(NAME, "first"))  # it may be loading an engine
    world.storage.write_bytes(layout.replica_report(NAME, "torn"), b"{")
    world.now += 3600
    second = world.follower("third")
    poll(second)
    left = [name for name in ("first", "second", "third") if _has_report(world, name)]
    assert left == ["second", "third"]
    world.now += 100
    poll(first)
    assert _has_report(world, "first")  # it lived after all


def _has_report(world: World, name: str) -> bool:
    return world.storage.exists(layout.replica_report(NAME, name))


def replica(world: World) -> Replica:
    serving = ServingConfig(poll_seconds=0.01)
    return Replica(world.storage, serving, "replica1", load=world.load)


ROUTE = ServedRoute("eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, "a", "tiny", "mit")


def test_a_replica_without_an_engine_starts_and_refuses_requests(world: World) -> None:
    async def body() -> None:
        one = replica(world)
        await one.start()
        assert one.served().default is None
        one.check()
        with pytest.raises(NoEngineError):
            await one.translate(["x"], ROUTE, "client")
        await one.stop()
        with pytest.raises(TranslationError):
            one.check()

    asyncio.run(body())


def test_a_call_is_translated_by_one_engine_while_engines_are_swapped(world: World) -> None:
    async def body() -> None:
        promote(world.storage, NAME, "a")
        one = replica(world)
        await one.start()
        seen = set()
        for turn in range(60):
            if turn % 10 == 5:
                promote(world.storage, NAME, "b" if turn % 20 == 5 else "a")
            answer = await one.translate(["x|y", "z"] * 20, ROUTE, "client")
            digest = answer.engine
            assert answer.texts == [f"{digest}:x {digest}:y", f"{digest}:z"] * 20
            seen.add(digest)
            await asyncio.sleep(0.005)
        assert seen == {"a", "b"}
        await one.stop()

    asyncio.run(asyncio.wait_for(body(), 10))


def test_another_language_pair_is_refused(world: World) -> None:
    async def body() -> None:
        promote(world.storage, NAME, "a")
        one = replica(world)
        await one.start()
        with pytest.raises(UnsupportedLanguageError, match="no longer served"):
            await one.translate(["x"], replace(ROUTE, key="tam_Taml-eng_Latn"), "client")
        await one.stop()

    asyncio.run(body())


def test_a_replica_that_leaves_still_finishes_what_it_accepted(world: World) -> None:
    async def body() -> None:
        promote(world.storage, NAME, "a")
        one = replica(world)
        await one.start()
        working = asyncio.create_task(one.translate(["x"], ROUTE, "client"))
        await asyncio.sleep(0)
        assert await one.leave() == 1
        assert one.served().is_stopping
        assert (await working).texts == ["a:x"]
        assert await one.leave() == 0
        await one.stop()
        with pytest.raises(StoppingError):
            await one.translate(["x"], ROUTE, "client")

    asyncio.run(body())
