"""Splits that share no sentence, and do not depend on the order of the pairs.

Pairs with the same source or the same target, up to case and outer punctuation, form a group, and
so do pairs that are linked through other pairs. All pairs of a group go to the same split.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from nmt.errors import DataError
from nmt.text.normalise import match_key
from nmt.text.pair import Pair

Group = list[tuple[bytes, Pair]]
"""Pairs that must stay together, each with its rank in a random order."""


def cut(pairs: Sequence[Pair], fractions: Mapping[str, float], seed: int) -> dict[str, list[Pair]]:
    """Hold out a share of the pairs for each named split; the rest is `train`.

    Args:
        pairs: distinct pairs; their order does not matter.
        fractions: share of all pairs for each split, above 0. Each split gets at least one pair,
            and comes as close to its share as whole groups allow.
        seed: decides, together with the sentences, the split and the order of the pairs.

    Raises:
        DataError: there are fewer groups than splits.
    """
    remaining = _groups(pairs, seed)
    if len(remaining) <= len(fractions):
        raise DataError(
            f"{len(pairs)} pairs form {len(remaining)} groups that share no sentence, too few "
            f"for train and {', '.join(fractions)}: give more text, or set data.validation_path "
            "and data.test_path"
        )
    # The largest group is for `train`: repetitive text can link most pairs into one group.
    largest = remaining.pop(max(range(len(remaining)), key=lambda index: len(remaining[index])))
    splits: dict[str, list[Pair]] = {}
    for number, (name, fraction) in enumerate(fractions.items(), start=1):
        wanted = max(1, round(len(pairs) * fraction))
        # One group must be left for each of the following splits.
        taken, remaining = _take(remaining, wanted, len(remaining) - (len(fractions) - number))
        splits[name] = _ordered(taken)
    return {"train": _ordered([largest, *remaining]), **splits}


def drop_leaks(pairs: Iterable[Pair], held_out: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Separate the pairs that share no sentence with the held-out pairs from those that do.

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


def _take(groups: list[Group], wanted: int, max_groups: int) -> tuple[list[Group], list[Group]]:
    """Take, in order, the groups that fit into the wanted pairs; if none fits, the smallest."""
    taken: list[Group] = []
    left: list[Group] = []
    # A group that is too large is skipped, since smaller ones after it may still fit.
    for group in groups:
        fits = len(group) <= wanted and len(taken) < max_groups
        (taken if fits else left).append(group)
        wanted -= len(group) if fits else 0
    if not taken:
        taken = [left.pop(min(range(len(left)), key=lambda index: len(left[index])))]
    return taken, left


def _groups(pairs: Sequence[Pair], seed: int) -> list[Group]:
    """Group the pairs, and put the groups into random order."""
    roots = _roots(pairs)
    groups: dict[int, Group] = {}
    for pair, root in zip(pairs, roots, strict=True):
        groups.setdefault(root, []).append((_rank(pair, seed), pair))
    return sorted(groups.values(), key=lambda group: min(rank for rank, _ in group))


def _ordered(groups: list[Group]) -> list[Pair]:
    members = sorted((member for group in groups for member in group), key=lambda item: item[0])
    return [pair for _, pair in members]


def _rank(pair: Pair, seed: int) -> bytes:
    # A hash instead of a shuffle, so that the order of the input does not matter.
    text = f"{seed}\0{pair.source}\0{pair.target}"
    return blake2b(text.encode(), digest_size=16).digest()


def _roots(pairs: Sequence[Pair]) -> list[int]:
    """Find, by union-find, the index of the pair that represents each pair's group."""
    parents = list(range(len(pairs)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]  # keeps the paths to the roots short
            index = parents[index]
        return index

    sources: dict[str, int] = {}
    targets: dict[str, int] = {}
    for index, pair in enumerate(pairs):
        for first, sentence in ((sources, pair.source), (targets, pair.target)):
            parents[root(index)] = root(first.setdefault(match_key(sentence), index))
    return [root(index) for index in range(len(pairs))]
