"""Pairs out of mappings, flat or under a `translation` key: JSON lines and `datasets` rows."""

from collections.abc import Mapping
from typing import Any

from nmt.data.formats.columns import Columns, find_columns, listed, no_columns
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.errors import DataError

NESTED = "translation"


class RecordReader:
    """Takes the two sides out of records, which may differ in their keys."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._columns: dict[tuple[str, ...], Columns | None] = {}

    def pair(self, record: Mapping[str, Any], place: str) -> tuple[Columns, RawPair]:
        """Take source and target out of one record; a null is an empty sentence.

        Args:
            record: `{"en": .., "ta": ..}` or `{"translation": {"en": .., "ta": ..}}`.
            place: opens the message when the record does not fit.

        Raises:
            DataError: a side is not there, or is no text.
        """
        columns = self._find(record)
        if columns:
            return columns, (
                self._text(record, columns.source, "source", place),
                self._text(record, columns.target, "target", place),
            )
        nested = record.get(NESTED)
        if isinstance(nested, Mapping):
            return self.pair(nested, f"{place}, in {NESTED!r}")
        raise DataError(f"{place}: {no_columns(list(record), self._corpus)}")

    def _find(self, record: Mapping[str, Any]) -> Columns | None:
        """A `translation` that holds a mapping goes before names that only look like a side."""
        keys = tuple(record)
        if isinstance(record.get(NESTED), Mapping) and not self._set_in(keys):
            return None
        if keys not in self._columns:
            self._columns[keys] = find_columns(keys, self._corpus)
        return self._columns[keys]

    def _set_in(self, keys: tuple[str, ...]) -> bool:
        return self._corpus.source_column in keys or self._corpus.target_column in keys

    def _text(self, record: Mapping[str, Any], key: str, side: str, place: str) -> str:
        value = record[key]
        if value is None:
            return ""
        if not isinstance(value, str):
            raise DataError(
                f"{place}: {key!r} holds {type(value).__name__} {value!r:.40}, not text: set "
                f"data.{side}_column to the one of {listed(list(record))} that holds the sentences"
            )
        return value
