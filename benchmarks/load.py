"""A load of HTTP requests from one process: as many clients as asked, or a fixed rate.

Sends prepared bytes on plain connections, since a client library would take more CPU time than the
endpoint that it measures.
"""

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

NO_ANSWER = 0
"""Status of a request that got no answer."""


@dataclass(slots=True)
class Outcomes:
    """What became of the requests of a load."""

    seconds: float = 0.0
    latencies: dict[int, list[float]] = field(default_factory=dict)
    """Seconds of each request, by its status."""
    codes: Counter[str] = field(default_factory=Counter)
    """Codes of the errors, and the kinds of failures without an answer."""
    odd: list[str] = field(default_factory=list)
    """Answers outside the documented shape."""

    def add(self, status: int, seconds: float, code: str = "") -> None:
        """Add the outcome of a request."""
        self.latencies.setdefault(status, []).append(seconds)
        if code:
            self.codes[code] += 1

    @property
    def requests(self) -> int:
        """Count the requests."""
        return sum(map(len, self.latencies.values()))

    @property
    def rate(self) -> float:
        """Return the successful requests per second."""
        return len(self.latencies.get(200, ())) / self.seconds

    def milliseconds(self, percent: float, status: int = 200) -> float:
        """Return a percentile of the latencies of one status."""
        found = sorted(self.latencies.get(status, ()))
        if not found:
            return float("nan")
        return 1000 * found[min(len(found) - 1, int(len(found) * percent / 100))]

    def line(self) -> str:
        """Format the counts and latencies by status."""
        parts = [
            f"{status or 'none'}: {len(found)} (p50 {self.milliseconds(50, status):.0f}, "
            f"p95 {self.milliseconds(95, status):.0f}, max {self.milliseconds(100, status):.0f} ms)"
            for status, found in sorted(self.latencies.items())
        ]
        return "; ".join([*parts, *(f"{count} {code}" for code, count in self.codes.items())])


class Target:
    """An address, and the bytes of each request to it."""

    def __init__(
        self,
        url: str,
        texts: Sequence[str] = ("Where is the hospital?",),
        *,
        path: str = "/v1/translate",
        headers: Sequence[str] = (),
        timeout_seconds: float = 60.0,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.requests = [self._request(path, text, headers) for text in texts]

    def _request(self, path: str, text: str, headers: Sequence[str]) -> bytes:
        lines = [f"Host: {self.host}:{self.port}", *headers]
        if path != "/v1/translate":
            return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()
        body = json.dumps({"text": text}).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode() + body


class _Client:
    """A connection that is kept for the next request."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, number: int, outcomes: Outcomes) -> int:
        """Send a request, add its outcome, and return its status."""
        start = time.monotonic()
        request = self._target.requests[number % len(self._target.requests)]
        try:
            async with asyncio.timeout(self._target.timeout_seconds):
                status, head, body = await self._exchange(request)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            outcomes.add(NO_ANSWER, time.monotonic() - start, type(error).__name__)
            return NO_ANSWER
        code = ""
        if status != 200:
            code = _code(status, head, body, outcomes)
        outcomes.add(status, time.monotonic() - start, code)
        return status

    async def _exchange(self, request: bytes) -> tuple[int, bytes, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._target.host, self._target.port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length))
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), head, body

    def close(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


def _code(status: int, head: bytes, body: bytes, outcomes: Outcomes) -> str:
    """Read the code of an error, and note an answer that is not in the documented shape."""
    try:
        code = json.loads(body)["code"]
    except (ValueError, KeyError, TypeError):
        outcomes.odd.append(f"{status} {body[:80]!r}")
        return "odd"
    if status == 503 and b"retry-after:" not in head:
        outcomes.odd.append(f"{status} {code} without Retry-After")
    return str(code)


async def closed_loop(
    target: Target, clients: int, seconds: float, *, pause_seconds: float = 0.0
) -> Outcomes:
    """Let clients send a request as soon as they have the answer to the one before.

    Args:
        target: where the requests go.
        clients: how many ask at once.
        seconds: for how long.
        pause_seconds: how long a client waits after a refusal.
    """
    outcomes, start = Outcomes(), time.monotonic()

    async def run(first: int) -> None:
        client, number = _Client(target), first
        while time.monotonic() < start + seconds:
            if await client.ask(number, outcomes) == 503 and pause_seconds:
                await asyncio.sleep(pause_seconds)
            number += clients
        client.close()

    await asyncio.gather(*(run(first) for first in range(clients)))
    outcomes.seconds = time.monotonic() - start
    return outcomes


async def open_loop(target: Target, rate: float, seconds: float) -> Outcomes:
    """Send requests at a fixed rate, whether or not those before them are answered."""
    # An overloaded server holds many connections.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    outcomes, start = Outcomes(), time.monotonic()
    idle: list[_Client] = []

    async def send(number: int) -> None:
        client = idle.pop() if idle else _Client(target)
        await client.ask(number, outcomes)
        idle.append(client)

    tasks: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        if (wait := start + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(send(number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    outcomes.seconds = time.monotonic() - start
    for client in idle:
        client.close()
    return outcomes
