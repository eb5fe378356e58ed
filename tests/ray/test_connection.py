import logging

import pytest
import ray

from nmt.config import Config
from ray_jobs.runtime.connection import connect


def test_another_ray_can_be_started_after_a_private_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Ray's processes would ask for this token, and the driver send that of the private Ray.
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of the user's own Ray")
    for _ in range(2):
        with connect(Config()):
            assert ray.is_initialized()
    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level=logging.ERROR)
    ray.shutdown()
