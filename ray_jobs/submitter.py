"""Hands a job to the head of a Ray cluster, and prints its log until the job has ended.

    python -m ray_jobs.submitter --give-up-after 3600 'python -m ray_jobs.supervise ...'

The command of a RayJob's submitter Pod. KubeRay's own command starts Ray's three times, and ends
with each head that is lost. KubeRay names the head, the job and the token in the environment.
Imports nothing of this project, because each second until the job begins counts.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

_PAUSE_SECONDS = 1.0
_TIMEOUT_SECONDS = 10.0
_SILENCE_SECONDS = 15.0  # a busy head may be silent for a while
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
# Ray answers with other codes too while its head starts, so only these are final.
_REFUSED = (400, 401, 403)


class RefusedError(Exception):
    """The head answers, and does not accept the request."""


@dataclass(slots=True)
class Log:
    """The log of the job as far as it was printed."""

    begun_at: object = None
    """When this job began in Ray: another head's job of the same name has another log."""
    printed: int = 0
    """Characters of the log that were printed."""
    read: int = 0
    """Characters of the log that this connection has brought."""

    def begin(self, begun_at: object) -> None:
        """Prepare for a connection, which brings the log from its beginning."""
        if begun_at != self.begun_at:
            self.begun_at, self.printed = begun_at, 0
        self.read = 0

    def write(self, text: str) -> None:
        """Print the part of a text that was not printed before."""
        new = text[max(0, self.printed - self.read) :]
        self.read += len(text)
        self.printed = max(self.printed, self.read)
        sys.stdout.write(new)
        sys.stdout.flush()


class Head:
    """The jobs of a head, over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, address: str, job: str) -> None:
        self._session = session
        self._jobs = f"http://{address.removeprefix('http://')}/api/jobs/"
        self._job = job

    async def find(self) -> dict[str, Any] | None:
        """Find the job; return None if this head does not know it."""
        async with self._session.get(self._jobs + self._job) as answer:
            if answer.status == 404:
                return None
            await _check(answer)
            return await answer.json()

    async def submit(self, entrypoint: str) -> None:
        """Submit the job to the head."""
        body = {"entrypoint": entrypoint, "submission_id": self._job}
        async with self._session.post(self._jobs, json=body) as answer:
            await _check(answer)

    async def follow(self, log: Log) -> None:
        """Print the log as it grows."""
        place = f"{self._jobs}{self._job}/logs/tail"
        async with self._session.ws_connect(place, max_msg_size=0) as stream:
            async for message in stream:
                if message.type is aiohttp.WSMsgType.TEXT:
                    log.write(message.data)

    async def rest(self) -> str:
        """Read the whole log."""
        async with self._session.get(f"{self._jobs}{self._job}/logs") as answer:
            await _check(answer)
            return (await answer.json())["logs"]


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status in _REFUSED:
        raise RefusedError(f"the head refuses the job: {(await answer.text()).strip()}")
    answer.raise_for_status()


class Submission:
    """A job that is handed to whichever head there is, until it has ended."""

    def __init__(self, head: Head, entrypoint: str, give_up_after: float) -> None:
        self._head = head
        self._entrypoint = entrypoint
        self._ends_at = time.monotonic() + give_up_after
        self._log = Log()
        self._answered_at: float | None = None
        self._told = False

    async def run(self) -> int:
        """Follow the job to its end; exit code 1 only if the head refuses it."""
        while time.monotonic() < self._ends_at:
            try:
                if await self._follow():
                    return 0
            except RefusedError as error:
                _tell(str(error))
                return 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                self._tell_once_that_it_is_lost()
            await asyncio.sleep(_PAUSE_SECONDS)
        # KubeRay has given the job up before, and a Pod that fails would be replaced.
        _tell("the time of the job is over")
        return 0

    async def _follow(self) -> bool:
        """Submit the job if need be and print its log; return whether it has ended."""
        found = await self._head.find()
        if found is None:
            if self._answered_at is not None:
                _tell("a new head Pod runs, and gets the job again")
            await self._head.submit(self._entrypoint)
            found = await self._head.find()
        self._answered_at, self._told = time.monotonic(), False
        if found is None:
            return False
        self._log.begin(found.get("start_time"))
        tail = asyncio.create_task(self._head.follow(self._log))
        try:
            await self._until_ended(tail)
        finally:
            tail.cancel()
            await asyncio.gather(tail, return_exceptions=True)
        # What the connection has not brought yet; Ray would send it only seconds later.
        self._log.read = 0
        self._log.write(await self._head.rest())
        return True

    async def _until_ended(self, tail: "asyncio.Task[None]") -> None:
        """Wait until the head says that the job has ended.

        Raises:
            aiohttp.ClientError: the head does not know the job any more, or closed the log of a job
                that lives, which is then read again from what is new.
        """
        while True:
            found = await self._head.find()
            if found is None:
                raise aiohttp.ClientConnectionError
            if found.get("status") in _ENDED:
                return
            if tail.done():
                tail.result()
                raise aiohttp.ClientConnectionError
            self._answered_at = time.monotonic()
            await asyncio.wait([tail], timeout=_PAUSE_SECONDS)

    def _tell_once_that_it_is_lost(self) -> None:
        lasts = self._answered_at is not None and (
            time.monotonic() - self._answered_at > _SILENCE_SECONDS
        )
        if lasts and not self._told:
            self._told = True
            _tell(
                "the head Pod is lost or does not answer; KubeRay replaces a lost one, and the "
                "job then goes on from its last checkpoint"
            )


def _tell(message: str) -> None:
    sys.stdout.write(f"nmt: {message}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run the job that the environment names on the head that it names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ray_jobs.submitter", description=__doc__)
    parser.add_argument("--give-up-after", type=float, required=True, metavar="SECONDS")
    parser.add_argument("entrypoint")
    options = parser.parse_args(arguments)
    # The first process of a container has to ask for its end, or SIGTERM does nothing.
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))
    return asyncio.run(_main(options, environ))


async def _main(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    token = environ.get("RAY_AUTH_TOKEN", "")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=_TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        head = Head(session, environ["RAY_DASHBOARD_ADDRESS"], environ["RAY_JOB_SUBMISSION_ID"])
        return await Submission(head, options.entrypoint, options.give_up_after).run()


if __name__ == "__main__":
    sys.exit(main())
