"""What translates the sentences of a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nmt.decoding.settings import Search


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible translation of a sentence."""

    text: str
    confidence: float
    """Mean probability of its tokens: the exponential of their mean log-probability, 0-1."""
    is_complete: bool = True
    """Whether the model ended it; False if it ran into the limit of the output length."""


class TranslateSentences(Protocol):
    """A function that translates sentences."""

    async def __call__(
        self, sentences: Sequence[str], search: Search
    ) -> Sequence[Sequence[Candidate]]:
        """Translate sentences, all with the same engine.

        Returns:
            Of each sentence in order, the candidates, the best first: at least one, at most
            `search.count`.
        """
        ...
