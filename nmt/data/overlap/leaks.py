"""Training pairs that are like a held-out sentence."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.candidates import agreement, band_of, columns_of
from nmt.data.overlap.keys import Hashes, Keys, Mask, Rows, Texts
from nmt.data.overlap.similarity import near
from nmt.data.overlap.sketches import Sketches
from nmt.data.overlap.verified import Alike, Sides, compare_texts
from nmt.text.normalise import match_key

WIDTH = 3
BANDS = 64
_MAX_MATCHES = 16
"""Number of held-out rows that are considered for a row in each band."""
# Where a tenth of the characters differs, half of the 5-grams or more are usually equal.
MIN_AGREEMENT = 0.3
"""Estimated similarity below which texts are not compared."""
_TABLE = 1 << 22
_CHUNK = 1 << 16


def sharing(keys: Keys, held_out: Keys) -> Mask:
    """Mark the pairs that share a source or a target with a held-out pair."""
    return np.isin(keys.source, held_out.source) | np.isin(keys.target, held_out.target)


def leaks(
    keys: Keys,
    texts: Texts,
    held_out: Keys,
    held_out_texts: Texts,
    similarity: float | NDArray[np.float32],
) -> Mask:
    """Mark the pairs of which one side is similar to that of a held-out pair.

    Args: as for `leaked_from`.
    """
    return leaked_from(keys, texts, held_out, held_out_texts, similarity) >= 0


def leaked_from(
    keys: Keys,
    texts: Texts,
    held_out: Keys,
    held_out_texts: Texts,
    similarity: float | NDArray[np.float32],
) -> Rows:
    """Find for each pair a held-out pair with an equal or similar source or target.

    Args:
        keys: of the pairs that may leak.
        texts: returns the pairs of rows of `keys`.
        held_out: of the validation and test pairs.
        held_out_texts: returns the pairs of rows of `held_out`.
        similarity: minimum similarity (see `near`), or one for each row of `keys`; 1 finds equal
            sentences only.

    Returns:
        A row of `held_out`, or -1 for a pair that does not leak.
    """
    if not len(held_out):
        return np.full(len(keys), -1)
    limits = np.broadcast_to(np.asarray(similarity, np.float32), len(keys))
    found = _equal(keys.source, held_out.source)
    found = np.where(found >= 0, found, _equal(keys.target, held_out.target))
    for side, (sketches, others) in enumerate(sketches_of_sides(keys, held_out)):
        rows, matches = _best_matches(sketches, others, (found < 0) & (limits < 1))
        leaking = compare_texts(
            rows, texts, matches, held_out_texts, near_on(side, sketches, others, limits)
        )
        found[rows[leaking]] = matches[leaking]
    return found


def sketches_of_sides(keys: Keys, held_out: Keys) -> tuple[tuple[Sketches, Sketches], ...]:
    """Return the sketches of both, first those of the sources, then those of the targets."""
    return (
        (keys.source_sketch, held_out.source_sketch),
        (keys.target_sketch, held_out.target_sketch),
    )


def near_on(side: int, sketches: Sketches, others: Sketches, limits: NDArray[np.float32]) -> Alike:
    """Make a function that tells which rows are like their other rows on one side."""

    def alike(rows: Rows, matches: Rows, one: Sides, other: Sides) -> Mask:
        estimates = agreement(sketches, rows, others, matches)
        sentences, held = (list(map(match_key, sides[side])) for sides in (one, other))
        return near(sentences, held, limits[rows], estimates)

    return alike


def _equal(hashes: Hashes, others: Hashes) -> Rows:
    """Find for each hash the row of an equal one, or -1."""
    order = np.argsort(others)
    places = np.minimum(np.searchsorted(others[order], hashes), len(others) - 1)
    rows = order[places]
    return np.where(others[rows] == hashes, rows, -1)


def _best_matches(sketches: Sketches, others: Sketches, wanted: Mask) -> tuple[Rows, Rows]:
    """List the wanted rows that agree with a row of the others, and the one that agrees best."""
    # Only the best one is kept, which bounds memory and time where much text is alike.
    best = np.full(len(sketches), MIN_AGREEMENT, np.float32)
    matches = np.full(len(sketches), -1, np.int32)
    for columns in columns_of(BANDS, WIDTH):
        for rows, candidates in candidates_of(sketches, others, columns, wanted):
            estimates = agreement(sketches, rows, others, candidates)
            better = np.flatnonzero(estimates > best[rows])
            # Of several candidates of a row the last one is assigned.
            better = better[np.argsort(estimates[better])]
            best[rows[better]] = estimates[better]
            matches[rows[better]] = candidates[better]
    rows = np.flatnonzero(matches >= 0)
    return rows, matches[rows].astype(np.int64)


def candidates_of(
    sketches: Sketches, others: Sketches, columns: list[int], wanted: Mask
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
        places = np.flatnonzero(present[bands % _TABLE] & wanted[begin : begin + _CHUNK])
        first = np.searchsorted(held, bands[places])
        counts = np.searchsorted(held, bands[places], side="right") - first
        yield _expanded(places + begin, order, first, np.minimum(counts, _MAX_MATCHES))


def _expanded(rows: Rows, order: Rows, first: Rows, counts: Rows) -> tuple[Rows, Rows]:
    """Repeat each row for each of its matches, which follow each other in the order."""
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(rows, counts), order[np.repeat(first, counts) + inside]
