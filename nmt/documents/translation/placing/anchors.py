"""Words that a translation has as the source has them: they show which place is which."""

from collections import defaultdict
from collections.abc import Sequence

import regex

from nmt.data.cleaning.detection.numbers import find_numbers
from nmt.documents.translation.words import Word

# A common word may mean another thing in another language, as `die` does; a longer one does not.
_MIN_COMMON_WORD = 4
# No glued ending begins with a letter of Latin, where `3D` is a word of its own.
_NUMBER = regex.compile(r"\p{N}[\p{N}.,'’٫٬]*+(?!\p{Latin})")
_HAS_LETTER = regex.compile(r"\p{L}")


def find_anchors(
    source: str, source_words: Sequence[Word], target_words: Sequence[Word]
) -> dict[int, int]:
    """Find the words of a source that were copied.

    Args:
        source: text of the source words.
        source_words: in order.
        target_words: in order.

    Returns:
        Indices of target words by those of source words.
    """
    in_source, in_target = _by_key(source_words), _by_key(target_words)
    anchors: dict[int, int] = {}
    for key, places in in_source.items():
        found = in_target.get(key, [])
        # With another count it is not known which one is missing or new.
        if len(found) == len(places) and any(
            may_be_copied(source[source_words[place].start : source_words[place].end])
            for place in places
        ):
            anchors.update(zip(places, found, strict=True))
    return anchors


def may_be_copied(word: str) -> bool:
    """Tell whether a word is likely to mean the same where another language has it.

    Args:
        word: as the source has it.
    """
    if not _HAS_LETTER.search(word) or any(map(str.isdigit, word)):
        return True
    return len(word) >= _MIN_COMMON_WORD or any(map(str.isupper, word[1:]))


def is_copied_always(word: str) -> bool:
    """Tell whether a word is a number, a symbol or a token, which no language translates."""
    return not _HAS_LETTER.search(word)


def _by_key(words: Sequence[Word]) -> dict[str, list[int]]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, word in enumerate(words):
        places[_key(word.key)].append(index)
    return places


def _key(key: str) -> str:
    # `9400`, `9,400` and, with an ending, `9400இல்` are the same word.
    number = _NUMBER.match(key)
    return next(iter(find_numbers(number[0])), key) if number else key
