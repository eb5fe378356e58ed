"""The places below the operator's limit, while campaigns are refused or deleted."""

from pathlib import Path

import pytest

from k8s.api.cluster import CAMPAIGN
from tests.support.k8s.campaign_world import World
from tests.support.k8s.release_fields import release_fields


@pytest.fixture
def one_place(tmp_path: Path) -> World:
    """A world in which one campaign works, and one with a higher priority waits before another."""
    world = World(tmp_path, release_fields(), limit=1)
    for name, priority in (("clinic", 0), ("low", 0), ("high", 5)):
        world.apply(name, priority=priority)
        world.reconcile(name)
    return world


def _damage_record(world: World, name: str) -> None:
    world.storage.write_bytes(f"campaigns/{name}/campaign.json", b"{}x")


def test_a_waiting_campaign_that_is_refused_lets_the_others_pass(one_place: World) -> None:
    world = one_place
    assert world.status("high").phase == "Queued"
    _damage_record(world, "high")
    assert world.wait(15, "high").phase == "Stalled"
    world.run_until_rest("clinic")
    assert world.wait(15, "low").phase == "Preparing"


def test_a_working_campaign_that_is_refused_keeps_its_place_while_its_job_runs(
    one_place: World,
) -> None:
    world = one_place
    _damage_record(world, "clinic")
    assert world.wait(15, "clinic").phase == "Stalled"
    assert world.wait(15, "high").phase == "Queued"
    world.fail_jobs()
    world.wait(15, "clinic")
    assert world.wait(15, "high").phase == "Preparing"


def test_a_suspended_campaign_whose_record_cannot_be_read_works_no_longer(
    one_place: World,
) -> None:
    world = one_place
    assert world.live_jobs()
    _damage_record(world, "clinic")
    world.apply("clinic", suspend=True)
    assert world.wait(15, "clinic").phase == "Stalled"
    assert not world.live_jobs()
    world.wait(15, "clinic")
    assert world.wait(15, "high").phase == "Preparing"


def test_a_deleted_campaign_takes_no_place_although_its_record_cannot_be_read(
    one_place: World,
) -> None:
    world = one_place
    _damage_record(world, "high")
    world.cluster.delete(CAMPAIGN, "high")
    world.reconcile("high")
    world.run_until_rest("clinic")
    assert world.wait(15, "low").phase == "Preparing"


def test_a_campaign_that_was_given_to_another_release_takes_no_place(one_place: World) -> None:
    world = one_place
    world.apply("high", release="other")
    world.reconcile("high")
    world.run_until_rest("clinic")
    assert world.wait(15, "low").phase == "Preparing"


def test_a_campaign_that_waits_for_its_deletion_takes_no_place(one_place: World) -> None:
    world = one_place
    world.cluster.objects[CAMPAIGN.name, "high"]["metadata"]["finalizers"] = ["team/backup"]
    world.cluster.delete(CAMPAIGN, "high")
    world.reconcile("high")
    world.run_until_rest("clinic")
    assert world.wait(15, "low").phase == "Preparing"
