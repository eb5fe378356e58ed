"""Training pairs that are like a held-out sentence."""

from collections.abc import Iterator

import numpy as np

from nmt.data.overlap.candidates import agreement, band_of, columns_of
from nmt.data.overlap.keys import Keys, Mask, Rows, Texts
from nmt.data.overlap.similarity import near
from nmt.data.overlap.sketches import Sketches
from nmt.data.overlap.verified import Sides, compare_texts
from nmt.text.normalise import match_key

_WIDTH = 3
_BANDS = 64
_MAX_MATCHES = 16
"""Number of held-out rows that are considered for a row in each band."""
# A tenth of a text's characters, if changed, rarely changes more than seven tenths of its grams.
_MIN_AGREEMENT = 0.25
_TABLE = 1 << 22
_CHUNK = 1 << 18


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

        def alike(_: Rows, one: Sides, other: Sides, side: int = side) -> Mask:
            texts, others = (list(map(match_key, sides[side])) for sides in (one, other))
            return near(texts, others, similarity)

        rows, matches = _best_matches(sketches, others, found)
        found[rows] = compare_texts(rows, texts, matches, held_out_texts, alike)
    return found


def _best_matches(sketches: Sketches, others: Sketches, found: Mask) -> tuple[Rows, Rows]:
    """List the rows that agree with a held-out row, and the one that each agrees with best."""
    # Only the best one is kept, which bounds memory and time where much text is alike.
    best = np.full(len(sketches), _MIN_AGREEMENT, np.float32)
    matches = np.full(len(sketches), -1, np.int32)
    for columns in columns_of(_BANDS, _WIDTH):
        for rows, candidates in _candidates(sketches, others, columns, found):
            estimates = agreement(sketches, rows, others, candidates)
            better = np.flatnonzero(estimates > best[rows])
            # Of several candidates of a row the last one is assigned.
            better = better[np.argsort(estimates[better])]
            best[rows[better]] = estimates[better]
            matches[rows[better]] = candidates[better]
    rows = np.flatnonzero(matches >= 0)
    return rows, matches[rows].astype(np.int64)


def _candidates(
    sketches: Sketches, others: Sketches, columns: list[int], found: Mask
) -> Iterator[tuple[Rows, Rows]]:
    """List the rows that share a band with held-out rows, and these, a part of the rows a time."""
    held = band_of(others, columns)
    order = np.argsort(held)
    held = held[order]
    # A table answers for most rows, which share no band, faster than a search.
    present = np.zeros(_TABLE, np.bool_)
    present[held % _TABLE] = True
    for begin in range(0, len(sketches), _CHUNK):
        bands = band_of(sketches[begin : begin + _CHUNK], columns)
        places = np.flatnonzero(present[bands % _TABLE] & ~found[begin : begin + _CHUNK])
        first = np.searchsorted(held, bands[places])
        counts = np.searchsorted(held, bands[places], side="right") - first
        yield _expanded(places + begin, order, first, np.minimum(counts, _MAX_MATCHES))


def _expanded(rows: Rows, order: Rows, first: Rows, counts: Rows) -> tuple[Rows, Rows]:
    """Repeat each row for each of its matches, which follow each other in the order."""
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(rows, counts), order[np.repeat(first, counts) + inside]
