"""The canary of a campaign is watched, and ended, whatever else happens to the campaign."""

from datetime import UTC, datetime

from nmt.rollout.record import RolloutRecord, change_rollout, running_rollout
from tests.support.k8s.campaign_world import CONFIG, DATA, ROUTE, World
from tests.support.rollouts import HARM


def test_a_canary_is_watched_although_the_clock_was_set_back(world: World) -> None:
    world.begin_canary()
    world.wait(60)
    world.count(HARM)
    world.wait(-3600)
    assert world.route().canary is None


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
