"""Splits of whole groups, whose sizes come close to the wanted shares."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.keys import Hashes, Rows
from nmt.errors import DataError


def cut(groups: Rows, ranks: Hashes, fractions: Mapping[str, float]) -> NDArray[np.uint8]:
    """Hold out a share of the pairs for each named split; the rest is for training.

    Args:
        groups: the number of each pair's group.
        ranks: a random order of the pairs; their own order does not matter.
        fractions: share of all pairs for each split, above 0. Each split gets at least one pair,
            and comes as close to its share as whole groups allow.

    Returns:
        For each pair 0 for training, or the number of its split, counted from 1.

    Raises:
        DataError: there are fewer groups than splits.
    """
    _, firsts, numbers, sizes = np.unique(
        groups[order := np.argsort(ranks)],
        return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    if len(sizes) <= len(fractions):
        raise DataError(
            f"{len(groups)} pairs form {len(sizes)} groups that share no sentence, too few "
            f"for train and {', '.join(fractions)}: give more text, or set data.validation_path "
            "and data.test_path"
        )
    remaining = np.argsort(firsts)
    # The largest group is for training: repetitive text can link most pairs into one group.
    remaining = np.delete(remaining, np.argmax(sizes[remaining]))
    splits = np.zeros(len(sizes), np.uint8)
    for number, fraction in enumerate(fractions.values(), start=1):
        wanted = max(1, round(len(groups) * fraction))
        # One group must be left for each of the following splits.
        taken = _take(sizes[remaining], wanted, len(remaining) - (len(fractions) - number))
        splits[remaining[taken]] = number
        remaining = np.delete(remaining, taken)
    result = np.empty(len(groups), np.uint8)
    result[order] = splits[numbers]
    return result


def _take(sizes: Rows, wanted: int, max_groups: int) -> Rows:
    """Take, in order, the groups that fit into the wanted pairs; if none fits, the smallest."""
    taken: list[Rows] = []
    places = np.arange(len(sizes))
    while True:
        # A group that is too large is skipped, since smaller ones after it may still fit.
        places = places[sizes[places] <= wanted]
        fitting = np.searchsorted(np.cumsum(sizes[places]), wanted, side="right")
        count = min(int(fitting), max_groups)
        if not count:
            break
        taken.append(places[:count])
        wanted -= int(sizes[places[:count]].sum())
        max_groups -= count
        places = places[count:]
    return np.concatenate(taken) if taken else np.array([np.argmin(sizes)])
