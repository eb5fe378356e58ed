"""Counts of sentences from which the corpus scores of BLEU, chrF and chrF++ follow.

The counts of sentences add up to those of a corpus, so that a resampling or a part of a test set
is scored without counting again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from nmt.metrics.bleu_tokenizer import bleu_tokenizer
from nmt.metrics.texts import Streams, check_texts

_BLEU_ORDERS = 4
_BETA_SQUARED = 4
"""chrF weighs recall twice as much as precision."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentStatistics:
    """The counts of each sentence in one metric."""

    metric: str
    """One of `COMPARED_METRICS`."""
    signature: str
    """Of the corpus score."""
    counts: NDArray[np.int64]
    """sacreBLEU's statistics, `(sentences, k)`: of BLEU both lengths, the matches and the n-grams
    of each order, of chrF the n-grams of the hypothesis, of the reference and the matches of each
    order."""

    def corpus(self, sums: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute corpus scores from sums of counts.

        Args:
            sums: `(..., k)`.

        Returns:
            sacreBLEU's scores, 0-100, `(...)`.
        """
        if self.metric == "bleu":
            return _bleu(sums, effective_order=False)
        return _chrf(sums)

    def segments(self) -> NDArray[np.float64]:
        """Compute the score of each sentence, as sacreBLEU scores a single sentence."""
        if self.metric == "bleu":
            return _bleu(self.counts, effective_order=True)
        return _chrf(self.counts)


def statistics(
    metric: str, hypotheses: Sequence[str], references: Streams, language: str
) -> SegmentStatistics:
    """Count what a metric needs of each sentence, of the text as it is.

    Args:
        metric: one of `COMPARED_METRICS`.
        hypotheses: one for each sentence.
        references: streams of references.
        language: FLORES-200 code.

    Raises:
        DataError: the lists differ in length or are empty.

    Sources: Papineni et al. 2002, https://aclanthology.org/P02-1040; Popović 2015,
    https://aclanthology.org/W15-3049; Popović 2017, https://aclanthology.org/W17-4770
    """
    check_texts(hypotheses, references)
    if metric == "bleu":
        counter = BLEU(tokenize=bleu_tokenizer(language), force=True)
    else:
        counter = CHRF(word_order={"chrf": 0, "chrf++": 2}[metric])
    counts = counter._extract_corpus_statistics(hypotheses, references)
    return SegmentStatistics(metric, str(counter.get_signature()), np.array(counts, dtype=np.int64))


def agreement(hypotheses: Sequence[str], others: Sequence[str]) -> float:
    """Measure how alike the translations of two systems are: mean chrF of a sentence, 0-100.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    check_texts(hypotheses, [others])
    counts = CHRF()._extract_corpus_statistics(hypotheses, [others])
    return float(_chrf(np.array(counts, dtype=np.int64)).mean())


def _bleu(
    sums: NDArray[np.int64] | NDArray[np.float64], *, effective_order: bool
) -> NDArray[np.float64]:
    """Compute BLEU, 0-100, of sums of counts `(..., 10)`, with exponential smoothing.

    Args:
        sums: lengths of hypothesis and reference, then matches and n-grams of orders 1-4.
        effective_order: leave out the orders that are longer than the hypothesis.
    """
    values = np.asarray(sums, dtype=np.float64)
    lengths, reference_lengths = values[..., 0], values[..., 1]
    matches, ngrams = values[..., 2 : 2 + _BLEU_ORDERS], values[..., 2 + _BLEU_ORDERS :]
    present = ngrams > 0
    missed = present & (matches == 0)
    # Each order without a match halves what it and the following such orders count as.
    smoothed = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), matches)
    precisions = 100 * smoothed / np.where(present, ngrams, 1)
    logs = np.where(present, np.log(np.where(present, precisions, 1)), 0).sum(axis=-1)
    orders = present.sum(axis=-1)
    ratio = reference_lengths / np.where(lengths > 0, lengths, 1)
    brevity = np.exp(np.minimum(0, 1 - ratio))
    scored = matches.any(axis=-1) & (lengths > 0)
    if not effective_order:
        scored &= orders == _BLEU_ORDERS
    return np.where(scored, brevity * np.exp(logs / np.maximum(orders, 1)), 0.0)


def _chrf(sums: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute chrF or chrF++, 0-100, of sums of counts `(..., 3 * orders)`."""
    values = np.asarray(sums, dtype=np.float64).reshape(*np.shape(sums)[:-1], -1, 3)
    ngrams, reference_ngrams, matches = values[..., 0], values[..., 1], values[..., 2]
    present = (ngrams > 0) & (reference_ngrams > 0)
    orders = np.maximum(present.sum(axis=-1), 1)
    # Precision and recall are averaged over the orders first, as sacreBLEU does.
    precision = np.where(present, matches / np.where(present, ngrams, 1), 0).sum(axis=-1) / orders
    recall = np.where(present, matches / np.where(present, reference_ngrams, 1), 0).sum(axis=-1)
    recall = recall / orders
    denominator = _BETA_SQUARED * precision + recall
    product = (1 + _BETA_SQUARED) * precision * recall
    return 100 * product / np.where(denominator > 0, denominator, 1)
