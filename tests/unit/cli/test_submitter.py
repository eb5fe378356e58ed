"""The submitter of a job, against a head that speaks the part of Ray's HTTP API that it uses."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from ray_jobs import submitter

JOB, COMMAND = "demo-abc", "python -m ray_jobs.supervise --name demo train"


class Head:
    """A head whose job writes lines and then ends."""

    def __init__(self, *lines: str, status: str = "SUCCEEDED", tells: int = 99) -> None:
        self.lines, self.ends_as, self.tells = lines, status, tells
        self.job: dict | None = None
        self.submitted: list[str] = []
        self.token = ""
        self.begun = 1
        self.lives = True
        self._ended = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._check])
        app.router.add_get("/api/jobs/{job}", self._find)
        app.router.add_post("/api/jobs/", self._submit)
        app.router.add_get("/api/jobs/{job}/logs", self._logs)
        app.router.add_get("/api/jobs/{job}/logs/tail", self._tail)
        return app

    @web.middleware
    async def _check(self, request, handler):
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="no token")
        return await handler(request)

    async def _find(self, request):
        if self.job is None:
            return web.Response(status=404)
        if self._ended.is_set():
            self.job["status"] = self.ends_as
        return web.json_response(self.job)

    async def _submit(self, request):
        body = await request.json()
        self.submitted.append(body["entrypoint"])
        self.job = {"status": "RUNNING", "start_time": self.begun, "id": body["submission_id"]}
        return web.json_response({})

    async def _logs(self, request):
        return web.json_response({"logs": "".join(f"{line}\n" for line in self.lines)})

    async def _tail(self, request):
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        for line in self.lines[: self.tells]:
            await stream.send_str(f"{line}\n")
        if self.lives:
            self._ended.set()
        await stream.close()
        return stream


@asynccontextmanager
async def serving(head: Head, port: int = 0) -> AsyncIterator[int]:
    runner = web.AppRunner(head.app(), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(submitter, "_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(submitter, "_SILENCE_SECONDS", 0.1)


async def follow(port: int, *, token: str = "", give_up_after: float = 20) -> int:
    environ = {"RAY_DASHBOARD_ADDRESS": f"127.0.0.1:{port}", "RAY_JOB_SUBMISSION_ID": JOB}
    options = argparse.Namespace(entrypoint=COMMAND, give_up_after=give_up_after)
    return await submitter._main(options, environ | {"RAY_AUTH_TOKEN": token})


def run(head: Head, **options) -> int:
    async def both() -> int:
        async with serving(head) as port:
            return await follow(port, **options)

    return asyncio.run(both())


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_job_is_submitted_and_its_log_printed_until_it_ends_however_it_does(capsys, status):
    head = Head("one", "two", status=status)
    assert run(head) == 0
    assert head.submitted == [COMMAND]
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_job_that_the_head_has_already_is_only_followed(capsys):
    head = Head("one")
    head.job = {"status": "RUNNING", "start_time": 1}
    assert run(head) == 0
    assert head.submitted == []
    assert capsys.readouterr().out == "one\n"


def test_lines_that_the_stream_did_not_bring_are_printed_at_the_end(capsys):
    run(Head("one", "two", "three", tells=1))
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


def test_the_token_is_sent_and_a_wrong_one_ends_the_submitter(capsys):
    head = Head("one")
    head.token = "secret"
    assert run(head, token="secret") == 0
    assert run(head, token="other") == 1
    assert "the head refuses the job: no token" in capsys.readouterr().out


def test_a_head_that_comes_back_without_the_job_gets_it_again(capsys):
    async def lose_the_head() -> tuple[int, Head]:
        first, second = Head("one", "two"), Head("one", "three")
        first.lives, second.begun = False, 2
        async with serving(first) as port:
            following = asyncio.create_task(follow(port))
            while not first.submitted:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        async with serving(second, port):
            return await following, second

    code, second = asyncio.run(lose_the_head())
    assert (code, second.submitted) == (0, [COMMAND])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["one", "two"]
    assert "head Pod is lost or does not answer" in lines[2]
    assert "gets the job again" in lines[3]
    assert lines[4:] == ["one", "three"]


def test_a_lost_connection_to_a_living_job_repeats_no_line(capsys):
    async def lose_the_connection() -> int:
        head = Head("one", "two", tells=1)
        head.lives = False
        async with serving(head) as port:
            following = asyncio.create_task(follow(port))
            while not head.submitted:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        head.lives, head.tells = True, 2
        head._ended = asyncio.Event()
        async with serving(head, port):
            return await following

    assert asyncio.run(lose_the_connection()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("nmt:")] == ["one", "two"]


def test_a_submitter_without_a_head_ends_without_an_error_when_its_time_is_over(capsys):
    assert asyncio.run(follow(9, give_up_after=0.1)) == 0
    assert "the time of the job is over" in capsys.readouterr().out
