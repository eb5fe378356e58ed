"""Revisions that make the engine that serves, and campaigns that are deleted and made again."""

from typing import Any

import pytest

from k8s.objects.campaign.names import rollout_owner
from k8s.objects.campaign.status import CampaignStatus
from nmt.rollout import rollouts_of
from nmt.rollout.record import rollout_id
from nmt.runs import layout
from tests.support.k8s.campaign_world import CONFIG, DATA, NAME, ROUTE, World, engine_of
from tests.support.rollouts import CLEAN


@pytest.fixture
def served(world: World) -> World:
    """A campaign whose later revisions find nothing to do anew."""
    world.serve_first()
    world.same_as = {f"clinic-r{number}": "clinic-r1" for number in (2, 3)}
    return world


def told(status: CampaignStatus) -> tuple[str, int]:
    """Return the phase, and the number of the revision."""
    assert status.revision
    return status.phase, status.revision.number


def make_again(world: World, **spec: Any) -> CampaignStatus:
    """Delete the campaign, make it again, and let it come to rest."""
    world.delete()
    world.apply(**spec)
    world.let_data_settle()
    return world.run_until_rest()


@pytest.mark.parametrize(
    "change",
    [
        {"action": {"id": "1", "do": "retry", "reason": ""}},
        {"config": CONFIG | DATA | {"gate": {"least_gain": 0.7}}},
    ],
    ids=["retry", "other-gate"],
)
def test_a_revision_that_makes_the_engine_that_serves_is_served(
    served: World, change: dict[str, Any]
) -> None:
    served.apply(**change)
    served.run_until_rest()
    status = served.wait(60)
    assert told(status) == ("Served", 2)
    assert "serves already" in status.message
    conditions = {each.type: each.status for each in status.conditions}
    assert (conditions["Ready"], conditions["Promoted"]) == ("True", "True")
    assert served.serving() == engine_of("clinic-r1")


def test_a_campaign_that_is_made_again_owns_its_route_again(served: World) -> None:
    served.delete()
    assert served.route().owner is None
    served.apply(config=CONFIG | DATA)
    served.let_data_settle()
    served.run_until_rest()
    status = served.wait(60)
    assert told(status) == ("Served", 2)
    assert served.route().owner == rollout_owner(NAME)


def test_a_campaign_that_is_made_again_after_a_failure_starts_anew(world: World) -> None:
    world.apply()
    world.reconcile()
    world.fail_jobs()
    assert world.wait(60).phase == "Failed"
    assert told(make_again(world)) == ("Served", 2)


def test_a_campaign_that_is_deleted_at_work_and_made_again_starts_anew(world: World) -> None:
    world.apply()
    world.reconcile()
    assert told(make_again(world)) == ("Served", 2)


def test_an_action_is_not_done_again_by_a_campaign_that_is_made_again(world: World) -> None:
    world.begin_canary()
    action = {"id": "1", "do": "abort", "reason": "not now"}
    world.apply(action=action)
    world.wait(60)
    assert make_again(world, config=CONFIG | DATA, action=action).phase == "Canary"


def test_a_change_of_settings_waits_for_its_data_and_trains_nothing_with_them(
    world: World,
) -> None:
    world.write_corpus("first")
    world.apply(config=CONFIG | DATA)
    world.let_data_settle()
    world.reconcile()
    world.finish_jobs()
    missing = {"data": {"path": "corpora/missing.tsv"}, "training": {"learning_rate": 0.123}}
    world.apply(config=CONFIG | missing)
    status = world.wait(60)
    assert world.live_jobs() == []
    assert status.message == "the changed settings wait for their data"
    world.apply(config=CONFIG | DATA)
    assert world.run_until_rest().phase == "Served"
    assert world.record().current
    assert "0.123" not in str(world.jobs())


@pytest.mark.parametrize(
    "stop",
    [{"suspend": True}, {"action": {"id": "1", "do": "abort", "reason": "wrong settings"}}],
    ids=["suspend", "abort"],
)
def test_a_campaign_that_cannot_be_read_is_stopped_all_the_same(
    world: World, stop: dict[str, Any]
) -> None:
    world.apply()
    world.reconcile()
    world.apply(config=CONFIG | {"training": {"nonsense": 1}})
    assert world.wait(60).phase == "Stalled"
    assert len(world.live_jobs()) == 1
    world.apply(**stop)
    world.wait(60)
    world.wait(60)
    assert world.live_jobs() == []


def test_a_rollback_ends_all_revisions_that_have_made_the_engine(world: World) -> None:
    world.begin_canary()
    assert world.roll_out(CLEAN).phase == "Served"
    world.same_as = {"clinic-r3": "clinic-r2"}
    world.tell("1", "retry")
    world.run_until_rest()
    assert world.wait(60).phase == "Served"
    world.tell("2", "rollback", "users complain")
    world.wait(60)
    status = world.wait(60)
    assert world.serving() == engine_of("clinic-r1")
    assert status.phase == "RolledBack"
    phases = {each.run: each.phase for each in status.history}
    assert (phases["clinic-r2"], phases["clinic-r1"]) == ("RolledBack", "Served")


def test_a_damaged_record_of_an_old_rollout_stops_no_campaign(world: World) -> None:
    world.begin_canary()
    world.tell("1", "abort", "not now")
    world.wait(60)
    assert rollouts_of(world.storage, "default", ROUTE)[0].run == "clinic-r1"
    world.storage.write_bytes(layout.rollout("default", rollout_id(ROUTE, 1)), b"{")
    assert world.wait(60).phase == "RolledBack"
