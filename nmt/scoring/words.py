"""Words of a text, and how often the training data has each."""

from collections import Counter
from collections.abc import Container, Iterable
from itertools import islice

import regex

# With marks: without them, a Tamil or Hindi word would end at each of its vowel signs.
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Few enough for the memory, and enough that the loop in Python costs nothing beside the search.
_TEXTS_AT_ONCE = 1000


def words_of(text: str) -> list[str]:
    """Find the words of a text, in lower case and without punctuation."""
    return _WORD.findall(text.lower())


def count_words(texts: Iterable[str], wanted: Container[str] | None = None) -> Counter[str]:
    """Count the words of any number of texts.

    Args:
        texts: read once, in pieces.
        wanted: words to count, which bounds the memory: those of the test sets are enough to find
            their rare words. None counts every word.
    """
    counts: Counter[str] = Counter()
    remaining = iter(texts)
    while block := list(islice(remaining, _TEXTS_AT_ONCE)):
        words = words_of("\n".join(block))
        counts.update(words if wanted is None else filter(wanted.__contains__, words))
    return counts
