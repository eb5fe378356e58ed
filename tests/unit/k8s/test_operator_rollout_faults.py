"""Whatever fails, the canary of a campaign comes to the same end."""

import pytest

from tests.support.k8s.fault_checks import check_story
from tests.support.k8s.fault_stories import ROLLOUT_STORIES


@pytest.mark.parametrize("name", ROLLOUT_STORIES)
def test_a_canary_comes_to_the_same_end_whatever_fails(name: str) -> None:
    check_story(name)
