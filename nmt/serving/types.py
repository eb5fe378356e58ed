"""The types that the parts of the translation service share."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServedEngine:
    """The engine that translates a request."""

    digest: str
    base: str
    license: str
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""


@dataclass(frozen=True, slots=True)
class Translation:
    """Translated sentences in order, all from the same engine."""

    texts: list[str]
    engine: ServedEngine


class Translate(Protocol):
    """A function that translates sentences, each call with a single engine."""

    async def __call__(self, sentences: list[str], source: str, target: str) -> Translation:
        """Translate sentences between two FLORES-200 codes.

        Raises:
            RequestError: no engine, another language pair, or a full queue.
        """
        ...


class Status(Protocol):
    """A function that returns the served engine."""

    async def __call__(self) -> ServedEngine | None:
        """Return the engine in use, or None before the first promotion.

        Raises:
            RequestError: no replica answers.
        """
        ...
