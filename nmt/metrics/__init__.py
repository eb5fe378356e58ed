"""Metrics of translation quality."""

from nmt.metrics.scores import (
    Score,
    bleu,
    build_bleu,
    chrf_plus_plus,
    corpus_bleu,
    normalise,
    score_all,
    ter,
)

__all__ = [
    "Score",
    "bleu",
    "build_bleu",
    "chrf_plus_plus",
    "corpus_bleu",
    "normalise",
    "score_all",
    "ter",
]
