"""Pairs of rows that may be similar, found by sorting a few bytes of their sketches at a time."""

from collections.abc import Callable
from functools import cache
from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.keys import Mask, Rows
from nmt.data.overlap.sketches import COLUMNS, Sketches

Bands = NDArray[np.uint32]
_ROUNDS = 4
"""How many rows of a run are compared with all rows after them."""

# Rows of which the sketches are gathered at once, so that they stay in the processor's cache.
_CHUNK = 4096


@cache
def columns_of(count: int, width: int) -> list[list[int]]:
    """Choose the columns of some bands, each column as often as any other."""
    generator = np.random.default_rng(count * COLUMNS + width)
    chosen: list[list[int]] = []
    while len(chosen) < count:
        # Another order each time, so that bands which share columns share few.
        columns = generator.permutation(COLUMNS).tolist()
        chosen += [columns[first : first + width] for first in range(0, COLUMNS - width + 1, width)]
    return chosen[:count]


def bands_needed(similarity: float, width: int, missed: float = 0.001) -> int:
    """Return the number of bands of which similar texts share one, but for a few."""
    if similarity >= 1:
        return 1
    return min(COLUMNS, ceil(log(missed) / log1p(-(similarity**width))))


def band_of(sketches: Sketches, columns: list[int]) -> Bands:
    """Combine some columns of each sketch into one number, exactly if they are four or fewer."""
    packed = np.zeros(len(sketches), np.uint32)
    for place, column in enumerate(columns):
        if place >= np.uint32().itemsize:
            packed *= np.uint32(0x9E3779B1)  # spreads the bits that the shift would lose
        packed = (packed << np.uint32(8) | packed >> np.uint32(24)) ^ sketches[:, column]
    return packed


def runs(bands: Bands) -> tuple[Rows, Rows]:
    """Find the rows that share their band with another row.

    Returns:
        These rows, sorted by band and then by row, and the number of each one's run.
    """
    # A band and its row are one 64-bit number, since sorting those is faster than an argsort.
    packed = bands.astype(np.uint64) << np.uint64(32)
    packed |= np.arange(len(bands), dtype=np.uint64)
    packed.sort()
    equal = (packed[1:] >> np.uint64(32)) == (packed[:-1] >> np.uint64(32))
    shared = np.zeros(len(bands), np.bool_)
    shared[1:] = equal
    shared[:-1] |= equal
    begins = shared.copy()
    begins[1:] &= ~equal
    rows = (packed[shared] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return rows, np.cumsum(begins[shared], dtype=np.int64)


def compare(rows: Rows, numbers: Rows, alike: Callable[[Rows, Rows], Mask]) -> None:
    """Compare the first row of each run with its other rows, then the first that is left.

    A row that is like a first one is not compared again.

    Args:
        rows: as `runs` returns them.
        numbers: the number of each row's run.
        alike: is called with the first rows and one other row for each.
    """
    # A run of n rows has n * n / 2 pairs, too many for boilerplate that fills a corpus.
    for _ in range(_ROUNDS):
        begins = np.ones(len(rows), np.bool_)
        begins[1:] = numbers[1:] != numbers[:-1]
        firsts = rows[np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))]
        rows, numbers, firsts = rows[~begins], numbers[~begins], firsts[~begins]
        if not len(rows):
            return
        left = ~alike(firsts, rows)
        rows, numbers = rows[left], numbers[left]


def agreement(
    sketches: Sketches, rows: Rows, others: Sketches, other_rows: Rows
) -> NDArray[np.float32]:
    """Estimate the Jaccard similarity of texts from their sketches.

    Returns:
        One estimate for each row; its standard deviation is 0.06 or less.
    """
    counts = np.empty(len(rows), np.uint64)
    for first in range(0, len(rows), _CHUNK):
        part = slice(first, first + _CHUNK)
        equal = sketches[rows[part]] == others[other_rows[part]]
        # Eight bytes, each 0 or 1, are added at once: the product has their sum in its first byte.
        words = equal.view(np.uint64).sum(axis=1, dtype=np.uint64)
        counts[part] = words * np.uint64(0x0101010101010101) >> np.uint64(56)
    # Unequal minima have an equal byte once in 256.
    shares = counts.astype(np.float32) / np.float32(COLUMNS)
    return (shares - np.float32(1 / 256)) / np.float32(1 - 1 / 256)
