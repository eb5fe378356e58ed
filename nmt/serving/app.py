"""The HTTP interface as a plain ASGI application: routes, limits, one shape of error."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nmt.config import ServingConfig
from nmt.errors import ConfigError, shortened
from nmt.languages import iso_code, languages, resolve_language
from nmt.serving.contract import (
    Answer,
    DeadlineError,
    MediaTypeError,
    NoAdapterError,
    RequestError,
    ServedEngine,
    Status,
    TooLargeError,
    Translate,
    UnsupportedLanguageError,
)
from nmt.serving.page import page_response
from nmt.serving.schemas import (
    TranslateRequest,
    body_limit,
    health,
    parse_request,
    refused,
    translated,
)
from nmt.text.segment import Piece, join_text, split_text

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CODES = {404: "not_found", 405: "method_not_allowed"}

Handler = Callable[[Request], Awaitable[Response]]


def build_app(translate: Translate, status: Status, config: ServingConfig) -> Starlette:
    """Application around something that translates.

    Args:
        translate: answers a whole request, so that all its sentences are of one engine.
        status: tells the engine that is served.
        config: limits and the time a request may take.
    """
    service = _Service(translate, status, config)
    return Starlette(
        routes=[
            Route("/", _page, methods=["GET"]),
            Route("/health", service.within_time(service.health), methods=["GET"]),
            Route("/languages", service.within_time(service.languages), methods=["GET"]),
            Route("/v1/translate", service.within_time(service.translate), methods=["POST"]),
        ],
        exception_handlers={
            RequestError: _on_refusal,
            HTTPException: _on_http_exception,
            Exception: _on_error,
        },
    )


class _Service:
    """The handlers."""

    def __init__(self, translate: Translate, status: Status, config: ServingConfig) -> None:
        self._translate = translate
        self._status = status
        self._config = config

    def within_time(self, handler: Handler) -> Handler:
        """The handler, cancelled at the deadline together with the work it waits for."""
        seconds = self._config.request_timeout_seconds

        async def timed(request: Request) -> Response:
            try:
                async with asyncio.timeout(seconds):
                    return await handler(request)
            except TimeoutError:
                raise DeadlineError(f"no answer within {seconds:g} s") from None

        return timed

    async def translate(self, request: Request) -> Response:
        """`POST /v1/translate`."""
        _check_media_type(request)
        body = await _read_body(request, body_limit(self._config))
        asked = parse_request(body, self._config)
        served = await self._status()
        if served is None:
            raise NoAdapterError("no engine has been promoted yet")
        source, target = _check_pair(asked, served)
        answer, texts = await self._translate_texts(asked.text, source, target, served)
        return _json(translated(answer, texts))

    async def health(self, _request: Request) -> Response:
        """`GET /health`: 200 without an engine too, since the service itself is up."""
        return _json(health(await self._status()))

    async def languages(self, _request: Request) -> Response:
        """`GET /languages`, in LibreTranslate's shape."""
        served = await self._status()
        if served is None:
            return _json([])
        language = languages()[served.source_language]
        target = iso_code(served.target_language)
        return _json([{"code": language.iso, "name": language.name, "targets": [target]}])

    async def _translate_texts(
        self, texts: list[str], source: str, target: str, served: ServedEngine
    ) -> tuple[Answer, list[str]]:
        """All sentences of all texts in one call, put back into their texts."""
        # In a thread: a long text would hold up all other requests, the health check among them.
        documents = await asyncio.to_thread(_split, texts, iso_code(source))
        sentences = [piece.text for pieces in documents for piece in pieces if piece.is_sentence]
        answer = Answer([], served)
        if sentences:
            answer = await self._translate(sentences, source, target)
        results = iter(answer.texts)
        return answer, [join_text(pieces, results, target) for pieces in documents]


def _split(texts: list[str], language: str) -> list[list[Piece]]:
    return [split_text(text, language) for text in texts]


async def _page(_request: Request) -> Response:
    return page_response()


def _check_media_type(request: Request) -> None:
    declared = request.headers.get("content-type", "")
    essence = declared.partition(";")[0].strip().lower()
    if essence != "application/json":
        raise MediaTypeError(
            f"the body is declared as {shortened(essence) or 'nothing'}: send "
            "Content-Type: application/json"
        )


async def _read_body(request: Request, limit: int) -> bytes:
    """Body, given up as soon as it is known to be too long."""
    too_large = TooLargeError(f"the body is longer than {limit} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _check_pair(asked: TranslateRequest, served: ServedEngine) -> tuple[str, str]:
    """FLORES-200 codes of source and target."""
    pair = (served.source_language, served.target_language)
    offer = f"this endpoint translates {_named(pair[0])} to {_named(pair[1])}"
    try:
        source = resolve_language(asked.source) if asked.source is not None else pair[0]
        target = resolve_language(asked.target) if asked.target is not None else pair[1]
    except ConfigError as error:
        raise UnsupportedLanguageError(f"{error} Here {offer}.") from None
    if (source, target) != pair:
        raise UnsupportedLanguageError(f"{source} to {target} is not served: {offer}")
    return pair


def _named(code: str) -> str:
    return f"{languages()[code].name} ({iso_code(code)}, {code})"


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401 - plain JSON
    return JSONResponse(content, status, {**_HEADERS, **(headers or {})})


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - the table above says so
    after = error.retry_after_seconds
    return _json(refused(error), error.status, {"Retry-After": str(after)} if after else None)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table above says so
    path, method = shortened(request.url.path), shortened(request.method)
    messages = {404: f"there is nothing at {path}", 405: f"{path} does not take {method}"}
    body = {
        "error": messages.get(error.status_code, str(error.detail)),
        "code": _CODES.get(error.status_code, "invalid_request"),
    }
    return _json(body, error.status_code, dict(error.headers or {}))


async def _on_error(_request: Request, _error: Exception) -> Response:
    """What is wrong inside stays in the log, where the traceback goes."""
    return _json({"error": "the service failed; its log says why", "code": "internal"}, 500)
