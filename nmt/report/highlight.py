"""Marks for words that one system translated like the reference and another one did not."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

# Vowel signs are marks: without \p{M} and the joiners, a Tamil word would be split at each of them.
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+|[^\p{L}\p{M}\p{N}\u200c\u200d]+")
_WORD = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A part of a translation; all parts joined give the translation in NFC."""

    text: str
    marked: bool


def split_words(text: str) -> list[str]:
    """Split text into words and what is between them, without losing a character."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text))


def mark_differences(
    reference: str, hypotheses: Mapping[str, str], baseline: str
) -> dict[str, tuple[DiffSpan, ...]]:
    """Mark the words in which the baseline and the other systems differ.

    A word is right if it agrees with the reference in the order of words, so a right word in a
    wrong place does not count.

    Args:
        reference: the right translation.
        hypotheses: system -> translation.
        baseline: name of the system with which the others are compared.

    Returns:
        System -> spans. In the baseline, right words are marked that another system has not; in
        every other system, right words that the baseline has not.
    """
    reference_words = _words(split_words(reference))
    tokens = {name: split_words(text) for name, text in hypotheses.items()}
    hits = {name: _matches(reference_words, _words(found)) for name, found in tokens.items()}
    others = [hits[name].keys() for name in hits if name != baseline]
    # Reference words that every other system has too are no loss.
    in_all_others = set.intersection(*map(set, others)) if others else hits[baseline].keys()
    in_baseline = hits[baseline].keys() if baseline in hits else set[int]()
    spans: dict[str, tuple[DiffSpan, ...]] = {}
    for name, found in tokens.items():
        shared = in_all_others if name == baseline else in_baseline
        marked = {place for word, place in hits[name].items() if word not in shared}
        spans[name] = _spans(found, marked)
    return spans


def _words(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if _WORD.search(token)]


def _matches(reference: Sequence[str], hypothesis: Sequence[str]) -> dict[int, int]:
    """Map the index of a matched reference word to its index in the hypothesis."""
    # `autojunk` would ignore frequent words in long sentences.
    matcher = difflib.SequenceMatcher(None, reference, hypothesis, autojunk=False)
    return {
        block.a + offset: block.b + offset
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def _spans(tokens: Sequence[str], marked: set[int]) -> tuple[DiffSpan, ...]:
    spans: list[DiffSpan] = []
    index = 0
    for token in tokens:
        is_word = _WORD.search(token) is not None
        spans.append(DiffSpan(token, is_word and index in marked))
        index += is_word
    return tuple(spans)
