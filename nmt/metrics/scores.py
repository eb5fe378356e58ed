"""Corpus scores of translations; only scores with equal signatures can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.ter import TER

from nmt.languages import languages
from nmt.metrics.bleu_tokenizer import bleu_tokenizer
from nmt.metrics.statistics import SegmentStatistics, statistics
from nmt.metrics.texts import Streams, check_texts, compose, is_composed
from nmt.runs.evaluation import COMPARED_METRICS, METRIC_NAMES


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The score of a whole corpus and of each sentence in one metric."""

    name: str
    """A key of `METRIC_NAMES`."""
    value: float
    """0-100, higher is better. TER: lower is better, may exceed 100."""
    signature: str
    """Settings and version of the metric, `nrefs:1|case:mixed|...`."""
    segments: NDArray[np.float64] | None = None
    """Score of each sentence, `(sentences,)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What was computed of a system's translations of a test set."""

    computed: dict[str, Score] = field(default_factory=dict)
    """By metric, in the order of `METRIC_NAMES`."""
    not_computed: dict[str, str] = field(default_factory=dict)
    """Metric -> why it was not computed, and what to do."""
    statistics: dict[str, SegmentStatistics] = field(default_factory=dict)
    """The counts of each of `COMPARED_METRICS`."""


def score_all(hypotheses: Sequence[str], references: Streams, language: str) -> Scores:
    """Score translations, as they are, with every metric that needs no model.

    Args:
        hypotheses: one for each sentence.
        references: streams of references.
        language: FLORES-200 code of the translations.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    check_texts(hypotheses, references)
    counts = {name: statistics(name, hypotheses, references, language) for name in COMPARED_METRICS}
    scores = {name: _score_of(counts[name]) for name in COMPARED_METRICS}
    missing: dict[str, str] = {}
    if languages()[language].is_unsegmented:
        missing["ter"] = "the language is written without spaces between words"
    else:
        scores["ter"] = _ter("ter", TER(), hypotheses, references)
        scores["ter-normalized"] = _ter(
            "ter-normalized", TER(normalized=True), hypotheses, references
        )
    for score in _composed_scores(hypotheses, references, language):
        if score.value != scores[score.name.removesuffix("-nfc")].value:
            scores[score.name] = score
    return Scores(
        computed={name: scores[name] for name in METRIC_NAMES if name in scores},
        not_computed={name: missing[name] for name in METRIC_NAMES if name in missing},
        statistics=counts,
    )


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> float:
    """Return only the BLEU of translations, 0-100, as a validation during training needs it.

    Both sides are brought to NFC.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    check_texts(hypotheses, [references])
    # Against a composed reference, decomposed Tamil would lose about 18 BLEU.
    hypotheses, references = compose(hypotheses), compose(references)
    # `force` suppresses a warning that the text looks tokenized, which every validation would
    # repeat.
    metric = BLEU(tokenize=bleu_tokenizer(language), force=True)
    return float(metric.corpus_score(hypotheses, [references]).score)


def _composed_scores(
    hypotheses: Sequence[str], references: Streams, language: str
) -> Iterator[Score]:
    """Score text that is not in NFC as if it were."""
    if all(map(is_composed, (hypotheses, *references))):
        return
    hypotheses, references = compose(hypotheses), list(map(compose, references))
    for name in COMPARED_METRICS:
        score = _score_of(statistics(name, hypotheses, references, language))
        yield Score(f"{name}-nfc", score.value, f"{score.signature}|norm:nfc", score.segments)


def _score_of(counts: SegmentStatistics) -> Score:
    value = float(counts.corpus(counts.counts.sum(axis=0)))
    return Score(counts.metric, value, counts.signature, counts.segments())


def _ter(name: str, metric: TER, hypotheses: Sequence[str], references: Streams) -> Score:
    counts = np.array(metric._extract_corpus_statistics(hypotheses, references), dtype=np.float64)
    edits, lengths = counts[:, 0], counts[:, 1]
    # An empty reference counts as 100 for any hypothesis but an empty one.
    rates = np.where(lengths > 0, edits / np.where(lengths > 0, lengths, 1), edits > 0)
    total = float(edits.sum() / lengths.sum()) if lengths.sum() else float(edits.any())
    return Score(name, 100 * total, str(metric.get_signature()), 100 * rates)
