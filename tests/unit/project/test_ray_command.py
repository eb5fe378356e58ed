"""The image's `ray`, which waits for the head of a cluster without importing all of Ray."""

import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.project import PROJECT

COMMAND = PROJECT / "docker" / "ray"


@pytest.fixture
def port() -> int:
    return free_port()


def health_check(port: int) -> subprocess.CompletedProcess:
    words = [str(COMMAND), "health-check", "--address", f"127.0.0.1:{port}"]
    return subprocess.run(words, timeout=60, check=False)


def test_it_waits_until_the_head_accepts_connections(port):
    listening = threading.Event()

    def listen() -> None:
        time.sleep(1)
        with socket.create_server(("127.0.0.1", port)):
            listening.set()
            time.sleep(3)

    head = threading.Thread(target=listen)
    head.start()
    assert health_check(port).returncode == 0
    assert listening.is_set()
    head.join()


def test_a_head_that_does_not_come_is_an_error(port, tmp_path):
    script = COMMAND.read_text("utf-8").replace("{1..100}", "{1..2}")
    quick = tmp_path / "ray"
    quick.write_text(script)
    words = ["bash", str(quick), "health-check", "--address", f"127.0.0.1:{port}"]
    assert subprocess.run(words, timeout=60, check=False).returncode == 1


def test_everything_else_is_rays_own_command(tmp_path):
    script = COMMAND.read_text("utf-8").replace("/opt/venv/bin/ray", str(tmp_path / "real"))
    (tmp_path / "ray").write_text(script)
    (tmp_path / "real").write_text('#!/bin/bash\nprintf "%s|" "$@"\n')
    (tmp_path / "real").chmod(0o755)
    words = ["bash", str(tmp_path / "ray"), "start", "--head", "a b"]
    assert subprocess.run(words, stdout=-1, text=True, check=True).stdout == "start|--head|a b|"


def test_it_is_executable_and_in_front_of_rays_own_in_the_image():
    assert os.access(COMMAND, os.X_OK)
    steps = Path(PROJECT / "docker" / "Dockerfile").read_text("utf-8")
    assert "COPY docker/ray /opt/bin/ray" in steps
    assert "ENV PATH=/opt/bin:$PATH" in steps
