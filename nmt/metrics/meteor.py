"""METEOR of equal words alone, without stems and synonyms.

Without the word lists of English it is not comparable with METEOR of English text.

Source: Banerjee and Lavie 2005, https://aclanthology.org/W05-0909
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from nmt.metrics.segment_statistics import SegmentStatistics

if TYPE_CHECKING:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader
    from nltk.stem.api import StemmerI


class _NoStems:
    """A stemmer that changes no word."""

    def stem(self, token: str) -> str:
        """Return the word itself."""
        return token


class _NoSynonyms:
    """A WordNet without words; the real one would have to be downloaded."""

    def synsets(self, word: str) -> list[str]:
        """Return no synonyms."""
        return []


def meteor_statistics(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
) -> SegmentStatistics:
    """Score sentences, given as words, with METEOR.

    Args:
        hypotheses: words of each sentence.
        references: streams of references; of each sentence the best one counts.
    """
    # It takes most of a second to load.
    from nltk import __version__ as nltk_version
    from nltk.translate.meteor_score import single_meteor_score

    stemmer = cast("StemmerI", _NoStems())
    wordnet = cast("WordNetCorpusReader", _NoSynonyms())
    scores = [
        max(
            single_meteor_score(other, hypothesis, preprocess=str, stemmer=stemmer, wordnet=wordnet)
            for other in others
        )
        for hypothesis, *others in zip(hypotheses, *references, strict=True)
    ]
    signature = (
        f"nrefs:{len(references)}|case:lc|tok:unicode-words|match:exact|alpha:0.9|beta:3|gamma:0.5|"
        f"average:sentences|version:nltk-{nltk_version}"
    )
    counts = np.array([(score, 1) for score in scores], dtype=np.float64)
    return SegmentStatistics("meteor", signature, counts)
