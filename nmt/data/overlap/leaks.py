"""Training pairs that are like a held-out sentence."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.candidates import agreement, band_of, columns_of
from nmt.data.overlap.keys import Hashes, Keys, Mask, Rows, Texts
from nmt.data.overlap.similarity import near
from nmt.data.overlap.sketches import Sketches
from nmt.text.normalise import match_key

_WIDTH = 3
_BANDS = 64
# Few edits can change most grams of a text, but rarely more than seven in ten.
_MIN_AGREEMENT = 0.2


def sharing(keys: Keys, held_out: Keys) -> Mask:
    """Mark the pairs that share a source or a target with a held-out pair."""
    return np.isin(keys.source, held_out.source) | np.isin(keys.target, held_out.target)


def leaks(
    keys: Keys, texts: Texts, held_out: Keys, held_out_texts: Texts, similarity: float
) -> Mask:
    """Mark the pairs of which one side is similar to that of a held-out pair.

    Args:
        keys: of the pairs that may leak.
        texts: returns the pairs of rows of `keys`.
        held_out: of the validation and test pairs.
        held_out_texts: returns the pairs of rows of `held_out`.
        similarity: minimum similarity (see `near`); 1 finds equal sentences only.
    """
    found = sharing(keys, held_out)
    if similarity >= 1 or not len(keys) or not len(held_out):
        return found
    sides = (
        (keys.source_sketch, held_out.source_sketch),
        (keys.target_sketch, held_out.target_sketch),
    )
    for side, (sketches, others) in enumerate(sides):
        compared = np.empty(0, np.uint64)
        for columns in columns_of(_BANDS, _WIDTH):
            rows, matches = _best(*_candidates(sketches, others, columns, found, compared))
            one, other = texts(rows)[side], held_out_texts(matches)[side]
            found[rows] = _near(one, other, similarity)
            compared = np.union1d(compared, _packed(rows, matches))
    return found


def _candidates(
    sketches: Sketches, others: Sketches, columns: list[int], found: Mask, compared: Hashes
) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """List the rows that share a band with a held-out row, these, and how well they agree."""
    held = band_of(others, columns)
    order = np.argsort(held)
    held = held[order]
    bands = band_of(sketches, columns)
    # A table answers for most rows, which share no band, faster than a search.
    present = np.zeros(1 << 8 * _WIDTH, np.bool_)
    present[held] = True
    rows = np.flatnonzero(present[bands] & ~found)
    first = np.searchsorted(held, bands[rows])
    counts = np.searchsorted(held, bands[rows], side="right") - first
    rows = np.repeat(rows, counts)
    inside = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    matches = order[np.repeat(first, counts) + inside]
    agreed = agreement(sketches[rows], others[matches])
    new = agreed >= _MIN_AGREEMENT
    new[new] = ~np.isin(_packed(rows[new], matches[new]), compared)
    return rows[new], matches[new], agreed[new]


def _best(rows: Rows, matches: Rows, agreed: NDArray[np.float32]) -> tuple[Rows, Rows]:
    """Choose the match of each row that agrees best; others follow with a later band."""
    order = np.lexsort((-agreed, rows))
    first = np.unique(rows[order], return_index=True)[1]
    return rows[order][first], matches[order][first]


def _packed(rows: Rows, matches: Rows) -> Hashes:
    return rows.astype(np.uint64) << np.uint64(32) | matches.astype(np.uint64)


def _near(one: Sequence[str], other: Sequence[str], similarity: float) -> Mask:
    pairs = zip(one, other, strict=True)
    return np.array([near(match_key(a), match_key(b), similarity) for a, b in pairs], np.bool_)
