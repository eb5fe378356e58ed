"""The word of a sentence that a code without text belongs to."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from nmt.documents.content import CodeKind
from nmt.documents.translation.words import Word


@dataclass(frozen=True, slots=True)
class Touching:
    """The word that a code touches, as a footnote mark the word before it."""

    word: int
    is_after: bool
    """Whether the code is behind the word."""
    signs: int
    """Number of signs of punctuation between the two."""
    is_inside: bool = False
    """Whether the code is inside the word, as a place for a line break is."""


def find_touching(
    source: str, words: Sequence[Word], position: int, kind: CodeKind
) -> Touching | None:
    """Find the word that a code belongs to.

    Args:
        source: the sentence.
        words: of the sentence.
        position: of the code.
        kind: of the code. One that opens belongs to the next word, one that closes to the last.

    Returns:
        None if the sentence has no words.
    """
    after = bisect_left(words, position, key=lambda word: word.end)
    if after < len(words) and words[after].start < position < words[after].end:
        return Touching(after, is_after=True, signs=0, is_inside=True)
    if after < len(words) and words[after].end == position:
        after += 1
    before = after - 1
    left = source[words[before].end : position] if before >= 0 else " "
    right = source[position : words[after].start] if after < len(words) else " "
    if before >= 0 and (after == len(words) or _belongs_left(left, right, kind)):
        return Touching(before, is_after=True, signs=0 if _has_space(left) else len(left))
    if after == len(words):
        return None
    return Touching(after, is_after=False, signs=0 if _has_space(right) else len(right))


def _belongs_left(left: str, right: str, kind: CodeKind) -> bool:
    if kind != "point":
        return kind == "close"
    return not _has_space(left) and (len(left) <= len(right) or _has_space(right))


def _has_space(gap: str) -> bool:
    return any(map(str.isspace, gap))
