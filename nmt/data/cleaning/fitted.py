"""Rules whose limits come from the corpus itself: the length ratio, and what it gives away."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt.config import CleaningConfig
from nmt.data.cleaning.characters.text_block import Mask
from nmt.data.cleaning.features import (
    NUMBERS_DIFFER,
    SENTENCES_DIFFER,
    SOURCE_HAS_MORE_SENTENCES,
    SOURCE_UNFINISHED,
    TARGET_UNFINISHED,
    Features,
)

RULES = ("", "length_ratio", "sentence_count", "truncated")
"""Names of the codes in `FittedDrops`; 0 keeps a pair."""
LENGTH_RATIO, SENTENCE_COUNT, TRUNCATED = 1, 2, 3

_MIN_PAIRS = 100
"""Minimum number of pairs that a deviation is fitted to."""
_BINS = 8
# Below this, all texts are of one length.
_MIN_SPREAD = 1e-9
# Typical of translated text. Fewer pairs than `_MIN_PAIRS` say nothing about their spread, and
# sentences made from a few patterns spread so little that any other sentence would be dropped.
_USUAL_DEVIATION, _USUAL_SLACK = 0.25, 2.5
_MIN_DEVIATION, _MIN_SLACK = 0.15, 2.0
# Of the median absolute deviation of a normal distribution.
_TO_STANDARD = 1.4826
_MAX_CHANCE = 0.0015
"""Share of right pairs that may have both a difference and an unusual length by chance."""
_MIN_LIMIT = 1.0


@dataclass(frozen=True, slots=True)
class RatioFit:
    """Length ratios of a corpus: their logarithm's median, and how far it varies."""

    median: float
    deviation: float
    """Robust standard deviation for long text."""
    slack: float
    """How much more short text varies: the variance grows by `slack**2 / length`."""

    def deviations(self, features: Features) -> NDArray[np.float32]:
        """Compute how many standard deviations each pair is from the median."""
        variance = self.deviation**2 + self.slack**2 / np.maximum(features.lengths, 1)
        return ((features.log_ratios - self.median) / np.sqrt(variance)).astype(np.float32)


class FittedDrops(NamedTuple):
    """Which pairs the fitted rules drop."""

    codes: NDArray[np.uint8]
    """Index in `names` of each pair's rule; 0 for a pair that is kept."""
    names: tuple[str, ...]
    values: NDArray[np.float32]
    """Deviation of each pair's length ratio from the median."""


def fit_ratios(features: Features) -> RatioFit:
    """Fit the median length ratio of a corpus and its spread, which wrong pairs hardly move."""
    if not len(features):
        return RatioFit(0.0, _USUAL_DEVIATION, _USUAL_SLACK)
    median = float(np.median(features.log_ratios))
    if len(features) < _MIN_PAIRS:
        return RatioFit(median, _USUAL_DEVIATION, _USUAL_SLACK)
    distances = np.abs(features.log_ratios - median)
    order = np.argsort(features.lengths, kind="stable")
    bins = np.array_split(order, _BINS)
    variances = np.array([(_TO_STANDARD * np.median(distances[rows])) ** 2 for rows in bins])
    shortness = np.array([np.mean(1 / np.maximum(features.lengths[rows], 1)) for rows in bins])
    centred = shortness - shortness.mean()
    spread = float(centred @ centred)
    slope = max(float(centred @ variances) / spread, 0.0) if spread > _MIN_SPREAD else 0.0
    constant = max(float(variances.mean() - slope * shortness.mean()), 0.0)
    return RatioFit(median, max(constant**0.5, _MIN_DEVIATION), max(slope**0.5, _MIN_SLACK))


def fitted_drops(features: Features, fit: RatioFit, rules: CleaningConfig) -> FittedDrops:
    """Find the pairs whose lengths do not fit to each other, as the corpus has them."""
    deviations = fit.deviations(features)
    flags = features.flags
    codes = np.zeros(len(features), np.uint8)
    if rules.drop_unequal_sentences:
        differ, more = _has(flags, SENTENCES_DIFFER), _has(flags, SOURCE_HAS_MORE_SENTENCES)
        codes[_missing_text(-deviations, more)] = SENTENCE_COUNT
        codes[_missing_text(deviations, differ & ~more)] = SENTENCE_COUNT
    if rules.drop_truncated:
        codes[_missing_text(-deviations, _has(flags, TARGET_UNFINISHED))] = TRUNCATED
        codes[_missing_text(deviations, _has(flags, SOURCE_UNFINISHED))] = TRUNCATED
    if rules.max_ratio_deviation is not None:
        distances = np.abs(deviations)
        # Text with other numbers is likely to be another text.
        codes[_missing_text(distances, _has(flags, NUMBERS_DIFFER))] = LENGTH_RATIO
        codes[distances > rules.max_ratio_deviation] = LENGTH_RATIO
    return FittedDrops(codes, RULES, deviations)


def _has(flags: NDArray[np.uint8], flag: int) -> Mask:
    return (flags & np.uint8(flag)) != 0


def _missing_text(deviations: NDArray[np.float32], differ: Mask) -> Mask:
    """Find the pairs that have a difference and whose length shows that it matters.

    Args:
        deviations: higher if more text seems to be missing where the difference points to.
        differ: the pairs with the difference.
    """
    usual = np.abs(deviations) < 1
    # Many corpora have no full stops on one side, or divide sentences otherwise. The more common
    # a difference is among right pairs, the less it means.
    share = np.count_nonzero(differ & usual) / max(np.count_nonzero(usual), 1)
    if share <= _MAX_CHANCE:
        return differ & (deviations > _MIN_LIMIT)
    limit = NormalDist().inv_cdf(1 - _MAX_CHANCE / share)
    return differ & (deviations > max(limit, _MIN_LIMIT))
