"""Counts of the n-grams of many sentences at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Numbers that stand for the tokens of all sentences, in order, and tokens of each sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class NgramCounts:
    """How often each n-gram of one order occurs in each sentence and text."""

    counts: NDArray[np.int64]
    """`(texts, n-grams)`; the same n-gram in two sentences counts as two."""
    sentences: NDArray[np.int64]
    """The sentence of each n-gram, `(n-grams,)`."""
    size: int
    """Number of sentences."""

    def sum_by_sentence(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum a value of each n-gram over each sentence."""
        return np.bincount(self.sentences, values, self.size).astype(np.int64)


def characters(sentences: Sequence[str]) -> Tokens:
    """Take the characters of sentences, without white space."""
    kept = ["".join(sentence.split()) for sentence in sentences]
    # A test set may hold half of a surrogate pair, which a JSON file can name.
    content = "".join(kept).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(content, dtype="<u4").astype(np.int64)
    return codes, np.array([len(sentence) for sentence in kept], dtype=np.int64)


def number_words(texts: Sequence[Sequence[Sequence[str]]]) -> list[Tokens]:
    """Number the words of several texts of the same sentences alike."""
    numbers: dict[str, int] = {}
    return [
        (
            np.array(
                [numbers.setdefault(word, len(numbers)) for words in text for word in words],
                dtype=np.int64,
            ),
            np.array([len(words) for words in text], dtype=np.int64),
        )
        for text in texts
    ]


def count_ngrams(texts: Sequence[Tokens], orders: int) -> Iterator[NgramCounts]:
    """Count the n-grams of orders 1 to `orders` in texts that have the same sentences."""
    size = len(texts[0][1])
    lengths = np.concatenate([lengths for _, lengths in texts])
    _, tokens = np.unique(np.concatenate([numbers for numbers, _ in texts]), return_inverse=True)
    kinds = int(tokens.max(initial=0)) + 1
    lines = np.repeat(np.arange(len(lengths)), lengths)
    last = np.repeat(np.cumsum(lengths), lengths)
    positions = np.arange(len(tokens))
    keys = lines % size
    for order in range(1, orders + 1):
        # Numbers of the n-grams that begin at each position; those of the next order follow.
        fits = positions + order <= last[positions]
        positions, keys = positions[fits], keys[fits]
        keys = keys * kinds + tokens[positions + order - 1]
        found, keys = np.unique(keys, return_inverse=True)
        text = lines[positions] // size
        counts = np.bincount(text * len(found) + keys, minlength=len(texts) * len(found))
        sentences = np.zeros(len(found), dtype=np.int64)
        sentences[keys] = lines[positions] % size
        yield NgramCounts(counts.reshape(len(texts), -1), sentences, size)
