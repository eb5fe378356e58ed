"""Paired bootstrap resampling of the difference in BLEU between two systems."""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.bleu import BLEU, BLEUScore

from nmt.errors import DataError
from nmt.metrics import build_bleu, comparable
from nmt.runs.comparison import Interval, Significance

_ORDERS = 4


def paired_bootstrap(
    base: Sequence[str],
    best: Sequence[str],
    references: Sequence[str],
    language: str,
    *,
    samples: int = 1000,
    seed: int = 12345,
) -> Significance:
    """Compare two systems' hypotheses for the same references, in a language (FLORES-200 code).

    Draws and p-value are those of `sacrebleu --paired-bs` with the same seed, except that two
    equal systems get 1 and not 1/(samples + 1). sacreBLEU's own `PairedTest` takes its seed from
    the environment and gives no interval of the difference.

    Raises:
        DataError: the lists differ in length or are empty, or there are no samples.

    Source: Koehn 2004, https://aclanthology.org/W04-3250
    """
    if samples < 1:
        raise DataError(f"samples ({samples}) must be at least 1")
    counts = np.stack([_counts(base, references, language), _counts(best, references, language)])
    drawn = np.random.default_rng(seed).choice(len(references), (samples, len(references)))
    sums = [counts[:, rows].sum(axis=1) for rows in drawn]
    resampled = np.array([[_bleu(row) for row in pair] for pair in sums])
    base_bleu, best_bleu = (_bleu(system.sum(axis=0)) for system in counts)
    return Significance(
        p_value=_p_value(resampled[:, 1] - resampled[:, 0], best_bleu - base_bleu),
        base_bleu=base_bleu,
        base_interval=_interval(resampled[:, 0]),
        best_bleu=best_bleu,
        best_interval=_interval(resampled[:, 1]),
        difference_interval=_interval(resampled[:, 1] - resampled[:, 0]),
        samples=samples,
        sentences=len(references),
    )


def _counts(hypotheses: Sequence[str], references: Sequence[str], language: str) -> np.ndarray:
    """Matches and n-grams of every order and both lengths, `(sentences, 2 * 4 + 2)`."""
    metric = build_bleu(language, effective_order=True)
    pairs = zip(*comparable(hypotheses, references), strict=True)
    scores = (metric.sentence_score(hypothesis, [reference]) for hypothesis, reference in pairs)
    return np.array([_row(score) for score in scores], dtype=np.int64)


def _row(score: BLEUScore) -> list[int]:
    return [*score.counts, *score.totals, score.sys_len, score.ref_len]


def _bleu(sums: np.ndarray) -> float:
    """Corpus BLEU of summed counts."""
    correct, total = sums[:_ORDERS].tolist(), sums[_ORDERS : 2 * _ORDERS].tolist()
    hypothesis_length, reference_length = sums[2 * _ORDERS :].tolist()
    return BLEU.compute_bleu(
        correct, total, hypothesis_length, reference_length, smooth_method="exp"
    ).score


def _p_value(differences: np.ndarray, observed: float) -> float:
    """Share of centred resampled differences that reach the observed one."""
    sizes = np.abs(differences)
    reached = np.sum(sizes - sizes.mean() >= abs(observed))
    return float((reached + 1) / (len(sizes) + 1))


def _interval(values: np.ndarray) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
