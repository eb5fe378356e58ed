"""Rows of test sets: none is skipped or changed, and those that cannot be scored are refused."""

import logging
from collections.abc import Iterator

from nmt.data.cleaning.characters.scripts import script_share
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, BadRows, RawPair, Row
from nmt.errors import DataError

log = logging.getLogger(__name__)


def exact_rows(corpus: Corpus, rows: Iterator[Row]) -> Iterator[RawPair]:
    """Pass on the rows of a test set, each of which must be readable.

    Raises:
        DataError: a row is damaged, no row has text on both sides, source and target are swapped,
            or a column is set for a format that has none.
    """
    bad = BadRows(of_test_set=True)
    counts = _Counts(corpus)
    for row in rows:
        if isinstance(row, BadRow):
            bad.add(row)
            continue
        if len(row.extra) < len(corpus.extra_columns):
            raise DataError(
                f"{corpus.column_setting(corpus.extra_columns[0].side)} names a column, but "
                f"{corpus.path} has none: unset it, or name a TSV, CSV, JSONL or Parquet file"
            )
        _require_unicode(corpus, row)
        counts.add(row)
        yield row
    counts.check()


def _require_unicode(corpus: Corpus, row: RawPair) -> None:
    """Refuse half of a surrogate pair, which JSON can hold but no file in UTF-8.

    Raises:
        DataError: names the line.
    """
    try:
        for text in (row.source, row.target, *row.extra):
            text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{corpus.path}, line {row.line}: {error.object[error.start : error.end]!r} is half of "
            "a character. A test set is scored as it is, so correct the row"
        ) from None


class _Counts:
    """Numbers of rows that show whether the right columns or files were read."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._rows = self._filled = self._swapped = 0
        self._foreign = {"source": 0, "target": 0}

    def add(self, row: RawPair) -> None:
        """Count a row."""
        self._rows += 1
        self._filled += bool(row.source.strip() and row.target.strip())
        languages = self._corpus.source_language, self._corpus.target_language
        is_own = [_is_in_script(text, code) for text, code in zip(row[:2], languages, strict=True)]
        if is_own == [False, False]:
            swapped = zip(row[:2], reversed(languages), strict=True)
            self._swapped += all(_is_in_script(text, code) for text, code in swapped)
        for side, found in zip(self._foreign, is_own, strict=True):
            self._foreign[side] += found is False

    def check(self) -> None:
        """Refuse rows that are certainly not the wanted ones, and warn of those that look wrong.

        Raises:
            DataError: says what is wrong, and which setting to change.
        """
        corpus = self._corpus
        if not self._filled:
            # The authors of some data sets keep the references of their test split to themselves.
            if corpus.setting == "data.path":
                raise DataError(
                    f"the test split of {corpus.path} contains no sentence pairs in {self._rows} "
                    "rows: set data.test_path to pairs that have both sides"
                )
            raise DataError(
                f"{corpus.path} contains no sentence pairs in {self._rows} rows: name a file that "
                "does"
            )
        if self._swapped > self._rows / 2:
            raise DataError(
                f"{corpus.path}: in {self._swapped} of {self._rows} sentences the source is in the "
                f"script of {corpus.target_language} and the target in that of "
                f"{corpus.source_language}: swap the files or columns, or set "
                f"{corpus.language_settings}"
            )
        for side, language in (
            ("source", corpus.source_language),
            ("target", corpus.target_language),
        ):
            # Only a warning, since a test set may be about such text.
            if self._foreign[side] > self._rows / 2:
                log.warning(
                    "%s: in %d of %d sentences the %s is not in the script of %s",
                    corpus.path, self._foreign[side], self._rows, side, language,
                )  # fmt: skip


def _is_in_script(text: str, language: str) -> bool | None:
    """Tell whether most letters are in a language's script; None for a text without letters."""
    share = script_share(text, language)
    return None if share is None else share > 0.5
