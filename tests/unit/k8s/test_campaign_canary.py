"""The canary of a campaign is watched, and ended, whatever else happens to the campaign."""

from tests.support.k8s.campaign_world import World
from tests.support.rollouts import HARM


def test_a_canary_is_watched_although_the_clock_was_set_back(world: World) -> None:
    world.begin_canary()
    world.wait(60)
    world.count(HARM)
    world.wait(-3600)
    assert world.route().canary is None
