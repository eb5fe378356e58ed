"""Campaigns whose jobs wait in a queue of Kueue."""

from pathlib import Path

import pytest

from tests.support.k8s.campaign_world import World
from tests.support.k8s.release_fields import release_fields


@pytest.fixture
def queued_release(tmp_path: Path) -> World:
    """A world whose release has a queue of Kueue, and whose operator has one place."""
    fields = release_fields()
    fields["jobs"]["queue"] = "team-queue"
    return World(tmp_path, fields, limit=1)


def test_campaigns_in_the_queue_of_their_release_take_no_place(queued_release: World) -> None:
    world = queued_release
    for name in ("clinic", "news"):
        world.apply(name)
        world.reconcile(name)
    assert [world.status(name).phase for name in ("clinic", "news")] == ["Preparing"] * 2
    standings = world.reconciler.observer.known_standings().values()
    assert {each.state for each in standings} == {"resting"}


def test_after_a_restart_the_queue_of_the_release_is_known(queued_release: World) -> None:
    world = queued_release
    world.apply("clinic")
    world.reconcile("clinic")
    world.restart()
    world.apply("news")
    world.reconcile("news")
    assert {each.state for each in world.reconciler.observer.known_standings().values()} == {
        "resting"
    }


def test_a_job_that_kueue_holds_back_is_queued(world: World) -> None:
    world.apply(queue="team-queue")
    world.reconcile()
    [job] = world.jobs()
    world.cluster.set_status(job["metadata"]["name"], jobDeploymentStatus="Suspended")
    status = world.wait(5)
    assert status.phase == "Queued"
    assert "team-queue" in status.message


def test_a_deadline_waits_while_kueue_holds_the_job_back(world: World) -> None:
    world.apply(queue="team-queue", deadlineSeconds=3600)
    world.reconcile()
    [job] = world.jobs()
    world.cluster.set_status(job["metadata"]["name"], jobDeploymentStatus="Suspended")
    world.wait(5)
    assert world.wait(86_400).phase == "Queued"
    world.cluster.set_status(
        job["metadata"]["name"], jobDeploymentStatus="Running", jobStatus="RUNNING"
    )
    world.reconcile()
    assert world.wait(3500).phase == "Preparing"
    assert world.wait(200).phase == "Failed"
