"""Pairs that repeat earlier ones: equal, similar, or further targets of the same source."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.candidates import agreement, band_of, bands_needed, columns_of, compare, runs
from nmt.data.overlap.grams import fold_digits
from nmt.data.overlap.keys import Hashes, Keys, Mask, Rows, Texts
from nmt.data.overlap.similarity import ROUNDING, SLACK, jaccard
from nmt.data.overlap.verified import Comparisons, Sides
from nmt.text.normalise import match_key

MIN_CHARACTERS = 20
"""Shorter texts are near-duplicates only if they are equal but for digits: one letter says
something else in "He is here" and "She is here"."""
_WIDTH = 2
_SLACK_OF_BOTH = 0.2


def duplicates(keys: Keys) -> Mask:
    """Mark the pairs that are equal to an earlier one."""
    return ~_first(keys.pair)


def near_duplicates(keys: Keys, texts: Texts, similarity: float | NDArray[np.float32]) -> Mask:
    """Mark the pairs of which both sides are similar to those of one earlier pair.

    Of similar pairs the first one stays, so a better corpus should come first.

    Args:
        keys: without duplicates.
        texts: returns the pairs of rows.
        similarity: minimum Jaccard similarity of each side, or one for each row; 1 finds nothing.
    """
    limits = np.broadcast_to(np.asarray(similarity, np.float32), len(keys))
    search = _Search(keys, texts, limits)
    if (limits < 1).any():
        search.run()
    return search.found


class _Search:
    """The search for near-duplicates."""

    def __init__(self, keys: Keys, texts: Texts, limits: NDArray[np.float32]) -> None:
        self.found = np.zeros(len(keys), np.bool_)
        self._keys, self._limits = keys, limits
        self._comparisons = Comparisons(texts, self._similar)

    def run(self) -> None:
        """Mark the rows that are like an earlier one."""
        # Both sides in one band: pairs that are similar in one side only are not even compared.
        bands = bands_needed(float(self._limits.min()), 2 * _WIDTH)
        for columns in columns_of(bands, _WIDTH):
            source = band_of(self._keys.source_sketch, columns) << np.uint32(8 * _WIDTH)
            rows, numbers = runs(source | band_of(self._keys.target_sketch, columns))
            left = ~self.found[rows]
            compare(rows[left], numbers[left], self._alike)

    def _alike(self, firsts: Rows, rows: Rows) -> Mask:
        mask = ~self.found[rows] & (self._limits[rows] < 1)
        both = np.zeros(len(rows), np.float32)
        for sketches in (self._keys.source_sketch, self._keys.target_sketch):
            estimates = agreement(sketches, firsts[mask], sketches, rows[mask])
            both[mask] += estimates
            mask[mask] = estimates >= self._limits[rows[mask]] - SLACK
        # The errors of two sides add up to less than twice that of one.
        mask &= both >= 2 * self._limits[rows] - _SLACK_OF_BOTH
        mask[mask] = self._comparisons.compare(rows[mask], firsts[mask])
        self.found[rows[mask]] = True
        return mask

    def _similar(self, rows: Rows, _: Rows, one: Sides, other: Sides) -> Mask:
        limits = self._limits[rows]
        mask = _similar(one[0], other[0], limits)
        # Targets are read only where the sources are similar.
        left = np.flatnonzero(mask).tolist()
        targets = [one[1][place] for place in left], [other[1][place] for place in left]
        mask[left] = _similar(*targets, limits[left])
        return mask


def excess_targets(keys: Keys, limit: int | NDArray[np.int64]) -> Mask:
    """Mark the pairs whose source has enough other targets in earlier pairs.

    Args:
        keys: in the order of the pairs.
        limit: maximum number of targets of a source, or one for each row.
    """
    # Equal targets of a source count once, so they are ranked as one.
    _, firsts, inverse = np.unique(
        _mixed(keys.source, keys.target), return_index=True, return_inverse=True
    )
    order = firsts[np.lexsort((firsts, keys.source[firsts]))]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = keys.source[order[1:]] != keys.source[order[:-1]]
    places = np.arange(len(order))
    before = np.zeros(len(keys), np.int64)
    before[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return before[firsts[inverse]] >= limit


def _first(keys: Hashes) -> Mask:
    first = np.zeros(len(keys), np.bool_)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _mixed(sources: Hashes, targets: Hashes) -> Hashes:
    # Not symmetric, since the target of one pair may be the source of another.
    return (sources * np.uint64(0x9E3779B97F4A7C15)) ^ targets


def _similar(one: Sequence[str], other: Sequence[str], limits: NDArray[np.float32]) -> Mask:
    texts, others = [match_key(text) for text in one], [match_key(text) for text in other]
    mask = jaccard(texts, others) >= limits - ROUNDING
    for place in np.flatnonzero(mask).tolist():
        text, second = texts[place], others[place]
        if min(len(text), len(second)) < MIN_CHARACTERS:
            mask[place] = fold_digits(text) == fold_digits(second)
    return mask
