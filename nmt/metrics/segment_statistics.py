"""Counts of sentences from which the corpus score of a metric follows.

The counts of sentences add up to those of a corpus, so that a resampling or a part of a test set
is scored without counting again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu import __version__ as sacrebleu_version

from nmt.metrics.bleu_tokenizer import BleuTokenizer, bleu_tokenizer
from nmt.metrics.ngrams import characters, count_ngrams, number_words
from nmt.metrics.texts import Streams, check_texts

_BLEU_ORDERS = 4
_CHARACTER_ORDERS = 6
_BETA_SQUARED = 4
"""chrF weighs recall twice as much as precision."""
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_AT_A_TIME = 2000
"""Sentences that are counted together; more take more memory, and are not faster."""

Counts = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentStatistics:
    """The counts of each sentence in one metric."""

    metric: str
    """A key of `METRIC_NAMES`."""
    signature: str
    """Of the corpus score."""
    counts: Counts
    """`(sentences, k)`. Of BLEU and chrF sacreBLEU's statistics: both lengths, the matches and the
    n-grams of each order; the n-grams of the hypothesis, of the reference and the matches of each
    order. Of TER the edits and the mean length of the references. Of METEOR and ROUGE the score,
    0-1, and 1."""

    def corpus(self, sums: Counts) -> NDArray[np.float64]:
        """Compute corpus scores from sums of counts.

        Args:
            sums: `(..., k)`.

        Returns:
            Of sacreBLEU's metrics its scores, 0-100, `(...)`.
        """
        if "bleu" in self.metric:
            return _bleu(sums, effective_order=False)
        return _chrf(sums) if "chrf" in self.metric else _ratio(sums)

    def segments(self) -> NDArray[np.float64]:
        """Compute the score of each sentence, as sacreBLEU scores a single sentence."""
        if "bleu" in self.metric:
            return _bleu(self.counts, effective_order=True)
        return self.corpus(self.counts)


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
    """
    if metric == "bleu":
        return bleu_statistics(metric, hypotheses, references, bleu_tokenizer(language))
    word_orders = {"chrf": 0, "chrf++": 2}[metric]
    return _chrf_statistics(metric, hypotheses, references, word_orders)


def bleu_statistics(
    metric: str, hypotheses: Sequence[str], references: Streams, tokenizer: BleuTokenizer
) -> SegmentStatistics:
    """Count what BLEU needs of each sentence.

    Raises:
        DataError: the lists differ in length or are empty.

    Source: Papineni et al. 2002, https://aclanthology.org/P02-1040
    """
    check_texts(hypotheses, references)
    signature = (
        f"nrefs:{len(references)}|case:mixed|eff:no|tok:{tokenizer.signature}|smooth:exp|"
        f"version:{sacrebleu_version}"
    )
    counts = _in_parts(
        lambda *texts: _count_bleu([[tokenizer.split(line) for line in text] for text in texts]),
        [hypotheses, *references],
    )
    return SegmentStatistics(metric, signature, counts)


def agreement(hypotheses: Sequence[str], others: Sequence[str]) -> float:
    """Measure how alike the translations of two systems are: mean chrF of a sentence, 0-100.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    return float(sentence_agreement(hypotheses, others).mean())


def sentence_agreement(hypotheses: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Measure how alike each two translations are: chrF, 0-100, with `others` as the reference.

    Returns:
        One value for each sentence, `(sentences,)`. It favours recall, so it depends on which of
        the two lists is the reference.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    return _chrf_statistics("chrf", hypotheses, [others], 0).segments()


def _chrf_statistics(
    metric: str, hypotheses: Sequence[str], references: Streams, word_orders: int
) -> SegmentStatistics:
    """Count what chrF or chrF++ needs of each sentence.

    Sources: Popović 2015, https://aclanthology.org/W15-3049; Popović 2017,
    https://aclanthology.org/W17-4770
    """
    check_texts(hypotheses, references)
    signature = (
        f"nrefs:{len(references)}|case:mixed|eff:yes|nc:{_CHARACTER_ORDERS}|nw:{word_orders}|"
        f"space:no|version:{sacrebleu_version}"
    )
    counts = _in_parts(lambda *texts: _count_chrf(texts, word_orders), [hypotheses, *references])
    return SegmentStatistics(metric, signature, counts)


def _in_parts(
    count: Callable[..., NDArray[np.int64]], texts: Sequence[Sequence[str]]
) -> NDArray[np.int64]:
    """Count parts of a test set one after the other."""
    starts = range(0, len(texts[0]), _AT_A_TIME)
    return np.concatenate(
        [count(*(text[start : start + _AT_A_TIME] for text in texts)) for start in starts]
    )


def _count_bleu(texts: Sequence[Sequence[Sequence[str]]]) -> NDArray[np.int64]:
    """Count n-grams of words in hypotheses and references."""
    tokens = number_words(texts)
    lengths = tokens[0][1]
    reference_lengths = np.stack([lengths for _, lengths in tokens[1:]])
    # The closest reference, and the shorter one of two that are equally close.
    distances = np.abs(reference_lengths - lengths) * (reference_lengths.max() + 1)
    closest = (distances + reference_lengths).argmin(axis=0)
    matches, ngrams = [], []
    for order, found in enumerate(count_ngrams(tokens, _BLEU_ORDERS)):
        clipped = np.minimum(found.counts[0], found.counts[1:].max(axis=0))
        matches.append(found.sum_by_sentence(clipped))
        ngrams.append(np.maximum(lengths - order, 0))
    chosen = np.take_along_axis(reference_lengths, closest[None], axis=0)[0]
    return np.stack([lengths, chosen, *matches, *ngrams], axis=1)


def _count_chrf(texts: Sequence[Sequence[str]], word_orders: int) -> NDArray[np.int64]:
    """Count n-grams of characters and words in hypotheses and the best of the references."""
    counters = [*count_ngrams([characters(text) for text in texts], _CHARACTER_ORDERS)]
    if word_orders:
        words = number_words([[_chrf_words(line) for line in text] for text in texts])
        counters += count_ngrams(words, word_orders)
    by_reference = []
    for reference in range(1, len(texts)):
        columns = []
        for found in counters:
            ngrams = found.sum_by_sentence(found.counts[0])
            reference_ngrams = found.sum_by_sentence(found.counts[reference])
            common = np.minimum(found.counts[0], found.counts[reference])
            # sacreBLEU leaves out an order that the reference is too short for.
            ngrams = np.where(reference_ngrams > 0, ngrams, 0)
            columns += [ngrams, reference_ngrams, found.sum_by_sentence(common)]
        by_reference.append(np.stack(columns, axis=1))
    counts = np.stack(by_reference)
    best = _chrf(counts).argmax(axis=0)
    return counts[best, np.arange(counts.shape[1])]


def _chrf_words(line: str) -> list[str]:
    """Split a line into words, with punctuation at one end of a word apart from it."""
    words = []
    for word in line.split():
        if len(word) > 1 and word[-1] in _PUNCTUATION:
            words += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in _PUNCTUATION:
            words += [word[0], word[1:]]
        else:
            words.append(word)
    return words


def _bleu(sums: Counts, *, effective_order: bool) -> NDArray[np.float64]:
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


def _chrf(sums: Counts) -> NDArray[np.float64]:
    """Compute chrF or chrF++, 0-100, of sums of counts `(..., 3 * orders)`."""
    values = np.asarray(sums, dtype=np.float64)
    precision, recall, orders = (np.zeros(values.shape[:-1]) for _ in range(3))
    # Order by order as in sacreBLEU, so that rounding decides alike between two references.
    for order in range(0, values.shape[-1], 3):
        ngrams, reference_ngrams, matches = np.moveaxis(values[..., order : order + 3], -1, 0)
        present = (ngrams > 0) & (reference_ngrams > 0)
        precision += np.where(present, matches / np.where(present, ngrams, 1), 0)
        recall += np.where(present, matches / np.where(present, reference_ngrams, 1), 0)
        orders += present
    orders = np.maximum(orders, 1)
    precision, recall = precision / orders, recall / orders
    product = (1 + _BETA_SQUARED) * precision * recall
    denominator = _BETA_SQUARED * precision + recall
    return 100 * (product / np.where(denominator > 0, denominator, 1))


def _ratio(sums: Counts) -> NDArray[np.float64]:
    """Compute 100 times the ratio of two sums, `(..., 2)`."""
    values = np.asarray(sums, dtype=np.float64)
    total, size = values[..., 0], values[..., 1]
    # Any edits of empty references count as 100 %.
    return 100 * np.where(size > 0, total / np.where(size > 0, size, 1), total > 0)
