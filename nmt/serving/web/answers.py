"""Answers in JSON and HTML, with the headers that all of them have."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from nmt.serving.errors import InvalidRequestError, RequestError
from nmt.serving.web.bodies.responses import Body, ErrorBody, error_body
from nmt.serving.web.record import record_of
from nmt.serving.web.streaming import LinesAnswer, WriteLine

log = logging.getLogger(__name__)

BUG = RequestError("the service failed; its log says why")
"""What a client is told of a bug."""

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(
    body: Body | Mapping[str, object] | Sequence[Mapping[str, object]],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Answer with JSON."""
    return JSONResponse(body, status, {**_HEADERS, **(headers or {})})


def lines_answer(produce: Callable[[WriteLine], Awaitable[None]]) -> LinesAnswer:
    """Answer with lines of JSON, written while they are produced."""
    return LinesAnswer(produce, _HEADERS)


def file_answer(content: bytes, media_type: str, disposition: str) -> Response:
    """Answer with a file.

    Args:
        content: of the file.
        media_type: of the file.
        disposition: value of the header `Content-Disposition`, with its name.
    """
    # Never shown by a browser as a page of the endpoint: the file is the client's.
    headers = {
        **_HEADERS,
        "Content-Disposition": disposition,
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(content, media_type=media_type, headers=headers)


def refusal(request: Request, error: Exception) -> RequestError:
    """Return the error that a client is told of."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, ClientDisconnect):
        # Nobody reads this answer, but the access log has it.
        return InvalidRequestError("the client left before the end of its body")
    # Details of a bug stay in the log, where the traceback is, since they may hold secrets.
    log.error("request %s failed", record_of(request).id, exc_info=error)
    return BUG


def error_answer(request: Request, error: RequestError) -> JSONResponse:
    """Answer with an error, and keep its code in the request's record."""
    record = record_of(request)
    record.code = error.code
    return _error_answer(error, error_body(error, has_message=record.has_message))


def unrecorded_error_answer(error: RequestError) -> JSONResponse:
    """Answer with an error outside the application, where no record is kept of the request."""
    return _error_answer(error, error_body(error))


def _error_answer(error: RequestError, body: ErrorBody) -> JSONResponse:
    return JSONResponse(body, error.status, {**_HEADERS, **error.headers})


def html_answer(html: str, policy: str) -> HTMLResponse:
    """Answer with a page, under a content security policy."""
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)
