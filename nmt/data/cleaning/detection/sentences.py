"""Ends of sentences in many texts at once, by punctuation."""

import numpy as np

from nmt.data.cleaning.characters.code_points import Kind
from nmt.data.cleaning.characters.text_block import Counts, Mask, Side

_FULL_STOP = np.uint32(ord("."))


def count_sentences(side: Side) -> Counts:
    """Count the sentences of each text; a text without any punctuation is one."""
    ends, closing = side.has(Kind.SENTENCE_END), side.has(Kind.CLOSING)
    spaces, small = side.has(Kind.SPACE), side.has(Kind.SMALL_LETTER)
    # `Dr. Smith` and `e.g. this`: the word before a full stop must be longer, and what follows
    # must not be a small letter.
    near = spaces | ends
    short = ~(_before(~near, 2) & _before(~near, 3) & _before(~near, 4))
    abbreviated = (side.codes == _FULL_STOP) & short
    ends = ends & ~abbreviated
    ended = ends | (closing & _before(ends, 1))
    separators = np.zeros(len(spaces), bool)
    separators[side.separators] = True
    inner = ended & _after(spaces & ~separators, 1) & ~_after(small, 2)
    # Chinese and Japanese have no space there.
    if side.count_kind(Kind.WIDE_STOP).any():
        inner |= side.has(Kind.WIDE_STOP) & ~_after(
            spaces | closing | side.has(Kind.SENTENCE_END), 1
        )
    return side.count(inner) + 1


def is_finished(side: Side) -> Mask:
    """Tell of each text whether it ends with a sentence's punctuation."""
    ends, closing = side.has(Kind.SENTENCE_END), side.has(Kind.CLOSING)
    last = side.separators - 1
    return (ends[last] | (closing[last] & ends[np.maximum(last - 1, 0)])) & (side.lengths > 0)


def _before(mask: Mask, distance: int) -> Mask:
    """Return a mask of the positions that are so far behind those of another."""
    return np.concatenate([np.zeros(distance, bool), mask])[: len(mask)]


def _after(mask: Mask, distance: int) -> Mask:
    return np.concatenate([mask[distance:], np.zeros(distance, bool)])[: len(mask)]
