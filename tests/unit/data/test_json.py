"""JSON arrays, which are read in parts."""

import json
import tracemalloc
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.data.read import open_inputs
from nmt.text.pair import Pair
from tests.support.inputs import read_pairs

RECORDS = [{"en": f"number {n} \u2028", "ta": f"எண் {n}"} for n in range(500)]


def read(path: Path) -> list[Pair]:
    return read_pairs(DataConfig(path=str(path)))["train"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("part", [1, 7, 1 << 18])
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_an_array_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    indent: int | None,
    ascii_only: bool,
    part: int,
    name: str,
) -> None:
    monkeypatch.setattr("nmt.data.formats.tables.json_array._PART_CHARACTERS", part)
    path = tmp_path / name
    text = json.dumps(RECORDS[: 500 if part > 10 else 5], indent=indent, ensure_ascii=ascii_only)
    path.write_text(f"\ufeff  {text}\n", encoding="utf-8")
    pairs = read(path)
    assert len(pairs) == (500 if part > 10 else 5)
    assert pairs[4] == Pair("number 4", "எண் 4")


def test_the_line_of_an_element_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(RECORDS, indent=2))
    opened = next(open_inputs(DataConfig(path=str(path))))
    assert [pair.line for pair in opened.rows][:3] == [2, 6, 10]


def test_an_array_on_one_line_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"en": "one " * 50, "ta": "two " * 50}] * 20_000))
    tracemalloc.start()
    try:
        opened = next(open_inputs(DataConfig(path=str(path))))
        count = sum(1 for _ in opened.rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < path.stat().st_size / 3


def test_elements_that_are_no_objects_are_damaged_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[{"en": "a", "ta": "b"}, 5, {"en": "c", "ta": "d"}]')
    opened = next(open_inputs(DataConfig(path=str(path), max_bad_rows=1)))
    assert [pair.source for pair in opened.rows] == ["a", "c"]
    assert "element 2: 5 is not a JSON object" in str(opened.bad.examples[0])
