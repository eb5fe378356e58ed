"""A campaign that was deleted and made again for another release of the namespace."""

import pytest

from k8s.api.cluster import CAMPAIGN
from nmt.runs import layout
from tests.support.k8s.campaign_world import NAME, World


def _move(world: World) -> None:
    """Delete the campaign and make it again, before the operator looks."""
    world.cluster.objects.pop((CAMPAIGN.name, NAME))
    world.apply(release="other")


@pytest.fixture
def moved(world: World) -> World:
    """A world whose campaign went to another release in the middle of its canary."""
    world.begin_canary()
    _move(world)
    return world


def test_its_canary_ends_and_its_route_is_free(moved: World) -> None:
    stable = moved.serving()
    assert moved.reconcile() is None
    assert moved.route().canary is None
    assert moved.route().owner is None
    assert moved.serving() == stable


def test_its_canary_ends_although_the_operator_was_away_meanwhile(moved: World) -> None:
    moved.restart()
    for name in moved.reconciler.held():
        moved.reconcile(name)
    assert moved.route().canary is None


def test_nothing_is_said_or_started_in_the_name_of_the_other_release(moved: World) -> None:
    moved.reconcile()
    assert "status" not in moved.cluster.objects[CAMPAIGN.name, NAME]
    assert len(moved.record().revisions) == 2
    assert NAME not in moved.reconciler.observer.standings


def test_a_canary_that_the_other_release_has_begun_is_left_alone(moved: World) -> None:
    """The two may share a storage root, and with it the record of the name."""
    record = moved.record().model_copy(update={"release": "other"})
    moved.storage.write_json(layout.campaign(NAME), record.model_dump(mode="json"))
    moved.restart()
    assert moved.reconcile() is None
    assert moved.route().canary is not None
    assert moved.route().owner is not None


def test_a_damaged_record_that_may_be_of_the_other_release_is_left_alone(moved: World) -> None:
    moved.restart()
    moved.storage.write_bytes(layout.campaign(NAME), b"{}x")
    assert moved.reconcile() is None
    assert moved.route().canary is not None
