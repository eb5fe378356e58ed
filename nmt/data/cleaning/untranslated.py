"""Targets of which a large part is still in the source's language."""

import numpy as np
import regex

from nmt.data.cleaning.code_points import Kind
from nmt.data.cleaning.text_block import Mask, Side
from nmt.data.cleaning.words import Words

MIN_FOREIGN_SHARE = 0.2
"""Share of letters in the source's script from which a target is looked at word by word."""
_MIN_COPIED_SHARE = 0.35
_MIN_COPIED_WORDS = 4
_WORD = regex.compile(r"[\p{L}\p{M}'’]+")


def foreign_share(
    side: Side, own: Kind, foreign: Kind
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Compute the share of a side's letters that are in the other language's script alone."""
    letters = np.maximum(side.count_kind(Kind.LETTER), 1)
    other = side.count(side.has(foreign) & ~side.has(own))
    return (other / letters).astype(np.float32)


def untranslated_share(source: str, target: str, foreign: regex.Pattern[str]) -> float:
    """Compute the share of a target's letters that are in common words of the source's language.

    Names and abbreviations, which begin with a capital letter, are common to both languages.

    Args:
        source: the source.
        target: the target, in another script.
        foreign: matches a word in the source's script.
    """
    words = _WORD.findall(target)
    in_source = set(_WORD.findall(source))
    copied = (w for w in words if len(w) > 1 and w[0] == w[0].lower() and w in in_source)
    letters = sum(map(len, words))
    return sum(len(word) for word in copied if foreign.match(word)) / max(letters, 1)


def may_be_copied(source: Words, target: Words, texts: int) -> Mask:
    """Find the pairs in one script of which many words are in both sides."""
    # The row is mixed into the hash, so that words are compared within a pair only.
    salt = np.uint64(0xD6E8FEB86659FD93)
    keys = [side.hashes ^ (side.rows.astype(np.uint64) * salt) for side in (source, target)]
    shared = np.isin(keys[1], keys[0])
    totals = np.bincount(target.rows, minlength=texts)
    copied = np.bincount(target.rows, shared, minlength=texts)
    return (copied >= _MIN_COPIED_WORDS) & (copied > _MIN_COPIED_SHARE * totals)


def copied_share(source: str, target: str) -> float:
    """Compute the share of a target's words in the longest passage that the source has too.

    Returns:
        0 if the passage has fewer than four words, or only names.
    """
    words = _WORD.findall(target)
    text = " " + " ".join(_WORD.findall(source)) + " "
    longest = start = 0
    for end in range(1, len(words) + 1):
        while start < end and f" {' '.join(words[start:end])} " not in text:
            start += 1
        common = sum(word[0] == word[0].lower() for word in words[start:end])
        if common >= _MIN_COPIED_WORDS - 1 and end - start >= _MIN_COPIED_WORDS:
            longest = max(longest, end - start)
    return longest / max(len(words), 1)
