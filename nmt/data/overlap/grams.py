"""5-grams of characters, with digits folded, of many texts at once."""

import re
import sys
from collections.abc import Sequence
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


def hashed_grams(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Hash the 5-grams of all texts.

    Returns:
        The hashes in the order of the texts, and where those of each text start.
    """
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), "<u4")
    lengths = np.fromiter(map(len, texts), np.intp, len(texts)) + 1
    ends = np.cumsum(lengths) - 1
    codes, ends = _folded(codes, ends)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    factors = _factors()
    # Zeros after the last text give its last grams something to add.
    padded = np.concatenate((codes, np.zeros(GRAM - 1, np.uint32)))
    hashes = padded[: len(codes)] * factors[0]
    for place in range(1, GRAM):
        hashes += padded[place : place + len(codes)] * factors[place]
    short = lengths < GRAM
    for place, factor in enumerate(factors):
        # A short text is one gram; what the sum took from the next text is replaced.
        inside = np.where(place < lengths[short], padded[starts[short] + place], 0)
        contribution = inside.astype(np.uint32) * factor
        hashes[starts[short]] = contribution if place == 0 else hashes[starts[short]] + contribution
    counts = np.maximum(lengths - GRAM + 1, 1)
    first_gram = np.concatenate(([0], np.cumsum(counts)[:-1]))
    places = np.arange(counts.sum()) + np.repeat(starts - first_gram, counts)
    return _mixed(hashes[places]), first_gram


def _folded(
    codes: NDArray[np.uint32], ends: NDArray[np.intp]
) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """Replace each run of digits by one zero, and move the ends of the texts accordingly."""
    digits = _is_digit()[codes]
    if not digits.any():
        return codes, ends
    folded = np.where(digits, np.uint32(_ZERO), codes)
    kept = ~digits
    kept[1:] |= ~digits[:-1]
    kept[0] = True
    return folded[kept], np.cumsum(kept)[ends] - 1


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
