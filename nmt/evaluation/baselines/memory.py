"""A translation memory: the training pairs whose sources are like a given sentence.

BM25 finds candidates by their words, and the edit similarity of the whole sentences orders them, as
the fuzzy match of a translator's tool does. Imports no torch.

Source: Robertson and Zaragoza 2009, https://doi.org/10.1561/1500000019 (BM25)
"""

import logging
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from nmt.cli.progress import PairProgress
from nmt.data.prepared_rows import MappedPairs
from nmt.languages import languages
from nmt.text.normalise import normalise
from nmt.text.pair import Pair
from nmt.text.words import words_of

# The library sets the level of its logger so that its debug lines would be printed.
logging.getLogger("bm25s").setLevel(logging.WARNING)

CANDIDATES = 64
"""Pairs that BM25 finds for a sentence, of which the edit similarity takes the best."""
_PAIRS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Match:
    """A training pair that is like a sentence."""

    pair: Pair
    similarity: float
    """1 - the edit distance of the two sources in characters / length of the longer one, 0-1."""


class TranslationMemory:
    """Training pairs in an index of the words of their sources."""

    def __init__(self, pairs: MappedPairs, source_language: str) -> None:
        """Index training pairs; their texts stay in the files.

        Args:
            pairs: the training split, and no other.
            source_language: FLORES-200 code.
        """
        started = time.monotonic()
        self._by_characters = languages()[source_language].is_unsegmented
        self._pairs = pairs
        self._terms: dict[str, int] = {}
        rows = list(self._encoded_sources())
        self._index = _build_index(rows, self._terms)
        self.build_seconds = round(time.monotonic() - started, 2)

    @property
    def size_bytes(self) -> int:
        """Return the size of the index and of the texts."""
        terms = sum(len(term.encode()) for term in self._terms)
        scores: dict[str, Any] = self._index.scores if self._index else {}
        arrays = sum(scores[name].nbytes for name in ("data", "indices", "indptr") if scores)
        return arrays + terms + self._pairs.text_bytes

    def find_matches(self, source: str, count: int) -> list[Match]:
        """Find the training pairs whose sources are most like a sentence, the best first.

        Of equally similar pairs, the one with the higher BM25 score comes first, and then the one
        that is earlier in the training data.

        Args:
            source: the sentence.
            count: maximum number of pairs; fewer share a word with some sentences.
        """
        source = normalise(source)
        key = source.casefold()
        found: list[Match] = []
        for row in self._find_candidates(source):
            pair = self._pairs.pair(row)
            similarity = Levenshtein.normalized_similarity(key, pair.source.casefold())
            found.append(Match(pair, similarity))
        found.sort(key=lambda match: -match.similarity)
        return found[:count]

    def _encoded_sources(self) -> Iterator["array[int]"]:
        """Yield the numbers of the terms of each source."""
        progress = PairProgress("evaluate: memory: read", len(self._pairs))
        terms = self._terms
        for rows in self._pairs.chunks(_PAIRS_AT_ONCE):
            for source in rows.sources:
                # Unboxed: lists of a million sentences would take several times the memory.
                yield array("i", [terms.setdefault(t, len(terms)) for t in self._split(source)])
            progress.add(len(rows.sources))

    def _split(self, text: str) -> list[str]:
        """Split a text into the terms of the index: words, or pairs of characters."""
        words = words_of(text)
        if not self._by_characters:
            return words
        return [word[i : i + 2] for word in words for i in range(max(1, len(word) - 1))]

    def _find_candidates(self, source: str) -> NDArray[np.int64]:
        """Find the rows with the highest BM25 scores, the highest first."""
        terms = [self._terms[term] for term in self._split(source) if term in self._terms]
        if not terms:
            return np.empty(0, np.int64)
        scores = self._index.get_scores_from_ids(terms)
        # All rows that tie with the last one: otherwise chance would choose among them.
        least = np.partition(scores, -CANDIDATES)[-CANDIDATES] if len(scores) > CANDIDATES else 0
        rows = np.flatnonzero((scores >= least) & (scores > 0))
        return rows[np.argsort(-scores[rows], kind="stable")][:CANDIDATES]


def _build_index(rows: list["array[int]"], terms: dict[str, int]) -> Any:  # noqa: ANN401 - untyped
    """Compute the BM25 scores of all terms in all rows; None if there are no terms."""
    if not terms:
        return None
    # The same scores whichever optional packages of the library are installed.
    index = bm25s.BM25(backend="numpy", csc_backend="numpy")
    index.index((rows, terms), create_empty_token=False, show_progress=False)
    return index
