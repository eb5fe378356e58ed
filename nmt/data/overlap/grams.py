"""5-grams of characters, with digits folded, of many texts at once."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

GRAM = 5
# Fixed, because the hashes of different workers are compared.
_SEED = 20_260_102
_ZERO = ord("0")
_DIGITS = re.compile(r"\d+")


def fold_digits(text: str) -> str:
    """Replace each number by a zero, whatever its script and length."""
    return _DIGITS.sub("0", text)


@dataclass(frozen=True)
class Characters:
    """The code points of some texts, digits folded, with a line feed after each text."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.intp]
    """Where each text begins."""
    lengths: NDArray[np.intp]


def characters_of(texts: Sequence[str]) -> Characters:
    """Return the code points of texts."""
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), "<u4")
    ends = np.cumsum(np.fromiter(map(len, texts), np.intp, len(texts)) + 1) - 1
    digits = _is_digit()[codes]
    if digits.any():
        # Of each run of digits only the first is left, which moves the ends of the texts.
        kept = ~digits
        kept[1:] |= ~digits[:-1]
        kept[0] = True
        codes = np.where(digits, np.uint32(_ZERO), codes)[kept]
        ends = np.cumsum(kept)[ends] - 1
    starts = np.concatenate((np.zeros(1, np.intp), ends[:-1] + 1))
    return Characters(codes, starts, ends - starts)


def hashed_grams(characters: Characters) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Hash the 5-grams of some texts; a shorter text is its own gram.

    Returns:
        The hashes in the order of the texts, and where those of each text start.
    """
    starts, lengths = characters.starts, characters.lengths
    size = len(characters.codes)
    # Zeros after the last text give its last grams something to add.
    padded = np.concatenate((characters.codes, np.zeros(GRAM - 1, np.uint32)))
    factors = _factors()
    hashes = padded[:size] * factors[0]
    for place in range(1, GRAM):
        hashes += padded[place : place + size] * factors[place]
    short = lengths < GRAM
    places = starts[short, np.newaxis] + np.arange(GRAM)
    inside = np.arange(GRAM) < lengths[short, np.newaxis]
    # What the sums of short texts took from the next text is left out.
    hashes[starts[short]] = (padded[places] * inside * factors).sum(axis=1, dtype=np.uint32)
    counts = np.maximum(lengths - GRAM + 1, 1)
    first_gram = np.cumsum(counts) - counts
    places = np.arange(counts.sum()) + np.repeat(starts - first_gram, counts)
    return _mixed(hashes[places]), first_gram


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Spread every bit over all others, as the final step of MurmurHash3."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


@cache
def _factors() -> NDArray[np.uint32]:
    return np.random.default_rng(_SEED).integers(0, 2**32, GRAM, np.uint32) | np.uint32(1)


@cache
def _is_digit() -> NDArray[np.bool_]:
    table = np.zeros(sys.maxunicode + 1, np.bool_)
    every_character = "".join(map(chr, range(sys.maxunicode + 1)))
    table[[ord(digit) for digit in "".join(_DIGITS.findall(every_character))]] = True
    return table
