"""An endpoint that requires keys."""

from pathlib import Path

import pytest

from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator
from nmt.storage import Storage
from tests.support.authentication import Clock


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(storage: Storage, clock: Clock) -> Authenticator:
    return Authenticator(storage, "default", ServingConfig(require_keys=True), clock)
