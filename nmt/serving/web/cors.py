"""Which web pages may call the endpoint from a browser (CORS)."""

from collections.abc import Sequence

from nmt.serving.web.asgi import Header, Request

_REQUEST_HEADERS = b"Authorization, Content-Type, X-Client-Session, X-Request-Id"
_EXPOSED_HEADERS = b"Retry-After, X-Request-Id"
_MAX_AGE_SECONDS = b"600"


class Cors:
    """The origins that may call the endpoint."""

    def __init__(self, origins: Sequence[str]) -> None:
        # Credentials, such as cookies, are never allowed: API keys travel in a header that a page
        # has to set itself, so that another page cannot use them.
        self._any = "*" in origins
        self._origins = frozenset(origin.rstrip("/").encode() for origin in origins)

    def headers_for(self, request: Request) -> list[Header]:
        """Build the headers that let the page of a request read its answer."""
        if not self._origins:
            return []
        origin = request.headers.get(b"origin")
        if self._any:
            return [] if origin is None else self._allow(b"*")
        # A cache must not give the answer for one origin to another.
        vary = (b"vary", b"Origin")
        return [vary, *(self._allow(origin) if origin in self._origins else ())]

    def preflight_headers(self, request: Request, methods: str) -> list[Header]:
        """Build the headers of the answer to a browser's question what a page may send."""
        allowed = self.headers_for(request)
        if len(allowed) < 2 or b"access-control-request-method" not in request.headers:
            return []
        return [
            (b"access-control-allow-methods", methods.encode()),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]

    @staticmethod
    def _allow(origin: bytes) -> list[Header]:
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
        ]
