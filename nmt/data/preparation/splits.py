"""The division of the pairs that are left into splits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.config import DataConfig
from nmt.data.apart import require_apart, warn_of_chosen_on
from nmt.data.overlap import cut, groups, leaks
from nmt.data.preparation.collected import Collected
from nmt.data.preparation.pairs import Mask, Origin, Pairs
from nmt.data.preparation.reports import merged
from nmt.data.preparation.screening import drop_leaks, own_similarities, texts_of
from nmt.data.saved import SPLITS
from nmt.errors import DataError

MIN_PAIRS = 10
"""Minimum number of pairs from which shares are held out."""


@dataclass
class Split:
    """The pairs of a split, in order."""

    origin: Origin
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.flags)


def split_pairs(collected: Collected, data: DataConfig) -> dict[str, Split]:
    """Drop leaks, and divide the pairs into all splits.

    Given validation and test pairs keep their order. Splits that are not given are held out from
    the corpora.

    Raises:
        DataError: too few pairs are left, or all given test pairs are also validation pairs.
    """
    held_out = collected.held_out
    given = {role: held_out.take(_of_role(collected, role)) for role in SPLITS[1:]}
    given = {role: pairs for role, pairs in given.items() if _is_given(collected, role)}
    require_apart({role: pairs.keys for role, pairs in given.items()}, data)
    drop_leaks(collected.main, held_out, collected.parts, collected.texts)
    for number, part in enumerate(collected.parts):
        if part.role != "set":  # a test set may have as few pairs as its authors like
            _require_pairs(collected, [number], 1)
        elif "validation" in given:
            keys = held_out.keys.take(held_out.of_part(number))
            warn_of_chosen_on(given["validation"].keys, part.name, keys)
    wanted = {"validation": data.validation_fraction, "test": data.test_fraction}
    missing = {name: share for name, share in wanted.items() if share and name not in given}
    splits = _cut(collected, collected.main, missing)
    splits |= {name: Split(pairs.origin, pairs.features.flags) for name, pairs in given.items()}
    ordered = {name: splits[name] for name in SPLITS if name in splits}
    if any(part.generated for part in collected.parts):
        # General pairs are mixed into the training, so they must not contain held-out sentences.
        drop_leaks(collected.general, collected.main, collected.parts, collected.texts)
        drop_leaks(collected.general, held_out, collected.parts, collected.texts)
        shares = {name: share for name, share in wanted.items() if share}
        general = _cut(collected, collected.general, shares)
        ordered |= {f"general_{name}": general[name] for name in SPLITS if name in general}
    return ordered


def _is_given(collected: Collected, role: str) -> bool:
    return any(part.role == role for part in collected.parts)


def _of_role(collected: Collected, role: str) -> Mask:
    numbers = [number for number, part in enumerate(collected.parts) if part.role == role]
    return np.isin(collected.held_out.origin.part, numbers)


def _cut(collected: Collected, pairs: Pairs, fractions: Mapping[str, float]) -> dict[str, Split]:
    """Hold out a share of the pairs for each split, in random order; the rest is `train`."""
    parts = collected.parts
    numbers = [int(number) for number in np.unique(pairs.origin.part)]
    _require_pairs(collected, numbers, MIN_PAIRS if fractions else 1)
    if not fractions:
        return {"train": _split(pairs, np.ones(len(pairs), np.bool_))}
    # The groups serve all corpora at once, so the strictest limit decides.
    labels = groups(pairs.keys, float(own_similarities(pairs, parts).min(initial=1)))
    tagged = [number for number in numbers if parts[number].tagged]
    natural = ~np.isin(pairs.origin.part, tagged if len(tagged) < len(numbers) else [])
    codes = np.zeros(len(pairs), np.uint8)
    codes[natural] = cut(labels[natural], pairs.keys.rank[natural], fractions)
    # A pair of a tagged corpus stays out of the tests, and so do the sentences of the tests out of
    # the training.
    leaking = ~natural & np.isin(labels, np.unique(labels[codes > 0]))
    leaking |= _alike(collected, pairs, codes)
    pairs.drop("leak", leaking)
    codes = codes[~leaking]
    return {name: _split(pairs, codes == code) for code, name in enumerate(["train", *fractions])}


def _alike(collected: Collected, pairs: Pairs, codes: NDArray[np.uint8]) -> Mask:
    """Mark the training pairs that are like a pair that was held out from the same corpora."""
    # The groups come from sketches, which miss some pairs that are alike.
    limits = own_similarities(pairs, collected.parts)
    if limits.min() >= 1:
        return np.zeros(len(pairs), np.bool_)
    # All keys are passed, since those of the training pairs alone would be a copy. At a similarity
    # of 1, held-out pairs are not compared with each other.
    limits = np.where(codes > 0, np.float32(1), limits)
    held_out = np.flatnonzero(codes)
    texts = texts_of(pairs, collected.texts)
    found = leaks(
        pairs.keys, texts, pairs.keys.take(held_out), lambda rows: texts(held_out[rows]), limits
    )
    return found & (codes == 0)


def _split(pairs: Pairs, mask: Mask) -> Split:
    rows = np.flatnonzero(mask)
    # By a random rank of the text and not by place, so that the order of the input changes nothing.
    rows = rows[np.argsort(pairs.keys.rank[rows], kind="stable")]
    return Split(pairs.origin.take(rows), pairs.features.flags[rows])


def _require_pairs(collected: Collected, numbers: Sequence[int], minimum: int) -> None:
    """Refuse inputs of which too little is left.

    Raises:
        DataError: says what was dropped, with an example.
    """
    left = sum(collected.left(number) for number in numbers)
    if left >= minimum:
        return
    reports = collected.reports()
    names = [collected.parts[number].name for number in numbers]
    report = merged([reports[name] for name in names])
    name = " and ".join(names)
    leaks = report.dropped["leak"].count if "leak" in report.dropped else 0
    if not left and leaks == sum(found.count for found in report.dropped.values()):
        raise DataError(
            f"each of the {report.read} pairs read for {name} shares a sentence with the "
            "validation or test pairs or a set of evaluation.sets, so none is left: give other "
            "pairs for these, or unset data.validation_path and data.test_path to hold out a share "
            "of the pairs"
        )
    shown = ""
    # A pair that was dropped often shows what is wrong, such as swapped columns.
    for found in list(report.dropped.values())[:1]:
        example = found.examples[0]
        shown = f" Dropped, for example: {example['source'][:60]!r} | {example['target'][:60]!r}."
    raise DataError(
        f"of {report.read} pairs read for {name}, {f'only {left} are' if left else 'nothing is'} "
        f"left after cleaning (at least {minimum} needed). Dropped: {report.reasons()}.{shown} "
        "Check the languages and columns, relax data.cleaning.*, or give more text"
    )
