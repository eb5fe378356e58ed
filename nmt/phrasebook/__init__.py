"""A generated English-Tamil corpus: everyday life, and a clinic with its own words."""

from nmt.phrasebook import clinic, everyday
from nmt.phrasebook.generate import draw
from nmt.text.pair import Pair

__all__ = ["DOMAIN_MAXIMUM", "GENERAL_MAXIMUM", "Pair", "domain_pairs", "general_pairs"]

# Far more sentences exist; beyond these the small patterns run dry and the mixture shifts.
GENERAL_MAXIMUM = 20_000
DOMAIN_MAXIMUM = 8_000


def general_pairs(count: int, seed: int) -> list[Pair]:
    """Return distinct everyday sentences in random order.

    Raises:
        ValueError: If the count exceeds ``GENERAL_MAXIMUM``.
    """
    return draw(everyday.PATTERNS, count, seed, GENERAL_MAXIMUM)


def domain_pairs(count: int, seed: int) -> list[Pair]:
    """Return distinct sentences of a clinic in random order.

    Raises:
        ValueError: If the count exceeds ``DOMAIN_MAXIMUM``.
    """
    return draw(clinic.PATTERNS, count, seed, DOMAIN_MAXIMUM)
