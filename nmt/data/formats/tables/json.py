"""A reader for JSON lines, with one object per line."""

import json
from collections.abc import Iterator
from typing import Any

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.lines import read_lines
from nmt.data.formats.rows import BadRow, Row
from nmt.data.formats.tables.records import Record, RecordReader
from nmt.data.formats.tables.values import check_values
from nmt.errors import DataError

ONE_OBJECT = 'each line holds one object, such as {"en": "...", "ta": "..."}'


def read_jsonl(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs in order; skip blank lines.

    Raises:
        DataError: a line is not valid JSON, not an object, or lacks a side.
    """
    yield from check_values(RecordReader(corpus).read(_objects(corpus)), corpus)


def _objects(corpus: Corpus) -> Iterator[Record | BadRow]:
    for number, line in enumerate(read_lines(corpus.file), start=1):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            yield _object(line, number, f"{corpus.path}, line {number}")


def _object(line: str, number: int, place: str) -> Record | BadRow:
    try:
        value = json.loads(line, object_pairs_hook=_refuse_repeated_keys)
    except (ValueError, RecursionError) as error:  # brackets may be nested too deeply
        return BadRow(place, _explain_invalid(line, place, error))
    if isinstance(value, list):
        raise DataError(_explain_array(place))
    if not isinstance(value, dict):
        return BadRow(place, f"{line:.60} is not a JSON object: {ONE_OBJECT}")
    return Record(number, place, value)


def _refuse_repeated_keys(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON allows repeated keys, and Python would silently keep the last of them.
    record = dict(entries)
    if len(record) < len(entries):
        names = [name for name, _ in entries]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return record


def _explain_invalid(line: str, place: str, error: Exception) -> str:
    if line.strip() == "[" or line.lstrip().startswith(("[{", "[ {")):
        raise DataError(_explain_array(place))
    if line.strip() == "{":
        raise DataError(
            f"{place}: an object over several lines. Write it on one line: jq -c . OLD > NEW"
        )
    if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
        return (
            f"more than one JSON value ({line[error.pos : error.pos + 40]!r} after the "
            f"first): {ONE_OBJECT}. If the file mixes line ends, give all lines the same: "
            r"sed 's/\r$//' OLD | tr '\r' '\n' > NEW"
        )
    return f"not a complete JSON object ({error}): {line[-60:]!r}. Correct or delete the line"


def _explain_array(place: str) -> str:
    return f"{place}: a JSON array, but {ONE_OBJECT}. Convert it: jq -c '.[]' OLD > NEW"
