"""What later passes over a whole corpus need to know of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUMBERS_DIFFER = 1
URLS_DIFFER = 2
SENTENCES_DIFFER = 4
TARGET_UNFINISHED = 8
"""The source ends like a sentence, and the target does not."""
SOURCE_UNFINISHED = 16
"""The target ends like a sentence, and the source does not."""
SOURCE_HAS_MORE_SENTENCES = 32
"""Which of the sides has more, for pairs with `SENTENCES_DIFFER`."""
EMPTY_SIDE = 64
"""A side without text, which only a test set may have."""
WOULD_BE_DROPPED = 128
"""Cleaning would drop the pair, which only a test set may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Lengths and differences of pairs, as arrays with one entry per pair."""

    log_ratios: NDArray[np.float32]
    """Natural logarithm of the target's length divided by the source's."""
    lengths: NDArray[np.int32]
    """Length of both sides together, as `weighted_lengths` counts it."""
    flags: NDArray[np.uint8]
    """Sum of the constants of this module that hold for the pair."""

    @classmethod
    def concatenated(cls, parts: Sequence["Features"]) -> "Features":
        """Join the features of consecutive blocks."""
        if not parts:
            return cls(np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.uint8))
        return cls(
            np.concatenate([part.log_ratios for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.flags for part in parts]),
        )

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Features":
        """Return the features of some pairs."""
        return Features(self.log_ratios[rows], self.lengths[rows], self.flags[rows])

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.flags)
