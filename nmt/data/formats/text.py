"""A reader for two plain text files that are translated line by line."""

from collections.abc import Iterator
from itertools import zip_longest

from nmt.data.formats.alignment import refuse_slips
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.lines import read_lines
from nmt.data.formats.rows import BadRow, RawPair, Row
from nmt.errors import DataError

MAX_STRAY_IN_TEXT = 4
"""Maximum number of stray line ends in a line.

It is lower than for tables, in which a line that swallowed others has too many cells.
"""


def read_text(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs in order, empty lines included.

    Raises:
        DataError: no second file is set, the files have different numbers of lines, or one slips
            against the other.
    """
    source_file, target_file = corpus.file, corpus.target_file
    if target_file is None:
        raise DataError(
            f"{corpus.path} holds one language: set {corpus.target_setting} to the file of its "
            f"translations (or {corpus.format_setting}=tsv, if each line holds both with a tab or "
            "||| between them)"
        )
    if source_file.is_same(target_file):
        raise DataError(
            f"{corpus.target_setting} and {corpus.setting} name the same file, {corpus.path}: name "
            "the file of the translations"
        )
    rows = _lines(source_file, target_file, exact=corpus.exact)
    yield from refuse_slips(rows, source_file, target_file)


def _lines(source_file: InputFile, target_file: InputFile, *, exact: bool) -> Iterator[Row]:
    # Line by line from both, so that neither is in memory as a whole.
    files = (source_file, target_file)
    both = zip_longest(
        *(read_lines(file, max_stray=MAX_STRAY_IN_TEXT, keep_strays=exact) for file in files)
    )
    for number, (source, target) in enumerate(both, start=1):
        if source is None or target is None:
            # The message names the length of both files, so the longer one is read to its end.
            total = number + sum(1 for _ in both)
            counts = (number - 1, total) if source is None else (total, number - 1)
            raise DataError(
                f"{source_file} has {counts[0]} lines and {target_file} has {counts[1]}: "
                "line n of one must translate line n of the other. Name two files that were "
                "written together"
            )
        # A damaged line takes its translation with it, so that the other lines stay aligned.
        if isinstance(source, BadRow):
            yield source
        elif isinstance(target, BadRow):
            yield target
        else:
            yield RawPair(source, target, number)
