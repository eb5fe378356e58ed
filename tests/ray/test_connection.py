import logging
from pathlib import Path

import pytest
import ray
from ray._private import services

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


def test_a_private_ray_whose_first_process_hangs_is_started_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = tmp_path / "gcs_server"
    started = tmp_path / "started"
    real = services.GCS_SERVER_EXECUTABLE
    hanging.write_text(f'#!/bin/sh\nmkdir {started} && exec sleep 60\nexec "{real}" "$@"\n')
    hanging.chmod(0o755)
    monkeypatch.setattr(services, "GCS_SERVER_EXECUTABLE", str(hanging))
    monkeypatch.setenv("RAY_gcs_server_port_wait_time_s", "2")
    with connect(Config()):
        assert ray.is_initialized()
    assert started.is_dir()
    assert "trying once more" in caplog.text
