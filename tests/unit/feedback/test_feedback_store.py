"""Feedback on translations: how a replica stores it, and what a training reads of it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nmt.config import DataConfig
from nmt.errors import StorageError
from nmt.serving.errors import StorageUnavailableError
from nmt.serving.feedback.rows import Feedback, Kind, folder, read_rows
from nmt.serving.feedback.store import FeedbackStore
from nmt.serving.feedback.summary import summarise, summary_table
from nmt.storage import Storage
from tests.support.inputs import read_pairs

PAIR = ("eng_Latn", "tam_Taml")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path))


def feedback(number: int = 1, kind: Kind = "corrections", **values: object) -> Feedback:
    defaults: dict[str, object] = {
        "id": f"f{number}",
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "kind": kind,
        "source_language": PAIR[0],
        "target_language": PAIR[1],
        "source": f"Sentence {number}.",
        "target": f"வாக்கியம் {number}.",
        "translation": "வாக்கு.",
        "engine": "d1",
    }
    return Feedback.model_validate({**defaults, **values})


def add(store: FeedbackStore, *each: Feedback) -> None:
    for one in each:
        asyncio.run(store.add(one))


def test_feedback_is_on_the_storage_root_when_it_is_answered(storage: Storage) -> None:
    add(FeedbackStore(storage, "web", "r1"), feedback())
    assert [row.target for row in read_rows(storage, "web", "corrections")] == ["வாக்கியம் 1."]
    assert list(read_rows(storage, "web", "ratings")) == []


def test_corrections_of_all_replicas_are_training_data(storage: Storage, tmp_path: Path) -> None:
    add(FeedbackStore(storage, "web", "r1"), feedback(1), feedback(2))
    add(FeedbackStore(storage, "web", "r2"), feedback(3), feedback(4, "ratings", rating="bad"))
    path = tmp_path / folder("web", "corrections", *PAIR)
    (pairs,) = read_pairs(DataConfig(path=str(path))).values()
    assert sorted((pair.source, pair.target) for pair in pairs) == [
        (f"Sentence {number}.", f"வாக்கியம் {number}.") for number in (1, 2, 3)
    ]


def test_a_correction_with_as_many_lines_as_its_source_becomes_a_pair_for_each_line(
    storage: Storage,
) -> None:
    text = feedback(source="One.\n\nTwo.", target="ஒன்று.\n\nஇரண்டு.", translation="1\n\n2")
    add(FeedbackStore(storage, "web", "r1"), text)
    rows = list(read_rows(storage, "web", "corrections"))
    assert [(row.source, row.target) for row in rows] == [("One.", "ஒன்று."), ("Two.", "இரண்டு.")]


def test_a_correction_with_other_lines_stays_one_pair(storage: Storage) -> None:
    add(FeedbackStore(storage, "web", "r1"), feedback(source="One.\nTwo.", target="ஒன்று இரண்டு."))
    (row,) = read_rows(storage, "web", "corrections")
    assert row.source == "One.\nTwo."


def test_feedback_that_could_not_be_written_is_refused_and_written_when_it_is_sent_again(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeedbackStore(storage, "web", "r1")
    add(store, feedback(1))

    def fail(*_: object) -> None:
        raise StorageError("/secret/path: no space left")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_bytes", fail)
        with pytest.raises(StorageUnavailableError, match="the feedback could not be stored"):
            add(store, feedback(2))
    add(store, feedback(2))
    assert [row.id for row in read_rows(storage, "web", "corrections")] == ["f1", "f2"]


def test_a_file_does_not_grow_without_end(storage: Storage) -> None:
    store = FeedbackStore(storage, "web", "r1")
    add(store, *(feedback(number, source="x" * 100_000) for number in range(6)))
    assert len(storage.list(folder("web", "corrections", *PAIR))) == 2
    assert len(list(read_rows(storage, "web", "corrections"))) == 6


def test_rows_have_no_key_of_an_unset_value(storage: Storage) -> None:
    line = json.loads(feedback().dump())
    assert "domain" not in line
    assert line["time"] == "2026-01-02T00:00:00Z"


def test_the_summary_counts_each_text_once(storage: Storage) -> None:
    store = FeedbackStore(storage, "web", "r1")
    lines = feedback(1, source="a\nb", target="c\nd", translation="e\nf", rating="bad", key="k1")
    add(store, lines, feedback(2, "ratings", rating="good"))
    rows = [row for kind in ("corrections", "ratings") for row in read_rows(storage, "web", kind)]
    counts = summarise(rows)[*PAIR, "d1"]
    assert (counts.good, counts.bad, counts.corrections) == (1, 1, 1)
    assert "k1 (1), none (1)" in summary_table(summarise(rows))
