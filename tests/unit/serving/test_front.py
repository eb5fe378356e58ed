"""The layer around Ray Serve's code: headers that it hides, errors that it rewrites, a limit."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from nmt.serving.web.operations import OPERATIONS
from ray_jobs.serving.front import Front
from ray_jobs.serving.haproxy import NEVER_REFUSED

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def answering(status: int, content_type: str, body: bytes) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:]})

    return app


async def ask(
    app: App, path: str = "/v1/translate", *headers: tuple[bytes, bytes], body: bytes = b""
) -> Any:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    await app(scope, receive, send)
    answer = b"".join(each.get("body", b"") for each in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), answer


@pytest.mark.parametrize(
    "name",
    [
        b"x-request-timeout-seconds",
        b"x-request-disconnect-disabled",
        b"x-session-id",
        b"x_session_id",
        b"serve_multiplexed_model_id",
        b"serve-multiplexed-model-id",
    ],
)
def test_a_client_cannot_set_headers_that_serve_reads(name: bytes) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(scope["headers"])
        await answering(200, "application/json", b"{}")(scope, receive, send)

    kept = (b"x-client-session", b"a")
    asyncio.run(ask(Front(app), "/", (name, b"\xff"), kept))
    assert seen == [kept]


@pytest.mark.parametrize(
    ("value", "is_kept"), [(b"abc-1.2_Z", True), (b"\xff", False), (b"a b", False)]
)
def test_only_a_request_id_of_plain_characters_reaches_serve(value: bytes, is_kept: bool) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(scope["headers"])
        await answering(200, "application/json", b"{}")(scope, receive, send)

    asyncio.run(ask(Front(app), "/", (b"x-request-id", value)))
    assert bool(seen) == is_kept


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [
        (404, 503, "unavailable"),
        (408, 504, "timeout"),
        (500, 503, "unavailable"),
        (503, 503, "unavailable"),
    ],
)
def test_the_texts_of_serve_become_errors_of_the_endpoint(
    status: int, expected: int, code: str
) -> None:
    front = Front(answering(status, "text/plain", b"Internal Server Error"))
    found, headers, body = asyncio.run(ask(front))
    assert found == expected
    assert headers[b"content-type"] == b"application/json"
    assert json.loads(body)["code"] == code
    assert int(headers[b"content-length"]) == len(body)
    assert (b"retry-after" in headers) == (expected == 503)


def test_the_errors_of_the_application_pass_unchanged() -> None:
    front = Front(answering(404, "application/json", b'{"error": "x", "code": "not_found"}'))
    status, _, body = asyncio.run(ask(front))
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_the_health_check_of_serve_keeps_its_text() -> None:
    front = Front(answering(503, "text/plain", b"DRAINING"))
    assert asyncio.run(ask(front, "/-/healthz"))[2] == b"DRAINING"


def test_the_list_of_routes_is_closed() -> None:
    front = Front(answering(200, "application/json", b'{"/": "nmt"}'))
    status, _, body = asyncio.run(ask(front, "/-/routes"))
    assert (status, json.loads(body)["code"]) == (404, "not_found")


def test_requests_above_the_limit_are_refused_at_once_and_health_is_not() -> None:
    async def run() -> list[int]:
        gate = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await gate.wait()
            await answering(200, "application/json", b"{}")(scope, receive, send)

        front = Front(app, max_requests=2)
        waiting = [asyncio.create_task(ask(front)) for _ in range(2)]
        await asyncio.sleep(0)
        health = asyncio.create_task(ask(front, "/health"))
        refused = await ask(front)
        gate.set()
        answers = [*await asyncio.gather(*waiting, health), refused, await ask(front)]
        return [status for status, _, _ in answers]

    assert asyncio.run(run()) == [200, 200, 200, 503, 200]


@pytest.mark.parametrize("is_raised", [True, False])
def test_a_request_whose_replica_dies_is_sent_again_with_its_body(is_raised: bool) -> None:
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append((await receive())["body"])
        if len(bodies) > 1:
            await answering(200, "application/json", b"{}")(scope, receive, send)
        elif is_raised:
            raise ConnectionError("the actor died")
        else:
            await answering(500, "text/plain", b"Internal Server Error")(scope, receive, send)

    status, _, body = asyncio.run(ask(Front(app), body=b"text"))
    assert (status, body) == (200, b"{}")
    assert bodies == [b"text", b"text"]


def test_a_request_whose_replica_dies_before_the_body_of_its_answer_is_sent_again() -> None:
    calls: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(1)
        if len(calls) == 1:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ConnectionError("the actor died")
        await answering(200, "application/json", b"{}")(scope, receive, send)

    status, _, body = asyncio.run(ask(Front(app)))
    assert (status, body, len(calls)) == (200, b"{}", 2)


def test_a_request_that_is_too_long_to_keep_is_not_sent_again() -> None:
    calls: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        calls.append(1)
        raise ConnectionError("the actor died")

    status, _, _ = asyncio.run(ask(Front(app), body=b"x" * 300_000))
    assert (status, len(calls)) == (503, 1)


def test_nothing_is_sent_again_for_a_client_that_has_gone() -> None:
    calls: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(1)
        while (await receive())["type"] != "http.disconnect":
            pass

    messages = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    asyncio.run(Front(app)({"type": "http", "path": "/", "headers": []}, receive, send))
    assert calls == [1]


@pytest.mark.parametrize("path", ["/v1/translate", "/-/healthz"])
def test_a_replica_refuses_what_the_haproxy_of_another_endpoint_sends(path: str) -> None:
    front = Front(answering(200, "application/json", b"{}"), token="ours")
    assert asyncio.run(ask(front, path, (b"x-nmt-endpoint", b"ours")))[0] == 200
    assert asyncio.run(ask(front, path, (b"x-nmt-endpoint", b"theirs")))[0] == 503
    assert asyncio.run(ask(front, path))[0] == 503


def test_haproxy_never_refuses_what_the_application_never_refuses() -> None:
    assert set(NEVER_REFUSED) == {each.path for each in OPERATIONS if not each.is_limited}
