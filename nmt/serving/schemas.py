"""Requests of the HTTP interface, checked; and its answers."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError, field_validator

from nmt.config import ServingConfig
from nmt.errors import shortened
from nmt.serving.contract import (
    Answer,
    InvalidJsonError,
    InvalidRequestError,
    RequestError,
    ServedEngine,
    TooLargeError,
)
from nmt.text.normalise import without_noise

_MOST_ERRORS = 3
# One character takes at most twelve bytes of JSON: two \\uXXXX escapes.
_BYTES_PER_CHARACTER, _BYTES_PER_TEXT, _BYTES_AROUND = 12, 64, 4096


class TranslateRequest(BaseModel):
    """Body of `POST /v1/translate`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: list[StrictStr] = Field(min_length=1)
    """Texts without invisible characters; a single one may be given without the list."""
    source: StrictStr | None = None
    """FLORES-200 or ISO 639 code; the engine's when it is missing."""
    target: StrictStr | None = None

    @field_validator("text", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        if not isinstance(value, str | list):
            raise ValueError("must be a string or a list of strings")
        return [value] if isinstance(value, str) else value

    @field_validator("text")
    @classmethod
    def _clean(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if not _is_unicode(text):
                raise ValueError("holds half of a surrogate pair, which is no character")
        return [without_noise(text) for text in texts]


def parse_request(body: bytes, limits: ServingConfig) -> TranslateRequest:
    """Request in a body.

    Raises:
        InvalidJsonError: no JSON text in UTF-8.
        InvalidRequestError: names the keys that are wrong.
        TooLargeError: names the limit.
    """
    try:
        raw = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"the body is no JSON text in UTF-8: {error}") from None
    if not isinstance(raw, dict):
        raise InvalidRequestError('the body must be a JSON object such as {"text": "Hello."}')
    _check_limits(raw.get("text"), limits)
    try:
        return TranslateRequest.model_validate(raw)
    except ValidationError as error:
        raise InvalidRequestError(_explain(error)) from None


def body_limit(limits: ServingConfig) -> int:
    """Bytes that a request within the limits can take at most, however it is escaped."""
    texts = _BYTES_PER_TEXT * limits.max_texts
    return _BYTES_PER_CHARACTER * limits.max_characters + texts + _BYTES_AROUND


def translated(answer: Answer, texts: list[str]) -> dict[str, Any]:
    """Body of an answer; a list even for a single text."""
    return {"translations": [{"text": text} for text in texts], "adapter": answer.engine.digest}


def health(served: ServedEngine | None) -> dict[str, Any]:
    """Body of `GET /health`."""
    if served is None:
        return {"status": "no_adapter", "message": "no engine has been promoted yet"}
    return {
        "status": "ok",
        "adapter": served.digest,
        "base": served.base,
        "license": served.license,
        "source": served.source_language,
        "target": served.target_language,
    }


def refused(refusal: RequestError) -> dict[str, str]:
    """Body of every error."""
    # A message may quote what the client sent, surrogates included.
    message = str(refusal).encode(errors="replace").decode()
    return {"error": message, "code": refusal.code}


def _check_limits(text: object, limits: ServingConfig) -> None:
    texts = text if isinstance(text, list) else [text]
    if len(texts) > limits.max_texts:
        raise TooLargeError(f"{len(texts)} texts: one request may hold {limits.max_texts}")
    characters = sum(len(text) for text in texts if isinstance(text, str))
    if characters > limits.max_characters:
        raise TooLargeError(
            f"{characters} characters: one request may hold {limits.max_characters}"
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _explain(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False)
    lines = [f"{_place(f['loc'])}: {_reason(f)}" for f in faults]
    more = len(lines) - _MOST_ERRORS
    return "; ".join(lines[:_MOST_ERRORS]) + (f"; and {more} more" if more > 0 else "")


def _place(keys: tuple[int | str, ...]) -> str:
    return shortened(".".join(map(str, keys))) or "a key"


def _reason(fault: Any) -> str:  # noqa: ANN401 - pydantic's error details
    match fault["type"]:
        case "extra_forbidden":
            return "not a known key (text, source, target)"
        case "too_short":
            return "must hold at least one text"
        case _:
            return str(fault["msg"]).removeprefix("Value error, ")
