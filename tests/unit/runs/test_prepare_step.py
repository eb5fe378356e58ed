"""`nmt prepare` as a step of a run: its record, its files, and test sets that come later."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from nmt.config import Config, EvaluationConfig
from nmt.runs import layout
from nmt.runs.records import RECORD, result_of
from nmt.runs.running import inherit
from nmt.runs.steps import BASE, PREPARE
from nmt.storage import Storage
from nmt.text.pair import Pair
from ray_jobs.prepare import run
from ray_jobs.runtime.context import Session
from tests.support.sentences import distinct_pairs

PAIRS = distinct_pairs(60)


def write(path: Path, pairs: list[Pair]) -> str:
    rows = ({"en": pair.source, "ta": pair.target} for pair in pairs)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def session(folder: Path, **sets: str) -> Session:
    config = Config.model_validate(
        {
            "run": "small",
            "storage": str(folder / "runs"),
            "data": {"path": write(folder / "x.jsonl", [*PAIRS, PAIRS[0]])},
            "evaluation": {"sets": {name: {"path": path} for name, path in sets.items()}},
        }
    )
    return Session(config, Storage(config.storage), frozenset())


def test_the_record_counts_what_became_of_each_input(tmp_path: Path) -> None:
    given = session(tmp_path)
    result = result_of(given.storage, "small", PREPARE, run(given))
    assert result.sizes == {"train": 54, "validation": 3, "test": 3}
    counts = result.inputs["train"]
    assert (counts.read, counts.kept, counts.dropped) == (61, 60, {"duplicate": 1})
    assert result.dropped == {"duplicate": 1}


def test_the_dropped_pairs_are_beside_the_commit(tmp_path: Path) -> None:
    given = session(tmp_path)
    run(given)
    path = given.storage.locate(layout.dropped_pairs("small"))
    assert parquet.read_table(path)["line"].to_pylist() == [61]
    names = given.storage.list(layout.pairs("small"))
    assert names == ["cleaning.json", "dataset", "manifest.json"]


@pytest.mark.parametrize("change", ["none", "new", "content"])
def test_a_test_set_that_came_later_or_has_changed_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    news = write(tmp_path / "news.jsonl", PAIRS[:2])
    run(session(tmp_path, news=news))
    caplog.clear()
    sets = {"news": news}
    if change == "new":
        sets["more"] = write(tmp_path / "more.jsonl", PAIRS[2:4])
    elif change == "content":
        write(tmp_path / "news.jsonl", PAIRS[2:4])
    with caplog.at_level(logging.WARNING):
        run(session(tmp_path, **sets))
    expected = {
        "none": [],
        "new": ["the test set 'more' was not given when the training pairs were screened"],
        "content": ["the test set 'news' has changed since the training pairs were screened"],
    }
    assert [record.message[9:].partition(",")[0] for record in caplog.records] == expected[change]


def test_a_later_test_set_in_other_languages_is_not_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = session(tmp_path)
    run(given)
    languages = {"source_language": "deu_Latn", "target_language": "fra_Latn"}
    sets = {"news": {"path": write(tmp_path / "news.jsonl", PAIRS[:2]), **languages}}
    evaluation = EvaluationConfig.model_validate({"sets": sets})
    config = given.config.model_copy(update={"evaluation": evaluation})
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        run(replace(given, config=config))
    assert not caplog.records


def test_a_later_step_reads_a_record_with_settings_that_are_gone(tmp_path: Path) -> None:
    given = session(tmp_path)
    record = run(given)
    old = {**record.settings, "data.cleaning.min_length_ratio": 0.4}
    place = layout.step_record("small", PREPARE)
    RECORD.write(given.storage, place, replace(record, settings=old))
    config = inherit(given.storage, Config(run="small"), BASE, ())
    assert config.data.path == given.config.data.path
