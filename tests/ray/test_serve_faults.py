"""What clients of `nmt serve` see when it is overloaded, stopped, or loses its proxy."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nmt.storage import Storage
from nmt.traffic import promote
from tests.support.models.tiny_engine import WATER, add_engine
from tests.support.ports import free_port
from tests.support.project import PROJECT, load_script

load = load_script(PROJECT / "benchmarks" / "load.py")
NMT = Path(sys.executable).with_name("nmt")


class Server:
    """A running `nmt serve` with one replica."""

    def __init__(self, storage: Storage) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        words = [f"storage={storage.url}", f"serving.port={port}", "serving.poll_seconds=0.5"]
        words += ["serving.max_replicas=1", "serving.max_requests=16"]
        self.process = subprocess.Popen([NMT, "serve", *words], stdout=subprocess.DEVNULL)
        self.target = load.Target(self.url)

    def wait(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while 200 not in asyncio.run(load.closed_loop(self.target, 1, 0.01)).latencies:
            assert self.process.poll() is None
            assert time.monotonic() < deadline, "the endpoint does not translate"
            time.sleep(0.2)

    def descendants(self, word: str) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in found if word in " ".join(each.cmdline())]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    storage = Storage(str(tmp_path_factory.mktemp("root")))
    add_engine(storage, "water", WATER)
    promote(storage, "default", "water")
    running = Server(storage)
    try:
        running.wait()
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_an_overload_is_refused_and_every_request_is_answered(server: Server) -> None:
    found = asyncio.run(load.closed_loop(server.target, 64, 3))
    assert found.odd == []
    assert set(found.latencies) == {200, 503}
    assert set(found.codes) == {"overloaded"}


def test_a_killed_proxy_comes_back_and_answers_in_the_documented_shape(server: Server) -> None:
    [proxy] = server.descendants("haproxy -db")
    proxy.kill()
    found = asyncio.run(load.open_loop(server.target, 20, 20))
    assert found.odd == []
    assert set(found.latencies) <= {0, 200, 503}
    assert set(found.codes) <= {"ConnectionRefusedError", "ConnectionResetError", "unavailable"}
    server.wait(30)


def test_a_stop_answers_what_is_in_work_and_refuses_the_rest_properly(server: Server) -> None:
    async def run() -> Any:
        asking = asyncio.create_task(load.closed_loop(server.target, 8, 12))
        await asyncio.sleep(2)
        os.kill(server.process.pid, signal.SIGTERM)
        return await asking

    found = asyncio.run(run())
    assert found.odd == []
    assert set(found.latencies) <= {0, 200, 503}
    # Connections that are refused after the end are right; those that break off are not.
    assert set(found.codes) <= {"stopping", "unavailable", "ConnectionRefusedError"}
    assert found.codes["stopping"]
    assert server.process.wait(60) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(server.process.pid)
