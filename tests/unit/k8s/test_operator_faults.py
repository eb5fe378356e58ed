"""Whatever fails, a campaign comes to the same end: its jobs, its gate, and what people say."""

import pytest

from tests.support.k8s.fault_checks import check_story
from tests.support.k8s.fault_stories import WORK_STORIES


@pytest.mark.parametrize("name", WORK_STORIES)
def test_a_campaign_comes_to_the_same_end_whatever_fails(name: str) -> None:
    check_story(name)
