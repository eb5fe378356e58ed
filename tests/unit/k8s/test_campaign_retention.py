"""Old revisions make room, and what serves stays."""

import pytest

from nmt.runs import layout
from nmt.runs.steps import EXPORT
from tests.support.k8s.campaign_world import CONFIG, DATA, World, engine_of
from tests.support.rollouts import CLEAN


def _revision(world: World, number: int) -> None:
    """Let new data become the engine that serves."""
    world.write_corpus(f"data {number}")
    world.apply(config=CONFIG | DATA, keep={"revisions": 2, "failed": 1})
    status = world.run_until_rest()
    if status.phase == "Canary":
        status = world.roll_out(CLEAN)
    assert status.phase == "Served"
    assert world.serving() == engine_of(f"clinic-r{number}")


def _runs(world: World) -> list[str]:
    return [name for name in world.storage.list("") if name.startswith("clinic-r")]


def test_an_engine_that_serves_or_could_serve_again_is_kept(world: World) -> None:
    for number in (1, 2, 3, 4):
        _revision(world, number)
    world.wait(60)
    assert world.route().previous == tuple(engine_of(f"clinic-r{n}") for n in (3, 2, 1))
    assert _runs(world) == ["clinic-r1", "clinic-r2", "clinic-r3", "clinic-r4"]


def test_the_run_the_engine_and_the_jobs_of_an_old_revision_go(world: World) -> None:
    _revision(world, 1)
    for number in (2, 3, 4, 5):
        world.verdicts[f"clinic-r{number}"] = "reject"
        world.write_corpus(f"data {number}")
        assert world.run_until_rest().phase == "Rejected"
    world.wait(60)
    assert _runs(world) == ["clinic-r1", "clinic-r4", "clinic-r5"]
    assert engine_of("clinic-r2") not in world.storage.list("engines")
    assert engine_of("clinic-r1") in world.storage.list("engines")
    revisions = {job["metadata"]["labels"]["nmt.internal/revision"] for job in world.jobs()}
    assert revisions == {"1", "4", "5"}
    assert [each.removed for each in world.record().revisions] == [False, True, True, False, False]


def test_an_engine_that_another_run_has_made_too_is_kept(world: World) -> None:
    _revision(world, 1)
    for number in (2, 3, 4):
        world.verdicts[f"clinic-r{number}"] = "reject"
        world.write_corpus(f"data {number}")
        world.run_until_rest()
        if number == 2:
            world.leave_same_engine("other", "clinic-r2")
    world.wait(60)
    assert "clinic-r2" not in _runs(world)
    assert engine_of("clinic-r2") in world.storage.list("engines")


def test_of_failed_revisions_fewer_are_kept(world: World) -> None:
    _revision(world, 1)
    for number in (2, 3, 4):
        world.write_corpus(f"data {number}")
        world.let_data_settle()
        world.reconcile()
        world.leave(f"clinic-r{number}", "prepare")
        world.fail_jobs()
        assert world.wait(5).phase == "Failed"
    world.wait(60)
    assert _runs(world) == ["clinic-r1", "clinic-r3", "clinic-r4"]


def test_nothing_is_deleted_while_the_campaign_is_suspended(world: World) -> None:
    _revision(world, 1)
    world.verdicts |= {"clinic-r2": "reject", "clinic-r3": "reject"}
    for number in (2, 3):
        world.write_corpus(f"data {number}")
        world.run_until_rest()
    world.apply(suspend=True, keep={"revisions": 1, "failed": 0})
    world.wait(60)
    assert _runs(world) == ["clinic-r1", "clinic-r2", "clinic-r3"]


def _reject_three(world: World) -> None:
    """Let three revisions be rejected after the one that serves, so that one of them has to go."""
    for number in (2, 3, 4):
        world.verdicts[f"clinic-r{number}"] = "reject"
        world.write_corpus(f"data {number}")
        assert world.run_until_rest().phase == "Rejected"


def test_an_engine_stays_if_another_run_may_have_made_it_too(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _revision(world, 1)
    world.leave_same_engine("other", "clinic-r1")
    world.storage.write_bytes(layout.step_record("other", EXPORT), b"{}x")
    _reject_three(world)
    assert world.wait(60).phase == "Rejected"
    assert "clinic-r2" not in _runs(world)
    assert engine_of("clinic-r2") in world.storage.list("engines")
    assert _warnings(caplog, "another run may have made it too") == 1


def test_no_engine_goes_while_a_traffic_file_cannot_be_read(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _revision(world, 1)
    other = layout.traffic("other")
    world.storage.write_bytes(other, b"{}x")
    _reject_three(world)
    assert world.wait(60).phase == "Rejected"
    assert "clinic-r2" in _runs(world)
    assert _warnings(caplog, other) == 1
    world.storage.delete(other)
    world.wait(60)
    assert "clinic-r2" not in _runs(world)
    assert engine_of("clinic-r2") not in world.storage.list("engines")


def _warnings(caplog: pytest.LogCaptureFixture, text: str) -> int:
    return sum(
        record.levelname == "WARNING" and text in record.getMessage() for record in caplog.records
    )
