"""A reader for JSON lines, with one object per line."""

import json
from collections.abc import Iterator
from typing import Any

from nmt.data.formats.corpus import Corpus, RawPair
from nmt.data.formats.lines import read_lines
from nmt.data.formats.records import RecordReader
from nmt.data.formats.values import check_values
from nmt.errors import DataError

ONE_OBJECT = 'each line holds one object, such as {"en": "...", "ta": "..."}'


def read_jsonl(corpus: Corpus) -> Iterator[RawPair]:
    """Read the pairs in order; skip blank lines.

    Raises:
        DataError: a line is not valid JSON, not an object, or lacks a side.
    """
    records = RecordReader(corpus)
    yield from check_values(
        (records.pair(record, place) for place, record in _objects(corpus)), corpus
    )


def _objects(corpus: Corpus) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(read_lines(corpus.file), start=1):
        if line.strip():
            place = f"{corpus.path}, line {number}"
            yield place, _object(line, place)


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_refuse_repeated_keys)
    except (ValueError, RecursionError) as error:  # brackets may be nested too deeply
        raise DataError(_explain_invalid(line, place, error)) from None
    if isinstance(value, list):
        raise DataError(_explain_array(place))
    if not isinstance(value, dict):
        raise DataError(f"{place}: {line:.60} is not a JSON object: {ONE_OBJECT}")
    return value


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
        return _explain_array(place)
    if line.strip() == "{":
        return f"{place}: an object over several lines. Write it on one line: jq -c . OLD > NEW"
    if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
        return (
            f"{place}: more than one JSON value ({line[error.pos : error.pos + 40]!r} after the "
            f"first): {ONE_OBJECT}. If the file mixes line ends, give all lines the same: "
            r"sed 's/\r$//' OLD | tr '\r' '\n' > NEW"
        )
    return (
        f"{place} is not a complete JSON object ({error}): {line[-60:]!r}. Correct or delete the "
        "line"
    )


def _explain_array(place: str) -> str:
    return f"{place}: a JSON array, but {ONE_OBJECT}. Convert it: jq -c '.[]' OLD > NEW"
