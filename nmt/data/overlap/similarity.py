"""Exact similarity of two texts."""

from nmt.data.overlap.sketches import GRAM, fold_digits, grams_of


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
    one, other = fold_digits(one), fold_digits(other)
    longest, shortest = max(len(one), len(other)), min(len(one), len(other))
    grams, others = grams_of(one), grams_of(other)
    shared = len(grams & others)
    if shared >= similarity * (len(grams) + len(others) - shared):
        return True
    max_edits = int(longest * (1 - similarity) / 2)
    # One edit changes at most five grams, which excludes most texts without counting the edits.
    if longest - shortest > max_edits or len(grams) - shared > GRAM * max_edits:
        return False
    return _edits(one, other) <= max_edits


def _edits(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn a text into another."""
    # Myers' algorithm: one column of the table of distances is kept as the bits of two integers
    # that say where the distance rises and falls from one row to the next.
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
