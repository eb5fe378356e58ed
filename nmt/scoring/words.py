"""How often the training data has each word."""

from collections import Counter
from collections.abc import Container, Iterable
from itertools import islice

from nmt.data.test_sets import TestSet
from nmt.text.words import words_of

# Few enough for the memory, and enough that the loop in Python costs nothing beside the search.
_TEXTS_AT_ONCE = 1000


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


def source_words(test_sets: Iterable[TestSet]) -> set[str]:
    """Find the words of the sources of test sets: those whose rarity is asked for."""
    return {
        word for test_set in test_sets for source in test_set.sources for word in words_of(source)
    }
