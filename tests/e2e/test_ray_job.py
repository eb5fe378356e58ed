"""`ray job submit` to a cluster of its own, with token authentication."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import SMALL
from tests.support.project import PROJECT

RAY = str(Path(sys.executable).parent / "ray")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A head node; the environment that reaches it."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "token").write_text(secrets.token_hex(16))
    port, dashboard, agent, metrics = free_ports(4)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("RAY_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
        "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}",
        "NMT_STORAGE": str(folder),
    }
    command = [RAY, "start", "--head", "--block", f"--port={port}", "--num-cpus=2"]
    command += [f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    command += [f"--metrics-export-port={metrics}", "--disable-usage-stats"]
    with (folder / "head.log").open("w") as log:
        head = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield environment
    finally:
        head.terminate()
        head.wait(60)


def submit(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Submit until the cluster takes it: an agent comes up some time after its head."""
    command = [RAY, "job", "submit", "--working-dir", str(PROJECT), "--", "python", "-m", *words]
    deadline = time.monotonic() + 90
    while True:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
        if "submitted successfully" in done.stdout or time.monotonic() > deadline:
            return done
        time.sleep(2)


def test_a_pipeline_runs_as_a_job_below_the_shared_storage(cluster: dict[str, str]) -> None:
    config = ["--config", "configs/quickstart.yaml"]
    small = [word for word in SMALL if not word.startswith("tune.")]
    words = [*config, *small, "tune.trials=0", "storage=runs"]
    done = submit(cluster, "ray_jobs.pipeline", *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"storage: {cluster['NMT_STORAGE']}/runs" in done.stdout
    assert (Path(cluster["NMT_STORAGE"]) / "runs/small/summary.json").is_file()


def test_a_job_with_bad_input_fails_with_one_message(cluster: dict[str, str]) -> None:
    done = submit(cluster, "ray_jobs.train", "run=nothing", "storage=runs")
    assert done.returncode == 1
    assert "has no step 'prepare'" in done.stdout
    assert "exit code 2" in done.stdout
    assert "Traceback" not in done.stdout
