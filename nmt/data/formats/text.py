"""Two plain text files, one sentence a line, line by line translations of each other."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from nmt.data.formats.corpus import Corpus, RawPair
from nmt.data.formats.lines import read_lines
from nmt.errors import DataError

MOST_STRAY_IN_TEXT = 4
"""Fewer than in tables, where a line that swallows others has too many cells."""


def read_text(corpus: Corpus) -> Iterator[RawPair]:
    """Pairs in order, empty lines included.

    Raises:
        DataError: no second file is set, or the two differ in their number of lines.
    """
    if corpus.target_path is None:
        raise DataError(
            f"{corpus.path} holds one language: set {corpus.target_setting} to the file of its "
            "translations (or data.format=tsv, when each line holds both with a tab between)"
        )
    target_file = Path(corpus.target_path)
    if target_file.exists() and corpus.file.samefile(target_file):
        raise DataError(
            f"{corpus.target_setting} and {corpus.setting} name the same file, {corpus.path}: name "
            "the file of the translations"
        )
    files = (corpus.file, target_file)
    both = zip_longest(*(read_lines(file, most_stray=MOST_STRAY_IN_TEXT) for file in files))
    for number, (source, target) in enumerate(both, start=1):
        if source is None or target is None:
            rest = 1 + sum(1 for _ in both)
            raise DataError(_uneven(corpus, number - 1, rest, source is None))
        yield source, target


def _uneven(corpus: Corpus, common: int, rest: int, source_ended: bool) -> str:
    source, target = (common, common + rest) if source_ended else (common + rest, common)
    return (
        f"{corpus.path} has {source} lines and {corpus.target_path} has {target}: line n of one "
        "must translate line n of the other. Name two files that were written together"
    )
