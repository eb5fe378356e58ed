"""Translations in which the same words come again and again."""

from collections.abc import Sequence

import regex

from nmt.data.cleaning.detection.words import count_repetitions
from nmt.text.words import words_of

_MAX_REPETITIONS = 2
"""How often a phrase may follow itself: many languages say a word twice for emphasis."""
_LETTERS = regex.compile(r"[\p{L}\p{M}]+")
_WORDS, _CHARACTERS = 3, 8
"""Lengths of the n-grams of which a translation may repeat some."""
_MIN_NGRAMS = 10
_MAX_REPEATED = 0.25
# For scripts without spaces, and for a word without end. Up to twelve characters, five times.
_RUN = regex.compile(r"([\p{L}\p{M}].{0,11}?)\1{4,}")
_MIN_RUN = 10
"""Characters; shorter runs are laughter, or a cry such as `Nooooo`."""


def repeats_itself(hypothesis: str, source: str, references: Sequence[str]) -> bool:
    """Tell whether a translation repeats what neither source nor references repeat.

    Args:
        hypothesis: normalised.
        source: normalised.
        references: normalised.
    """
    originals = [source, *references]
    phrases = count_repetitions(hypothesis)
    if phrases > _MAX_REPETITIONS and phrases > max(map(count_repetitions, originals)):
        return True
    run = _longest_run(hypothesis)
    if run >= _MIN_RUN and run > max(map(_longest_run, originals)):
        return True
    share = _repeated_share(hypothesis)
    # A list or a refrain is repeated in the translation too.
    return share >= _MAX_REPEATED and share > 2 * max(map(_repeated_share, originals))


def _longest_run(text: str) -> int:
    return max((len(run[0]) for run in _RUN.finditer(text)), default=0)


def _repeated_share(text: str) -> float:
    """Compute the share of a text's n-grams that it already had before, 0-1."""
    words = words_of(text)
    letters = "".join(_LETTERS.findall(text.lower()))
    # Characters for scripts without spaces; in others, long words share many of them.
    if len(letters) > 12 * max(len(words), 1):
        ngrams = [letters[start : start + _CHARACTERS] for start in range(len(letters))]
        ngrams = ngrams[: 1 - _CHARACTERS]
    else:
        ngrams = list(zip(*(words[start:] for start in range(_WORDS)), strict=False))
    if len(ngrams) < _MIN_NGRAMS:
        return 0.0
    return 1 - len(set(ngrams)) / len(ngrams)
