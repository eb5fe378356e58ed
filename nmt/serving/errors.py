"""The errors of the HTTP interface: a status and a code for each."""

from nmt.errors import NmtError


class RequestError(NmtError):
    """A request that is answered with an error; clients may rely on its `code`."""

    status = 500
    code = "internal"
    retry_after_seconds: int | None = None
    header_names: tuple[str, ...] = ()
    """Names of `headers`."""

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that the answer has besides those of every answer."""
        seconds = self.retry_after_seconds
        return {} if seconds is None else {"Retry-After": str(seconds)}


class InvalidJsonError(RequestError):
    """A body that is not JSON text in UTF-8."""

    status, code = 400, "invalid_json"


class InvalidRequestError(RequestError):
    """A body that is JSON, but not a translation request."""

    status, code = 400, "invalid_request"


class UnsupportedLanguageError(RequestError):
    """A language pair that is not served."""

    status, code = 400, "unsupported_language"


class UnknownDomainError(RequestError):
    """A domain that the language pair has no engine for."""

    status, code = 400, "unknown_domain"


class UnknownEngineError(RequestError):
    """An engine that the language pair does not have at the moment."""

    status, code = 404, "unknown_engine"


class UnknownGlossaryError(RequestError):
    """A glossary that the endpoint does not have."""

    status, code = 404, "unknown_glossary"


class InvalidDocumentError(RequestError):
    """A document that is not valid in its format."""

    status, code = 400, "invalid_document"


class UnauthorizedError(RequestError):
    """A request without a valid API key."""

    status, code = 401, "unauthorized"
    header_names = ("WWW-Authenticate",)

    @property
    def headers(self) -> dict[str, str]:
        """Return the scheme that the key has to be sent with."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(RequestError):
    """A request whose API key lacks the scope for it."""

    status, code = 403, "forbidden"


class FeedbackDisabledError(RequestError):
    """Feedback to an endpoint that does not store any."""

    status, code = 403, "feedback_disabled"


class NotFoundError(RequestError):
    """A path that does not exist."""

    status, code = 404, "not_found"


class MethodNotAllowedError(RequestError):
    """A method that the path does not take."""

    status, code = 405, "method_not_allowed"
    header_names = ("Allow",)

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self._allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """Return the methods that the path takes."""
        return {"Allow": self._allowed}


class DocumentNotDoneError(RequestError):
    """A document whose translation is not there."""

    status, code = 409, "not_done"


class TooLargeError(RequestError):
    """A request with more texts, characters or bytes than allowed."""

    status, code = 413, "too_large"


class MediaTypeError(RequestError):
    """A body that is not declared as JSON."""

    status, code = 415, "unsupported_media_type"


class UnknownFormatError(RequestError):
    """A file whose format is not known, or that is not what its name says."""

    status, code = 415, "unknown_format"


class RateLimitedError(RequestError):
    """A request above the limits of its API key."""

    status, code = 429, "rate_limited"
    header_names = ("Retry-After",)

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NoEngineError(RequestError):
    """A request before the first promotion."""

    status, code = 503, "no_engine"
    header_names = ("Retry-After",)
    retry_after_seconds = 5


class OverloadedError(RequestError):
    """A request to a replica that has too much work."""

    status, code = 503, "overloaded"
    header_names = ("Retry-After",)
    retry_after_seconds = 1


class NoReplicaError(RequestError):
    """A request that no replica could answer; written by the proxy in front of the replicas."""

    status, code = 503, "unavailable"
    header_names = ("Retry-After",)
    retry_after_seconds = 1


class StoppingError(RequestError):
    """A request to a replica that is about to stop."""

    status, code = 503, "stopping"
    header_names = ("Retry-After",)
    retry_after_seconds = 1


class StorageUnavailableError(RequestError):
    """A request that needs the storage root while it does not answer."""

    status, code = 503, "storage_unavailable"
    header_names = ("Retry-After",)
    retry_after_seconds = 5


class DeadlineExceededError(RequestError):
    """A request that took longer than allowed."""

    status, code = 504, "timeout"
