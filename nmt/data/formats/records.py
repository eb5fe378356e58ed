"""Pairs from mappings, such as JSON lines and `datasets` rows."""

from collections.abc import Mapping
from typing import Any

from nmt.data.formats.columns import Columns, explain_missing_columns, find_columns, listed
from nmt.data.formats.corpus import Corpus, RawPair
from nmt.errors import DataError

NESTED = "translation"


class RecordReader:
    """A reader of source and target from records, which may have different keys."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._columns: dict[tuple[str, ...], Columns | None] = {}

    def pair(self, record: Mapping[str, Any], place: str) -> tuple[Columns, RawPair]:
        """Read source and target of a record; a null is an empty sentence.

        Args:
            record: `{"en": .., "ta": ..}` or `{"translation": {"en": .., "ta": ..}}`.
            place: begins the message if the record does not fit.

        Raises:
            DataError: a side is missing or not text.
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
        raise DataError(f"{place}: {explain_missing_columns(list(record), self._corpus)}")

    def _find(self, record: Mapping[str, Any]) -> Columns | None:
        keys = tuple(record)
        is_set = self._corpus.source_column in keys or self._corpus.target_column in keys
        # A nested mapping goes before keys beside it, such as `id`, that only look like a side.
        if isinstance(record.get(NESTED), Mapping) and not is_set:
            return None
        # Most records have the same keys, for which the columns are found only once.
        if keys not in self._columns:
            self._columns[keys] = find_columns(keys, self._corpus)
        return self._columns[keys]

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
