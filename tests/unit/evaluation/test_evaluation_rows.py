"""The rows of an evaluation, with systems that translate without a model."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from nmt.errors import DataError
from nmt.evaluation import evaluate as module
from nmt.evaluation.evaluate import evaluate
from nmt.evaluation.kept import find_rows
from nmt.runs.evaluation import EvaluationResult
from nmt.runs.results import ScreenedSet
from nmt.storage import Storage
from tests.support.evaluation.fake_systems import FakeSystem
from tests.support.evaluation.prepared_run import prepare
from tests.support.runs.finished_steps import config

SPLITS = {
    "train": [(f"a train {i} to the town", f"the trained number {i}") for i in range(30)],
    "validation": [(f"seen {i}", f"a number {i} that is seen") for i in range(25)],
    "test": [(f"source {i}", f"the target number {i} of them") for i in range(20)],
    "general_test": [(f"other {i}", f"another target number {i}") for i in range(5)],
}
TARGETS = {source: target for pairs in SPLITS.values() for source, target in pairs}
NEWS = [("A train 3 to the town", "the trained number 3"), ("new 1", "new number 1")]
WORDS = ("data.target_language=eng_Latn", "data.source_language=deu_Latn")


def systems() -> list[FakeSystem]:
    """A base that knows two words, a perfect model and one that swaps two words."""
    found = [
        FakeSystem("base", answer=lambda source: "the target"),
        FakeSystem("tuned", answer=lambda source: TARGETS.get(source, source)),
        FakeSystem("engine", answer=lambda source: TARGETS.get(source, "x").replace("t", "d")),
        FakeSystem("memory", is_model=False, answer=lambda source: "memory"),
    ]
    for system in found:
        system.language = "eng_Latn"
    return found


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(str(tmp_path / "runs"))
    prepare(storage, SPLITS)
    return storage


def evaluated(
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    given: Sequence[FakeSystem] = (),
    user_set: Sequence[str] = (),
) -> EvaluationResult:
    named = {system.name: system for system in given or systems()}
    monkeypatch.setattr(module, "find_systems", lambda *arguments: named)
    settings = config("evaluation.bootstrap_samples=100", *WORDS, *words)
    return evaluate(settings, storage, user_set)


def write_news(tmp_path: Path, pairs: Sequence[tuple[str, str]] = NEWS) -> str:
    path = tmp_path / "news.tsv"
    rows = (f"{source}\t{target}\n" for source, target in [("source", "target"), *pairs])
    path.write_text("".join(rows), "utf-8")
    return f"evaluation.sets.news.path={path}"


def test_every_system_is_scored_on_every_test_set(storage, monkeypatch):
    found = evaluated(storage, monkeypatch)
    sizes = {name: info.sentences for name, info in found.test_sets.items()}
    assert sizes == {"test": 20, "general": 5}
    assert list(found.systems) == ["base", "tuned", "engine", "memory"]
    for test_set in ("test", "general"):
        for system in found.systems:
            for metric in ("bleu", "chrf", "chrf++", "ter"):
                assert found.score(system, test_set, metric)
        row = found.score("tuned", test_set, "bleu")
        assert row
        assert row.value == pytest.approx(100)


def test_every_two_systems_are_compared(storage, monkeypatch):
    found = evaluated(storage, monkeypatch)
    assert found.comparison("engine", baseline="tuned", metric="chrf++")
    row = found.comparison("tuned")
    assert row
    assert (row.verdict, row.resamples) == ("better", 100)
    forgotten = found.comparison("tuned", "general")
    assert forgotten


def test_samples_are_evenly_spaced_and_show_every_system(storage, monkeypatch):
    samples = evaluated(storage, monkeypatch, "evaluation.report_samples=4").samples
    assert [row.source for row in samples] == [f"source {i}" for i in (0, 5, 10, 15)]
    assert [row.hypotheses["tuned"] for row in samples] == [row.reference for row in samples]
    assert all(len(row.hypotheses) == 4 for row in samples)


def test_a_split_of_the_data_is_sampled_and_its_size_is_told(storage, monkeypatch):
    found = evaluated(storage, monkeypatch, "evaluation.max_sentences=3")
    assert [info.sentences for info in found.test_sets.values()] == [3, 3]
    assert [info.split_size for info in found.test_sets.values()] == [20, 5]
    assert [info.forgetting for info in found.test_sets.values()] == [False, True]


def test_a_test_set_that_the_user_gave_to_the_data_is_scored_whole(tmp_path, monkeypatch):
    storage = Storage(str(tmp_path / "runs"))
    prepare(storage, SPLITS, given=["test"])
    found = evaluated(storage, monkeypatch, "evaluation.max_sentences=3")
    assert found.test_sets["test"].sentences == 20
    assert found.test_sets["test"].split_size is None


def test_a_named_set_is_scored_whole_and_its_overlap_with_the_training_is_counted(
    storage, monkeypatch, tmp_path
):
    pairs = [*NEWS, ("a train 4 to the town", "the trained number 4"), ("new 2", "other number")]
    words = (write_news(tmp_path, pairs), "evaluation.max_sentences=1")
    found = evaluated(storage, monkeypatch, *words)
    news = found.test_sets["news"]
    assert (news.sentences, news.overlap, news.screened) == (4, 2, False)
    assert len(news.digest) == 12
    parts = {row.part for row in found.scores if row.test_set == "news"}
    assert parts == {"all", "unseen"}
    rows = find_rows(storage, "demo", "news", "tuned")
    assert rows
    assert [row.overlaps for row in rows] == [True, False, True, False]


def test_a_set_that_the_training_pairs_were_compared_with_is_not_compared_again(
    storage, monkeypatch, tmp_path
):
    word = write_news(tmp_path)
    digest = evaluated(storage, monkeypatch, word).test_sets["news"].digest
    prepare(
        other := Storage(str(tmp_path / "other")),
        SPLITS,
        screened={"news": ScreenedSet(pairs=2, digest=digest)},
    )
    news = evaluated(other, monkeypatch, word).test_sets["news"]
    assert (news.screened, news.overlap) == (True, None)


def test_a_set_that_is_added_leaves_the_other_translations_alone(storage, monkeypatch, tmp_path):
    evaluated(storage, monkeypatch)
    again = systems()
    found = evaluated(storage, monkeypatch, write_news(tmp_path), given=again)
    assert {name for system in again for name in system.translated} == {"news"}
    assert found.test_sets.keys() == {"test", "general", "news"}


def test_a_set_that_is_not_named_again_is_scored_as_it_was(storage, monkeypatch, tmp_path, caplog):
    caplog.set_level("INFO")
    word = write_news(tmp_path)
    evaluated(storage, monkeypatch, word, user_set=["evaluation.sets.news.path"])
    (tmp_path / "news.tsv").unlink()
    again = systems()
    found = evaluated(storage, monkeypatch, word, given=again)
    assert all(not system.translated for system in again)
    assert found.test_sets["news"].sentences == 2
    assert "news is kept from an earlier evaluation" in caplog.text


def test_a_set_that_is_named_again_is_read_again(storage, monkeypatch, tmp_path):
    word = write_news(tmp_path)
    evaluated(storage, monkeypatch, word, user_set=["evaluation.sets.news.path"])
    write_news(tmp_path, NEWS[:1])
    found = evaluated(storage, monkeypatch, word, user_set=["evaluation.sets.news.path"])
    assert found.test_sets["news"].sentences == 1


def test_the_chance_of_being_usable_is_calibrated_on_the_validation_split(storage, monkeypatch):
    found = evaluated(storage, monkeypatch)
    assert {row.system for row in found.confidences} == {"base", "tuned", "engine"}
    assert "validation" not in found.test_sets
    rows = find_rows(storage, "demo", "test", "tuned")
    assert rows
    assert all(row.usable is not None and row.confidence == -0.5 for row in rows)


def test_what_a_translation_took_is_told(storage, monkeypatch):
    found = evaluated(storage, monkeypatch)
    assert {(cost.system, cost.test_set) for cost in found.costs} == {
        (system, test_set) for system in ("base", "tuned", "engine") for test_set in found.test_sets
    }


def test_own_data_has_the_test_set_only(tmp_path, monkeypatch):
    storage = Storage(str(tmp_path / "runs"))
    prepare(storage, {name: SPLITS[name] for name in ("train", "validation", "test")})
    assert list(evaluated(storage, monkeypatch).test_sets) == ["test"]


def test_a_run_without_a_test_split_is_scored_on_named_sets(tmp_path, monkeypatch):
    storage = Storage(str(tmp_path / "runs"))
    prepare(storage, {name: SPLITS[name] for name in ("train", "validation")})
    with pytest.raises(DataError, match=r"no test split and no other test set"):
        evaluated(storage, monkeypatch)
    assert list(evaluated(storage, monkeypatch, write_news(tmp_path)).test_sets) == ["news"]


def test_a_set_that_no_system_can_translate_is_refused_before_anything_is_translated(
    storage, monkeypatch, tmp_path
):
    given = systems()
    words = (write_news(tmp_path), "evaluation.sets.news.target_language=hin_Deva")
    with pytest.raises(DataError, match=r"news.*no system can translate it"):
        evaluated(storage, monkeypatch, *words, given=given)
    assert all(not system.translated for system in given)


def test_the_result_survives_json(storage, monkeypatch):
    found = evaluated(storage, monkeypatch)
    assert EvaluationResult.model_validate_json(found.model_dump_json()) == found
