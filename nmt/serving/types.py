"""The types that the parts of the translation service share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """A language pair that is served, with its stable engine."""

    key: str
    """Key in the traffic file, such as `eng_Latn-tam_Taml` or `eng_Latn-tam_Taml/medical`."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    domain: str | None
    """Name after the pair, or None for the engine of all domains."""
    engine: str
    """Digest of the stable engine that is loaded."""
    base: str
    license: str


@dataclass(frozen=True, slots=True)
class Served:
    """What a replica serves at the moment."""

    routes: tuple[ServedRoute, ...] = ()
    default: ServedRoute | None = None
    """Route of a request that names no language; None if no engine is loaded."""
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class TranslatedSentence:
    """A sentence that one engine has translated."""

    text: str
    tokens: int
    """Target tokens."""
    log_probability: float
    """Sum over these tokens."""
    is_cached: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """Translated sentences in order, all from the same engine."""

    sentences: Sequence[TranslatedSentence]
    engine: str
    """Digest of the engine that translated them: the stable one or the canary."""
    source_tokens: int

    @property
    def texts(self) -> list[str]:
        """Return the translations."""
        return [sentence.text for sentence in self.sentences]


class Translator(Protocol):
    """What the web application asks for translations: a replica."""

    def served(self) -> Served:
        """Return what is served at the moment."""
        ...

    async def translate(
        self, sentences: Sequence[str], route: ServedRoute, client: str
    ) -> Translation:
        """Translate sentences with one engine of a route.

        Args:
            sentences: in the source language of the route.
            route: one of those that `served` returned.
            client: who asks; the same client always gets the same engine of a canary step.

        Raises:
            RequestError: no engine, a full queue, or a replica that stops.
        """
        ...
