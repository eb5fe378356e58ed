"""Paired bootstrap resampling of the difference in BLEU between two systems."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from nmt.errors import DataError
from nmt.metrics import build_bleu, normalise
from nmt.runs.evaluation import Interval

_ORDERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class ResampledBleu:
    """The BLEU of one system on a test set and on resamplings of it."""

    value: float
    values: np.ndarray
    """BLEU of each resampling, `(samples,)`."""

    @property
    def interval(self) -> Interval:
        """Return the 95 % interval of the value."""
        return _interval(self.values)


@dataclass(frozen=True, slots=True)
class BleuDifference:
    """The BLEU of a system minus that of a baseline."""

    difference: float
    interval: Interval
    """95 % interval of the difference."""
    p_value: float


def resample_bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    language: str,
    *,
    samples: int = 1000,
    seed: int = 12345,
) -> ResampledBleu:
    """Score a system on a test set, in a language (FLORES-200 code), and on resamplings of it.

    The draws are those of `sacrebleu --paired-bs` with the same seed.

    Raises:
        DataError: the lists differ in length or are empty, or there are no samples.

    Source: Koehn 2004, https://aclanthology.org/W04-3250
    """
    if samples < 1:
        raise DataError(f"samples ({samples}) must be at least 1")
    counts = _count_ngrams(hypotheses, references, language)
    # sacreBLEU's own `PairedTest` takes its seed from the environment, and gives no interval of
    # the difference.
    drawn = np.random.default_rng(seed).choice(len(references), (samples, len(references)))
    return ResampledBleu(
        value=_corpus_bleu(counts.sum(axis=0)),
        values=np.array([_corpus_bleu(counts[rows].sum(axis=0)) for rows in drawn]),
    )


def compare(baseline: ResampledBleu, system: ResampledBleu) -> BleuDifference:
    """Compare a system with a baseline that was resampled with the same draws.

    The p-value is that of `sacrebleu --paired-bs`, except that two equal systems get 1.
    """
    difference = system.value - baseline.value
    differences = system.values - baseline.values
    # Centred differences show how far equal systems would be apart by chance.
    sizes = np.abs(differences)
    extreme = np.sum(sizes - sizes.mean() >= abs(difference))
    return BleuDifference(
        difference=difference,
        interval=_interval(differences),
        p_value=float((extreme + 1) / (len(sizes) + 1)),
    )


def _count_ngrams(
    hypotheses: Sequence[str], references: Sequence[str], language: str
) -> np.ndarray:
    """Count matches and n-grams of every order and both lengths, `(sentences, 2 * 4 + 2)`."""
    # Counts of sentences add up to those of a corpus, so a resampling needs no tokenizing.
    metric = build_bleu(language, effective_order=True)
    rows: list[list[int]] = []
    for hypothesis, reference in zip(*normalise(hypotheses, references), strict=True):
        score = metric.sentence_score(hypothesis, [reference])
        rows.append([*score.counts, *score.totals, score.sys_len, score.ref_len])
    return np.array(rows, dtype=np.int64)


def _corpus_bleu(sums: np.ndarray) -> float:
    """Compute corpus BLEU from summed counts."""
    correct, total = sums[:_ORDERS].tolist(), sums[_ORDERS : 2 * _ORDERS].tolist()
    # sacreBLEU's own formula: the samples are then comparable with the score that is reported.
    hypothesis_length, reference_length = sums[2 * _ORDERS :].tolist()
    return BLEU.compute_bleu(
        correct, total, hypothesis_length, reference_length, smooth_method="exp"
    ).score


def _interval(values: np.ndarray) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
