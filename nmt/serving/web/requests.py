"""The requests of the HTTP interface: their format and their limits."""

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator

from nmt.config import ServingConfig
from nmt.serving.errors import TooLargeError
from nmt.serving.web.reading.bodies import parse_json
from nmt.serving.web.reading.models import UnicodeText, parse_model

# A character takes at most twelve bytes of JSON: a surrogate pair, each half escaped as \uXXXX.
_BYTES_PER_CHARACTER = 12
# Quotes, commas and spaces around each text, and the other keys of the body.
_BYTES_PER_TEXT, _BYTES_PER_BODY = 64, 4096


class TranslateRequest(BaseModel):
    """Texts to translate."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: list[UnicodeText] = Field(min_length=1)
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


def parse_request(body: bytes, limits: ServingConfig) -> TranslateRequest:
    """Parse the body of a translation request.

    Raises:
        InvalidJsonError: the body is not JSON text in UTF-8.
        InvalidRequestError: a key is wrong; the message names it.
        TooLargeError: the request exceeds a limit; the message names it.
    """
    raw = parse_json(body)
    # Before validation, so that a huge request costs no more than counting.
    if isinstance(raw, dict):
        _check_limits(raw.get("text"), limits)
    return parse_model(raw, TranslateRequest)


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
