"""Exact similarity of texts, from their 5-grams and from the edits between them."""

from collections.abc import Sequence
from math import floor

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.grams import Characters, characters_of, fold_digits, hashed_grams
from nmt.data.overlap.keys import Mask

# Equal outer punctuation makes sentences themselves a little more similar than their keys.
_PUNCTUATION = 0.03
ROUNDING = 1e-6
"""Error of a limit such as 0.8 in 32 bits."""
SLACK = 0.15
"""Three standard deviations of an estimate from sketches, for a similarity of 0.8."""
_PAIR_BITS = 7
# So many pairs at once keep the grams in the processor's cache.
_PAIRS = 1 << _PAIR_BITS


def jaccard(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Compute the share of the 5-grams of two texts that both have, digits folded.

    Args:
        texts: as `match_key` returns them.
        others: one for each text.
    """
    parts = [
        _jaccard(texts[first : first + _PAIRS], others[first : first + _PAIRS])
        for first in range(0, len(texts), _PAIRS)
    ]
    return np.concatenate([np.empty(0), *parts])


def near(
    texts: Sequence[str],
    others: Sequence[str],
    similarity: NDArray[np.float32],
    estimates: NDArray[np.float32],
) -> Mask:
    """Tell which texts are near-duplicates of the others: in their 5-grams, or in few edits.

    Args:
        texts: as `match_key` returns them.
        others: one for each text.
        similarity: minimum Jaccard similarity for each text. Edits may change half of what it
            leaves: a tenth of the characters for 0.8.
        estimates: of the Jaccard similarities, from sketches.
    """
    mask = estimates >= similarity - SLACK
    chosen = np.flatnonzero(mask).tolist()
    found = jaccard([texts[place] for place in chosen], [others[place] for place in chosen])
    mask[chosen] = found >= similarity[chosen] - _PUNCTUATION
    shares = (1 - similarity) / 2
    for first in range(0, len(texts), _PAIRS):
        part = slice(first, first + _PAIRS)
        possible = ~mask[part] & _may_have_few_edits(texts[part], others[part], shares[part])
        for place in (np.flatnonzero(possible) + first).tolist():
            mask[place] = few_edits(texts[place], others[place], float(shares[place]))
    return mask


def few_edits(text: str, other: str, share: float) -> bool:
    """Tell whether edits of a share of the characters turn a text into another, digits folded."""
    text, other = fold_digits(text), fold_digits(other)
    # One character more, for the full stop that keys have not.
    max_edits = floor((max(len(text), len(other)) + 1) * share + ROUNDING)
    text, other = _differing(text, other)
    # In most near-duplicates only a word is left.
    return max(len(text), len(other)) <= max_edits or _edits(text, other) <= max_edits


def _may_have_few_edits(
    texts: Sequence[str], others: Sequence[str], shares: NDArray[np.floating]
) -> Mask:
    """Tell which texts have nearly the characters of the others, whatever their order."""
    # An edit takes away one character and adds one.
    sides = [characters_of(texts), characters_of(others)]
    counts, other_counts = map(_character_counts, sides)
    differences = counts - other_counts
    edits = np.maximum(
        np.maximum(differences, 0).sum(axis=1), np.maximum(-differences, 0).sum(axis=1)
    )
    longest = np.maximum(*(side.lengths for side in sides))
    return edits <= (longest + 1) * shares + ROUNDING


def _character_counts(characters: Characters) -> NDArray[np.int64]:
    """Count the characters of each text in 64 classes."""
    numbers = np.repeat(np.arange(len(characters.lengths)), characters.lengths + 1)
    classes = (numbers << 6) + (characters.codes & np.uint32(63))
    return np.bincount(classes, minlength=len(characters.lengths) << 6).reshape(-1, 64)


def _jaccard(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Compute as `jaccard` for at most `_PAIRS` texts."""
    sides = np.concatenate([_packed_grams(texts, 0), _packed_grams(others, 1)])
    sides.sort()
    distinct = sides[np.concatenate(([True], sides[1:] != sides[:-1]))]
    # Equal grams of both sides differ in the last bit only, so they follow each other.
    shared = distinct[1:][distinct[1:] >> np.uint32(1) == distinct[:-1] >> np.uint32(1)]
    sizes, shared_sizes = (
        np.bincount(grams >> np.uint32(32 - _PAIR_BITS), minlength=len(texts))
        for grams in (distinct, shared)
    )
    return shared_sizes / (sizes - shared_sizes)


def _packed_grams(texts: Sequence[str], side: int) -> NDArray[np.uint32]:
    """Pack the number of a text, the hash of a gram and the side into 32 bits."""
    grams, starts = hashed_grams(characters_of(texts))
    numbers = np.repeat(np.arange(len(texts), dtype=np.uint32), np.diff(starts, append=len(grams)))
    # The 24 bits that are left of a hash tell the few hundred grams of a pair apart.
    hashes = grams >> np.uint32(_PAIR_BITS + 1) << np.uint32(1)
    return numbers << np.uint32(32 - _PAIR_BITS) | hashes | np.uint32(side)


def _differing(text: str, other: str) -> tuple[str, str]:
    """Remove the beginning and the end that two texts have in common."""
    shortest = min(len(text), len(other))
    start = next((i for i in range(shortest) if text[i] != other[i]), shortest)
    text, other = text[start:], other[start:]
    shortest -= start
    end = next((i for i in range(shortest) if text[-1 - i] != other[-1 - i]), shortest)
    return text[: len(text) - end], other[: len(other) - end]


def _edits(text: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn a text into another."""
    if not text:
        return len(other)
    # Myers' algorithm: one column of the table of distances is kept as the bits of two integers
    # that say where the distance rises and falls from one row to the next.
    positions: dict[str, int] = {}
    for place, character in enumerate(text):
        positions[character] = positions.get(character, 0) | 1 << place
    mask, last = (1 << len(text)) - 1, 1 << (len(text) - 1)
    rises, falls, distance = mask, 0, len(text)
    for character in other:
        equal = positions.get(character, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        up, down = falls | ~(diagonal | rises) & mask, rises & diagonal
        distance += bool(up & last) - bool(down & last)
        up, down = (up << 1 | 1) & mask, down << 1 & mask
        rises, falls = down | ~(diagonal | up) & mask, up & diagonal
    return distance
