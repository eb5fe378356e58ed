"""The types that the parts of the translation service share."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from nmt.decoding.settings import DEFAULT_SEARCH, Search


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
    canary: str | None = None
    """Digest of the canary, once it is loaded."""
    percent: int = 0
    """Share of the clients that get the canary."""


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
    is_complete: bool = True
    """Whether the model ended it; False if it ran into the limit of the output length."""
    others: tuple["TranslatedSentence", ...] = ()
    """Further candidates, the best first, if the search asked for several."""

    @property
    def confidence(self) -> float:
        """Return the mean probability of its tokens, 0-1."""
        return math.exp(min(0.0, self.log_probability / max(1, self.tokens)))


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


class Session(Protocol):
    """The engine that answers one request; it stays loaded until the session ends."""

    @property
    def engine(self) -> str:
        """Return its digest."""
        ...

    async def translate(
        self, sentences: Sequence[str], search: Search = DEFAULT_SEARCH
    ) -> Translation:
        """Translate sentences in the source language of the route.

        Raises:
            RequestError: a full queue, or a replica that stops.
            TranslationError: the engine failed.
        """
        ...


class Translator(Protocol):
    """What the web application asks for translations: a replica."""

    def session(
        self,
        route: ServedRoute,
        client: str,
        *,
        engine: str | None = None,
        is_background: bool = False,
        glossary: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Session]:
        """Choose the engine of a request, and keep it loaded.

        Args:
            route: one of those that `served` returned.
            client: who asks; the same client always gets the same engine of a canary step.
            engine: `stable`, `canary`, or the digest of one of the engines of the route; None for
                the engine that the client gets.
            is_background: whether short requests of others go first.
            glossary: terms that the client wants, with their translations. The engine is not told;
                a running rollout counts where it lacks them.

        Raises:
            NoEngineError: the route is not answered at the moment.
            UnknownEngineError: the route has no such engine.
        """
        ...

    def served(self) -> Served:
        """Return what is served at the moment."""
        ...
