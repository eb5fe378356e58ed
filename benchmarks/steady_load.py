"""A steady load of requests on an endpoint, and a count of those that fail.

    python benchmarks/steady_load.py http://127.0.0.1:8000 --rate 20 --seconds 120

Open loop: a request is sent at its time whether or not those before it are answered, so that a
pause of the endpoint is seen by all requests that fall into it. Each has a connection of its own,
unless `--keep-alive`; none is sent twice, unless `--retries 1`, as most clients do whose connection
is closed. An API key is taken from the variable NMT_API_KEY.
"""

import argparse
import http.client
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

TEXT = "The doctor is at home."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request."""

    at_seconds: float
    """Seconds from the start to the request."""
    seconds: float
    status: int
    """HTTP status, or 0 if there was no response."""
    said: str
    """The engine that translated, or the error."""
    retries: int = 0
    """How often the request was sent again."""


class SteadyLoad:
    """Requests at a steady rate, from `start` to `stop`."""

    def __init__(
        self,
        url: str,
        rate: float,
        *,
        keep_alive: bool = False,
        retries: int = 0,
        key: str = "",
        texts: Sequence[str] = (TEXT,),
    ) -> None:
        """Set up the load.

        Args:
            url: the endpoint's address.
            rate: requests per second.
            keep_alive: use a connection for as long as the other side keeps it.
            retries: how often a request that failed is sent again, at once.
            key: API key of the requests; empty sends none.
            texts: of the requests, in turn; each request is a session of its own.
        """
        self.outcomes: list[Outcome] = []
        self._parts = urlsplit(url)
        self._rate = rate
        self._keep_alive = keep_alive
        self._retries = retries
        self._key = key
        self._texts = texts
        self._local = threading.local()
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=max(64, int(rate * 4)))
        self._clock = threading.Thread(target=self._send)

    def __enter__(self) -> "SteadyLoad":
        self.started = time.monotonic()
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._clock.join()
        self._pool.shutdown()

    @property
    def failures(self) -> list[Outcome]:
        """List the requests that got no translation."""
        return [outcome for outcome in self.outcomes if outcome.status != 200]

    @property
    def longest_gap(self) -> float:
        """Compute the longest time in seconds in which no translation arrived."""
        answered = sorted(
            outcome.at_seconds + outcome.seconds
            for outcome in self.outcomes
            if outcome.status == 200
        )
        end = max((outcome.at_seconds for outcome in self.outcomes), default=0.0)
        times = [0.0, *answered, end]
        return max(after - before for before, after in pairwise(times))

    def report(self) -> str:
        """Format the counts, and the latency of successful requests."""
        good = sorted(outcome.seconds for outcome in self.outcomes if outcome.status == 200)
        again = sum(outcome.retries > 0 for outcome in self.outcomes)
        lines = [
            f"{len(self.failures)} of {len(self.outcomes)} requests failed"
            + (f", {again} were sent again" if self._retries else ""),
            f"longest time without an answer: {self.longest_gap:.2f} s",
        ]
        if good:
            middle, late = good[len(good) // 2], good[int(len(good) * 0.99)]
            lines.append(
                f"latency: median {middle:.3f} s, 99 % {late:.3f} s, most {good[-1]:.3f} s"
            )
        kinds = Counter((outcome.status, outcome.said) for outcome in self.failures)
        lines += [f"  {count} times {kind[0]} {kind[1]}" for kind, count in kinds.most_common(5)]
        if self.failures:
            times = [outcome.at_seconds for outcome in self.failures]
            lines.append(f"  between {min(times):.1f} s and {max(times):.1f} s after the start")
        return "\n".join(lines)

    def _send(self) -> None:
        number = 0
        while not self._stopped.is_set():
            due = self.started + number / self._rate
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            self._pool.submit(self._ask, number)
            number += 1

    def _ask(self, number: int) -> None:
        sent = time.monotonic()
        for retries in range(self._retries + 1):
            try:
                status, said = self._answer(number)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                status, said = 0, f"{type(error).__name__}: {error}"
                self._local.connection = None
            if status == 200 or retries == self._retries:
                seconds = time.monotonic() - sent
                self.outcomes.append(Outcome(sent - self.started, seconds, status, said, retries))
                return

    def _answer(self, number: int) -> tuple[int, str]:
        connection = self._connection()
        session = f"{self.started:.3f}-{number}"
        headers = {"Content-Type": "application/json", "X-Client-Session": session}
        if not self._keep_alive:
            headers["Connection"] = "close"
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        text = self._texts[number % len(self._texts)]
        connection.request("POST", "/v1/translate", json.dumps({"text": text}), headers)
        response = connection.getresponse()
        body = json.loads(response.read())
        if not self._keep_alive:
            connection.close()
        return response.status, body["engine" if response.status == 200 else "error"]

    def _connection(self) -> http.client.HTTPConnection:
        kept = getattr(self._local, "connection", None) if self._keep_alive else None
        if kept is None:
            kept = http.client.HTTPConnection(
                self._parts.hostname or "", self._parts.port, timeout=60
            )
            self._local.connection = kept
        return kept


def main() -> int:
    """Run a load and return 1 when a request failed."""
    parser = argparse.ArgumentParser(description="Steady load on an endpoint.")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=20, help="requests per second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--keep-alive", action="store_true")
    parser.add_argument("--retries", type=int, default=0)
    options = parser.parse_args()
    # Not an option: other users of the machine see the words of a command line.
    key = os.environ.get("NMT_API_KEY", "")
    with SteadyLoad(
        options.url,
        options.rate,
        keep_alive=options.keep_alive,
        retries=options.retries,
        key=key,
    ) as load:
        time.sleep(options.seconds)
    print(load.report())
    return 1 if load.failures else 0


if __name__ == "__main__":
    sys.exit(main())
