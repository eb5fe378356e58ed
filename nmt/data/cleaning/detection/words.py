"""Words of many texts as hashes: those that are repeated in a row, and those that are too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Kind, small_letters
from nmt.data.cleaning.characters.text_block import Counts, Mask, Side

Hashes = NDArray[np.uint64]

MAX_PHRASE = 6
"""Maximum number of words, or of characters of a script without spaces, in a repeated phrase."""
# Laughter and cries repeat one character: `ไ5555555`, `哈哈哈哈哈`.
_MAX_CHARACTER_RUN = 8
_PIECE = regex.compile(r"[^\s\-–—/\\|,;:.()…_=+·]+")
_ADDRESS = regex.compile(r"://|www\.|@|^\W*[\w.-]+\.[a-z]{2,}/", regex.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of many texts, without case and punctuation."""

    hashes: Hashes
    rows: NDArray[np.intp]
    """Index of each word's text; ascending."""


def words_of(side: Side) -> Words:
    """Hash the words of a side; a word without letters and digits is left out."""
    word, space = side.has(Kind.WORD), side.has(Kind.SPACE)
    positions = np.flatnonzero(word | space)
    codes = small_letters()[side.codes[positions]]
    inside = word[positions]
    starts = np.flatnonzero(inside & ~_shifted(inside))
    ends = np.flatnonzero(inside & ~_shifted_back(inside))
    powers, inverses = _powers(len(positions))
    # The hash of a piece is the difference of two sums, moved to the front of the array.
    sums = np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers * inside)
    before = np.where(starts > 0, sums[starts - 1], np.uint64(0))
    hashes = (sums[ends] - before) * inverses[starts]
    return Words(hashes, side.rows(positions[starts]))


def text_hashes(words: Words, side: Side) -> Hashes:
    """Hash each text by its words in order, without case and punctuation."""
    # The place of a word is counted in its own text, so that equal texts have equal hashes.
    first = np.searchsorted(words.rows, np.arange(len(side.texts) + 1))
    places = np.arange(len(words.rows)) - first[words.rows]
    powers, _ = _powers(len(words.rows) + 1)
    sums = np.concatenate([[np.uint64(0)], np.cumsum(words.hashes * powers[places])])
    return sums[first[1:]] - sums[first[:-1]]


def repeating(words: Words, limit: int, texts: int) -> Mask:
    """Find the texts in which a phrase of up to `MAX_PHRASE` words follows itself too often."""
    found = np.zeros(texts, bool)
    for span in range(1, MAX_PHRASE + 1):
        same = (words.hashes[span:] == words.hashes[:-span]) & (
            words.rows[span:] == words.rows[:-span]
        )
        found[words.rows[_ends_of_runs(same, span * limit)]] = True
    return found


def repeating_characters(side: Side, limit: int) -> Mask:
    """Find the texts of a script without spaces in which a few characters follow themselves."""
    letters = np.flatnonzero(side.has(Kind.LETTER))
    codes, rows = side.codes[letters], side.rows(letters)
    found = np.zeros(len(side.texts), bool)
    for span in range(1, MAX_PHRASE + 1):
        same = (codes[span:] == codes[:-span]) & (rows[span:] == rows[:-span])
        found[rows[_ends_of_runs(same, max(span * limit, _MAX_CHARACTER_RUN))]] = True
    return found


def count_repetitions(text: str) -> int:
    """Count how often a word or phrase follows itself, at most."""
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", text.casefold().replace("'", "").replace("’", ""))
    highest = 1
    for span in range(1, MAX_PHRASE + 1):
        run = 0
        for word, later in zip(words, words[span:], strict=False):
            run = run + 1 if word == later else 0
            highest = max(highest, run // span + 1)
    return highest


def longest_word(text: str) -> int:
    """Measure the longest word of a text, web addresses left out."""
    words = (word for word in text.split() if not _ADDRESS.search(word))
    return max((len(piece) for word in words for piece in _PIECE.findall(word)), default=0)


def longest_runs(side: Side) -> Counts:
    """Measure the longest piece between two spaces of each text."""
    spaces = np.flatnonzero(side.has(Kind.SPACE))
    runs = np.diff(spaces, prepend=-1) - 1
    first = np.searchsorted(spaces, side.starts)
    return np.maximum.reduceat(runs, first).astype(np.int32)


def _ends_of_runs(same: Mask, length: int) -> NDArray[np.intp]:
    """Find where at least so many true values in a row end."""
    if len(same) < length:
        return np.empty(0, np.intp)
    sums = np.concatenate([[0], np.cumsum(same)])
    return np.flatnonzero(sums[length:] - sums[:-length] == length)


def _shifted(mask: Mask) -> Mask:
    return np.concatenate([[False], mask[:-1]])


def _shifted_back(mask: Mask) -> Mask:
    return np.concatenate([mask[1:], [False]])


_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse


@cache
def _power_tables(size: int) -> tuple[Hashes, Hashes]:
    inverse = pow(_BASE, -1, 1 << 64)
    tables: Sequence[Hashes] = [np.full(size, base, np.uint64) for base in (_BASE, inverse)]
    for table in tables:
        table[0] = 1
        np.cumprod(table, out=table)
    return tables[0], tables[1]


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Return at least so many powers of the base and of its inverse, modulo 2^64."""
    powers, inverses = _power_tables(1 << size.bit_length())
    return powers[:size], inverses
