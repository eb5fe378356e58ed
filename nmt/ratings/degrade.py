"""Degraded translations, which show whether a rater reads: they should get lower ratings."""

import random
from collections.abc import Sequence

_MIN_WORDS = 5
_DROPPED = 0.4


def degrade(translation: str, others: Sequence[str], draw: random.Random) -> str | None:
    """Make a translation worse: drop words and mix the others, or take another sentence's.

    Args:
        translation: the text.
        others: translations of other sentences into the same language.
        draw: decides what is done.

    Returns:
        None where nothing worse can be made: the text is empty, or too short and all others are
        the same.
    """
    words = translation.split()
    if not words:
        return None
    if len(words) >= _MIN_WORDS and draw.random() < 0.5:
        left = draw.sample(words, round(len(words) * (1 - _DROPPED)))
        if left != words:
            return " ".join(left)
    # Also for languages without spaces between words.
    differing = [text for text in others if text.split() != words]
    return draw.choice(differing) if differing else None
