"""Sentences of test sets that are like a training pair, and so say less about new text."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt.cli.progress import PairProgress
from nmt.config import DataConfig
from nmt.data.cleaning import plain_texts
from nmt.data.overlap import Texts, keys_of, matched
from nmt.data.overlap.keys import Rows
from nmt.data.prepared_rows import read_rows
from nmt.data.saved import count_rows, has_split
from nmt.data.test_sets import TestSet
from nmt.runs.results import ScreenedSet

log = logging.getLogger(__name__)

# The keys of so many pairs take 16 MB, and their text about as much.
PAIRS_AT_ONCE = 50_000


def as_training_pairs(test_set: TestSet, data: DataConfig) -> Iterator[tuple[str, str, int]]:
    """Bring the sentences of a test set into the direction of the training pairs.

    A sentence has one pair for each reference. A side in a language that the training pairs do not
    have is left empty, and a set without any of their languages has no pairs.

    Yields:
        Source, target, and the number of the sentence.
    """
    columns = {test_set.source_language: [test_set.sources] * len(test_set.references)}
    columns[test_set.target_language] = list(test_set.references)
    languages = (data.source_language, data.target_language)
    compared = [language for language in languages if language in columns]
    if len(compared) < len(languages):
        log.info(
            "the test set '%s' (%s to %s) shares %s with the training pairs (%s to %s)%s",
            test_set.name, test_set.source_language, test_set.target_language,
            compared[0] if compared else "no language", *languages,
            ", so only that side is compared with them" if compared else "",
        )  # fmt: skip
    if not compared:
        return
    # Several references double the pairs only if they are compared.
    streams = len(test_set.references) if test_set.target_language in compared else 1
    empty = [("",) * len(test_set)] * streams
    sources, targets = (columns.get(language, empty) for language in languages)
    for stream in range(streams):
        for sentence in range(len(test_set)):
            yield sources[stream][sentence], targets[stream][sentence], sentence


def is_screened(test_set: TestSet, screened: ScreenedSet | None) -> bool:
    """Tell whether `prepare` compared the training pairs with exactly these sentences."""
    return screened is not None and screened.digest == test_set.digest


def find_overlaps(
    test_sets: Sequence[TestSet], folder: Path, data: DataConfig
) -> dict[str, NDArray[np.bool_]]:
    """Find the sentences of test sets that are equal or similar to one of the training pairs.

    Both sides count, in the languages that the training pairs have. Similar are the pairs that
    `prepare` would have dropped as leaks, but for a few in text of one pattern.

    Args:
        test_sets: any number, which are compared in one pass over the training pairs.
        folder: the `destination` of `prepare`.
        data: the settings of `prepare`; those of the cleaning say what is similar.

    Returns:
        For each set, True for the sentences that are like a training pair.

    Raises:
        DataError: a training split is damaged.
    """
    rows = [
        (source, target, number, sentence)
        for number, test_set in enumerate(test_sets)
        for source, target, sentence in as_training_pairs(test_set, data)
    ]
    found = [np.zeros(len(test_set), np.bool_) for test_set in test_sets]
    names = [test_set.name for test_set in test_sets]
    if not rows:
        return dict(zip(names, found, strict=True))
    sources, targets, numbers, sentences = zip(*rows, strict=True)
    like = _like_training(plain_texts(sources), plain_texts(targets), folder, data)
    for number, mask in enumerate(found):
        own = like & (np.array(numbers) == number)
        mask[np.array(sentences)[own]] = True
    return dict(zip(names, found, strict=True))


def _like_training(
    sources: Sequence[str], targets: Sequence[str], folder: Path, data: DataConfig
) -> NDArray[np.bool_]:
    """Mark the pairs that are like one of the training split."""
    like = np.zeros(len(sources), np.bool_)
    limits = _similarities(data)
    keys = keys_of(sources, targets, 0)
    # A phrasebook's everyday sentences are mixed into the training.
    splits = [split for split in ("train", "general_train") if has_split(folder, split)]
    total = sum(count_rows(folder, split) for split in splits)
    progress = PairProgress("evaluate: compared the test sets with", total)
    for chunk in chain.from_iterable(read_rows(folder, split, PAIRS_AT_ONCE) for split in splits):
        similarities = np.array(
            [limits[corpus] for corpus in chunk.corpora or [""] * len(chunk.sources)], np.float32
        )
        # A sentence that is found needs no second look.
        left = np.flatnonzero(~like)
        left_rows: list[int] = left.tolist()
        like[left] = matched(
            keys_of(chunk.sources, chunk.targets, 0),
            _texts_of(chunk.sources, chunk.targets),
            keys.take(left),
            _texts_of([sources[row] for row in left_rows], [targets[row] for row in left_rows]),
            similarities,
        )
        progress.add(len(chunk.sources))
    progress.finish()
    return like


def _similarities(data: DataConfig) -> Mapping[str, float]:
    """Return the similarity from which `prepare` drops a pair of a corpus, by its name."""
    if data.is_phrasebook:
        # Its sentences follow a few patterns, so `prepare` drops only equal ones.
        return {"": 1.0}
    return {"": data.cleaning.max_similarity} | {
        name: corpus.cleaning.max_similarity for name, corpus in data.corpora.items()
    }


def _texts_of(sources: Sequence[str], targets: Sequence[str]) -> Texts:
    def read(rows: Rows) -> tuple[Sequence[str], Sequence[str]]:
        chosen: list[int] = rows.tolist()
        return [sources[row] for row in chosen], [targets[row] for row in chosen]

    return read
