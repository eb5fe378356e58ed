"""ROUGE-1, ROUGE-2 and ROUGE-L: F1 of common words, word pairs and the longest common subsequence.

Source: Lin 2004, https://aclanthology.org/W04-1013
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from nmt.metrics.segment_statistics import SegmentStatistics

Words = Sequence[str]


def rouge_statistics(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> Iterator[SegmentStatistics]:
    """Score sentences, given as words, with each variant of ROUGE.

    Args:
        hypotheses: words of each sentence.
        references: streams of references; of each sentence the best one counts.
    """
    variants: dict[str, Callable[[Words, Words], float]] = {
        "rouge1": _words_in_common,
        "rouge2": lambda words, others: _words_in_common(_pairs(words), _pairs(others)),
        "rougeL": _longest_in_common,
    }
    signature = f"nrefs:{len(references)}|case:lc|tok:unicode-words|f:1|average:sentences|version:1"
    for name, score in variants.items():
        scores = [
            max(score(hypothesis, other) for other in others)
            for hypothesis, *others in zip(hypotheses, *references, strict=True)
        ]
        counts = np.array([(value, 1) for value in scores], dtype=np.float64)
        yield SegmentStatistics(name, signature, counts)


def _pairs(words: Words) -> list[str]:
    return list(map(" ".join, pairwise(words)))


def _words_in_common(words: Words, others: Words) -> float:
    common = (Counter(words) & Counter(others)).total()
    return _f1(common, len(words), len(others))


def _longest_in_common(words: Words, others: Words) -> float:
    """Compute the F1 of the longest common subsequence."""
    places: dict[str, int] = {}
    for place, word in enumerate(others):
        places[word] = places.get(word, 0) | 1 << place
    everything = (1 << len(others)) - 1
    # Each bit that turns 0 is a word of the subsequence (Hyyrö 2004).
    row = everything
    for word in words:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & everything
    return _f1(len(others) - row.bit_count(), len(words), len(others))


def _f1(common: int, size: int, other_size: int) -> float:
    # 2PR / (P + R) of P = common / size and R = common / other_size
    return 2 * common / (size + other_size) if common else 0.0
