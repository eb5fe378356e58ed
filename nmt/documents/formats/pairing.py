"""Pairs of inline codes: what opens and what closes belong together."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import count

from nmt.documents.content import CodeKind


def find_pairs(codes: Sequence[tuple[CodeKind, Hashable]]) -> list[int | None]:
    """Number the pairs of codes.

    Args:
        codes: kind of each, and what an `open` code has in common with its `close` code; None for
            a code without a partner.

    Returns:
        For each code the number of its pair; None if it has no partner, or overlaps with others.
    """
    if not codes:
        return []
    opening = Counter(key for kind, key in codes if kind == "open" and key is not None)
    closing = Counter(key for kind, key in codes if kind == "close" and key is not None)
    numbers = count(1)
    pairs: list[int | None] = [None] * len(codes)
    stack: list[int] = []
    waiting: Counter[Hashable] = Counter()
    for index, (kind, key) in enumerate(codes):
        # Codes whose partner is elsewhere do not keep others from being pairs.
        if not (opening[key] and closing[key]):
            continue
        if kind == "open":
            stack.append(index)
            waiting[key] += 1
        elif kind == "close" and waiting[key]:
            is_inside = codes[stack[-1]][1] != key
            while codes[opened := stack.pop()][1] != key:
                waiting[codes[opened][1]] -= 1
            waiting[key] -= 1
            # What is still open inside this pair closes after it: they overlap.
            if not is_inside:
                pairs[opened] = pairs[index] = next(numbers)
    return pairs
