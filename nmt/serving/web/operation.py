"""What describes an operation: a method of a path, its bodies, its answers and its errors."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from nmt.access.scopes import Scope
from nmt.serving.errors import (
    DeadlineExceededError,
    ForbiddenError,
    InvalidJsonError,
    InvalidRequestError,
    MediaTypeError,
    NoReplicaError,
    OverloadedError,
    RateLimitedError,
    RequestError,
    TooLargeError,
    UnauthorizedError,
)
from nmt.serving.types import Served

Handler = Callable[[Request], Awaitable[Response]]
Method = Literal["GET", "POST", "PUT", "DELETE"]
Schema = dict[str, object]
"""A JSON Schema, or another part of the OpenAPI document."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
NDJSON = "application/x-ndjson"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path."""

    method: Method
    path: str
    """Template, such as `/v1/documents/{id}`."""
    name: str
    """Name of the method in a generated client."""
    summary: str
    answer: object
    """Type of the JSON body, the media type of another body, or None for an answer without one."""
    errors: Sequence[type[RequestError]] = ()
    """Errors besides those that every operation has."""
    bodies: Mapping[str, object] = field(default_factory=dict[str, object])
    """Type of the body by media type; any one of them may be sent."""
    scope: Scope | None = None
    """Scope that an API key needs; None for everybody."""
    is_limited: bool = True
    """Whether it is refused while the endpoint works on as many requests as it may."""
    status: int = 200
    """Status of the answer."""
    other_answers: Mapping[str, object] = field(default_factory=dict[str, object])
    """Type of each line or of the body, by media type, of answers that a client asks for with
    `Accept`."""
    answer_headers: Sequence[str] = ()
    """Names of headers that the answer has besides those of every answer."""
    query: type[BaseModel] | None = None
    """Parameters of the query string."""
    path_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Description of each parameter of the path."""
    takes_api_key: bool = False
    """Whether the API key may also be sent as `api_key`, in the query string or in the body. Its
    handler has to admit the request."""
    has_message: bool = False
    """Whether its errors have a key `message` too, which DeepL's clients show."""
    examples: Callable[[Served], Schema] | None = None
    """Builds examples of its JSON body."""


KEY_ERRORS = (UnauthorizedError, ForbiddenError, RateLimitedError)
"""Errors of operations that need an API key."""
LIMIT_ERRORS = (OverloadedError,)
"""Errors of operations that are limited."""
COMMON_ERRORS = (RequestError, NoReplicaError, DeadlineExceededError)
"""Errors of every operation."""
BODY_ERRORS = (InvalidRequestError, TooLargeError, MediaTypeError)
"""Errors of operations with a body."""
JSON_ERRORS = (InvalidJsonError, *BODY_ERRORS)
"""Errors of operations with a body in JSON."""
