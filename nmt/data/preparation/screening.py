"""Comparison of all pairs: ratios, duplicates, near-duplicates, targets of a source, leaks."""

from collections.abc import Iterator, Sequence

import numpy as np

from nmt.data.cleaning import fit_ratios, fitted_drops
from nmt.data.overlap import Texts, duplicates, excess_targets, leaks, near_duplicates
from nmt.data.preparation.blocks import written
from nmt.data.preparation.pairs import Mask, Pairs, Rows, take_features
from nmt.data.preparation.parts import Part
from nmt.data.preparation.texts import StoredPairs

_UNLIMITED = 2**62


def drop_by_ratio(pairs: Pairs, parts: Sequence[Part]) -> None:
    """Drop, in each corpus, the pairs whose length ratio is too far from its median."""
    for number, part in enumerate(parts):
        rows = np.flatnonzero(pairs.of_part(number))
        if part.role != "corpus" or part.generated or not len(rows):
            continue
        features = take_features(pairs.features, rows)
        codes, names, values = fitted_drops(features, fit_ratios(features), part.cleaning)
        # Each drop renumbers the pairs that are left.
        for code, rule in list(enumerate(names))[1:]:
            rows = np.flatnonzero(pairs.of_part(number))
            chosen = codes == code
            pairs.drop(
                rule, _mask(pairs, rows[chosen]), [written(float(v)) for v in values[chosen]]
            )
            codes, values = codes[~chosen], values[~chosen]


def drop_equal(pairs: Pairs, parts: Sequence[Part]) -> None:
    """Drop from each input the pairs that it holds twice; the first of them is left."""
    for number in range(len(parts)):
        rows = np.flatnonzero(pairs.of_part(number))
        found = duplicates(pairs.keys.take(rows))
        pairs.drop("duplicate", _mask(pairs, rows[found]))


def drop_duplicates(pairs: Pairs, parts: Sequence[Part], texts: StoredPairs) -> None:
    """Drop pairs that are equal to or like an earlier one, and a source's pairs beyond a limit.

    Pairs of all corpora are compared, so the first corpus that holds a pair keeps it.
    """
    pairs.drop("duplicate", duplicates(pairs.keys))
    limits = np.array([part.cleaning.max_similarity for part in parts], np.float32)
    # Limits are those of the corpus whose pair would be dropped, not of the one it is like.
    found = near_duplicates(pairs.keys, texts_of(pairs, texts), limits[pairs.origin.part])
    pairs.drop("near_duplicate", found)
    targets = [part.cleaning.max_targets_per_source or _UNLIMITED for part in parts]
    found = excess_targets(pairs.keys, np.array(targets)[pairs.origin.part])
    pairs.drop("many_targets", found)


def drop_leaks(pairs: Pairs, held_out: Pairs, parts: Sequence[Part], texts: StoredPairs) -> None:
    """Drop pairs that share or nearly share a sentence with held-out ones.

    The input that a pair shares it with is the value in the audit.
    """
    leaked_from = np.full(len(pairs), -1, np.int32)
    for number in np.unique(held_out.origin.part):
        others = held_out.take(held_out.of_part(number))
        for limit, rows in _by_similarity(pairs, parts):
            rows = rows[leaked_from[rows] < 0]
            found = leaks(
                pairs.keys.take(rows), texts_of(pairs, texts, rows),
                others.keys, texts_of(others, texts), limit,
            )  # fmt: skip
            leaked_from[rows[found]] = number
    found = leaked_from >= 0
    pairs.drop("leak", found, [parts[number].name for number in leaked_from[found]])


def texts_of(pairs: Pairs, texts: StoredPairs, among: Rows | None = None) -> Texts:
    """Return a function that reads the texts of pairs by row, or by place in `among`."""
    if among is None:
        return lambda rows: texts.texts(pairs.origin.row[rows])
    return lambda rows: texts.texts(pairs.origin.row[among[rows]])


def _by_similarity(pairs: Pairs, parts: Sequence[Part]) -> Iterator[tuple[float, Rows]]:
    """Yield each similarity that the rules of an input set, with the rows of such inputs."""
    limits = np.array([part.cleaning.max_similarity for part in parts])
    for limit in np.unique(limits[pairs.origin.part]):
        yield float(limit), np.flatnonzero(limits[pairs.origin.part] == limit)


def _mask(pairs: Pairs, rows: Rows) -> Mask:
    mask = np.zeros(len(pairs), np.bool_)
    mask[rows] = True
    return mask
