"""Comparison of all pairs: ratios, duplicates, near-duplicates, targets of a source, leaks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning import fit_ratios, fitted_drops, plain_texts
from nmt.data.overlap import Texts, duplicates, excess_targets, leaked_from, near_duplicates
from nmt.data.preparation.blocks import written
from nmt.data.preparation.pairs import Mask, Pairs, Rows
from nmt.data.preparation.parts import Part
from nmt.data.preparation.texts import StoredPairs

MIN_SIMILAR_PAIRS = 200
"""Number of pairs from which similar pairs are dropped, and kept in one split."""
_UNLIMITED = 2**62


def drop_by_ratio(pairs: Pairs, parts: Sequence[Part]) -> None:
    """Drop, in each corpus, the pairs whose length ratio is too far from its median."""
    for number, part in enumerate(parts):
        rows = np.flatnonzero(pairs.of_part(number))
        if part.role != "corpus" or part.generated or not len(rows):
            continue
        features = pairs.features.take(rows)
        codes, names, values = fitted_drops(features, fit_ratios(features), part.rules.cleaning)
        # Each drop renumbers the pairs that are left, so their rows are looked up again.
        for code, rule in list(enumerate(names))[1:]:
            rows = np.flatnonzero(pairs.of_part(number))
            chosen = codes == code
            pairs.drop(
                rule, _mask(pairs, rows[chosen]), [written(float(v)) for v in values[chosen]]
            )
            codes, values = codes[~chosen], values[~chosen]


def drop_equal(pairs: Pairs, parts: Sequence[Part]) -> None:
    """Drop from each input the pairs that it holds twice, and keep the first of them."""
    for number, part in enumerate(parts):
        # The authors of a test set decide what it contains.
        if part.rules.keeps_all:
            continue
        rows = np.flatnonzero(pairs.of_part(number))
        found = duplicates(pairs.keys.take(rows))
        pairs.drop("duplicate", _mask(pairs, rows[found]))


def drop_duplicates(pairs: Pairs, parts: Sequence[Part], texts: StoredPairs) -> None:
    """Drop pairs that are equal to or like an earlier one, and a source's pairs beyond a limit.

    Pairs of all corpora are compared, so the first corpus that holds a pair keeps it.
    """
    pairs.drop("duplicate", duplicates(pairs.keys))
    # Limits are those of the corpus whose pair would be dropped, not of the one it is like.
    limits = own_similarities(pairs, parts)
    found = near_duplicates(pairs.keys, texts_of(pairs, texts), limits)
    pairs.drop("near_duplicate", found)
    # After near-duplicates: of targets that differ in a full stop only, one is enough.
    targets = [part.rules.cleaning.max_targets_per_source or _UNLIMITED for part in parts]
    found = excess_targets(pairs.keys, np.array(targets)[pairs.origin.part])
    pairs.drop("many_targets", found)


def drop_leaks(pairs: Pairs, held_out: Pairs, parts: Sequence[Part], texts: StoredPairs) -> None:
    """Drop pairs that share or nearly share a sentence with held-out ones.

    The input that a pair shares it with is the value in the audit.
    """
    found = leaked_from(
        pairs.keys, texts_of(pairs, texts), held_out.keys, _plain_texts_of(held_out, parts, texts),
        similarities(pairs, parts),
    )  # fmt: skip
    leaking = found >= 0
    origins = held_out.origin.part[found[leaking]]
    pairs.drop("leak", leaking, [parts[number].name for number in origins])


def similarities(pairs: Pairs, parts: Sequence[Part]) -> NDArray[np.float32]:
    """Return for each pair the similarity from which its input's rules call it a near-duplicate."""
    limits = np.array([part.rules.cleaning.max_similarity for part in parts], np.float32)
    return limits[pairs.origin.part]


def own_similarities(pairs: Pairs, parts: Sequence[Part]) -> NDArray[np.float32]:
    """Return the same for comparing the pairs with each other: 1 if there are few of them."""
    # So little text is a trial, often of numbered sentences, and nearly nothing would be left.
    if len(pairs) < MIN_SIMILAR_PAIRS:
        return np.ones(len(pairs), np.float32)
    return similarities(pairs, parts)


def texts_of(pairs: Pairs, texts: StoredPairs) -> Texts:
    """Return a function that reads the texts of some of the pairs."""
    return lambda rows: texts.texts(pairs.origin.row[rows])


def _plain_texts_of(pairs: Pairs, parts: Sequence[Part], texts: StoredPairs) -> Texts:
    """Return the same, but for test sets, which are stored as they are, their plain texts."""
    of_test_set = np.array([part.rules.keeps_all for part in parts])[pairs.origin.part]

    def read(rows: Rows) -> tuple[Sequence[str], Sequence[str]]:
        stored = texts.texts(pairs.origin.row[rows])
        raw = np.flatnonzero(of_test_set[rows]).tolist()
        if not raw:
            return stored
        sides = [list(side) for side in stored]
        for side in sides:
            for place, text in zip(raw, plain_texts([side[place] for place in raw]), strict=True):
                side[place] = text
        return sides[0], sides[1]

    return read


def _mask(pairs: Pairs, rows: Rows) -> Mask:
    mask = np.zeros(len(pairs), np.bool_)
    mask[rows] = True
    return mask
