"""Requests and responses on ASGI, as far as the endpoint needs them.

A framework's routing, middleware and response classes would take more time than the endpoint's own
work, and each of them has answers of its own that are not in the documented shape.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from starlette.types import Message, Receive, Scope, Send

from nmt.serving.errors import InvalidRequestError, TooLargeError
from nmt.serving.web.responses import Body, error_body

JSON_HEADERS = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)

Header = tuple[bytes, bytes]


class Caller(Protocol):
    """Who sends a request, by its API key."""

    @property
    def id(self) -> str:
        """Return the id of the key; empty without keys."""
        ...


class Request:
    """A request, and what becomes known about it while it is answered."""

    __slots__ = (
        "_receive",
        "arrival",
        "caller",
        "characters",
        "client",
        "engine",
        "error_code",
        "headers",
        "id",
        "method",
        "path",
        "peer",
        "status",
        "texts",
    )

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.arrival = time.monotonic()
        self.method: str = scope["method"]
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        self.path = path.removeprefix(root) if root else path
        # Reversed, so that the first of several headers with the same name counts.
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        peer = scope.get("client")
        self.peer: str = peer[0] if peer else ""
        self.id = ""
        self.caller: Caller | None = None
        self.client = ""
        self.texts = self.characters = 0
        self.engine = ""
        self.status = 0
        self.error_code = ""
        self._receive = receive

    def header(self, name: bytes) -> str | None:
        """Return the value of a header, or None if it is missing."""
        value = self.headers.get(name)
        # Every byte is a character of Latin-1, so no header can fail to decode.
        return None if value is None else value.decode("latin-1")

    async def read_body(self, limit: int) -> bytes:
        """Read the body, and stop as soon as it exceeds the limit.

        Raises:
            TooLargeError: the body is longer than `limit` bytes.
            InvalidRequestError: the client closed the connection.
        """
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            raise TooLargeError(f"the body is longer than {limit} bytes")
        body = b""
        # The header may be missing or wrong, so that the bytes are counted as well.
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequestError("the connection was closed before the end of the body")
            body += message.get("body", b"")
            if len(body) > limit:
                raise TooLargeError(f"the body is longer than {limit} bytes")
            if not message.get("more_body", False):
                return body


@dataclass(slots=True)
class Response:
    """An answer with a complete body."""

    status: int
    body: bytes
    headers: list[Header] = field(default_factory=list)

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """Send the answer; a HEAD request gets its headers alone."""
        length = (b"content-length", str(len(self.body)).encode())
        # A 204 has no body, and must not have its length.
        headers = self.headers if self.status == 204 else [*self.headers, length]
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(cast(Message, start))
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_response(body: Body | Mapping[str, object], status: int = 200) -> Response:
    """Answer with JSON in UTF-8."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, content, list(JSON_HEADERS))


async def run_lifespan(receive: Receive, send: Send) -> None:
    """Answer the server's messages about its start and its end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def refuse_websocket(scope: Scope, send: Send) -> None:
    """Refuse a WebSocket, with a JSON error where the server can send one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1000})
        return
    error = InvalidRequestError("this endpoint takes plain HTTP requests, not WebSockets")
    response = json_response(error_body(error), error.status)
    start = {"type": "websocket.http.response.start", "status": response.status}
    await send({**start, "headers": response.headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
