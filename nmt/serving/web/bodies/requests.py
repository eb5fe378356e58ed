"""The requests of the HTTP interface: their format and their limits."""

import re
from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    field_validator,
)

from nmt.config import ServingConfig
from nmt.serving.errors import TooLargeError
from nmt.serving.web.reading.bodies import parse_json
from nmt.serving.web.reading.models import UnicodeText, as_integer, parse_model

TextFormat = Literal["text", "html", "markdown", "json", "srt", "vtt", "xliff", "po"]

# A character takes at most twelve bytes of JSON: a surrogate pair, each half escaped as \uXXXX.
_BYTES_PER_CHARACTER = 12
# Quotes, commas and spaces around each text, and the other keys of the body.
_BYTES_PER_TEXT, _BYTES_PER_BODY = 64, 4096
MAX_TERMS, _MAX_TERM_CHARACTERS = 1000, 200
# A character that is neither white space nor a control character.
_VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f\ufeff]"
_TERM = {"type": "string", "pattern": _VISIBLE, "maxLength": _MAX_TERM_CHARACTERS}
_GLOSSARY = {
    "anyOf": [
        {
            "type": "object",
            "additionalProperties": _TERM,
            "propertyNames": _TERM,
            "maxProperties": MAX_TERMS,
        },
        {"type": "string"},
        {"type": "null"},
    ]
}


class TranslateRequest(BaseModel):
    """Texts to translate."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: list[UnicodeText] = Field(min_length=1)
    """Texts to translate; a single one may be sent without the list."""
    source: StrictStr | None = None
    """FLORES-200 or ISO 639 code, or `auto`; may be left out if the rest of the request decides
    it."""
    target: StrictStr | None = None
    """The same for the target language."""
    domain: StrictStr | None = None
    """Name of an engine for texts of one kind, if the language pair has one."""

    format: TextFormat = "text"
    """Format of the texts, whose markup is kept."""
    alternatives: Annotated[StrictInt, Field(ge=0, le=5), BeforeValidator(as_integer)] = 0
    """Number of other translations of each text that are wanted; there may be fewer."""
    beam_size: Annotated[StrictInt, Field(ge=1, le=8), BeforeValidator(as_integer)] | None = None
    """Number of beams; 1 is greedy decoding, null leaves it to the engine."""
    engine: StrictStr | None = None
    """`stable`, `canary`, or the digest of an engine of the language pair; null for the engine that
    the client gets."""
    glossary: Annotated[
        dict[UnicodeText, UnicodeText] | StrictStr | None, WithJsonSchema(_GLOSSARY)
    ] = None
    """Terms with their translations, or the name of a glossary of the endpoint."""
    details: StrictBool = False
    """Whether the answer says how sure each translation is, and what is doubtful about it."""

    @field_validator("text", mode="before")
    @classmethod
    def _wrap_single_text(cls, value: object) -> object:
        if not isinstance(value, str | list):
            raise ValueError("must be a string or a list of strings")
        return [value] if isinstance(value, str) else value

    @field_validator("glossary", mode="before")
    @classmethod
    def _check_glossary(cls, value: object) -> object:
        return check_glossary(value)


def check_glossary(value: object) -> object:
    """Check the terms of a request; a name is returned as it is.

    Raises:
        ValueError: they are too many, too long or not strings.
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ValueError("must be an object of terms and translations, or a name")
    terms = cast(dict[str, object], value)
    if len(terms) > MAX_TERMS:
        raise ValueError(f"holds more than {MAX_TERMS} terms")
    for term, translation in terms.items():
        for each in (term, translation):
            if not isinstance(each, str) or not re.search(_VISIBLE, each):
                raise ValueError("terms and translations must be strings that are not blank")
            if len(each) > _MAX_TERM_CHARACTERS:
                raise ValueError(f"a term is longer than {_MAX_TERM_CHARACTERS} characters")
    return terms


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
        check_limits(cast(dict[str, object], raw).get("text"), limits)
    return parse_model(raw, TranslateRequest)


def body_limit(limits: ServingConfig) -> int:
    """Return the bytes that a request within the limits can take, with every character escaped."""
    texts = _BYTES_PER_TEXT * limits.max_texts
    return _BYTES_PER_CHARACTER * limits.max_characters + texts + _BYTES_PER_BODY


def check_limits(text: object, limits: ServingConfig) -> None:
    """Refuse too many texts, or too many characters.

    Args:
        text: a text or a list of them; anything else is left to the validation.
        limits: of a request.

    Raises:
        TooLargeError: a limit is exceeded; the message names it.
    """
    texts = cast(list[object], text) if isinstance(text, list) else [text]
    if len(texts) > limits.max_texts:
        raise TooLargeError(f"{len(texts)} texts: one request may hold {limits.max_texts}")
    characters = sum(len(text) for text in texts if isinstance(text, str))
    if characters > limits.max_characters:
        raise TooLargeError(
            f"{characters} characters: one request may hold {limits.max_characters}"
        )
