"""Exact similarity of two texts."""

from math import floor
from os.path import commonprefix

from nmt.data.overlap.sketches import fold_digits, grams_of


_ROUNDING = 1e-9


def jaccard(one: str, other: str) -> float:
    """Return the share of the 5-grams of two texts that both have, digits folded."""
    grams, others = grams_of(one), grams_of(other)
    shared = len(grams & others)
    return shared / (len(grams) + len(others) - shared)


def near(one: str, other: str, similarity: float) -> bool:
    """Tell whether two texts are near-duplicates: in their 5-grams, or in few edits.

    Args:
        one: as `match_key` returns it.
        other: likewise.
        similarity: minimum Jaccard similarity. Edits may change half of what it leaves:
            a tenth of the characters for 0.8.
    """
    if jaccard(one, other) >= similarity:
        return True
    one, other = fold_digits(one), fold_digits(other)
    # One character more, for the full stop that the text has and its key has not.
    max_edits = floor((max(len(one), len(other)) + 1) * (1 - similarity) / 2 + _ROUNDING)
    if abs(len(one) - len(other)) > max_edits:
        return False
    prefix = len(commonprefix([one, other]))
    one, other = one[prefix:], other[prefix:]
    suffix = len(commonprefix([one[::-1], other[::-1]]))
    one, other = one[: len(one) - suffix], other[: len(other) - suffix]
    # In most near-duplicates only a word is left.
    if max(len(one), len(other)) <= max_edits:
        return True
    return _edits(one, other) <= max_edits


def _edits(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn a text into another."""
    # Myers' algorithm: one column of the table of distances is kept as the bits of two integers
    # that say where the distance rises and falls from one row to the next.
    if not one:
        return len(other)
    positions: dict[str, int] = {}
    for place, character in enumerate(one):
        positions[character] = positions.get(character, 0) | 1 << place
    mask, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    rises, falls, distance = mask, 0, len(one)
    for character in other:
        equal = positions.get(character, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        up, down = falls | ~(diagonal | rises) & mask, rises & diagonal
        distance += bool(up & last) - bool(down & last)
        up, down = (up << 1 | 1) & mask, down << 1 & mask
        rises, falls = down | ~(diagonal | up) & mask, up & diagonal
    return distance
