"""Records of a JSON lines file, with one object in each line."""

import json
from collections.abc import Iterator
from typing import Any

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.lines import read_lines
from nmt.data.formats.rows import BadRow
from nmt.data.formats.tables.records import Record
from nmt.errors import DataError

ONE_OBJECT = 'each line holds one object, such as {"en": "...", "ta": "..."}'


def json_lines(file: InputFile) -> Iterator[Record | BadRow]:
    """Read the object of each line; skip blank lines.

    Raises:
        DataError: an object is written over several lines.
    """
    for number, line in enumerate(read_lines(file), start=1):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            yield _object(line, number, f"{file}, line {number}")


def _object(line: str, number: int, place: str) -> Record | BadRow:
    try:
        value = json.loads(line, object_pairs_hook=refuse_repeated_keys)
    except (ValueError, RecursionError) as error:  # brackets may be nested too deeply
        return BadRow(place, _explain_invalid(line, place, error))
    if not isinstance(value, dict):
        return BadRow(place, f"{line:.60} is not a JSON object: {ONE_OBJECT}")
    return Record(number, place, value)


def refuse_repeated_keys(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, and refuse a key that is given twice.

    Raises:
        ValueError: names the key.
    """
    # JSON allows repeated keys, and Python would silently keep the last of them.
    record = dict(entries)
    if len(record) < len(entries):
        names = [name for name, _ in entries]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return record


def _explain_invalid(line: str, place: str, error: Exception) -> str:
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
