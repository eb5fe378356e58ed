"""What the handlers of requests work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from nmt.access.scopes import Scope
from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator
from nmt.serving.documents.service import Documents
from nmt.serving.errors import StoppingError
from nmt.serving.feedback.store import FeedbackStore
from nmt.serving.monitoring.metrics import ServingMetrics
from nmt.serving.types import Served, Translator
from nmt.serving.web.operation import MULTIPART
from nmt.serving.web.reading.bodies import media_type_of
from nmt.serving.web.reading.multipart import UploadForm, read_multipart
from nmt.serving.web.record import record_of

GatherMetrics = Callable[[], Awaitable[bytes]]
CountCorrection = Callable[[str, str], object]

# A longer name is cut: it is kept in memory, and a client must not choose how much.
_MAX_CLIENT_CHARACTERS = 128


class GlossaryTerms(Protocol):
    """The glossaries of the endpoint."""

    async def terms(self, name: str, source: str, target: str) -> Mapping[str, str]:
        """Return the terms of a glossary for a language pair, by FLORES-200 codes.

        Raises:
            UnknownGlossaryError: there is none of this name.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebContext:
    """The translator, the settings and the stores that the handlers share."""

    translator: Translator
    config: ServingConfig
    authenticator: Authenticator | None = None
    """Checks API keys; None admits everybody."""
    metrics: ServingMetrics | None = None
    gather_metrics: GatherMetrics | None = None
    """Collects the metrics of all replicas; by default, there are only `metrics`."""
    glossaries: GlossaryTerms | None = None
    documents: Documents | None = None
    """Translates documents as jobs; None if the endpoint takes none."""
    feedback: FeedbackStore | None = None
    """Stores ratings and corrections; None if the endpoint takes none."""
    count_correction: CountCorrection | None = None
    """Counts a correction for a running rollout; gets the engine and the client."""

    def served_now(self) -> Served:
        """Return what is served.

        Raises:
            StoppingError: the replica is about to stop.
        """
        served = self.translator.served()
        if served.is_stopping:
            raise StoppingError("this replica is about to stop: send the request again")
        return served

    def admit(self, request: Request, scope: Scope | None, api_key: str = "") -> None:
        """Check the key of a request, and note in its record who sends it.

        Args:
            request: whose header `Authorization` is read.
            scope: what the key has to allow; None if no key is needed.
            api_key: the key from the query string or the body, where it may be.

        Raises:
            UnauthorizedError: there is no valid key.
            ForbiddenError: the key does not have the scope.
        """
        record = record_of(request)
        if self.authenticator and scope:
            authorization = request.headers.get("authorization")
            record.caller = self.authenticator.admit(authorization, scope, api_key)
        record.client = _client_of(request)

    async def read_upload(self, request: Request, max_file_bytes: int) -> UploadForm:
        """Read a form with a file; the time of the request begins anew when it is there.

        Raises:
            MediaTypeError: the body is declared as something else.
            InvalidRequestError: it is not a form.
            TooLargeError: a file or a field is above its limit.
        """
        media_type_of(request, (MULTIPART,))
        form = await read_multipart(request, max_file_bytes)
        record_of(request).restart_deadline(self.config.request_timeout_seconds)
        return form

    def spend(self, request: Request, texts: int, characters: int) -> None:
        """Count a request against the limits of its key, and note its size in its record.

        Raises:
            TooLargeError: the request alone is above the limit.
            RateLimitedError: the limit is reached.
        """
        record = record_of(request)
        record.texts, record.characters = texts, characters
        if self.authenticator and record.caller:
            self.authenticator.spend(record.caller, characters)


def _client_of(request: Request) -> str:
    """Name the client, which is kept with one engine of a canary."""
    client = (
        request.headers.get("x-client-session")
        or record_of(request).key_id
        or request.headers.get("x-forwarded-for", "").partition(",")[0].strip()
        or (request.client.host if request.client else "")
    )
    return client[:_MAX_CLIENT_CHARACTERS]
