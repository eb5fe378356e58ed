"""Minimum Bayes risk decoding with chrF: the choice among sampled translations."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class RankedSample(NamedTuple):
    """One of several sampled translations."""

    place: int
    """Its place among the samples; the first place of equal ones."""
    utility: float
    """Mean chrF of this translation with every sample as the reference, 0-100."""


def rank_samples(samples: Sequence[str]) -> list[RankedSample]:
    """Rank the distinct samples by how much they are like all samples, the best first.

    Of samples with equal utility, the earlier one comes first.

    Source: Eikema and Aziz 2022, https://aclanthology.org/2022.emnlp-main.754
    """
    # Imported here: an endpoint, which loads this module, does without it.
    import fastchrf

    counts = Counter(samples)
    # Equal samples are compared once: a confident model often repeats a translation.
    texts = list(counts)
    # chrF has the reference's length in it, so both directions of a pair are needed.
    scores = np.array(fastchrf.pairwise_chrf([texts], [texts])[0])
    utilities = scores @ np.array(list(counts.values())) / len(samples)
    first = {text: place for place, text in reversed(list(enumerate(samples)))}
    order = np.argsort(-utilities, kind="stable").tolist()
    return [RankedSample(first[texts[row]], float(utilities[row])) for row in order]
