"""Which prepared data a run takes over from another one."""

import json
from pathlib import Path
from typing import Any

import pytest

from nmt.config import Config
from nmt.data.saved import load_pairs
from nmt.runs import layout
from nmt.runs.records import Record
from nmt.storage import Storage
from ray_jobs import prepare
from ray_jobs.runtime.context import Session
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(60)


def write(path: Path, start: int, end: int) -> str:
    rows = ({"en": pair.source, "ta": pair.target} for pair in PAIRS[start:end])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a corpus and a test set."""
    write(tmp_path / "corpus.jsonl", 0, 50)
    write(tmp_path / "news.jsonl", 50, 60)
    return tmp_path


def prepared(folder: Path, run: str, *reuse: str, sets: dict[str, Any] | None = None) -> Record:
    known = {"news": {"path": str(folder / "news.jsonl")}}
    config = Config.model_validate(
        {
            "run": run,
            "storage": str(folder / "runs"),
            "data": {"path": str(folder / "corpus.jsonl")},
            "evaluation": {"sets": known if sets is None else sets},
            "campaign": {"reuse": list(reuse)},
        }
    )
    return prepare.run(Session(config, Storage(config.storage), frozenset()))


def test_the_same_files_are_not_prepared_again(folder):
    before = prepared(folder, "first")
    after = prepared(folder, "second", "first")
    assert (after.taken_from, after.output) == ("first", before.output)
    pairs = Storage(str(folder / "runs")).fetch(layout.pairs("second"))
    assert len(load_pairs(pairs, "train")) == after.result["sizes"]["train"]


def test_what_is_taken_over_equals_what_would_be_made(folder):
    assert prepared(folder, "first").output == prepared(folder, "second").output


def test_files_with_another_content_are_prepared(folder):
    prepared(folder, "first")
    write(folder / "corpus.jsonl", 0, 49)
    assert prepared(folder, "second", "first").taken_from == ""


def test_files_that_are_gone_are_not_taken_for_the_same(folder):
    prepared(folder, "first")
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(Exception, match=r"corpus\.jsonl"):
        prepared(folder, "second", "first")


def test_a_test_set_with_another_text_screens_anew(folder):
    prepared(folder, "first")
    write(folder / "news.jsonl", 40, 60)
    assert prepared(folder, "second", "first").taken_from == ""


@pytest.mark.parametrize("names", [[], ["news", "more"], ["renamed"]])
def test_other_test_sets_screen_anew(folder, names):
    prepared(folder, "first")
    sets = {name: {"path": str(folder / "news.jsonl")} for name in names}
    assert prepared(folder, "second", "first", sets=sets).taken_from == ""


def test_a_test_set_counts_by_its_text_and_not_by_its_file(folder):
    prepared(folder, "first")
    moved = write(folder / "moved.jsonl", 50, 60)
    found = prepared(folder, "second", "first", sets={"news": {"path": moved}})
    assert found.taken_from == "first"


def test_damaged_pairs_are_prepared(folder, caplog):
    prepared(folder, "first")
    storage = Storage(str(folder / "runs"))
    file = next(n for n in storage.list_below("first/data/pairs") if n.endswith(".arrow"))
    storage.write_bytes(f"first/data/pairs/{file}", b"damaged")
    after = prepared(folder, "second", "first")
    assert after.taken_from == ""
    storage.verify(layout.pairs("second"))


def test_pairs_that_are_half_deleted_are_prepared(folder):
    prepared(folder, "first")
    Storage(str(folder / "runs")).delete(layout.pairs("first"))
    after = prepared(folder, "second", "first")
    assert after.taken_from == ""
    Storage(str(folder / "runs")).verify(layout.pairs("second"))
