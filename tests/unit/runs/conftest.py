"""A storage root without runs."""

from pathlib import Path

import pytest

from nmt.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "runs"))
