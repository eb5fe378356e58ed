"""Which words of two hypotheses agree with the reference, and where only one of them does."""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

# Vowel signs are marks: without \p{M} and the joiners a Tamil word falls apart at each of them.
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+|[^\p{L}\p{M}\p{N}\u200c\u200d]+")
_WORD = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a sentence's text; the pieces joined give the sentence in NFC."""

    text: str
    marked: bool
    """A word that this hypothesis has right and the other one has not."""


def split_words(text: str) -> list[str]:
    """Words and what stands between them, in order; nothing is lost."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text))


def mark_differences(
    reference: str, base: str, best: str
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Pieces of base and of best; marked is what agrees with the reference in this one only.

    Agreement is by place in the order of words, so a right word in a wrong place does not count.
    """
    words = _words(split_words(reference))
    base_tokens, best_tokens = split_words(base), split_words(best)
    base_hits, best_hits = (_hits(words, _words(t)) for t in (base_tokens, best_tokens))
    return (
        _pieces(base_tokens, _only_in(base_hits, best_hits)),
        _pieces(best_tokens, _only_in(best_hits, base_hits)),
    )


def _words(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if _WORD.search(token)]


def _hits(reference: Sequence[str], hypothesis: Sequence[str]) -> dict[int, int]:
    """Place of a word in the reference -> its place in the hypothesis."""
    matcher = difflib.SequenceMatcher(None, reference, hypothesis, autojunk=False)
    return {
        block.a + offset: block.b + offset
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def _only_in(hits: dict[int, int], others: dict[int, int]) -> set[int]:
    return {place for word, place in hits.items() if word not in others}


def _pieces(tokens: Sequence[str], marked: set[int]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    place = 0
    for token in tokens:
        is_word = _WORD.search(token) is not None
        pieces.append(Piece(token, is_word and place in marked))
        place += is_word
    return tuple(pieces)
