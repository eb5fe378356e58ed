"""What the layer around Ray Serve's code writes to a connection of the real HTTP server."""

import asyncio
import http.client
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ray_jobs.serving.front import Front
from tests.support.ports import free_port

BODY = {"text": "நீர் " * 400}
SERVERS = pytest.mark.parametrize("protocol", [HttpToolsProtocol, H11Protocol])
Ask = Callable[[http.client.HTTPConnection], Any]


class Recorder:
    """A transport that counts the writes that reach the network."""

    def __init__(self, transport: Any, writes: list[bytes]) -> None:
        self.transport, self.writes = transport, writes

    def write(self, data: bytes) -> None:
        if data:
            self.writes.append(data)
        self.transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


def writes_of(app: ASGIApp, protocol: type[Any], ask: Ask) -> tuple[Any, list[bytes]]:
    """Return what a client makes of the answers, and the writes in which they were sent."""
    writes: list[bytes] = []

    class Recording(protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(Recorder(transport, writes))

    async def run() -> Any:
        port = free_port()
        config = uvicorn.Config(
            Front(app), port=port, http=Recording, lifespan="off", log_level="critical"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            return await asyncio.to_thread(ask, connection)
        finally:
            connection.close()
            server.should_exit = True
            await serving

    return asyncio.run(run()), writes


def get(connection: http.client.HTTPConnection, method: str = "GET", **headers: str) -> bytes:
    connection.request(method, "/", headers=headers)
    return connection.getresponse().read()


@SERVERS
def test_the_head_of_an_answer_is_in_one_write_with_its_body(protocol: type[Any]) -> None:
    app = JSONResponse(BODY)
    body, writes = writes_of(app, protocol, get)
    assert body == app.body
    [write] = writes
    assert write.startswith(b"HTTP/1.1 200 OK\r\n")
    assert write.endswith(app.body)


@SERVERS
def test_answers_on_one_connection_follow_each_other_whole(protocol: type[Any]) -> None:
    app = JSONResponse(BODY)
    bodies, writes = writes_of(app, protocol, lambda connection: [get(connection) for _ in "123"])
    assert bodies == [app.body] * 3
    assert len(writes) == 3


@SERVERS
@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_a_body_is_sent(protocol: type[Any], status: int) -> None:
    def ask(connection: http.client.HTTPConnection) -> list[bytes]:
        return [get(connection), get(connection)]

    bodies, writes = writes_of(Response(status_code=status), protocol, ask)
    assert bodies == [b"", b""]
    assert len(writes) == 2


@SERVERS
def test_the_answer_to_head_is_sent_without_its_body(protocol: type[Any]) -> None:
    def ask(connection: http.client.HTTPConnection) -> list[bytes]:
        return [get(connection, "HEAD"), get(connection)]

    app = JSONResponse(BODY)
    assert writes_of(app, protocol, ask)[0] == [b"", app.body]


@SERVERS
def test_an_answer_that_closes_the_connection_is_sent_whole(protocol: type[Any]) -> None:
    app = JSONResponse(BODY)
    body, _ = writes_of(app, protocol, lambda connection: get(connection, Connection="close"))
    assert body == app.body


@SERVERS
def test_each_part_of_a_stream_is_sent_when_it_comes(protocol: type[Any]) -> None:
    parts = [b"one\n", b"two\n", b"three\n"]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(iter(parts))(scope, receive, send)

    body, writes = writes_of(app, protocol, get)
    assert body == b"".join(parts)
    assert b"one" in writes[0]
    assert b"two" not in writes[0]
