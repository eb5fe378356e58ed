"""Metrics of translation quality that need no model."""

from nmt.metrics.one_metric import check_metric, corpus_score, validation_statistics
from nmt.metrics.scores import Score, Scores, corpus_bleu, score_all
from nmt.metrics.segment_statistics import (
    SegmentStatistics,
    agreement,
    sentence_agreement,
    statistics,
)

__all__ = [
    "Score",
    "Scores",
    "SegmentStatistics",
    "agreement",
    "check_metric",
    "corpus_bleu",
    "corpus_score",
    "score_all",
    "sentence_agreement",
    "statistics",
    "validation_statistics",
]
