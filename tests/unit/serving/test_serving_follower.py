"""The follower: reading the traffic file, and the report, with a real storage root."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nmt.errors import StorageError
from nmt.runs import layout
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.storage import Storage
from nmt.traffic import (
    PairCounts,
    change_traffic,
    promote,
    read_reports,
    rollback,
    start_canary,
)
from tests.support.runs.evaluated_run import leave_engine
from tests.support.serving import KEY, NAME, World, poll, poll_once


@pytest.fixture
def world(tmp_path: Path) -> World:
    storage = Storage(str(tmp_path))
    for digest in ("a", "b", "c"):
        leave_engine(storage, digest)
    return World(storage)


def test_without_a_traffic_file_the_report_has_neither_engine_nor_error(world: World) -> None:
    poll(world.follower(), 2)
    report = world.report()
    assert (report["digest"], report["wanted"], report["error"]) == (None, None, None)


def test_follows_promotion_and_rollback(world: World) -> None:
    follower = world.follower()
    poll(follower)
    seen = []
    for digest in ("a", "b"):
        promote(world.storage, NAME, digest)
        poll(follower, 2)
        seen.append(world.report()["digest"])
    rollback(world.storage, NAME)
    poll(follower)
    assert [*seen, world.report()["digest"]] == ["a", "b", "a"]
    assert world.report()["since"].startswith("2027-01-15")


def test_a_rollback_does_not_load_the_previous_engine_again(world: World) -> None:
    follower = world.follower()
    for digest in ("a", "b"):
        promote(world.storage, NAME, digest)
        poll(follower)
    rollback(world.storage, NAME)
    poll(follower)
    assert world.loads == ["a", "b"]


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
    assert report["routes"][KEY] == {
        "stable": "a",
        "canary": None,
        "shadow": None,
        "wanted_stable": "b",
        "wanted_canary": None,
        "wanted_shadow": None,
        "error": report["error"],
    }
    rollback(world.storage, NAME)
    poll(follower)
    assert world.report()["error"] is None


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


def test_a_new_traffic_file_is_followed_at_once(world: World) -> None:
    follower = world.follower()
    world.broken.add("a")
    promote(world.storage, NAME, "a")
    poll(follower, 3)
    promote(world.storage, NAME, "b")
    poll(follower)
    assert world.loads == ["a", "b"]
    assert world.report()["error"] is None


def test_an_engine_that_is_promoted_again_is_tried_at_once(world: World) -> None:
    follower = world.follower()
    promote(world.storage, NAME, "a")
    poll(follower)
    world.broken.add("b")
    for digest in ("b", "a", "b"):
        promote(world.storage, NAME, digest)
        # The second promotion of `a` forgets the failure only once `b` is not named any more.
        change_traffic(world.storage, NAME, lambda traffic: without_previous(traffic))
        poll(follower)
    assert world.loads == ["a", "b", "b"]


def without_previous(traffic: Any) -> Any:
    (key, route), *_ = traffic.routes.items()
    return traffic.with_route(key, route.model_copy(update={"previous": ()}))


def test_a_repaired_engine_is_loaded(world: World) -> None:
    follower = world.follower()
    world.broken.add("a")
    promote(world.storage, NAME, "a")
    poll(follower)
    world.broken.clear()
    world.now += 10
    poll(follower)
    assert world.report()["digest"] == "a"


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


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"stable": 5}', b"", b'{"next": "a"}', b'{"version": 3}']
)
def test_a_traffic_file_that_cannot_be_read_changes_only_the_report(
    world: World, content: bytes
) -> None:
    follower = world.follower()
    promote(world.storage, NAME, "a")
    good = world.storage.read_bytes(layout.traffic(NAME))
    poll(follower)
    world.storage.write_bytes(layout.traffic(NAME), content)
    poll(follower, 2)
    assert "traffic.json" in world.report()["error"]
    assert world.report()["digest"] == "a"
    world.storage.write_bytes(layout.traffic(NAME), good)
    poll(follower)
    assert world.report()["error"] is None


def test_a_lost_traffic_file_keeps_the_engine(world: World) -> None:
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


def test_counts_alone_do_not_have_the_report_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    monkeypatch.setattr(world.storage, "write_json", lambda _path, value: written.append(value))
    seen: list[PairCounts] = []
    follower = world.follower(counts=lambda: tuple(seen))
    poll(follower)
    seen.append(counts("r"))
    poll(follower)
    assert len(written) == 1
    world.now += 60
    poll(follower)
    assert len(written[1]["counts"]) == 1


def test_an_engine_is_loaded_even_if_the_report_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str, _value: object) -> None:
        raise StorageError("read-only")

    promote(world.storage, NAME, "a")
    monkeypatch.setattr(world.storage, "write_json", refuse)
    follower = world.follower()
    poll(follower)
    assert follower.report().digest == "a"


@pytest.mark.parametrize(("poll_seconds", "silent"), [(2.0, True), (300.0, False)])
def test_the_report_shows_when_a_replica_has_become_silent(
    world: World, poll_seconds: float, silent: bool
) -> None:
    poll(world.follower(poll_seconds=poll_seconds))
    (report,) = read_reports(world.storage, NAME)
    written = datetime.fromtimestamp(world.now, UTC)
    assert not report.is_silent(written + timedelta(seconds=100))
    assert report.is_silent(written + timedelta(seconds=400)) is silent


def test_the_report_goes_on_while_an_engine_is_loaded(world: World) -> None:
    promote(world.storage, NAME, "a")
    gate = threading.Event()
    world.on_load = lambda _digest: assert_true(gate.wait(5))

    async def body() -> None:
        follower = world.follower()
        await follower.poll()
        assert (world.report()["wanted"], world.report()["digest"]) == ("a", None)
        world.now += 60
        await follower.poll()
        assert world.report()["seen"].startswith("2027-01-15T08:01:00")
        gate.set()
        await follower.engines.wait_until_settled()

    asyncio.run(body())


def assert_true(value: bool) -> None:
    assert value


def test_stopping_deletes_the_report(world: World) -> None:
    follower = world.follower()
    poll(follower)
    asyncio.run(follower.stop())
    assert not world.has_report()


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
    assert not world.has_report()


def counts(rollout: str) -> PairCounts:
    return PairCounts(
        rollout=rollout, step=0, route=KEY, stable="a", other="b", signal="broken", plus=1
    )


def test_a_replica_that_ends_leaves_its_counts_to_the_rollout_that_runs(world: World) -> None:
    promote(world.storage, NAME, "a")
    traffic = start_canary(world.storage, NAME, "b", 10)
    rollout = traffic.route().rollout
    follower = world.follower(counts=lambda: (counts(rollout),))
    poll(follower)
    asyncio.run(follower.stop())
    (report,) = read_reports(world.storage, NAME)
    assert report.ended
    assert report.counts == (counts(rollout),)
    assert (report.digest, report.routes, report.engines) == (None, {}, {})


def test_counts_of_a_rollout_that_has_ended_do_not_keep_the_report(world: World) -> None:
    promote(world.storage, NAME, "a")
    rollout = start_canary(world.storage, NAME, "b", 10).route().rollout
    rollback(world.storage, NAME)
    follower = world.follower(counts=lambda: (counts(rollout),))
    poll(follower)
    asyncio.run(follower.stop())
    assert not world.has_report()


def test_old_reports_of_dead_replicas_are_deleted(world: World) -> None:
    first = world.follower("first")
    poll(first)
    world.now += 600
    poll(world.follower("second"))
    assert world.has_report("first")  # it may be loading an engine
    world.storage.write_bytes(layout.replica_report(NAME, "torn"), b"{")
    world.now += 3600
    second = world.follower("third")
    poll(second)
    left = [name for name in ("first", "second", "third") if world.has_report(name)]
    assert left == ["second", "third"]
    world.now += 100
    poll(first)
    assert world.has_report("first")  # it lived after all


def test_counts_of_a_killed_replica_outlive_the_sweep_while_the_rollout_runs(world: World) -> None:
    promote(world.storage, NAME, "a")
    rollout = start_canary(world.storage, NAME, "b", 10).route().rollout
    poll(world.follower("killed", counts=lambda: (counts(rollout),)))
    world.now += 7200
    poll(world.follower("other"))
    assert world.has_report("killed")
    rollback(world.storage, NAME)
    world.now += 3700
    last = world.follower("last")
    asyncio.run(poll_once(last))
    assert not world.has_report("killed")


def value(metrics: ServingMetrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(name)


def test_metrics_show_when_the_traffic_file_was_last_read(world: World) -> None:
    metrics = ServingMetrics("replica1")
    follower = world.follower(metrics=metrics)
    poll(follower)
    read = world.now
    assert value(metrics, "nmt_traffic_read_timestamp_seconds") == read
    path = Path(world.storage.locate(layout.traffic(NAME)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("damaged")
    world.now += 60
    poll(follower)
    assert value(metrics, "nmt_traffic_read_timestamp_seconds") == read


def test_metrics_show_the_space_of_the_storage(world: World) -> None:
    metrics = ServingMetrics("replica1")
    poll(world.follower(metrics=metrics))
    free, size = (value(metrics, f"nmt_storage_{each}_bytes") for each in ("free", "size"))
    assert free is not None
    assert size is not None
    assert 0 < free < size


def test_the_space_is_measured_although_a_full_disk_takes_no_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = ServingMetrics("replica1")
    folder = Path(world.storage.locate(layout.replica_reports(NAME)))
    folder.mkdir(parents=True)

    def refuse(path: str, content: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(world.storage, "write_json", refuse)
    poll(world.follower(metrics=metrics))
    assert value(metrics, "nmt_storage_free_bytes")


def test_a_replica_with_a_bucket_has_no_metrics_of_a_disk() -> None:
    metrics = ServingMetrics("replica1")
    assert b"nmt_storage" not in metrics.exposition()
