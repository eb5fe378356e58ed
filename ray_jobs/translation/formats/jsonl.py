"""JSON lines, with one object per line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from typing_extensions import override

from nmt.errors import DataError
from ray_jobs.translation.formats.rows import (
    Added,
    Columns,
    Concatenated,
    Rows,
    check_new,
    grouped,
)
from ray_jobs.translation.lines import read_lines

Record = dict[str, Any]


class JsonRows(Rows):
    """Objects, and the key of the texts."""

    def __init__(self, records: list[Record], texts: list[str]) -> None:
        self._records, self.texts = records, texts

    @override
    def content(self) -> str:
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in self._records)

    @override
    def piece(self, added: Added, *, is_first: bool) -> bytes:
        lines = (
            json.dumps({**record, **dict(zip(added, values, strict=True))}, ensure_ascii=False)
            for record, values in zip(self._records, zip(*added.values(), strict=True), strict=True)
        )
        # A lone surrogate, which JSON can spell, cannot be encoded.
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


class JsonFormat(Concatenated):
    """A file of JSON lines."""

    def __init__(self, columns: Columns, added: list[str]) -> None:
        self._columns, self._added = columns, added

    @override
    def read(self, stream: BinaryIO, file: str, size: int) -> Iterator[JsonRows]:
        key = ""
        for group in grouped(_records(stream, file), size):
            if group and not key:
                key = self._columns.find(list(group[0][1]), file)
            for number, record in group:
                check_new(self._added, list(record), f"{file}, line {number}")
            texts = [_text(record, key, f"{file}, line {number}") for number, record in group]
            yield JsonRows([record for _, record in group], texts)


def _records(stream: BinaryIO, file: str) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(read_lines(stream, file), start=1):
        if not line.strip():
            continue  # a blank line is not a record, so there is nothing to translate
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{file}, line {number}: not valid JSON: {error}") from None
        if not isinstance(record, dict):
            raise DataError(f"{file}, line {number}: {line:.60} is not a JSON object")
        yield number, record


def _text(record: Record, key: str, place: str) -> str:
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(
            f"{place}: {key!r} holds {type(value).__name__}, not text: name another --column"
        )
    return value
