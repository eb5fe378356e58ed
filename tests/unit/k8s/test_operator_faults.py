"""Whatever fails, a campaign comes to the same end: seeded schedules of faults over its stories.

To repeat one that failed: `FAULT_SEED=17 pytest -k "the story"`. `FAULT_SCHEDULES` is their number.
"""

import logging
import os

import pytest

from tests.support.k8s.fault_schedules import Explorer
from tests.support.k8s.fault_stories import ENDS, STORIES
from tests.support.k8s.faults import faulty_world
from tests.support.k8s.release_fields import release_fields

SCHEDULES = int(os.environ.get("FAULT_SCHEDULES", "20000"))
"""In all stories together."""


@pytest.fixture(autouse=True)
def no_log():
    """Keep the operator's log, of some hundred thousand lines, out of the report."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", STORIES)
def test_a_campaign_comes_to_the_same_end_whatever_fails(name: str) -> None:
    story = STORIES[name]
    with faulty_world(release_fields(), story.events) as world:
        world.verdicts = dict(story.verdicts)
        explorer = Explorer(world, world.keep(), story.spared)
        explorer.tell()
        assert explorer.end() == ENDS[name]
        seed = os.environ.get("FAULT_SEED")
        seeds = [int(seed)] if seed else range(-(-SCHEDULES // len(STORIES)))
        suffered = [explorer.follow(each) for each in seeds]
    # Schedules without a fault would find nothing.
    assert seed or sum(map(bool, suffered)) > len(suffered) / 2
