"""Pairs from mappings, such as JSON lines and `datasets` rows."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import BadRow, RawPair
from nmt.data.formats.tables.chat import CHAT_COLUMNS, chat_turns, last_content
from nmt.data.formats.tables.columns import (
    Columns,
    explain_missing_columns,
    find_columns,
    find_extra_columns,
    listed,
)
from nmt.data.formats.tables.score import parse_score

NESTED = "translation"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Record(NamedTuple):
    """A mapping that holds a pair: `{"en": .., "ta": ..}` or `{"translation": {"en": ..}}`."""

    line: int
    place: str
    """File and line, for messages."""
    values: Mapping[str, Any]
    around: Mapping[str, Any] = _NOTHING
    """The mapping around a nested one, in which other columns are found."""


class RecordReader:
    """A reader of source and target from records, which may have different keys."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._has_settings = bool(corpus.source_column or corpus.target_column)
        self._columns: dict[tuple[str, ...], Columns | None] = {}

    def read(
        self, records: Iterable[Record | BadRow]
    ) -> Iterator[tuple[Columns, RawPair] | BadRow]:
        """Read the pairs of each record; a null is an empty sentence, and other types are damage.

        A record with chat messages has one pair for each answer.
        """
        for record in records:
            if isinstance(record, BadRow):
                yield record
                continue
            # With columns set, `messages` may be a key like any other.
            turns = None if self._has_settings else chat_turns(record.values)
            if turns is None:
                yield self._pair(record)
            elif not turns:
                yield BadRow(record.place, "no user message with an answer of the assistant")
            else:
                extra = self._extra(record)
                if isinstance(extra, BadRow):
                    yield extra
                    continue
                yield from (
                    (CHAT_COLUMNS, RawPair(question, answer, record.line, None, extra))
                    for question, answer in turns
                )

    def _pair(self, record: Record) -> tuple[Columns, RawPair] | BadRow:
        columns = self._find(record.values)
        if columns:
            source = self._text(record, columns.source, "source")
            target, *further = self._targets(record, columns.target)
            if isinstance(source, BadRow):
                return source
            if isinstance(target, BadRow):
                return target
            score = parse_score(record.values[columns.score]) if columns.score else None
            if isinstance(score, str):
                return BadRow(record.place, score)
            extra = self._extra(record)
            if isinstance(extra, BadRow):
                return extra
            return columns, RawPair(source, target, record.line, score, (*extra, *further))
        nested = record.values.get(NESTED)
        if isinstance(nested, Mapping):
            place = f"{record.place}, in {NESTED!r}"
            return self._pair(Record(record.line, place, nested, record.values))
        return BadRow(record.place, explain_missing_columns(list(record.values), self._corpus))

    def _find(self, values: Mapping[str, Any]) -> Columns | None:
        keys = tuple(values)
        is_set = self._corpus.source_column in keys or self._corpus.target_column in keys
        # A nested mapping goes before keys beside it, such as `id`, that only look like a side.
        if isinstance(values.get(NESTED), Mapping) and not is_set:
            return None
        # Most records have the same keys, for which the columns are found only once.
        if keys not in self._columns:
            self._columns[keys] = find_columns(keys, self._corpus)
        return self._columns[keys]

    def _extra(self, record: Record) -> tuple[str, ...] | BadRow:
        """Return the values of the columns beside the sentences."""
        columns = self._corpus.extra_columns
        if not columns:
            return ()
        record = record._replace(values={**record.around, **record.values})
        found: list[str] = []
        names = find_extra_columns(list(record.values), self._corpus)
        for (side, _), name in zip(columns, names, strict=True):
            value = record.values[name]
            # Domains and documents are often numbers; a reference is a text like the target.
            if side != "target" and isinstance(value, int | float):
                found.append(str(value))
                continue
            text = self._text(record, name, side)
            if isinstance(text, BadRow):
                return text
            found.append(text)
        return tuple(found)

    def _targets(self, record: Record, key: str) -> list[Any]:
        """Return the target, and of a test set also the further references of a list."""
        value = record.values[key]
        # Data sets of the hub often hold the references of a sentence in one list.
        if self._corpus.exact and isinstance(value, list):
            references = cast(list[object], value)
            if references and all(isinstance(reference, str) for reference in references):
                return references
        return [self._text(record, key, "target")]

    def _text(self, record: Record, key: str, side: str) -> str | BadRow:
        value = record.values[key]
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        message = last_content(value)
        if message is not None:
            return message
        return BadRow(
            record.place,
            f"{key!r} holds {type(value).__name__} {value!r:.40}, not text: set "
            f"{self._corpus.column_setting(side)} to the one of "
            f"{listed(list(record.values))} that holds the sentences",
        )
