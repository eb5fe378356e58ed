import json
import os
import socket
import subprocess
import sys

import pytest

from nmt.errors import UnavailableError
from ray_jobs import cluster


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch):
    """A port that is bound already, and the only one there is."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        monkeypatch.setattr(cluster, "_OWN_PORTS", (port, port + 1))
        yield port


def test_the_dashboard_gets_a_port_that_no_other_process_is_handed():
    first_of_the_system = 32_768  # of Linux; later on other systems
    assert cluster._free_port() < first_of_the_system


def test_a_port_that_is_taken_is_left_to_its_owner(taken, monkeypatch):
    monkeypatch.setattr(cluster, "_OWN_PORTS", (taken, taken + 3))
    assert cluster._free_port() in {taken + 1, taken + 2}


def test_where_every_port_is_taken_the_range_is_named(taken):
    with pytest.raises(UnavailableError, match=f"no free port from {taken} on"):
        cluster._free_port()


# What the driver of a step imports, and in which order

DRIVERS = ("tune", "train", "prepare", "base", "evaluate", "export", "pipeline")
PROBE = f"""
import importlib, json, sys
for name in {DRIVERS}:
    importlib.import_module("ray_jobs." + name)
from ray._private import ray_constants
heavy = [name for name in ("torch", "transformers", "peft", "datasets") if name in sys.modules]
print(json.dumps([heavy, ray_constants.RAY_DEDUP_LOGS]))
"""


@pytest.fixture(scope="module")
def imported() -> tuple[list[str], bool]:
    """Heavy packages that the drivers have loaded, and whether Ray drops lines that look alike."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env=environ
    )
    return tuple(json.loads(done.stdout))


def test_the_driver_of_a_step_loads_none_of_the_packages_that_only_workers_need(imported):
    assert imported[0] == []


def test_ray_is_told_to_drop_no_lines_before_it_is_imported(imported):
    assert imported[1] is False
