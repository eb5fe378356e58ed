"""What the parts of the service say to each other: answers, and reasons to refuse."""

from dataclasses import dataclass
from typing import Protocol

from nmt.errors import NmtError


@dataclass(frozen=True, slots=True)
class ServedEngine:
    """The engine behind an answer."""

    digest: str
    base: str
    license: str
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Translations in the order of the sentences, all by the same engine."""

    texts: list[str]
    engine: ServedEngine


class Translate(Protocol):
    """Translates sentences; a whole call is answered by one engine."""

    async def __call__(self, sentences: list[str], source: str, target: str) -> Answer:
        """Translations of sentences between two FLORES-200 codes.

        Raises:
            RequestError: no engine, another language pair, too much waiting.
        """
        ...


class Status(Protocol):
    """Tells what is served."""

    async def __call__(self) -> ServedEngine | None:
        """The engine that answers now, or None before the first promotion.

        Raises:
            RequestError: nothing could be asked.
        """
        ...


class RequestError(NmtError):
    """A request that gets an error: its HTTP status and a code that clients may rely on."""

    status = 500
    code = "internal"
    retry_after_seconds: int | None = None


class InvalidJsonError(RequestError):
    """The body is no JSON text in UTF-8."""

    status, code = 400, "invalid_json"


class InvalidRequestError(RequestError):
    """The body is JSON, and not a request."""

    status, code = 400, "invalid_request"


class UnsupportedLanguageError(RequestError):
    """A language pair that is not served."""

    status, code = 400, "unsupported_language"


class TooLargeError(RequestError):
    """More texts, characters or bytes than one request may hold."""

    status, code = 413, "too_large"


class MediaTypeError(RequestError):
    """The body is not declared to be JSON."""

    status, code = 415, "unsupported_media_type"


class NoAdapterError(RequestError):
    """Nothing has been promoted yet."""

    status, code = 503, "no_adapter"
    retry_after_seconds = 5


class OverloadedError(RequestError):
    """As much is waiting as may wait."""

    status, code = 503, "overloaded"
    retry_after_seconds = 1


class NotReachedError(RequestError):
    """No translator replica answers."""

    status, code = 503, "unavailable"
    retry_after_seconds = 2


class DeadlineError(RequestError):
    """The answer took too long."""

    status, code = 504, "timeout"
