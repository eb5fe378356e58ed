"""The table of operations: what the endpoint answers, and with which errors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from nmt.access.scopes import Scope
from nmt.serving.errors import (
    DeadlineExceededError,
    ForbiddenError,
    InvalidJsonError,
    InvalidRequestError,
    MediaTypeError,
    NoEngineError,
    NoReplicaError,
    OverloadedError,
    RateLimitedError,
    RequestError,
    StoppingError,
    TooLargeError,
    UnauthorizedError,
    UnknownDomainError,
    UnsupportedLanguageError,
)
from nmt.serving.web.requests import TranslateRequest
from nmt.serving.web.responses import HealthBody, LanguageBody, ReadyBody, TranslationBody

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    """Name of the method in a generated client."""
    summary: str
    answer: object
    """Type of the JSON body, or the media type of another body."""
    errors: Sequence[type[RequestError]] = ()
    """Errors besides those that every operation has."""
    body: type[TranslateRequest] | None = None
    scope: Scope | None = None
    """Scope that an API key needs; None for everybody."""
    is_limited: bool = True
    """Whether it is refused while the endpoint works on as many requests as it may."""


KEY_ERRORS = (UnauthorizedError, ForbiddenError, RateLimitedError)
"""Errors of operations that need an API key."""
LIMIT_ERRORS = (OverloadedError,)
"""Errors of operations that are limited."""
COMMON_ERRORS = (RequestError, NoReplicaError, DeadlineExceededError)
"""Errors of every operation."""

OPERATIONS = (
    Operation(
        "POST",
        "/v1/translate",
        "translate",
        "Translate texts",
        TranslationBody,
        (
            InvalidJsonError,
            InvalidRequestError,
            UnsupportedLanguageError,
            UnknownDomainError,
            TooLargeError,
            MediaTypeError,
            NoEngineError,
            StoppingError,
        ),
        TranslateRequest,
        "translate",
    ),
    Operation("GET", "/languages", "getLanguages", "List the language pairs", list[LanguageBody]),
    Operation(
        "GET",
        "/health",
        "getHealth",
        "Show what is served; 200 as long as the process works",
        HealthBody,
        is_limited=False,
    ),
    Operation(
        "GET",
        "/ready",
        "getReady",
        "Tell whether this replica takes requests",
        ReadyBody,
        (NoEngineError, StoppingError),
        is_limited=False,
    ),
    Operation(
        "GET",
        "/metrics",
        "getMetrics",
        "Show the metrics of all replicas for Prometheus",
        "text/plain",
        scope="admin",
        is_limited=False,
    ),
    Operation("GET", "/openapi.json", "getOpenapi", "Get this document", dict),
    Operation("GET", "/docs", "getDocs", "Read this document as a web page", "text/html"),
    Operation("GET", "/", "getPage", "Translate on a web page", "text/html"),
)
