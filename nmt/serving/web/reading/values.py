"""Requests of other services' clients, which send the same keys in several ways."""

from collections.abc import Mapping
from typing import cast

from starlette.requests import Request

from nmt.serving.errors import InvalidRequestError
from nmt.serving.web.operation import FORM, JSON
from nmt.serving.web.reading.bodies import Fields, media_type_of, parse_form, parse_json, read_bytes

Values = dict[str, object]
"""The keys of a request: as in its JSON, or strings and lists of strings."""


async def read_values(request: Request, limit: int) -> Values:
    """Read the keys of a request from its JSON, its form or its query string.

    A key of the body counts for more than one of the query string.

    Raises:
        InvalidJsonError: the body is declared as JSON, but is not.
        InvalidRequestError: the body is not an object, or not a form.
        MediaTypeError: the body is declared as something else.
        TooLargeError: the body is longer than the limit.
    """
    query = single_values(parse_form(request.scope["query_string"]))
    body = await read_bytes(request, limit)
    if not body:
        # Some clients send everything in the query string, without a type of the empty body.
        return query
    media_type = media_type_of(request, (JSON, FORM))
    if media_type == FORM:
        return query | single_values(parse_form(body))
    values = parse_json(body)
    if not isinstance(values, dict):
        raise InvalidRequestError("the body must be a JSON object")
    return query | cast(Values, values)


def single_values(fields: Fields) -> Values:
    """Return a field that occurs once as a string, and others as lists."""
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def api_key_of(values: Mapping[str, object]) -> str:
    """Return the API key of a request; empty if it has none."""
    key = values.get("api_key")
    return key.strip() if isinstance(key, str) else ""
