"""The JSON bodies of the HTTP interface's answers."""

from typing import TypedDict

from nmt.languages import iso_code, languages
from nmt.serving.errors import RequestError
from nmt.serving.types import ServedEngine


class TranslatedText(TypedDict):
    """One text of a translation body."""

    text: str


class TranslationBody(TypedDict):
    """Body of `POST /v1/translate`."""

    translations: list[TranslatedText]
    engine: str
    """Digest of the engine that translated all texts."""


class ReadyBody(TypedDict):
    """Body of `GET /health` when an engine is served."""

    status: str
    engine: str
    base: str
    license: str
    source: str
    target: str


class NoEngineBody(TypedDict):
    """Body of `GET /health` before the first promotion."""

    status: str
    message: str


class LanguageBody(TypedDict):
    """One language of `GET /languages`, in LibreTranslate's format."""

    code: str
    name: str
    targets: list[str]


class ErrorBody(TypedDict):
    """Body of every error."""

    error: str
    code: str


Body = TranslationBody | ReadyBody | NoEngineBody | list[LanguageBody] | ErrorBody


def translation_body(texts: list[str], engine: ServedEngine) -> TranslationBody:
    """Build the body for translated texts, a list even for a single text."""
    return {"translations": [{"text": text} for text in texts], "engine": engine.digest}


def health_body(served: ServedEngine | None) -> ReadyBody | NoEngineBody:
    """Build the body of `GET /health`."""
    if served is None:
        return {"status": "no_engine", "message": "no engine has been promoted yet"}
    return {
        "status": "ok",
        "engine": served.digest,
        "base": served.base,
        "license": served.license,
        "source": served.source_language,
        "target": served.target_language,
    }


def languages_body(served: ServedEngine | None) -> list[LanguageBody]:
    """Build the body of `GET /languages`, empty when no engine is served."""
    if served is None:
        return []
    # An engine is trained for one direction.
    source = languages()[served.source_language]
    target = iso_code(served.target_language)
    return [{"code": source.iso, "name": source.name, "targets": [target]}]


def error_body(error: RequestError) -> ErrorBody:
    """Build the body of an error."""
    # The message may quote the request, with surrogates that UTF-8 cannot encode.
    message = str(error).encode(errors="replace").decode()
    return {"error": message, "code": error.code}
