"""Translations that are cut short, judged by the lengths of the set's own references."""

from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from nmt.data.cleaning import Features, RatioFit, fit_ratios
from nmt.data.cleaning.characters.text_block import Side
from nmt.data.cleaning.pairs import weighted_lengths

Floats = NDArray[np.float64]

# Lower than for the pairs of a corpus, since references are translations without doubt.
_MAX_DEVIATION = 2.5
_MAX_DEVIATION_UNFINISHED = 2.0
"""The limit where the source ends like a sentence and the translation does not."""
_MAX_SHARE_OF_REFERENCE = 0.75
"""Share of the shortest reference from which a translation is not too short."""
_END = regex.compile(r"[.!?…؟۔।॥。！？｡．။៕។፧։][\p{Pe}\p{Pf}\p{Pi}\"'*_\s]*\Z")


class LengthCheck:
    """The check of a set's translations for text that is missing."""

    def __init__(self, sources: Side, references: Sequence[Side]) -> None:
        """Fit the usual length of a translation to the references.

        Args:
            sources: normalised.
            references: normalised, one for each stream; a text may be blank.
        """
        self._lengths = weighted_lengths(sources)
        self._finished = [is_finished(text) for text in sources.texts]
        shortest = np.full(len(sources.texts), np.inf)
        features: list[Features] = []
        for side in references:
            lengths = weighted_lengths(side)
            given = lengths > 0
            shortest[given] = np.minimum(shortest[given], lengths[given])
            features.append(self._features(lengths).take(given & (self._lengths > 0)))
        self._shortest = shortest
        self._fit: RatioFit = fit_ratios(Features.concatenated(features))

    def find_truncated(self, hypotheses: Side) -> NDArray[np.bool_]:
        """Find the translations that are much shorter than the set's references are.

        Args:
            hypotheses: normalised.
        """
        lengths = weighted_lengths(hypotheses)
        finished = np.array([is_finished(text) for text in hypotheses.texts], bool)
        unfinished = np.array(self._finished, bool) & ~finished
        deviations = -self._fit.deviations(self._features(lengths))
        limits = np.where(unfinished, _MAX_DEVIATION_UNFINISHED, _MAX_DEVIATION)
        # Where every reference is short as well, a short translation is right.
        shorter = lengths < _MAX_SHARE_OF_REFERENCE * self._shortest
        return (deviations > limits) & shorter & (lengths > 0) & (self._lengths > 0)

    def _features(self, lengths: NDArray[np.int32]) -> Features:
        ratios = np.log(np.maximum(lengths, 1) / np.maximum(self._lengths, 1))
        return Features(
            ratios.astype(np.float32), self._lengths + lengths, np.zeros(len(lengths), np.uint8)
        )


def is_finished(text: str) -> bool:
    """Tell whether a text ends with the punctuation of a sentence."""
    return _END.search(text) is not None
