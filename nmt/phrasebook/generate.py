"""Drawing distinct pairs from weighted sentence patterns."""

from collections.abc import Callable, Sequence
from random import Random

from nmt.text.pair import Pair

LONGEST = 12

Pattern = Callable[[Random], Pair]


def draw(
    patterns: Sequence[tuple[Pattern, int]], count: int, seed: int, maximum: int
) -> list[Pair]:
    """Draw pairs that repeat neither a source nor a target.

    Raises:
        ValueError: If more pairs are asked for than the patterns are sure to give.
    """
    if count > maximum:
        raise ValueError(f"{count} pairs asked for, but at most {maximum} can be drawn")
    makers, weights = zip(*patterns, strict=True)
    random = Random(seed)
    drawn: list[Pair] = []
    seen: set[str] = set()
    while len(drawn) < count:
        pair = random.choices(makers, weights)[0](random)
        new = seen.isdisjoint((pair.source, pair.target))
        if new and len(pair.source.split()) <= LONGEST:
            seen.update((pair.source, pair.target))
            drawn.append(pair)
    return drawn
