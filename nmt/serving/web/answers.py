"""Answers in JSON and HTML, with the headers that all of them have."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from nmt.serving.errors import RequestError
from nmt.serving.web.record import record_of
from nmt.serving.web.responses import Body, error_body

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(body: Body | Mapping[str, object]) -> JSONResponse:
    """Answer with JSON."""
    return JSONResponse(body, headers=_HEADERS)


def error_answer(request: Request, error: RequestError) -> JSONResponse:
    """Answer with an error, and keep its code in the request's record."""
    record_of(request).code = error.code
    return unrecorded_error_answer(error)


def unrecorded_error_answer(error: RequestError) -> JSONResponse:
    """Answer with an error outside the application, where no record is kept of the request."""
    return JSONResponse(error_body(error), error.status, {**_HEADERS, **error.headers})


def html_answer(html: str, policy: str) -> HTMLResponse:
    """Answer with a page, under a content security policy."""
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)
