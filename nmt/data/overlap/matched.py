"""Held-out pairs that are like some pair: the comparison of `leaks`, seen from the other side."""

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.candidates import agreement, columns_of
from nmt.data.overlap.keys import Hashes, Keys, Mask, Rows, Texts
from nmt.data.overlap.leaks import (
    BANDS,
    MIN_AGREEMENT,
    WIDTH,
    candidates_of,
    near_on,
    sketches_of_sides,
)
from nmt.data.overlap.sketches import Sketches
from nmt.data.overlap.verified import compare_texts

_COMPARED = 8
"""Number of pairs whose text is compared with that of a held-out pair."""
_MAX_LINKS = 1 << 22
"""Number of candidates from which only the most similar ones are kept, 8 bytes each."""


def matched(
    keys: Keys,
    texts: Texts,
    held_out: Keys,
    held_out_texts: Texts,
    similarity: NDArray[np.float32],
) -> Mask:
    """Mark the held-out pairs of which one side is equal or similar to that of a pair.

    Args: as for `leaked_from`; there is one similarity for each row of `keys`.
    """
    found = np.isin(held_out.source, keys.source) | np.isin(held_out.target, keys.target)
    for side, (sketches, others) in enumerate(sketches_of_sides(keys, held_out)):
        if not (similarity < 1).any() or found.all():
            break
        rows, matches = _most_similar(sketches, others, similarity < 1, ~found)
        like = compare_texts(
            rows, texts, matches, held_out_texts, near_on(side, sketches, others, similarity)
        )
        found[matches[like]] = True
    return found


def _most_similar(
    sketches: Sketches, others: Sketches, wanted: Mask, left: Mask
) -> tuple[Rows, Rows]:
    """List pairs and the held-out pairs that they may be like, a few for each of the latter."""
    links = np.empty(0, np.uint64)
    for columns in columns_of(BANDS, WIDTH):
        for rows, candidates in candidates_of(sketches, others, columns, wanted):
            rows, candidates = rows[left[candidates]], candidates[left[candidates]]
            enough = agreement(sketches, rows, others, candidates) > MIN_AGREEMENT
            new = candidates[enough].astype(np.uint64) << np.uint64(32)
            new |= rows[enough].astype(np.uint64)
            links = np.union1d(links, new)
            # Where much text follows one pattern, nearly every pair is a candidate.
            if len(links) > _MAX_LINKS:
                links = _best_links(links, sketches, others)
    return _ends_of(_best_links(links, sketches, others))


def _best_links(links: Hashes, sketches: Sketches, others: Sketches) -> Hashes:
    """Keep the most similar pairs of each held-out pair."""
    rows, matches = _ends_of(links)
    order = np.lexsort((-agreement(sketches, rows, others, matches), matches))
    ranked = matches[order]
    few = np.arange(len(ranked)) - np.searchsorted(ranked, ranked) < _COMPARED
    return links[order[few]]


def _ends_of(links: Hashes) -> tuple[Rows, Rows]:
    """Return the pairs and the held-out pairs of links."""
    held_out, rows = links >> np.uint64(32), links & np.uint64(0xFFFFFFFF)
    return rows.astype(np.int64), held_out.astype(np.int64)
