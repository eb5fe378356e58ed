"""Comparison of the texts of rows whose sketches agree."""

from collections.abc import Callable, Sequence

import numpy as np

from nmt.data.overlap.keys import Hashes, Mask, Rows, Texts

Sides = tuple[Sequence[str], Sequence[str]]
"""Sources and targets."""
Alike = Callable[[Rows, Rows, Sides, Sides], Mask]
"""Tells which rows are like their other rows, from both rows and their texts."""
# So many texts are in memory at once.
_CHUNK = 4096


def compare_texts(rows: Rows, texts: Texts, others: Rows, other_texts: Texts, alike: Alike) -> Mask:
    """Read and compare the texts of each row and of its other row."""
    mask = np.zeros(len(rows), np.bool_)
    for begin in range(0, len(rows), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        one, other = texts(rows[part]), other_texts(others[part])
        mask[part] = alike(rows[part], others[part], one, other)
    return mask


class Comparisons:
    """The comparisons of texts that were made, none of them twice."""

    def __init__(self, texts: Texts, alike: Alike) -> None:
        self._texts, self._alike = texts, alike
        # With one that no pair equals, so that there is always a next larger one.
        self._unlike: Hashes = np.array([2**64 - 1], np.uint64)

    def compare(self, rows: Rows, others: Rows) -> Mask:
        """Tell for each row whether its texts are like those of its other row."""
        pairs = rows.astype(np.uint64) << np.uint64(32) | others.astype(np.uint64)
        # Texts that share one band often share several, also if they are not alike.
        places = np.searchsorted(self._unlike, pairs)
        new = np.take(self._unlike, places, mode="clip") != pairs
        mask = new.copy()
        mask[new] = compare_texts(rows[new], self._texts, others[new], self._texts, self._alike)
        self._unlike = np.concatenate((self._unlike, pairs[~mask & new]))
        self._unlike.sort()
        return mask
