"""Prepared pairs on disk, in the layout of `datasets`: a folder with one Arrow file per split."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc
from pydantic import ValidationError

from nmt.data.formats.arrow import (
    DATA_SET_FILE,
    STATE_FILE,
    SplitNames,
    arrow_batches,
    explain_arrow_errors,
    saved_splits,
)
from nmt.text.pair import Pair

_COLUMNS = ("source", "target")
_ARROW_FILE = "data-00000-of-00001.arrow"
_ROWS_AT_ONCE = 10_000


def write_pairs(folder: Path, splits: Mapping[str, Sequence[Pair]]) -> None:
    """Write every split in a form that `datasets.load_from_disk` can read."""
    # `save_to_disk` is not used: it would take `::` in a path for a chain of file systems.
    folder.mkdir(parents=True)
    for name, pairs in splits.items():
        split = folder / name
        split.mkdir()
        _write_rows(split / _ARROW_FILE, pairs)
        _write_json(split / "dataset_info.json", {"features": _features()})
        _write_json(split / STATE_FILE, _state(name))
    _write_json(folder / DATA_SET_FILE, {"splits": list(splits)})


def read_saved_pairs(folder: Path, split: str) -> list[Pair]:
    """Read one split in order.

    Raises:
        DataError: the split is missing or damaged.
        KeyError: there is no such split.
    """
    files = (saved_splits(folder) or {})[split]
    pairs: list[Pair] = []
    with explain_arrow_errors(str(folder), "as prepared pairs"):
        for batch in arrow_batches(files):
            sides = (batch.column(name).to_pylist() for name in _COLUMNS)
            pairs.extend(Pair(*pair) for pair in zip(*sides, strict=True))
    return pairs


def split_names(folder: Path) -> list[str]:
    """List the splits that were written; empty if the folder is missing or damaged."""
    try:
        return SplitNames.model_validate_json((folder / DATA_SET_FILE).read_bytes()).splits
    except (OSError, ValidationError):
        return []


def _write_rows(path: Path, pairs: Sequence[Pair]) -> None:
    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    with path.open("wb") as stream, ipc.new_stream(stream, schema) as rows:
        for start in range(0, len(pairs), _ROWS_AT_ONCE):
            part = pairs[start : start + _ROWS_AT_ONCE]
            sides = [[pair.source for pair in part], [pair.target for pair in part]]
            rows.write_batch(pa.record_batch([pa.array(s, pa.string()) for s in sides], schema))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _features() -> dict[str, dict[str, str]]:
    return {name: {"dtype": "string", "_type": "Value"} for name in _COLUMNS}


def _state(name: str) -> dict[str, object]:
    # `load_from_disk` requires each of these keys.
    return {
        "_data_files": [{"filename": _ARROW_FILE}],
        "_fingerprint": "0" * 16,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": name,
    }
