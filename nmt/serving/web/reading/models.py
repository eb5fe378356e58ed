"""Bodies in JSON as models, with errors that name the wrong keys."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, StrictStr, ValidationError
from pydantic_core import ErrorDetails

from nmt.errors import shortened
from nmt.serving.errors import InvalidRequestError

_MAX_REPORTED_ERRORS = 3

Model = TypeVar("Model", bound=BaseModel)


def _check_unicode(value: object) -> object:
    try:
        _ = isinstance(value, str) and value.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half of a surrogate pair, which is not a character") from None
    return value


UnicodeText = Annotated[StrictStr, BeforeValidator(_check_unicode)]
"""Text that UTF-8 can hold."""


def as_integer(value: object) -> object:
    """Read a whole number, for a field that is strict."""
    # 2.0 is an integer in JSON Schema, and true is not.
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parse_model(raw: object, model: type[Model]) -> Model:
    """Make a model of a parsed body.

    Raises:
        InvalidRequestError: it is not an object, or a key is wrong; the message names the keys.
    """
    if not isinstance(raw, dict):
        raise InvalidRequestError('the body must be a JSON object such as {"text": "Hello."}')
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise InvalidRequestError(_explain(error, model)) from None


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    details = error.errors(include_url=False, include_input=False)
    lines = [f"{_key_path(detail)}: {_reason(detail, model)}" for detail in details]
    more = len(lines) - _MAX_REPORTED_ERRORS
    shown = "; ".join(lines[:_MAX_REPORTED_ERRORS])
    return f"{shown}; and {more} more" if more > 0 else shown


def _key_path(detail: ErrorDetails) -> str:
    return shortened(".".join(map(str, detail["loc"]))) or "a key"


def _reason(detail: ErrorDetails, model: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return f"not a known key ({', '.join(model.model_fields)})"
        case "too_short":
            return "must hold at least one text"
        case _:
            return detail["msg"].removeprefix("Value error, ")
