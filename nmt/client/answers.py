"""The answers of an endpoint as Python objects; keys that a newer endpoint adds are ignored."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TranslationWarning(Answer):
    """A doubt about one sentence of a translation."""

    kind: str
    path: str
    source: str


class Translation(Answer):
    """The translation of one text."""

    text: str
    engine: str = ""
    """Digest of the engine that made it."""
    confidence: float | None = None
    """Of its sentences, the lowest, 0-1; None unless `details` were asked for."""
    alternatives: tuple[str, ...] = ()
    warnings: tuple[TranslationWarning, ...] = ()


class Translations(Answer):
    """The answer to a request for translations."""

    translations: tuple[Translation, ...]
    engine: str


class Language(Answer):
    """A source language."""

    code: str
    """ISO 639 code."""
    name: str
    targets: tuple[str, ...]
    """ISO 639 codes of the languages that it is translated to."""


class DetectedLanguage(Answer):
    """A language that a text may be in."""

    language: str
    """ISO 639 code."""
    confidence: float
    """0-100."""


DocumentStatus = Literal["waiting", "translating", "done", "failed", "cancelled"]


class Document(Answer):
    """The state of a document."""

    id: str
    name: str
    status: DocumentStatus
    sentences: int | None = None
    """Number of sentences to translate; None until the file has been read."""
    sentences_done: int = 0
    seconds_left: float | None = None
    engine: str | None = None
    error: str | None = None
    """Why it has failed."""
    warnings: tuple[TranslationWarning, ...] = ()
    expires: datetime | None = None
    """When the endpoint deletes it."""
