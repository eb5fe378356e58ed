"""Corpus scores of translations; only scores with equal signatures can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmt.languages import languages
from nmt.metrics.bleu_tokenizer import DEFAULT_TOKENIZER, bleu_tokenizer, load_tokenizer
from nmt.metrics.meteor import meteor_statistics
from nmt.metrics.one_metric import corpus_score
from nmt.metrics.rouge import rouge_statistics
from nmt.metrics.segment_statistics import SegmentStatistics, bleu_statistics, statistics
from nmt.metrics.spbleu import spbleu_statistics
from nmt.metrics.ter import character_ter_statistics, ter_statistics
from nmt.metrics.texts import Streams, check_texts, compose, is_composed
from nmt.runs.evaluation import COMPARED_METRICS, METRIC_NAMES
from nmt.text.words import words_of

_ALL_IDEOGRAMS = ("Hans", "Hant")
"""Scripts of ideograms alone, each of which TER can take for a word; kana it cannot split."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The score of a whole corpus and of each sentence in one metric."""

    name: str
    """A key of `METRIC_NAMES`."""
    value: float
    """0-100. Of TER lower is better, and it may exceed 100."""
    signature: str
    """Settings and version of the metric, `nrefs:1|case:mixed|...`."""
    segments: NDArray[np.float64] | None = None
    """Score of each sentence, `(sentences,)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What was computed of a system's translations of a test set."""

    computed: dict[str, Score]
    """By metric, in the order of `METRIC_NAMES`."""
    not_computed: dict[str, str]
    """Metric -> why it was not computed, and what to do."""
    statistics: dict[str, SegmentStatistics]
    """The counts of each computed metric, from which a part or a resampling can be scored."""


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
    missing: dict[str, str] = {}
    found = [statistics(name, hypotheses, references, language) for name in COMPARED_METRICS]
    if bleu_tokenizer(language).signature != DEFAULT_TOKENIZER:
        # Much is published with sacreBLEU's default, also where it takes a clause for a word.
        default = load_tokenizer(DEFAULT_TOKENIZER)
        found.append(bleu_statistics("bleu-13a", hypotheses, references, default))
    spbleu = spbleu_statistics(hypotheses, references)
    if isinstance(spbleu, str):
        missing["spbleu"] = spbleu
    else:
        found.append(spbleu)
    if languages()[language].is_unsegmented:
        found += _count_characters(hypotheses, references, language)
        missing |= _without_words(language)
    else:
        found += _count_words(hypotheses, references)
    found += _count_composed(found, hypotheses, references, language)
    counts = {one.metric: one for one in found}
    ordered = [name for name in METRIC_NAMES if name in counts]
    return Scores(
        computed={name: _score(counts[name]) for name in ordered},
        not_computed={name: missing[name] for name in METRIC_NAMES if name in missing},
        statistics={name: counts[name] for name in ordered},
    )


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> float:
    """Return only the BLEU of translations, 0-100, as a validation during training needs it.

    Both sides are brought to NFC.

    Raises:
        DataError: the lists differ in length or are empty.
    """
    return corpus_score("bleu", hypotheses, references, language)


def _count_words(hypotheses: Sequence[str], references: Streams) -> Iterator[SegmentStatistics]:
    """Count for the metrics of words that spaces separate."""
    yield ter_statistics(hypotheses, references)
    yield ter_statistics(hypotheses, references, normalized=True)
    words = list(map(words_of, hypotheses))
    reference_words = [list(map(words_of, stream)) for stream in references]
    yield meteor_statistics(words, reference_words)
    yield from rouge_statistics(words, reference_words)


def _count_characters(
    hypotheses: Sequence[str], references: Streams, language: str
) -> Iterator[SegmentStatistics]:
    """Count for the metrics of text without spaces between words."""
    yield character_ter_statistics(hypotheses, references)
    if languages()[language].script in _ALL_IDEOGRAMS:
        yield ter_statistics(hypotheses, references, normalized=True, ideographic=True)


def _without_words(language: str) -> dict[str, str]:
    """Name the metrics that need words, and say why text without spaces has none."""
    found = languages()[language]
    reason = f"{found.name} is written without spaces between words, and a clause is not a word"
    instead = {"ter": "see character TER", "ter-normalized": "see character TER"}
    names = ("ter", "meteor", "rouge1", "rouge2", "rougeL", "ter-normalized")
    return {
        name: f"{reason}: {instead.get(name, 'see chrF')}"
        for name in names
        if name != "ter-normalized" or found.script not in _ALL_IDEOGRAMS
    }


def _count_composed(
    found: Sequence[SegmentStatistics],
    hypotheses: Sequence[str],
    references: Streams,
    language: str,
) -> Iterator[SegmentStatistics]:
    """Count text that is not in NFC as if it were, where that makes a difference."""
    if all(map(is_composed, (hypotheses, *references))):
        return
    hypotheses, references = compose(hypotheses), list(map(compose, references))
    for plain in found:
        if plain.metric in COMPARED_METRICS:
            composed = statistics(plain.metric, hypotheses, references, language)
            if _score(composed).value != _score(plain).value:
                yield replace(
                    composed,
                    metric=f"{composed.metric}-nfc",
                    signature=f"{composed.signature}|norm:nfc",
                )


def _score(counts: SegmentStatistics) -> Score:
    value = float(counts.corpus(counts.counts.sum(axis=0)))
    return Score(counts.metric, value, counts.signature, counts.segments())
