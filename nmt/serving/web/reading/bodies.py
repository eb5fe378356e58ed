"""Bodies of requests: their media type, and their bytes within a limit."""

import json
from collections.abc import AsyncIterator, Collection
from urllib.parse import parse_qsl

from starlette.requests import Request

from nmt.errors import shortened
from nmt.serving.errors import (
    InvalidJsonError,
    InvalidRequestError,
    MediaTypeError,
    TooLargeError,
)

Fields = dict[str, list[str]]
"""The values of each field of a form, in their order."""

_MAX_FIELDS = 1000


def media_type_of(request: Request, accepted: Collection[str]) -> str:
    """Return the media type that a body is declared as, in lower case and without parameters.

    Raises:
        MediaTypeError: it is none of those that are accepted.
    """
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise MediaTypeError(
            f"the body is declared as {shortened(media_type) or 'nothing'}: send "
            f"Content-Type: {' or '.join(accepted)}"
        )
    return media_type


async def read_bytes(request: Request, limit: int) -> bytes:
    """Read the body.

    Raises:
        TooLargeError: it is longer than the limit; the rest of it is not read.
    """
    body = bytearray()
    async for chunk in stream_within(request, limit):
        body += chunk
    return bytes(body)


async def stream_within(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the parts of the body as they arrive.

    Raises:
        TooLargeError: the body is longer than the limit.
    """
    too_large = TooLargeError(f"the body is longer than {limit} bytes")
    declared = request.headers.get("content-length", "")
    # By its length first: a number of thousands of digits would take long to read.
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
        raise too_large
    # The header may be missing or wrong, so that the bytes are counted as well.
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise too_large
        yield chunk


def parse_json(body: bytes) -> object:
    """Parse a body in JSON.

    Raises:
        InvalidJsonError: it is not JSON text in UTF-8.
    """
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"the body is not JSON text in UTF-8: {error}") from None


def parse_form(body: bytes) -> Fields:
    """Parse a body, or a query string, in the format of HTML forms.

    Raises:
        InvalidRequestError: it has too many fields, or is not UTF-8.
    """
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise InvalidRequestError("the form is not text in UTF-8") from None
    except ValueError:
        raise InvalidRequestError(f"the form has more than {_MAX_FIELDS} fields") from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
