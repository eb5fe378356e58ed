"""`ray job submit` to a cluster of its own, with token authentication."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import SMALL
from tests.support.ports import free_ports
from tests.support.project import PROJECT

RAY = str(Path(sys.executable).parent / "ray")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A head node; the environment that reaches it."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "token").write_text(secrets.token_hex(16))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("RAY_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
        "NMT_STORAGE": str(folder),
        # At its end the head would wait for the actors that Ray Train leaves behind.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    }
    # Ray's own start can fail on a busy machine; the jobs are what is tested here.
    for attempt in range(3):
        with head_node(environment, folder / f"head-{attempt}.log") as address:
            if address:
                yield {**environment, "RAY_API_SERVER_ADDRESS": address}
                return
    logs = "\n".join(log.read_text() for log in sorted(folder.glob("head-*.log")))
    pytest.fail(f"no head node has started:\n{logs}")


@contextmanager
def head_node(environment: dict[str, str], log: Path) -> Iterator[str | None]:
    """Start a head node; yield the address of its dashboard, or None if it does not come up."""
    port, client, dashboard, agent, metrics = free_ports(5)
    command = [RAY, "start", "--head", "--block", "--num-cpus=2", "--disable-usage-stats"]
    command += [f"--port={port}", f"--ray-client-server-port={client}"]
    command += [f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    command += [f"--metrics-export-port={metrics}"]
    with log.open("w") as output:
        head = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 120
        while head.poll() is None and time.monotonic() < deadline and not listens(dashboard):
            time.sleep(0.5)
        up = head.poll() is None and listens(dashboard)
        yield f"http://127.0.0.1:{dashboard}" if up else None
    finally:
        head.terminate()
        head.wait(60)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def submit(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Submit until the cluster takes it: an agent comes up some time after its head."""
    command = [RAY, "job", "submit", "--working-dir", str(PROJECT), "--", "python", "-m", *words]
    deadline = time.monotonic() + 180
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
