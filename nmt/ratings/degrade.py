"""Degraded translations, which show whether a rater reads: they should get lower ratings."""

import random
from collections.abc import Sequence

_MIN_WORDS = 5
_DROPPED = 0.4


def degrade(translation: str, others: Sequence[str], draw: random.Random) -> str:
    """Make a translation worse: drop words and mix the others, or take another sentence's.

    Args:
        translation: the text.
        others: translations of other sentences into the same language, at least one.
        draw: decides what is done.
    """
    words = translation.split()
    if len(words) >= _MIN_WORDS and draw.random() < 0.5:
        left = draw.sample(words, round(len(words) * (1 - _DROPPED)))
        if left != words:
            return " ".join(left)
    # Also for languages without spaces between words.
    return draw.choice([text for text in others if text != translation] or others)
