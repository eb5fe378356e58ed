"""Metrics of translation quality that need no model."""

from nmt.metrics.scores import Score, Scores, corpus_bleu, score_all
from nmt.metrics.segment_statistics import SegmentStatistics, agreement, statistics

__all__ = [
    "Score",
    "Scores",
    "SegmentStatistics",
    "agreement",
    "corpus_bleu",
    "score_all",
    "statistics",
]
