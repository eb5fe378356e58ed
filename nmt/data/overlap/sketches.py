"""MinHash sketches of many texts at once, over 5-grams of characters with digits folded.

The share of equal columns in the sketches of two texts estimates the Jaccard similarity of the
texts: the number of 5-grams that both have, divided by the number of 5-grams that either has.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.grams import characters_of, hashed_grams

COLUMNS = 64
"""Number of hash functions, and so of bytes of a sketch."""
# Fixed, because sketches that were made by different workers are compared.
_SEED = 20_260_101
# So many texts at once keep the arrays of a step in the processor's cache.
_TEXTS = 1024

Sketches = NDArray[np.uint8]
"""One sketch a row. A byte of each minimum is enough: unequal ones agree once in 256."""


def sketches_of(texts: Sequence[str]) -> Sketches:
    """Compute the sketch of each text.

    Args:
        texts: as `match_key` returns them.
    """
    sketches = np.empty((len(texts), COLUMNS), np.uint8)
    for first in range(0, len(texts), _TEXTS):
        part = texts[first : first + _TEXTS]
        sketches[first : first + len(part)] = _sketch(*hashed_grams(characters_of(part)))
    return sketches


def _sketch(grams: NDArray[np.uint32], starts: NDArray[np.intp]) -> Sketches:
    columns = np.empty((COLUMNS, len(starts)), np.uint8)
    for column, (salt, factor) in zip(columns, _permutations(), strict=True):
        minima = np.minimum.reduceat((grams ^ salt) * factor, starts)
        # The high bits of a minimum are nearly always zero, so the low ones are the sketch.
        column[:] = minima
    return columns.T


@cache
def _permutations() -> list[tuple[np.uint32, np.uint32]]:
    numbers = np.random.default_rng(_SEED).integers(0, 2**32, (COLUMNS, 2), np.uint32)
    # An odd factor makes the product a permutation of the 32-bit numbers.
    return [(salt, factor | np.uint32(1)) for salt, factor in numbers]
