"""What happens to every request around its handler: it is observed, allowed and limited."""

import re
import secrets
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from nmt.serving.errors import InvalidRequestError, OverloadedError
from nmt.serving.monitoring.access_log import AccessLog
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.monitoring.tracing import Tracing
from nmt.serving.types import Translator
from nmt.serving.web.answers import error_answer
from nmt.serving.web.bodies.responses import error_body
from nmt.serving.web.paths import PathTemplates
from nmt.serving.web.record import REQUEST_ID, RequestRecord

_REQUEST_ID = re.compile(REQUEST_ID)
_DENIAL = "websocket.http.response"
"""Extension of a server that can answer a WebSocket with an error body."""
_CLIENT_GONE = 499
"""Status of a request whose client left before the answer, as in the logs of other servers."""


@dataclass(frozen=True, slots=True)
class Observers:
    """All that is told about each request."""

    metrics: ServingMetrics | None = None
    access_log: AccessLog | None = None
    tracing: Tracing | None = None

    @contextmanager
    def observe(self, method: str, headers: Headers, record: RequestRecord) -> Iterator[None]:
        """Observe a request until its end, even if it is cancelled."""
        try:
            if self.tracing is None:
                yield
                return
            parent, state = headers.get("traceparent"), headers.get("tracestate")
            with self.tracing.span(method, record.path, parent, state) as span:
                yield
                span.set(record.status, record.engine, record.id)
        finally:
            self._write(method, record, time.monotonic() - record.arrival)

    def _write(self, method: str, record: RequestRecord, seconds: float) -> None:
        status = record.status or _CLIENT_GONE
        if self.metrics:
            self.metrics.observe_request(method, record.path, status, record.engine, seconds)
            if record.code:
                self.metrics.observe_refusal(record.code)
        if self.access_log:
            self.access_log.write(
                request_id=record.id,
                method=method,
                path=record.path,
                status=status,
                seconds=seconds,
                key=record.key_id,
                client=record.client,
                code=record.code,
                engine=record.engine,
                route=record.route,
                texts=record.texts,
                characters=record.characters,
                source_tokens=record.source_tokens,
                target_tokens=record.target_tokens,
                cached=record.cached,
            )


class Observing:
    """Middleware that gives each request an id, and tells the observers about it."""

    def __init__(
        self, app: ASGIApp, paths: PathTemplates, translator: Translator, observers: Observers
    ) -> None:
        self._app = app
        self._paths = paths
        self._translator = translator
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "websocket" and _DENIAL in scope.get("extensions", {}):
            await WebSocket(scope, receive, send).send_denial_response(_no_websocket())
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        is_valid = _REQUEST_ID.fullmatch(given)
        path = self._paths.template_of(scope["path"])
        record = RequestRecord(given if is_valid else secrets.token_hex(8), path)
        record.attach(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                added = MutableHeaders(scope=message)
                added["X-Request-Id"] = record.id
                if self._translator.served().is_stopping:
                    # The client's next request then opens a connection to another replica.
                    added["Connection"] = "close"
            await send(message)

        with self._observers.observe(scope["method"], headers, record):
            await self._app(scope, receive, send_with_headers)


class Limit:
    """Middleware that refuses requests at once while too many are in work."""

    def __init__(self, app: ASGIApp, max_requests: int, exempt: Container[str]) -> None:
        self._app = app
        self._max_requests = max_requests
        self._exempt = exempt
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        if self._in_work >= self._max_requests:
            error = OverloadedError(f"{self._in_work} requests are in work, which is the limit")
            await error_answer(Request(scope), error)(scope, receive, send)
            return
        self._in_work += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_work -= 1


class Cors(CORSMiddleware):
    """Middleware that lets pages of other origins call the endpoint from a browser."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        # Never with credentials, such as cookies: a page has to set the header with the API key
        # itself, so that no other page can use the key.
        super().__init__(
            app,
            allow_origins=[origin.rstrip("/") for origin in origins],
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "X-Client-Session", "X-Request-Id"),
            expose_headers=("Content-Disposition", "Location", "Retry-After", "X-Request-Id"),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer whether a page may send a request; a refusal is an error like any other."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return Response(status_code=204, headers=_without_body(answer))
        error = InvalidRequestError("a page of this origin may not send this request (CORS)")
        return JSONResponse(error_body(error), error.status, _without_body(answer))


def _no_websocket() -> Response:
    error = InvalidRequestError("this endpoint takes plain HTTP requests, not WebSockets")
    return JSONResponse(error_body(error), error.status)


def _without_body(answer: Response) -> dict[str, str]:
    skipped = {"content-length", "content-type"}
    return {name: value for name, value in answer.headers.items() if name not in skipped}
