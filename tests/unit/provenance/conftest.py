"""A storage root, and the keys of a team."""

from pathlib import Path

import pytest

from nmt.storage import Storage
from tests.support.runs.signed_run import KeyPair, make_keys


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "root"))


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return make_keys(tmp_path)
