"""What the tests of rollouts share."""

import pytest

from tests.support.rollouts import Rollouts, quick_storage


@pytest.fixture
def rollouts(tmp_path) -> Rollouts:
    return Rollouts(quick_storage(tmp_path))
