"""The ASGI layer that Ray Serve puts around its own code, in each replica and in its proxies."""

import json
import re
from collections.abc import Mapping

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nmt.serving.errors import (
    DeadlineExceededError,
    NoReplicaError,
    NotFoundError,
    OverloadedError,
    RequestError,
)

_MAX_REQUESTS = 256
"""Requests in one process; a replica's own limit, `serving.max_requests`, is usually smaller."""
_RESERVED = frozenset(
    (
        b"x-request-timeout-seconds",
        b"x-request-disconnect-disabled",
        b"x-session-id",
        b"serve-multiplexed-model-id",
    )
)
"""Headers by which a client could change how Serve treats its request."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEALTH_PATH, _ROUTES_PATH = "/-/healthz", "/-/routes"
_EXEMPT = frozenset((_HEALTH_PATH, "/health", "/ready", "/metrics"))

# Errors of the application are JSON already. What Serve itself answers is text, and means that it
# found no replica, or lost it.
_ERRORS: Mapping[int, RequestError] = {
    404: NoReplicaError("the endpoint is starting or has ended"),
    408: DeadlineExceededError("no answer in time"),
    500: NoReplicaError("the replica ended during the request"),
    503: NoReplicaError("no replica can answer at the moment"),
}


def layers() -> list[Middleware]:
    """Return the layers for Serve, outermost first."""
    return [Middleware(Front)]


class Front:
    """A layer that hides Serve's own headers and errors from clients, and limits requests."""

    def __init__(self, app: ASGIApp, max_requests: int = _MAX_REQUESTS) -> None:
        self._app = app
        self._max_requests = max_requests
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path == _HEALTH_PATH:
            await self._app(scope, receive, send)
        elif path == _ROUTES_PATH:
            await _answer(send, NotFoundError("there is nothing at this path"))
        elif self._requests >= self._max_requests and path not in _EXEMPT:
            await _answer(send, OverloadedError("too many requests are in work"))
        else:
            self._requests += 1
            try:
                scope["headers"] = [pair for pair in scope["headers"] if not _is_reserved(*pair)]
                await self._app(scope, receive, _Translated(send))
            finally:
                self._requests -= 1


def _is_reserved(name: bytes, value: bytes) -> bool:
    """Tell whether a header must not reach Serve, which reads names with `_` as with `-`."""
    if name[:1] not in b"xs":  # nearly all headers
        return False
    name = name.replace(b"_", b"-")
    if name == b"x-request-id":
        return not _REQUEST_ID.fullmatch(value)
    return name in _RESERVED


class _Translated:
    """A `send` that replaces Serve's own error texts."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_replaced = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            error = _ERRORS.get(message["status"])
            if error and dict(message.get("headers", ())).get(b"content-type", b"text/plain") in (
                b"text/plain",
                b"text/plain; charset=utf-8",
            ):
                self._is_replaced = True
                await _answer(self._send, error)
                return
        if not self._is_replaced:
            await self._send(message)


async def _answer(send: Send, error: RequestError) -> None:
    body = json.dumps({"error": str(error), "code": error.code}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if error.retry_after_seconds:
        headers.append((b"retry-after", str(error.retry_after_seconds).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
