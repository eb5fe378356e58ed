"""The ASGI layer that Ray Serve puts around its own code, in each replica and in its proxies."""

import asyncio
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nmt.serving.errors import (
    DeadlineExceededError,
    NoReplicaError,
    NotFoundError,
    OverloadedError,
    RequestError,
)
from nmt.serving.web.answers import unrecorded_error_answer
from nmt.serving.web.operations import OPERATIONS
from nmt.serving.web.record import REQUEST_ID
from ray_jobs.runtime.serve_environment import SERVE_ENVIRONMENT, TOKEN_HEADER, TOKEN_VARIABLE

log = logging.getLogger(__name__)

_MAX_REQUESTS = 256
"""Requests in one process; a replica's own limit, `serving.max_requests`, is usually smaller."""
_TOKEN_HEADER = TOKEN_HEADER.encode()
_RESERVED = frozenset(
    (
        b"x-request-timeout-seconds",
        b"x-request-disconnect-disabled",
        b"x-session-id",
        b"serve-multiplexed-model-id",
        _TOKEN_HEADER,
    )
)
"""Headers by which a client could change how Serve treats its request."""
_REQUEST_ID = re.compile(REQUEST_ID.encode())
_HEALTH_PATH, _ROUTES_PATH = "/-/healthz", "/-/routes"
_EXEMPT = frozenset(each.path for each in OPERATIONS if not each.is_limited)

_MAX_TRIES = 4
_RETRY_SECONDS = 0.2
_MAX_RECORDED_BYTES = int(SERVE_ENVIRONMENT["RAY_SERVE_HAPROXY_TUNE_BUFSIZE"])

# Errors of the application are JSON already. What Serve itself answers is text, and means that it
# found no replica, or lost it.
_LOST = 500
_TEXT = (b"text/plain", b"text/plain; charset=utf-8")
_ERRORS: Mapping[int, RequestError] = {
    404: NoReplicaError("the endpoint is starting or has ended"),
    408: DeadlineExceededError("no answer in time"),
    503: NoReplicaError("no replica can answer at the moment"),
}


def layers() -> list[Middleware]:
    """Return the layers for Serve, outermost first."""
    return [Middleware(Front, token=os.environ.get(TOKEN_VARIABLE, ""))]


class Front:
    """A layer that hides Serve's own headers and errors from clients, and limits requests."""

    def __init__(self, app: ASGIApp, max_requests: int = _MAX_REQUESTS, *, token: str = "") -> None:
        """Put the layer around an application.

        Args:
            app: Serve's own.
            max_requests: that are in work at once.
            token: what the HAProxy of this endpoint sends with each request; empty for none.
        """
        self._app = app
        self._max_requests = max_requests
        self._token = token.encode()
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = scope.get("path", "")
        if scope["type"] == "http" and not self._is_ours(scope):
            # The port was that of another endpoint's replica a moment ago.
            await _refuse(
                scope, receive, send, NoReplicaError("this replica belongs to another endpoint")
            )
        elif scope["type"] != "http" or path == _HEALTH_PATH:
            await self._app(scope, receive, send)
        elif path == _ROUTES_PATH:
            await _refuse(scope, receive, send, NotFoundError("there is nothing at this path"))
        elif self._requests >= self._max_requests and path not in _EXEMPT:
            await _refuse(scope, receive, send, OverloadedError("too many requests are in work"))
        else:
            self._requests += 1
            try:
                await self._pass_on(scope, receive, send)
            finally:
                self._requests -= 1

    def _is_ours(self, scope: Scope) -> bool:
        """Tell whether a request came through the HAProxy of this endpoint."""
        return not self._token or (_TOKEN_HEADER, self._token) in scope["headers"]

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and once more if its replica dies before it answers."""
        # HAProxy repeats such a request by itself; Serve's own proxy gives up.
        headers = [pair for pair in scope["headers"] if not _is_reserved(*pair)]
        recorded = _Recorded(receive)
        for _ in range(_MAX_TRIES):
            answer = _Answer(scope, receive, send)
            try:
                await self._app({**scope, "headers": list(headers)}, recorded.replay(), answer)
            except Exception as error:
                log.warning("a replica was lost: %s", type(error).__name__)
            if answer.is_started or recorded.is_client_gone:
                return
            if not recorded.is_complete:
                break
            await asyncio.sleep(_RETRY_SECONDS)
        await _refuse(scope, receive, send, NoReplicaError("the replica ended during the request"))


class _Recorded:
    """The messages of a request, kept so that they can be received again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._bytes = 0
        self.is_client_gone = False

    @property
    def is_complete(self) -> bool:
        """Tell whether all messages so far were kept."""
        return self._bytes <= _MAX_RECORDED_BYTES

    def replay(self) -> Receive:
        """Return a `receive` that begins with the first message of the request."""
        position = 0

        async def receive() -> Message:
            nonlocal position
            if position < len(self._messages):
                message = self._messages[position]
            else:
                message = await self._receive()
                self._bytes += len(message.get("body", b""))
                self.is_client_gone = message["type"] == "http.disconnect"
                if self.is_complete:
                    self._messages.append(message)
            position += 1
            return message

        return receive


def _is_reserved(name: bytes, value: bytes) -> bool:
    """Tell whether a header must not reach Serve, which reads names with `_` as with `-`."""
    if name[:1] not in b"xs":  # nearly all headers
        return False
    name = name.replace(b"_", b"-")
    if name == b"x-request-id":
        return not _REQUEST_ID.fullmatch(value)
    return name in _RESERVED


class _Answer:
    """A `send` that replaces Serve's own error texts, and keeps back that a replica was lost."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._is_replaced = False
        self._head: Message | None = None
        self.is_started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._take_head(message)
        elif self._head is not None:
            # Until a byte is sent, the request can be sent again.
            head, self._head = self._head, None
            self.is_started = True
            await _send_in_one_write(self._scope, self._send, head, message)
        elif not self._is_replaced:
            await self._send(message)

    async def _take_head(self, head: Message) -> None:
        """Keep the head of an answer until its body comes, or replace it by an error."""
        status = head["status"]
        is_text = dict(head.get("headers", ())).get(b"content-type", _TEXT[0]) in _TEXT
        self._is_replaced = is_text and status in (*_ERRORS, _LOST)
        if not self._is_replaced:
            self._head = head
        elif status != _LOST:
            self.is_started = True
            await _refuse(self._scope, self._receive, self._send, _ERRORS[status])


async def _send_in_one_write(scope: Scope, send: Send, head: Message, body: Message) -> None:
    """Send the head of an answer together with the first part of its body."""
    # Uvicorn writes them one after the other. HAProxy repeats a request only until it has a byte of
    # the answer, so a replica that is killed between the two writes would cut an answer short.
    connection: Any = getattr(send, "__self__", None)
    transport = getattr(connection, "transport", None)
    if transport is None or scope["method"] == "HEAD":  # whose body is never written
        await send(head)
        await send(body)
        return
    connection.transport = _HeadKept(transport)
    try:
        await send(head)
        await send(body)
    finally:
        connection.transport = transport


class _HeadKept:
    """A transport that keeps the first bytes until the next ones are written."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._kept: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._kept is None:
            self._kept = data
        else:
            self._transport.write(self._kept + data)
            self._kept = b""

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


async def _refuse(scope: Scope, receive: Receive, send: Send, error: RequestError) -> None:
    """Answer a request with an error."""
    await unrecorded_error_answer(error)(scope, receive, send)
