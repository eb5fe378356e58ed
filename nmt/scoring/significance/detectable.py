"""The least difference that a test set can detect, predicted before two systems are compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.metrics import sentence_agreement
from nmt.scoring.significance.differences import detectable_errors

Floats = NDArray[np.float64]

# Standard deviation of a sentence's influence on the difference, divided by the root of
# (100 - agreement). chrF++ and BLEU: 72 pairs of systems in 8 directions, where the prediction was
# off by 7 % and 11 % (root mean square). chrF: .98 of chrF++ in the 6 pairs of one direction.
_DEVIATION_FACTORS = {"bleu": 2.75, "chrf": 1.77, "chrf++": 1.81}
# Of kin systems, such as an engine and its quantized weights, a few sentences differ, and these as
# much as can be: the root of the mean is up to three times too small. Unrelated systems agreed by
# 86 at most, and in 3 % of their sentences.
_KIN_AGREEMENT = 88.0
_KIN_EQUAL = 0.25
# How much the score of a sentence changes with its distance, where nothing forces it to change.
# From 36 mixtures of four real systems, where the prediction was off by 9 %, and by 24 % at most;
# `benchmarks/gate.py` measures it again.
_CHANGE_OF_DISTANCE = 0.28


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How alike the translations of two systems are, which no reference is needed for."""

    agreement: float
    """Mean chrF of a sentence, 0-100."""
    equal: float
    """Share of the sentences that both translate alike, 0-1."""
    distances: Floats
    """100 minus the chrF of each two translations, the lower one of both directions,
    `(sentences,)`."""

    @property
    def are_kin(self) -> bool:
        """Tell whether the systems translate most text alike, as relatives do."""
        return self.equal > _KIN_EQUAL or self.agreement > _KIN_AGREEMENT


def measure_likeness(hypotheses: Sequence[str], others: Sequence[str]) -> Likeness:
    """Measure how alike the translations of two systems are.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    forward = sentence_agreement(hypotheses, others)
    return Likeness(
        agreement=float(forward.mean()),
        equal=sum(map(str.__eq__, hypotheses, others)) / len(others),
        # A sentence that is cut short agrees well with the whole one in one direction alone.
        distances=100 - np.minimum(forward, sentence_agreement(others, hypotheses)),
    )


def predict_detectable(
    metric: str, likeness: Likeness, baseline_scores: Floats, sentences: int | None = None
) -> float | None:
    """Predict the least detectable difference of two systems before they are compared.

    Args:
        metric: metric of the difference.
        likeness: of the translations of the two systems.
        baseline_scores: chrF++ of each sentence of the baseline, which is known before,
            `(sentences,)`.
        sentences: size of a test set of such sentences; None: these sentences.

    Returns:
        The prediction, or None for another metric, for a single sentence, and for systems that
        translate everything alike.
    """
    size = sentences or len(likeness.distances)
    if metric not in _DEVIATION_FACTORS or size < 2 or likeness.equal == 1:
        return None
    if likeness.are_kin:
        share = _DEVIATION_FACTORS[metric] / _DEVIATION_FACTORS["chrf++"]
        deviation = share * _deviation_of_kin(likeness.distances, baseline_scores)
    else:
        deviation = _DEVIATION_FACTORS[metric] * math.sqrt(max(0.0, 100 - likeness.agreement))
    return detectable_errors(size) * deviation / math.sqrt(size)


def _deviation_of_kin(distances: Floats, baseline_scores: Floats) -> float:
    """Predict the standard deviation of the sentences' differences in chrF++."""
    # Which way a sentence changes is not known, unless the new translation is further from the
    # old one than the reference is: then it must be further from the reference than the old one
    # by at least the rest of the way.
    change = _CHANGE_OF_DISTANCE * distances
    loss = distances - (100 - baseline_scores)
    is_loss = loss > change
    squares = np.where(is_loss, loss, change) ** 2
    return math.sqrt(float(squares.mean() - np.where(is_loss, loss, 0).mean() ** 2))
