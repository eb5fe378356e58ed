"""Requests per second of the endpoint and of what stands in front of it, and an overload.

    python benchmarks/serving.py --storage runs --run quickstart

Measures, one after the other: the web application on bare uvicorn; the same behind HAProxy and
behind Serve's own proxy; the endpoint of a run; and the endpoint with far more clients than it can
work for at once. The load shares the machine with what it measures: each figure is a lower bound.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from load import NO_ANSWER, Outcomes, Target, closed_loop, open_loop

RESULTS = Path(__file__).parent / "results" / "serving.json"
_START_SECONDS = 300.0
_OVERLOAD_CLIENTS = 400
"""Of which a replica works for 64 at once."""
_PAUSE_SECONDS = 0.2
"""Time until a client that was refused asks again."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement."""

    name: str
    clients: int
    requests_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int

    @classmethod
    def of(cls, name: str, clients: int, found: Outcomes) -> "Row":
        """Summarise a closed loop."""
        p50, p95, p99 = (round(found.milliseconds(percent), 1) for percent in (50, 95, 99))
        failed = found.requests - len(found.latencies.get(200, ()))
        return cls(name, clients, round(found.rate), p50, p95, p99, failed)

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.clients} | {self.requests_per_second:,.0f} "
            f"| {self.p50_ms:g} | {self.p99_ms:g} | {self.failed} |"
        )


@contextmanager
def server(words: Sequence[str], port: int, **environment: str) -> Iterator[str]:
    """Run a server in a process group of its own until the block ends."""
    process = subprocess.Popen(
        words,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if "--verbose" in sys.argv else subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        asyncio.run(_wait(url, process))
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


async def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with code {process.returncode}")
        found = await closed_loop(Target(url), 1, 0.01)
        if 200 in found.latencies:
            return
        await asyncio.sleep(0.5)
    raise SystemExit(f"{url} did not translate within {_START_SECONDS:g} s")


def measure(name: str, url: str, clients: int, seconds: float) -> Row:
    """Measure a closed loop, after a second of warming up."""
    target = Target(url)
    asyncio.run(closed_loop(target, clients, 1.0))
    row = Row.of(name, clients, asyncio.run(closed_loop(target, clients, seconds)))
    print(row, flush=True)
    return row


def overload(url: str, clients: int, seconds: float) -> dict[str, object]:
    """Let far more clients ask than the endpoint works on at once, and ask for its health."""

    async def run() -> tuple[Outcomes, Outcomes, Outcomes]:
        health = asyncio.create_task(open_loop(Target(url, path="/health"), 2, seconds))
        found = await closed_loop(Target(url), clients, seconds, pause_seconds=_PAUSE_SECONDS)
        await asyncio.sleep(1)
        return found, await health, await closed_loop(Target(url), 1, 1.0)

    found, health, after = asyncio.run(run())
    print(f"\noverload, {clients} clients for {seconds:g} s:\n  {found.line()}")
    print(f"  /health: {health.line()}\n  a second later: {after.line()}")
    for odd in found.odd[:5]:
        print(f"  not in the documented shape: {odd}")
    return {
        "clients": clients,
        "requests_per_second": round(found.requests / found.seconds),
        "unanswered": len(found.latencies.get(NO_ANSWER, ())),
        "odd": len(found.odd),
        "admitted_per_second": round(found.rate),
        "admitted_p95_ms": found.milliseconds(95),
        "refused_p95_ms": found.milliseconds(95, 503),
        "health_max_ms": health.milliseconds(100),
        "after_p95_ms": after.milliseconds(95),
    }


def main() -> None:
    """Measure everything, print a table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storage", default="runs")
    parser.add_argument("--run", default="quickstart")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--overload-seconds", type=float, default=30.0)
    parser.add_argument("--sides", nargs="+", help="only those whose names contain one of these")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--port", type=int, default=8471)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    rows: list[Row] = []
    print("| what | clients | requests/s | p50 ms | p99 ms | failed |\n|---|---|---|---|---|---|")
    noop = [sys.executable, str(Path(__file__).with_name("serving_noop.py"))]
    fallback = {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
    sides = {
        "no engine, bare uvicorn": ([*noop, "uvicorn", "{port}"], {}),
        "no engine, HAProxy": ([*noop, "serve", "{port}"], {}),
        "no engine, Serve's proxy": (
            [*noop, "serve", "{port}"],
            {"RAY_SERVE_ENABLE_HA_PROXY": "0"},
        ),
    }
    nmt = [
        str(Path(sys.executable).with_name("nmt")), "serve", f"storage={options.storage}",
        f"run={options.run}", "serving.cache_mib=0",
        f"serving.min_replicas={options.replicas}", f"serving.max_replicas={options.replicas}",
    ]  # fmt: skip
    nmt.append("serving.port={port}")
    sides["run, Serve's proxy"] = (nmt, fallback)
    sides["run, HAProxy"] = (nmt, {})
    overloaded = None
    # A port for each, since Serve's proxy cannot take one that has just been used.
    for port, (name, (words, environment)) in enumerate(sides.items(), options.port):
        if options.sides and not any(side in name for side in options.sides):
            continue
        words = [word.format(port=port) for word in words]
        with server(words, port, **environment) as url:
            for clients in (1, 64):
                rows.append(measure(name, url, clients, options.seconds))
            if name == "run, HAProxy":
                overloaded = overload(url, _OVERLOAD_CLIENTS, options.overload_seconds)
    content = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": [asdict(row) for row in rows],
        "overload": overloaded,
    }
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
