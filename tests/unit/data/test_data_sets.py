"""Folders and names that the `datasets` library reads; no test asks the real hub."""

import json
import threading
import time
from pathlib import Path

import datasets
import pytest

from nmt import hub as nmt_hub
from nmt.config.data import DataConfig
from nmt.data.formats import hub
from nmt.data.pair import Pair
from nmt.data.read import read_pairs
from nmt.errors import DataError, UnavailableError

PAIRS = [Pair(f"sentence {number}", f"வாக்கியம் {number}") for number in range(4)]
ROWS = [{"en": pair.source, "ta": pair.target} for pair in PAIRS]


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_folder_of_data_files_keeps_its_splits(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", ROWS[:2])
    write_lines(tmp_path / "validation.jsonl", ROWS[2:3])
    write_lines(tmp_path / "test.jsonl", ROWS[3:])
    parts = read_pairs(DataConfig(path=str(tmp_path), max_pairs=1))
    assert parts == {"train": PAIRS[:1], "validation": PAIRS[2:3], "test": PAIRS[3:]}


def test_a_changed_folder_is_read_anew(tmp_path: Path) -> None:
    for rows in (ROWS[:2], ROWS[2:]):
        write_lines(tmp_path / "train.jsonl", rows)
        assert read_pairs(DataConfig(path=str(tmp_path)))["train"][0].source == rows[0]["en"]


def test_a_saved_data_set_with_nested_columns_is_read(tmp_path: Path) -> None:
    datasets.Dataset.from_list([{"translation": row} for row in ROWS]).save_to_disk(str(tmp_path))
    assert read_pairs(DataConfig(path=str(tmp_path))) == {"train": PAIRS}


def test_a_held_out_path_takes_its_own_split(tmp_path: Path) -> None:
    saved = datasets.DatasetDict()
    saved["dev"] = datasets.Dataset.from_list(ROWS[:1])
    saved["devtest"] = datasets.Dataset.from_list(ROWS[1:])
    saved.save_to_disk(str(tmp_path / "flores"))
    write_lines(tmp_path / "x.jsonl", ROWS)
    data = DataConfig(path=str(tmp_path / "x.jsonl"), test_path=str(tmp_path / "flores"))
    assert read_pairs(data) == {"train": PAIRS, "test": PAIRS[1:]}


def test_a_data_set_without_train_lists_its_splits(tmp_path: Path) -> None:
    for name in ("validation", "test"):
        write_lines(tmp_path / f"{name}.jsonl", ROWS)
    with pytest.raises(DataError, match="has no train split; it has validation, test"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no files"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_folder_without_data_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"\x00")
    with pytest.raises(DataError, match="cannot be read as a data set"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_a_broken_file_in_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"en": "a", "ta": "b"}\n{"en": ')
    with pytest.raises(DataError, match="cannot be read as a data set"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_missing_columns_of_a_folder_are_told(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [{"a": "x", "b": "y"}])
    with pytest.raises(DataError, match=r"split train, row 1: no columns found .*'a', 'b'"):
        read_pairs(DataConfig(path=str(tmp_path)))


def test_an_unreachable_hub_names_the_offline_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, timeout_seconds: float) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "_ask", fail)
    with pytest.raises(UnavailableError) as caught:
        read_pairs(DataConfig(path="nobody-here/no-such-corpus"))
    message = str(caught.value)
    assert "(no route)" in message
    for way in (".jsonl", "hf download nobody-here/no-such-corpus", "HF_HUB_OFFLINE=1"):
        assert way in message


def test_a_silent_hub_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(nmt_hub, "PROBE_DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(hub, "_ask", lambda name, seconds: release.wait() and None)
    threading.Timer(3, release.set).start()
    before = time.monotonic()
    with pytest.raises(UnavailableError, match="no answer in"):
        read_pairs(DataConfig(path="nobody-here/no-such-corpus"))
    assert time.monotonic() - before < 3


def test_what_a_reachable_hub_refuses_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, subset: str | None) -> None:
        raise ValueError(f"Config name is missing, pick one of ['en-ta']: {name} {subset}")

    monkeypatch.setattr(hub, "_ask", lambda name, seconds: None)
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"pick one of \['en-ta'\]: owner/name x.*:subset"):
        read_pairs(DataConfig(path="owner/name:x"))
