"""The drawing of distinct pairs from weighted sentence patterns."""

from collections.abc import Callable, Sequence
from random import Random

from nmt.text.pair import Pair

MAX_WORDS = 12
"""Maximum number of source words in a pair."""

Pattern = Callable[[Random], Pair]


def draw(
    patterns: Sequence[tuple[Pattern, int]], count: int, seed: int, maximum: int
) -> list[Pair]:
    """Draw pairs of which no two have the same source or the same target.

    Args:
        patterns: functions that draw a pair, each with its weight.
        count: number of pairs to draw.
        seed: of the random numbers.
        maximum: number of different pairs that the patterns certainly have.

    Raises:
        ValueError: the count exceeds the maximum.
    """
    if count > maximum:
        raise ValueError(f"{count} pairs requested, but at most {maximum} can be drawn")
    makers, weights = zip(*patterns, strict=True)
    random = Random(seed)
    drawn: list[Pair] = []
    seen: set[str] = set()
    while len(drawn) < count:
        pair = random.choices(makers, weights)[0](random)
        # A repeated target too would put one sentence into two splits.
        new = seen.isdisjoint((pair.source, pair.target))
        if new and len(pair.source.split()) <= MAX_WORDS:
            seen.update((pair.source, pair.target))
            drawn.append(pair)
    return drawn
