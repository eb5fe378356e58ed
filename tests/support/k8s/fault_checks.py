"""Whatever fails, a campaign comes to the same end: seeded schedules of faults over a story.

To repeat one that failed: `FAULT_SEED=17 pytest -k "a part of its name"`. `FAULT_SCHEDULES` is
their number in all stories together.
"""

import logging
import os

from tests.support.k8s.fault_schedules import Explorer
from tests.support.k8s.fault_stories import ENDS, STORIES
from tests.support.k8s.faults import faulty_world
from tests.support.k8s.release_fields import release_fields

SCHEDULES = int(os.environ.get("FAULT_SCHEDULES", "20000"))


def check_story(name: str) -> None:
    """Tell a story without faults, and then with those of many seeds."""
    # The operator's log has some hundred thousand lines.
    logging.disable(logging.CRITICAL)
    try:
        _check(name)
    finally:
        logging.disable(logging.NOTSET)


def _check(name: str) -> None:
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
