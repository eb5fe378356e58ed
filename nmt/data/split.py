"""Cuts pairs into splits that share no sentence, the same way whatever order they come in.

Pairs with the same source or the same target, up to case and outer punctuation, are one group,
and so are pairs linked through others. A group goes whole to one split.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from nmt.errors import DataError
from nmt.text.normalise import match_key
from nmt.text.pair import Pair

Group = list[tuple[bytes, Pair]]
"""Pairs that must stay together, each with its place in a random order."""


def cut(pairs: Sequence[Pair], fractions: Mapping[str, float], seed: int) -> dict[str, list[Pair]]:
    """Cut the named shares off; what is left is `train`.

    Args:
        pairs: distinct pairs; their order does not matter.
        fractions: split -> share of all pairs, above 0. Each split gets one pair at least, and
            comes as near to its share as whole groups allow; the largest group is for `train`.
        seed: decides, with the sentences, which pairs go where and in which order.

    Raises:
        DataError: too few groups for one in each split.
    """
    remaining = _groups(pairs, seed)
    if len(remaining) <= len(fractions):
        raise DataError(
            f"{len(pairs)} pairs form {len(remaining)} groups that share no sentence, too few "
            f"for train and {', '.join(fractions)}: give more text, or set data.validation_path "
            "and data.test_path"
        )
    largest = remaining.pop(max(range(len(remaining)), key=lambda index: len(remaining[index])))
    splits: dict[str, list[Pair]] = {}
    for number, (name, fraction) in enumerate(fractions.items(), start=1):
        wanted = max(1, round(len(pairs) * fraction))
        to_come = len(fractions) - number
        taken, remaining = _take(remaining, wanted, len(remaining) - to_come)
        splits[name] = _ordered(taken)
    return {"train": _ordered([largest, *remaining]), **splits}


def drop_leaks(pairs: Iterable[Pair], held_out: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Part the pairs that share no sentence with those held out from those that do.

    Returns:
        The clean and the leaking pairs, each in order.
    """
    sources, targets = set(), set()
    for pair in held_out:
        sources.add(match_key(pair.source))
        targets.add(match_key(pair.target))
    kept: list[Pair] = []
    leaks: list[Pair] = []
    for pair in pairs:
        leaking = match_key(pair.source) in sources or match_key(pair.target) in targets
        (leaks if leaking else kept).append(pair)
    return kept, leaks


def _take(groups: list[Group], wanted: int, most: int) -> tuple[list[Group], list[Group]]:
    """First groups that fit into the wanted pairs, `most` of them; if none does, the smallest."""
    taken: list[Group] = []
    left: list[Group] = []
    for group in groups:
        fits = len(group) <= wanted and len(taken) < most
        (taken if fits else left).append(group)
        wanted -= len(group) if fits else 0
    if not taken:
        taken = [left.pop(min(range(len(left)), key=lambda index: len(left[index])))]
    return taken, left


def _groups(pairs: Sequence[Pair], seed: int) -> list[Group]:
    """Groups in random order: each by the least place among its pairs."""
    roots = _roots(pairs)
    groups: dict[int, Group] = {}
    for pair, root in zip(pairs, roots, strict=True):
        groups.setdefault(root, []).append((_place(pair, seed), pair))
    return sorted(groups.values(), key=lambda group: min(place for place, _ in group))


def _ordered(groups: list[Group]) -> list[Pair]:
    members = sorted((member for group in groups for member in group), key=lambda item: item[0])
    return [pair for _, pair in members]


def _place(pair: Pair, seed: int) -> bytes:
    text = f"{seed}\0{pair.source}\0{pair.target}"
    return blake2b(text.encode(), digest_size=16).digest()


def _roots(pairs: Sequence[Pair]) -> list[int]:
    """Union-find: for each pair the index that stands for its group."""
    parents = list(range(len(pairs)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    sources: dict[str, int] = {}
    targets: dict[str, int] = {}
    for index, pair in enumerate(pairs):
        for first, sentence in ((sources, pair.source), (targets, pair.target)):
            parents[root(index)] = root(first.setdefault(match_key(sentence), index))
    return [root(index) for index in range(len(pairs))]
