"""What sees each request: metrics, the access log and tracing; and what checks its API key."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from nmt.serving.web.asgi import Caller, Request
from nmt.serving.web.operations import Scope

_CLIENT_GONE = 499
"""Status of a request whose client left before the answer, as in the logs of other servers."""


class Authenticator(Protocol):
    """What checks API keys."""

    def admit(self, authorization: str | None, scope: Scope) -> Caller:
        """Return who sends a request, or raise `UnauthorizedError` or `ForbiddenError`."""
        ...

    def spend(self, caller: Caller, characters: int) -> None:
        """Count a request, or raise `RateLimitedError`."""
        ...


class Metrics(Protocol):
    """What counts requests."""

    def observe_request(
        self, method: str, path: str | None, status: int, engine: str | None, seconds: float
    ) -> None:
        """Count a request."""
        ...

    def observe_refusal(self, code: str) -> None:
        """Count an error by its code."""
        ...


class AccessLog(Protocol):
    """What writes a line for each request."""

    def write(
        self,
        *,
        request_id: str,
        method: str,
        path: str,
        status: int,
        seconds: float,
        key: str,
        engine: str,
        texts: int,
        characters: int,
        code: str,
    ) -> None:
        """Write the line of a request."""
        ...


class Tracing(Protocol):
    """What records a span for each request."""


@dataclass(frozen=True, slots=True)
class Observers:
    """All that see a request."""

    metrics: Metrics | None
    access_log: AccessLog | None
    tracing: Tracing | None

    @contextmanager
    def observe(self, request: Request, template: str | None) -> Iterator[None]:
        """Measure a request, and record it at its end, even if it is cancelled."""
        try:
            yield
        finally:
            self._record(request, template)

    def _record(self, request: Request, template: str | None) -> None:
        seconds = time.monotonic() - request.arrival
        status = request.status or _CLIENT_GONE
        if self.metrics:
            self.metrics.observe_request(
                request.method, template, status, request.engine or None, seconds
            )
            if request.error_code:
                self.metrics.observe_refusal(request.error_code)
        if self.access_log:
            self.access_log.write(
                request_id=request.id,
                method=request.method,
                path=request.path,
                status=status,
                seconds=seconds,
                key=request.caller.id if request.caller else "",
                engine=request.engine,
                texts=request.texts,
                characters=request.characters,
                code=request.error_code,
            )
