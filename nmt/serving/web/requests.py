"""The requests of the HTTP interface: their format and their limits."""

import json

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError, field_validator
from pydantic_core import ErrorDetails

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.serving.errors import InvalidJsonError, InvalidRequestError, TooLargeError

_MAX_REPORTED_ERRORS = 3
# A character takes at most twelve bytes of JSON: a surrogate pair, each half escaped as \uXXXX.
_BYTES_PER_CHARACTER = 12
# Quotes, commas and spaces around each text, and the other keys of the body.
_BYTES_PER_TEXT, _BYTES_PER_BODY = 64, 4096


class TranslateRequest(BaseModel):
    """Texts to translate."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: list[StrictStr] = Field(min_length=1)
    """Texts to translate; a single one may be sent without the list."""
    source: StrictStr | None = None
    """FLORES-200 or ISO 639 code; may be left out if the rest of the request decides it."""
    target: StrictStr | None = None
    """The same for the target language."""
    domain: StrictStr | None = None
    """Name of an engine for texts of one kind, if the language pair has one."""

    @field_validator("text", mode="before")
    @classmethod
    def _wrap_single_text(cls, value: object) -> object:
        if not isinstance(value, str | list):
            raise ValueError("must be a string or a list of strings")
        return [value] if isinstance(value, str) else value

    @field_validator("text")
    @classmethod
    def _check_unicode(cls, texts: list[str]) -> list[str]:
        for text in texts:
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    "contains half of a surrogate pair, which is not a character"
                ) from None
        return texts


def parse_request(body: bytes, limits: ServingConfig) -> TranslateRequest:
    """Parse the body of a translation request.

    Raises:
        InvalidJsonError: the body is not JSON text in UTF-8.
        InvalidRequestError: a key is wrong; the message names it.
        TooLargeError: the request exceeds a limit; the message names it.
    """
    try:
        raw = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"the body is not JSON text in UTF-8: {error}") from None
    if not isinstance(raw, dict):
        raise InvalidRequestError('the body must be a JSON object such as {"text": "Hello."}')
    # Before validation, so that a huge request costs no more than counting.
    _check_limits(raw.get("text"), limits)
    try:
        return TranslateRequest.model_validate(raw)
    except ValidationError as error:
        raise InvalidRequestError(_explain(error)) from None


def body_limit(limits: ServingConfig) -> int:
    """Return the bytes that a request within the limits can take, with every character escaped."""
    texts = _BYTES_PER_TEXT * limits.max_texts
    return _BYTES_PER_CHARACTER * limits.max_characters + texts + _BYTES_PER_BODY


def _check_limits(text: object, limits: ServingConfig) -> None:
    texts = text if isinstance(text, list) else [text]
    if len(texts) > limits.max_texts:
        raise TooLargeError(f"{len(texts)} texts: one request may hold {limits.max_texts}")
    characters = sum(len(text) for text in texts if isinstance(text, str))
    if characters > limits.max_characters:
        raise TooLargeError(
            f"{characters} characters: one request may hold {limits.max_characters}"
        )


def _explain(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    lines = [f"{_key_path(detail)}: {_reason(detail)}" for detail in details]
    more = len(lines) - _MAX_REPORTED_ERRORS
    shown = "; ".join(lines[:_MAX_REPORTED_ERRORS])
    return f"{shown}; and {more} more" if more > 0 else shown


def _key_path(detail: ErrorDetails) -> str:
    return shortened(".".join(map(str, detail["loc"]))) or "a key"


def _reason(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return f"not a known key ({', '.join(TranslateRequest.model_fields)})"
        case "too_short":
            return "must hold at least one text"
        case _:
            return detail["msg"].removeprefix("Value error, ")
