"""Parts of a test set whose scores show where a system is weak."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning.detection.numbers import find_numbers
from nmt.data.test_sets import TestSet
from nmt.languages import languages
from nmt.scoring.faults.patterns import find_names, find_placeholders, find_urls
from nmt.text.normalise import normalise
from nmt.text.words import words_of

MIN_SENTENCES = 10
"""Minimum number of sentences of a slice; the score of fewer is mostly chance."""
_WORDS = (10, 20, 30, 40)
"""Upper limits of all buckets of source lengths but the last."""
_IDEOGRAMS = (15, 30, 50, 80)
_CHARACTERS = (50, 100, 150, 200)
_RARE = 5
"""How often the training data has a rare word, at most."""
_RARITIES = (
    "a word that the training has never seen",
    f"a word seen 1-{_RARE} times",
    "only words seen more often",
)
_FEATURES = {
    "numbers": find_numbers,
    "web addresses": find_urls,
    "names": find_names,
    "placeholders": find_placeholders,
}
_Labels = Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Some sentences of a test set."""

    kind: str
    """What the sentences have in common, such as `length`."""
    label: str
    """Which of that kind, such as `11-20 words`."""
    rows: NDArray[np.intp]
    """Indices of the sentences, ascending."""


def find_slices(test_set: TestSet, training_words: Mapping[str, int] | None) -> list[Slice]:
    """Divide a test set by properties of its sources.

    Args:
        test_set: with sources as they are.
        training_words: how often the sources of the training have each word, as `count_words`
            counts them. None: the sentences are not divided by rare words.

    Returns:
        Slices with at least `MIN_SENTENCES` sentences; those of one kind follow each other, and
        do not overlap.
    """
    sources = [normalise(text) for text in test_set.sources]
    slices = _divide("length", *_length_labels(sources, test_set.source_language))
    if test_set.domains is not None:
        domains = [domain.strip() or "no domain" for domain in test_set.domains]
        slices += _divide("domain", domains, sorted(set(domains)))
    # Without spaces, a word as it is counted would be a whole clause, and nearly always new.
    if training_words is not None and not languages()[test_set.source_language].is_unsegmented:
        labels = [_rarity(text, training_words) for text in sources]
        slices += _divide("rare words", labels, _RARITIES)
    for kind, find in _FEATURES.items():
        order = (f"with {kind}", f"without {kind}")
        slices += _divide(kind, [order[0] if find(text) else order[1] for text in sources], order)
    return slices


def _divide(kind: str, labels: _Labels, order: _Labels) -> list[Slice]:
    """Group sentences by their labels.

    Args:
        kind: of all slices.
        labels: one for each sentence.
        order: of the slices.
    """
    values = np.array(labels, object)
    slices = [Slice(kind, label, np.flatnonzero(values == label)) for label in order]
    slices = [each for each in slices if len(each.rows) >= MIN_SENTENCES]
    # The score of nearly all sentences shows nothing that the score of the set does not show.
    return slices if len(slices) > 1 else []


def _length_labels(sources: _Labels, language: str) -> tuple[_Labels, _Labels]:
    """Label the sentences by the length of the source.

    Returns:
        The labels, and all possible ones in ascending order.
    """
    found = languages()[language]
    limits, unit = _WORDS, "words"
    if found.is_unsegmented:
        limits, unit = _CHARACTERS, "characters"
        if found.is_ideographic:
            limits = _IDEOGRAMS
    lengths = [len(text.split() if unit == "words" else "".join(text.split())) for text in sources]
    starts = [1, *(limit + 1 for limit in limits)]
    order = [f"{start}-{limit} {unit}" for start, limit in zip(starts, limits, strict=False)]
    order.append(f"over {limits[-1]} {unit}")
    return [order[bisect_left(limits, length)] for length in lengths], order


def _rarity(text: str, training_words: Mapping[str, int]) -> str:
    """Label a sentence by its rarest word; a number is not a word."""
    counts = [
        training_words.get(word, 0) for word in words_of(text) if not any(map(str.isdecimal, word))
    ]
    rarest = min(counts, default=_RARE + 1)
    return _RARITIES[0 if rarest == 0 else 1 if rarest <= _RARE else 2]
