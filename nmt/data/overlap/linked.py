"""Links between pairs that share a sentence, or have similar ones."""

import numpy as np

from nmt.data.overlap.candidates import agreement, band_of, bands_needed, columns_of, compare, runs
from nmt.data.overlap.keys import Hashes, Keys, Mask, Rows
from nmt.data.overlap.sketches import Sketches

_WIDTH = 5


def groups(keys: Keys, similarity: float = 1) -> Rows:
    """Number the groups of pairs that should stay together.

    Pairs with equal sources or targets are in one group, nearly all with similar ones, and so are
    pairs that are linked through other pairs. The order of the pairs does not matter.

    Args:
        keys: of distinct pairs.
        similarity: minimum Jaccard similarity of linked sentences, as their sketches estimate it;
            1 links equal sentences only.

    Returns:
        The number of each pair's group: the row of one of its pairs.
    """
    labels = np.arange(len(keys))
    for hashes in (keys.source, keys.target):
        labels = joined(labels, *_equal_rows(hashes))
    if similarity >= 1:
        return labels
    # Which pairs are compared depends on their order, so it must not be that of the input.
    order = np.argsort(keys.rank)
    for sketches in (keys.source_sketch, keys.target_sketch):
        labels = _similar_joined(labels, order, sketches, similarity)
    return labels


def joined(labels: Rows, one: Rows, other: Rows) -> Rows:
    """Join the groups of linked rows, and give each group its smallest label.

    Args:
        labels: a row of its group for each row.
        one: the first row of each link.
        other: the second row of each link.
    """
    while True:
        left, right = labels[one], labels[other]
        apart = left != right
        if not apart.any():
            return labels
        one, other, left, right = one[apart], other[apart], left[apart], right[apart]
        # Each label points to a smaller one or to itself, so there are no circles.
        np.minimum.at(labels, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(further := labels[labels], labels):
            labels = further


def _equal_rows(hashes: Hashes) -> tuple[Rows, Rows]:
    order = np.argsort(hashes)
    equal = hashes[order[1:]] == hashes[order[:-1]]
    return order[1:][equal], order[:-1][equal]


def _similar_joined(labels: Rows, order: Rows, sketches: Sketches, similarity: float) -> Rows:
    """Join the groups of rows whose sketches agree."""

    def alike(firsts: Rows, rows: Rows) -> Mask:
        nonlocal labels
        firsts, rows = order[firsts], order[rows]
        mask = agreement(sketches, firsts, sketches, rows) >= similarity
        labels = joined(labels, firsts[mask], rows[mask])
        return mask

    for columns in columns_of(bands_needed(similarity, _WIDTH), _WIDTH):
        compare(*runs(band_of(sketches, columns)[order]), alike)
    return labels
