"""A generated English-Tamil corpus: sentences of everyday life, and of a clinic."""

from nmt.phrasebook import clinic, everyday
from nmt.phrasebook.generate import draw
from nmt.text.pair import Pair

__all__ = ["DOMAIN_MAXIMUM", "GENERAL_MAXIMUM", "Pair", "domain_pairs", "general_pairs"]

# There are far more sentences, but beyond these numbers the small patterns have no new ones, and
# the mixture of patterns would change.
GENERAL_MAXIMUM = 20_000
DOMAIN_MAXIMUM = 8_000


def general_pairs(count: int, seed: int) -> list[Pair]:
    """Draw distinct everyday sentences in random order.

    Raises:
        ValueError: the count exceeds `GENERAL_MAXIMUM`.
    """
    return draw(everyday.PATTERNS, count, seed, GENERAL_MAXIMUM)


def domain_pairs(count: int, seed: int) -> list[Pair]:
    """Draw distinct sentences of a clinic in random order.

    Raises:
        ValueError: the count exceeds `DOMAIN_MAXIMUM`.
    """
    return draw(clinic.PATTERNS, count, seed, DOMAIN_MAXIMUM)
