"""Targets of which a large part is copied from the source."""

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Kind
from nmt.data.cleaning.characters.text_block import Mask, Side
from nmt.data.cleaning.detection.words import Words

MIN_FOREIGN_SHARE = 0.2
"""Share of letters in the source's script from which a target is looked at word by word."""
# A name or a title is copied too, but hardly has so many words in small letters.
_MIN_WORDS = 3
_MIN_SHARED, _MIN_SHARED_SHARE = 4, 0.35
# No options, placeholders and quoted terms, which stay as they are: `--no-index`, `%(name)s`.
_WORD = regex.compile(r"(?<![^\s(])\p{L}[\p{L}\p{M}'’]*(?![^\s).,;:!?…])")


def foreign_share(side: Side, own: Kind, foreign: Kind) -> NDArray[np.float32]:
    """Compute the share of a side's letters that are in the other language's script alone."""
    own_letters = side.has(own)
    other = side.count(side.has(foreign) & ~own_letters)
    weighted = side.count_kind(own) + 2 * side.count_both(own, Kind.IDEOGRAM)
    return (other / np.maximum(weighted + other, 1)).astype(np.float32)


def may_be_copied(source: Words, target: Words, texts: int) -> Mask:
    """Find the pairs of which both sides have many words in common."""
    # The row is mixed into the hash, so that words are compared within a pair only.
    salt = np.uint64(0xD6E8FEB86659FD93)
    keys = [side.hashes ^ (side.rows.astype(np.uint64) * salt) for side in (source, target)]
    shared = np.isin(keys[1], keys[0])
    totals = np.bincount(target.rows, minlength=texts)
    copied = np.bincount(target.rows, shared, minlength=texts)
    return (copied >= _MIN_SHARED) & (copied > _MIN_SHARED_SHARE * totals)


def copied_share(source: str, target: str) -> float:
    """Compute the share of a target's characters in the longest passage that the source has too.

    Returns:
        0 if the passage has fewer than three words in small letters.
    """
    words = _WORD.findall(target)
    text = f" {' '.join(_WORD.findall(source))} "
    longest = start = 0
    for end in range(1, len(words) + 1):
        while start < end and f" {' '.join(words[start:end])} " not in text:
            start += 1
        passage = words[start:end]
        if sum(word[0] == word[0].lower() for word in passage) >= _MIN_WORDS:
            longest = max(longest, len(" ".join(passage)))
    return longest / max(len(target), 1)
