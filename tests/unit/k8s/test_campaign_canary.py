"""The canary of a campaign is watched, and ended, whatever else happens to the campaign."""

from datetime import UTC, datetime

from k8s.api.cluster import CAMPAIGN
from nmt.rollout.record import RolloutRecord, change_rollout, running_rollout
from tests.support.k8s.campaign_world import CONFIG, DATA, NAME, ROUTE, World, engine_of
from tests.support.rollouts import HARM


def test_a_canary_is_watched_although_the_clock_was_set_back(world: World) -> None:
    world.begin_canary()
    world.wait(60)
    world.count(HARM)
    world.wait(-3600)
    assert world.route().canary is None


def test_the_canary_of_a_campaign_that_waits_for_its_jobs_to_be_deleted_ends(world: World) -> None:
    world.begin_canary()
    _begin_deletion(world)
    assert world.reconcile() is None
    route = world.route()
    assert (route.stable, route.canary, route.owner) == (engine_of("clinic-r1"), None, None)


def test_a_campaign_that_is_being_deleted_leaves_the_route_of_another_one_alone(
    world: World,
) -> None:
    world.apply("news")
    world.run_until_rest("news")
    world.apply()
    _begin_deletion(world)
    assert world.reconcile() is None
    assert world.route().owner == "campaign/news"


def _begin_deletion(world: World) -> None:
    """Delete the campaign by `kubectl delete --cascade=foreground`, which waits for its jobs."""
    campaigns = world.cluster.objects
    campaigns[CAMPAIGN.name, NAME]["metadata"]["finalizers"] = ["foregroundDeletion"]
    world.cluster.delete(CAMPAIGN, NAME)
    assert "deletionTimestamp" in campaigns[CAMPAIGN.name, NAME]["metadata"]


def test_a_canary_that_was_half_ended_is_ended_although_the_route_is_another_one(
    world: World,
) -> None:
    world.begin_canary()
    _abort_half(world)
    world.apply(config=CONFIG | DATA | {"gate": {"domain": "law"}})
    world.wait(60)
    assert world.route().canary is None


def _abort_half(world: World) -> None:
    """Abort the running rollout as an operator that died before it wrote the traffic file."""
    found = running_rollout(world.storage, "default", ROUTE)
    assert found
    time = datetime.fromtimestamp(world.now, UTC)

    def abort(record: RolloutRecord) -> RolloutRecord:
        return record.with_event("abort", "ann", "a release is near", time).ended_as(
            "aborted", time
        )

    change_rollout(world.storage, "default", found.id, abort)
    assert world.route().canary is not None
