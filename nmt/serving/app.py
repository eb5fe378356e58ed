"""The HTTP interface as an ASGI application: routes, limits and errors."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt.config import ServingConfig
from nmt.errors import ConfigError, shortened
from nmt.languages import iso_code, languages, resolve_language
from nmt.serving.errors import (
    DeadlineExceededError,
    MediaTypeError,
    NoEngineError,
    RequestError,
    TooLargeError,
    UnsupportedLanguageError,
)
from nmt.serving.page import page_response
from nmt.serving.requests import TranslateRequest, body_limit, parse_request
from nmt.serving.responses import (
    Body,
    error_body,
    health_body,
    languages_body,
    translation_body,
)
from nmt.serving.types import ServedEngine, Status, Translate, Translation
from nmt.text.document import Documents

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CODES = {404: "not_found", 405: "method_not_allowed"}

Handler = Callable[[Request], Awaitable[Response]]


def build_app(translate: Translate, status: Status, config: ServingConfig) -> Starlette:
    """Build the application.

    Args:
        translate: translates all sentences of a request, with a single engine.
        status: returns the served engine.
        config: limits of a request and its deadline.
    """
    service = _Service(translate, status, config)
    return Starlette(
        routes=[
            Route("/", _get_page, methods=["GET"]),
            Route("/health", service.with_deadline(service.get_health), methods=["GET"]),
            Route("/languages", service.with_deadline(service.get_languages), methods=["GET"]),
            Route("/v1/translate", service.with_deadline(service.translate), methods=["POST"]),
        ],
        exception_handlers={
            RequestError: _on_request_error,
            HTTPException: _on_http_exception,
            Exception: _on_error,
        },
    )


class _Service:
    """The handlers of the routes."""

    def __init__(self, translate: Translate, status: Status, config: ServingConfig) -> None:
        self._translate = translate
        self._status = status
        self._config = config

    def with_deadline(self, handler: Handler) -> Handler:
        """Wrap a handler so that it and the work it waits for are cancelled at the deadline."""
        seconds = self._config.request_timeout_seconds

        async def timed(request: Request) -> Response:
            try:
                async with asyncio.timeout(seconds):
                    return await handler(request)
            except TimeoutError:
                raise DeadlineExceededError(f"no answer within {seconds:g} s") from None

        return timed

    async def translate(self, request: Request) -> Response:
        """Handle `POST /v1/translate`."""
        _check_media_type(request)
        body = await _read_body(request, body_limit(self._config))
        wanted = parse_request(body, self._config)
        served = await self._status()
        if served is None:
            raise NoEngineError("no engine has been promoted yet")
        source, target = _check_pair(wanted, served)
        # In a thread: splitting a long text would block all other requests, even health checks.
        documents = await asyncio.to_thread(Documents.split, wanted.text, iso_code(source))
        translation = Translation([], served)
        if sentences := documents.sentences:
            # All sentences in one call: a promotion between two calls would mix two engines.
            translation = await self._translate(sentences, source, target)
        texts = documents.join(translation.texts, target)
        return _json(translation_body(texts, translation.engine))

    async def get_health(self, _request: Request) -> Response:
        """Handle `GET /health`."""
        # 200 without an engine too: the service is up, and restarting it would not help.
        return _json(health_body(await self._status()))

    async def get_languages(self, _request: Request) -> Response:
        """Handle `GET /languages`."""
        return _json(languages_body(await self._status()))


async def _get_page(_request: Request) -> Response:
    return page_response()


def _check_media_type(request: Request) -> None:
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError(
            f"the body is declared as {shortened(media_type) or 'nothing'}: send "
            "Content-Type: application/json"
        )


async def _read_body(request: Request, limit: int) -> bytes:
    """Read the body, and stop as soon as it exceeds the limit."""
    too_large = TooLargeError(f"the body is longer than {limit} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body = bytearray()
    # The header may be missing or wrong, so that the bytes are counted as well.
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _check_pair(wanted: TranslateRequest, served: ServedEngine) -> tuple[str, str]:
    """Resolve the languages of a request to FLORES-200 codes, and require the engine's pair."""
    pair = (served.source_language, served.target_language)
    names = [f"{languages()[code].name} ({iso_code(code)}, {code})" for code in pair]
    offer = f"this endpoint translates {names[0]} to {names[1]}"
    try:
        source = resolve_language(wanted.source) if wanted.source is not None else pair[0]
        target = resolve_language(wanted.target) if wanted.target is not None else pair[1]
    except ConfigError as error:
        raise UnsupportedLanguageError(f"{error} Here {offer}.") from None
    if (source, target) != pair:
        raise UnsupportedLanguageError(f"{source} to {target} is not served: {offer}")
    return pair


def _json(body: Body, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {**_HEADERS, **(headers or {})})


async def _on_request_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - registered for this class in build_app
    delay = error.retry_after_seconds
    headers = {"Retry-After": str(delay)} if delay else None
    return _json(error_body(error), error.status, headers)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class in build_app
    path, method = shortened(request.url.path), shortened(request.method)
    messages = {404: f"there is nothing at {path}", 405: f"{path} does not take {method}"}
    message = messages.get(error.status_code, str(error.detail))
    code = _CODES.get(error.status_code, "invalid_request")
    return _json({"error": message, "code": code}, error.status_code, dict(error.headers or {}))


async def _on_error(_request: Request, _error: Exception) -> Response:
    # Details of a bug stay in the log, where the traceback is, since they may hold secrets.
    return _json({"error": "the service failed; its log says why", "code": "internal"}, 500)
