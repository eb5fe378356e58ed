"""The web application of the endpoint, on Starlette."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.serving.authentication import Authenticator
from nmt.serving.documents.service import Documents
from nmt.serving.errors import (
    DeadlineExceededError,
    MethodNotAllowedError,
    NotFoundError,
)
from nmt.serving.feedback.store import FeedbackStore
from nmt.serving.monitoring.access_log import AccessLog
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.monitoring.tracing import Tracing
from nmt.serving.types import Translator
from nmt.serving.web.answers import BUG, error_answer, refusal
from nmt.serving.web.bodies.responses import error_body
from nmt.serving.web.context import CountCorrection, GatherMetrics, GlossaryTerms, WebContext
from nmt.serving.web.handlers.table import build_handlers
from nmt.serving.web.middleware import Cors, Limit, Observers, Observing
from nmt.serving.web.operation import MULTIPART, Handler, Operation
from nmt.serving.web.paths import PathTemplates
from nmt.serving.web.record import record_of

_UPLOAD_SECONDS = 300.0
"""Time for sending a file over a slow line."""


def build_app(
    translator: Translator,
    config: ServingConfig,
    *,
    authenticator: Authenticator | None = None,
    metrics: ServingMetrics | None = None,
    access_log: AccessLog | None = None,
    tracing: Tracing | None = None,
    gather_metrics: GatherMetrics | None = None,
    glossaries: GlossaryTerms | None = None,
    documents: Documents | None = None,
    feedback: FeedbackStore | None = None,
    count_correction: CountCorrection | None = None,
) -> Starlette:
    """Build the web application.

    Args:
        translator: translates all sentences of a request, with a single engine.
        config: limits of a request, its deadline, and how many are worked on at once.
        authenticator: checks API keys; None admits everybody.
        metrics: counts the requests.
        access_log: gets a line for each request.
        tracing: gets a span for each request.
        gather_metrics: collects the metrics of all replicas; by default, there are only `metrics`.
        glossaries: terms by the name of their glossary; by default, there are none.
        documents: translates documents as jobs; by default, none are taken.
        feedback: stores ratings and corrections; by default, none are taken.
        count_correction: counts a correction for a rollout; gets the engine and the client.
    """
    context = WebContext(
        translator=translator,
        config=config,
        authenticator=authenticator,
        metrics=metrics,
        gather_metrics=gather_metrics,
        glossaries=glossaries,
        documents=documents,
        feedback=feedback,
        count_correction=count_correction,
    )
    offered = build_handlers(context)
    observers = Observers(metrics, access_log, tracing)
    app = Starlette(
        routes=_routes(context, offered),
        middleware=_middleware([each for each, _ in offered], context, observers),
        exception_handlers={HTTPException: _on_http_exception, Exception: _on_bug},
    )
    # A redirect would have no body, and an address made of the client's own header.
    app.router.redirect_slashes = False
    return app


def _routes(context: WebContext, offered: Sequence[tuple[Operation, Handler]]) -> list[Route]:
    """List a route for each path, with the methods that it takes."""
    by_path: dict[str, dict[str, Handler]] = {}
    for operation, handle in offered:
        answering = _answering(operation, handle, context)
        by_path.setdefault(operation.path, {})[operation.method] = answering
    return [
        Route(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()
    ]


def _by_method(methods: Mapping[str, Handler]) -> Handler:
    """Return a handler that calls that of the request's method."""

    async def answer(request: Request) -> Response:
        # Starlette lets HEAD through where it lets GET through.
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method](request)

    return answer


def _middleware(
    operations: Sequence[Operation], context: WebContext, observers: Observers
) -> list[Middleware]:
    """List what happens around every request, outermost first."""
    config = context.config
    paths = PathTemplates(dict.fromkeys(each.path for each in operations))
    exempt = {each.path for each in operations if not each.is_limited}
    # Around the limit, so that a page can read a refusal.
    cors = [Middleware(Cors, origins=config.cors_origins)] if config.cors_origins else []
    return [
        Middleware(Observing, paths=paths, translator=context.translator, observers=observers),
        *cors,
        Middleware(Limit, max_requests=config.max_requests, exempt=exempt),
    ]


def _answering(operation: Operation, handle: Handler, context: WebContext) -> Handler:
    """Wrap a handler: keys before it, its deadline, and an error body for whatever fails."""
    seconds = context.config.request_timeout_seconds
    # The handler of an upload begins its time anew when it has the file.
    first_seconds = max(seconds, _UPLOAD_SECONDS) if MULTIPART in operation.bodies else seconds

    async def admit_and_handle(request: Request) -> Response:
        # Where the key may be in the body, the handler admits the request when it has read it.
        if not operation.takes_api_key:
            context.admit(request, operation.scope)
        return await handle(request)

    async def answer(request: Request) -> Response:
        record = record_of(request)
        record.has_message = operation.has_message
        deadline = record.deadline = asyncio.timeout(first_seconds)
        try:
            # The time for reading the body counts as well.
            async with deadline:
                return await admit_and_handle(request)
        except TimeoutError as error:
            if deadline.expired():
                return error_answer(
                    request, DeadlineExceededError(f"no answer within {seconds:g} s")
                )
            return error_answer(request, refusal(request, error))
        except Exception as error:
            return error_answer(request, refusal(request, error))

    return answer


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class in build_app
    # Not `request.url`: it is made of the header Host, which may be anything.
    path, method = shortened(request.scope["path"]), shortened(request.method)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        refusal = MethodNotAllowedError(f"{path} does not take {method}", allowed)
        return error_answer(request, refusal)
    return error_answer(request, NotFoundError(f"there is nothing at {path}"))


async def _on_bug(_request: Request, _error: Exception) -> Response:
    # A bug in what surrounds the handlers; the server logs its traceback.
    return JSONResponse(error_body(BUG), BUG.status)
