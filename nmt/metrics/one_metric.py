"""A single metric of translations, for validations, which compute no more than they need."""

from collections.abc import Sequence

from nmt.errors import DataError
from nmt.languages import languages
from nmt.metrics.meteor import meteor_statistics
from nmt.metrics.rouge import rouge_statistics
from nmt.metrics.segment_statistics import SegmentStatistics, statistics
from nmt.metrics.spbleu import spbleu_statistics
from nmt.metrics.ter import character_ter_statistics, ter_statistics
from nmt.metrics.texts import compose
from nmt.runs.evaluation import COMPARED_METRICS
from nmt.text.words import words_of


def validation_statistics(
    metric: str, hypotheses: Sequence[str], references: Sequence[str], language: str
) -> SegmentStatistics:
    """Count what a metric needs of each sentence, with both sides brought to NFC.

    Args:
        metric: a value of `training.validation_metric`.
        hypotheses: one for each sentence.
        references: one for each sentence.
        language: FLORES-200 code of both.

    Raises:
        DataError: the metric cannot be computed for this language or on this machine, or the lists
            differ in length or are empty.
    """
    # Against a composed reference, decomposed Tamil would lose about 18 BLEU.
    composed, streams = compose(hypotheses), [compose(references)]
    if metric in COMPARED_METRICS:
        return statistics(metric, composed, streams, language)
    if metric == "spbleu":
        found = spbleu_statistics(composed, streams)
        if isinstance(found, str):
            raise DataError(f"training.validation_metric=spbleu: {found}")
        return found
    if metric == "ter-char":
        return character_ter_statistics(composed, streams)
    if languages()[language].is_unsegmented:
        raise DataError(
            f"training.validation_metric={metric}: {languages()[language].name} is written without "
            "spaces between words, and a clause is not a word: set chrf, or ter-char"
        )
    if metric == "ter":
        return ter_statistics(composed, streams)
    words, reference_words = list(map(words_of, composed)), [list(map(words_of, streams[0]))]
    if metric == "meteor":
        return meteor_statistics(words, reference_words)
    return {each.metric: each for each in rouge_statistics(words, reference_words)}[metric]


def corpus_score(
    metric: str, hypotheses: Sequence[str], references: Sequence[str], language: str
) -> float:
    """Return the score of translations in one metric, with both sides brought to NFC.

    Raises:
        DataError: see `validation_statistics`.
    """
    counted = validation_statistics(metric, hypotheses, references, language)
    return float(counted.corpus(counted.counts.sum(axis=0)))


def check_metric(metric: str, language: str) -> None:
    """Refuse a metric that cannot be computed, before anything is trained by it.

    Raises:
        DataError: says why, and what to use instead.
    """
    corpus_score(metric, ["a b c d"], ["a b c d"], language)
