"""Normalisation of many texts at once: only those that need it are normalised one by one."""

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning.characters.text_block import TextBlock
from nmt.text.normalise import NOISE, normalise

_LAST_LETTER = 0x323AF
# What a character can be, as bits.
_SPACE, _UNWANTED, _STARTS, _EXTENDS, _COMBINES, _COMPOSED = 1, 2, 4, 8, 16, 32


def normalise_all(texts: Sequence[str]) -> list[str]:
    """Normalise texts, as `normalise` does for one.

    Args:
        texts: of any length, an empty one included.
    """
    normalised = list(texts)
    if not normalised:
        return normalised
    # Normalising takes longer than all other work on a text, and most text has no need of it.
    for row in np.flatnonzero(_may_change(TextBlock(texts))).tolist():
        normalised[row] = normalise(texts[row])
    return normalised


def _may_change(block: TextBlock) -> NDArray[np.bool_]:
    """Find the texts that `normalise` may change; it changes no other."""
    bits = _properties()[block.codes]
    bits[block.separators] = 0
    suspects = (bits & _UNWANTED) != 0
    spaces = (bits & _SPACE) != 0
    # A space beside the separator, which counts as one here, is at an end of its text.
    spaces[block.separators] = True
    suspects[1:] |= spaces[1:] & spaces[:-1]
    # Two marks, one of them perhaps inside a composed letter, may be out of order. Most are not,
    # but a look at their classes would cost more than it saves.
    suspects[1:] |= ((bits[1:] & _EXTENDS) != 0) & ((bits[:-1] & _STARTS) != 0)
    suspects[1:] |= ((bits[1:] & (_EXTENDS | _COMBINES)) != 0) & (
        (bits[:-1] & (_COMBINES | _COMPOSED)) != 0
    )
    changed = block.count(suspects) > 0
    # The first text has no separator before it.
    changed[:1] |= spaces[:1]
    return changed & (block.lengths > 0)


@cache
def _properties() -> NDArray[np.uint8]:
    """Build the table of properties that decide what `normalise` does, by code point."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    table[ord(" ")] = _SPACE
    table[0xD800:0xE000] |= _UNWANTED
    # No flag is common enough to be worth a look at its tags.
    table[_LAST_LETTER + 1 :] |= _UNWANTED
    for code in range(_LAST_LETTER + 1):
        character = chr(code)
        if character != " " and (character.isspace() or NOISE.match(character)):
            table[code] |= _UNWANTED
        if unicodedata.combining(character):
            table[code] |= _COMBINES
        if parts := unicodedata.decomposition(character):
            _add_composition(table, character, parts)
    # Korean syllables compose by a formula and have no decomposition in the table of Unicode.
    table[0x1100:0x1113] |= _STARTS
    table[0xAC00:0xD7A4:28] |= _STARTS
    table[0x1161:0x1176] |= _EXTENDS
    table[0x11A8:0x11C3] |= _EXTENDS
    return table


def _add_composition(table: NDArray[np.uint8], character: str, decomposition: str) -> None:
    if decomposition.startswith("<"):  # a compatible form, which NFC keeps
        return
    if unicodedata.normalize("NFC", character) != character:
        table[ord(character)] |= _UNWANTED
        return
    first, second = (int(part, 16) for part in decomposition.split())
    table[ord(character)] |= _COMPOSED
    table[first] |= _STARTS
    table[second] |= _EXTENDS
