"""Scores of translations, each with the signature that makes it comparable."""

from nmt.metrics.scores import (
    Score,
    bleu,
    build_bleu,
    chrf_plus_plus,
    comparable,
    corpus_bleu,
    score_all,
    ter,
)

__all__ = [
    "Score",
    "bleu",
    "build_bleu",
    "chrf_plus_plus",
    "comparable",
    "corpus_bleu",
    "score_all",
    "ter",
]
