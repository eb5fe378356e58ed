"""Metrics of translation quality that need no model."""

from nmt.metrics.scores import Score, Scores, build_bleu, corpus_bleu, normalise, score_all
from nmt.metrics.statistics import SegmentStatistics, agreement, statistics

__all__ = [
    "Score",
    "Scores",
    "SegmentStatistics",
    "agreement",
    "build_bleu",
    "corpus_bleu",
    "normalise",
    "score_all",
    "statistics",
]
