"""The web application of the endpoint, on ASGI.

It has no framework below it, so that every answer is in the documented shape and a request costs
little besides its translation.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.serving.errors import (
    DeadlineExceededError,
    MethodNotAllowedError,
    NotFoundError,
    OverloadedError,
    RequestError,
)
from nmt.serving.types import Translator
from nmt.serving.web.asgi import (
    Header,
    Request,
    Response,
    json_response,
    refuse_websocket,
    run_lifespan,
)
from nmt.serving.web.cors import Cors
from nmt.serving.web.observers import AccessLog, Authenticator, Metrics, Observers, Tracing
from nmt.serving.web.operations import Handler, Operation
from nmt.serving.web.responses import error_body
from nmt.serving.web.service import Service

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# A longer session name is cut: it is kept in memory, and a client must not choose how much.
_MAX_SESSION_CHARACTERS = 128


def build_app(
    translator: Translator,
    config: ServingConfig,
    *,
    authenticator: Authenticator | None = None,
    metrics: Metrics | None = None,
    access_log: AccessLog | None = None,
    tracing: Tracing | None = None,
    gather_metrics: Callable[[], Awaitable[bytes]] | None = None,
) -> ASGIApp:
    """Build the web application.

    Args:
        translator: translates all sentences of a request, with a single engine.
        config: limits of a request, its deadline, and how many are worked on at once.
        authenticator: checks API keys; None admits everybody.
        metrics: counts the requests.
        access_log: gets a line for each request.
        tracing: gets a span for each request.
        gather_metrics: collects the metrics of all replicas for `GET /metrics`.
    """
    service = Service(translator, config, authenticator, gather_metrics)
    observers = Observers(metrics, access_log, tracing)
    return _Application(translator, config, service, authenticator, observers)


class _Path:
    """A path with its operations."""

    def __init__(self, operations: list[Operation], handlers: Mapping[str, Handler]) -> None:
        self.template = operations[0].path
        self.is_limited = operations[0].is_limited
        self.by_method = {each.method: (each, handlers[each.name]) for each in operations}
        methods = [*self.by_method, "OPTIONS"]
        if "GET" in self.by_method:
            methods.append("HEAD")
            self.by_method["HEAD"] = self.by_method["GET"]
        self.methods = ", ".join(sorted(methods))


class _Application:
    """The application: limits, keys, dispatch, and an error body for everything that fails."""

    def __init__(
        self,
        translator: Translator,
        config: ServingConfig,
        service: Service,
        authenticator: Authenticator | None,
        observers: Observers,
    ) -> None:
        self._translator = translator
        self._max_requests = config.max_requests
        self._timeout_seconds = config.request_timeout_seconds
        self._authenticator = authenticator
        self._observers = observers
        self._cors = Cors(config.cors_origins)
        operations, handlers = service.operations, service.handlers()
        paths = dict.fromkeys(each.path for each in operations)
        self._paths = {
            path: _Path([each for each in operations if each.path == path], handlers)
            for path in paths
        }
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or a message of the server."""
        if scope["type"] == "http":
            await self._serve(Request(scope, receive), send)
        elif scope["type"] == "lifespan":
            await run_lifespan(receive, send)
        else:
            await refuse_websocket(scope, send)

    async def _serve(self, request: Request, send: Send) -> None:
        given_id = request.headers.get(b"x-request-id", b"")
        is_valid = _REQUEST_ID.fullmatch(given_id)
        request.id = given_id.decode() if is_valid else secrets.token_hex(8)
        path = self._paths.get(request.path)
        self._in_work += 1
        try:
            with self._observers.observe(request, path and path.template):
                response = await self._answer(request, path)
                response.headers += self._common_headers(request)
                request.status = response.status
                await response.send(send, with_body=request.method != "HEAD")
        finally:
            self._in_work -= 1

    async def _answer(self, request: Request, path: _Path | None) -> Response:
        """Answer a request; whatever fails becomes an error body."""
        try:
            if self._in_work > self._max_requests and (path is None or path.is_limited):
                raise OverloadedError(
                    f"{self._max_requests} requests are worked on, which is the limit"
                )
            return await self._dispatch_in_time(request, path)
        except RequestError as error:
            return _error_response(request, error)
        except Exception:
            # Details of a bug stay in the log, where the traceback is, since they may hold secrets.
            log.exception("request %s failed", request.id)
            return _error_response(request, RequestError("the service failed; its log says why"))

    async def _dispatch_in_time(self, request: Request, path: _Path | None) -> Response:
        """Answer a request; cancel it, and the work that it waits for, at its deadline."""
        deadline = asyncio.timeout(self._timeout_seconds)
        try:
            # The time for reading the body counts as well.
            async with deadline:
                return await self._dispatch(request, path)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlineExceededError(f"no answer within {self._timeout_seconds:g} s") from None

    async def _dispatch(self, request: Request, path: _Path | None) -> Response:
        if path is None:
            raise NotFoundError(f"there is nothing at {shortened(request.path)}")
        found = path.by_method.get(request.method)
        if found is None:
            if request.method == "OPTIONS":
                return self._preflight(request, path)
            raise MethodNotAllowedError(
                f"{path.template} does not take {shortened(request.method)}", path.methods
            )
        operation, handle = found
        if self._authenticator and operation.scope:
            authorization = request.header(b"authorization")
            request.caller = self._authenticator.admit(authorization, operation.scope)
        request.client = _client_of(request)
        return await handle(request)

    def _preflight(self, request: Request, path: _Path) -> Response:
        allow = (b"allow", path.methods.encode())
        return Response(204, b"", [allow, *self._cors.preflight_headers(request, path.methods)])

    def _common_headers(self, request: Request) -> list[Header]:
        headers = [(b"x-request-id", request.id.encode()), *self._cors.headers_for(request)]
        if self._translator.served().is_stopping:
            # So that the client's next request opens a connection to another replica.
            headers.append((b"connection", b"close"))
        return headers


def _client_of(request: Request) -> str:
    """Name the client, which is kept with one engine of a canary."""
    session = request.header(b"x-client-session")
    if session:
        return session[:_MAX_SESSION_CHARACTERS]
    if request.caller is not None and request.caller.id:
        return request.caller.id
    forwarded = request.header(b"x-forwarded-for") or ""
    return forwarded.partition(",")[0].strip()[:_MAX_SESSION_CHARACTERS] or request.peer


def _error_response(request: Request, error: RequestError) -> Response:
    request.error_code = error.code
    response = json_response(error_body(error), error.status)
    response.headers += [
        (name.lower().encode(), value.encode()) for name, value in error.headers.items()
    ]
    return response
