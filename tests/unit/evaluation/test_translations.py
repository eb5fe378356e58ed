"""What is translated, and what is kept from an earlier evaluation."""

import pytest

from nmt.evaluation.kept import find_rows
from nmt.evaluation.translations import Translations, Translators
from nmt.runs.evaluation import NotComputed
from nmt.storage import Storage
from tests.support.evaluation.fake_systems import SOURCES, FakeSystem, sentences_of

NEWS, TALKS = sentences_of("news"), sentences_of("talks", SOURCES[:2])


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path))


def translate(storage: Storage, systems: list[FakeSystem], *sets) -> Translations:
    named = {system.name: system for system in systems}
    return Translators(storage, "demo", named).translate(sets)


def test_each_system_translates_each_set_and_the_translations_are_kept(storage):
    found = translate(storage, [FakeSystem("base"), FakeSystem("engine")], NEWS, TALKS)
    assert {name: list(outputs) for name, outputs in found.outputs.items()} == {
        "news": ["base", "engine"],
        "talks": ["base", "engine"],
    }
    rows = find_rows(storage, "demo", "talks", "engine")
    assert rows is not None
    assert [row.hypothesis for row in rows] == [f"engine: {source}" for source in SOURCES[:2]]
    assert (rows[0].source, rows[0].references) == (SOURCES[0], TALKS.references[0][:1])
    assert rows[0].confidence == -0.5


def test_a_set_that_is_added_is_the_only_one_that_is_translated(storage):
    before = translate(storage, [FakeSystem("base")], NEWS)
    again = FakeSystem("base")
    after = translate(storage, [again], NEWS, TALKS)
    assert again.translated == ["talks"]
    assert after.outputs["news"] == before.outputs["news"]
    assert [cost.test_set for cost in after.costs] == ["news", "talks"]


def test_where_all_translations_are_kept_no_model_is_loaded(storage):
    translate(storage, [FakeSystem("base")], NEWS)
    again = FakeSystem("base")
    translate(storage, [again], NEWS)
    assert again.loads == 0


@pytest.mark.parametrize(
    ("system", "sentences"),
    [
        (FakeSystem("base", weights="2"), NEWS),
        (FakeSystem("base"), sentences_of("news", SOURCES[:3])),
        (FakeSystem("base"), sentences_of("news", source_language="fra_Latn")),
    ],
    ids=["other-weights", "other-sentences", "other-direction"],
)
def test_what_was_made_from_something_else_is_made_again(storage, system, sentences):
    translate(storage, [FakeSystem("base")], NEWS)
    translate(storage, [system], sentences)
    assert system.translated == ["news"]


def test_two_names_of_one_system_translate_once(storage):
    engine, live = FakeSystem("engine"), FakeSystem("engine")
    named = {"base": FakeSystem("base"), "engine": engine, "live": live}
    found = Translators(storage, "demo", named).translate([NEWS])
    assert (engine.translated, live.translated, live.loads) == (["news"], [], 0)
    assert list(found.outputs["news"]) == ["base", "engine", "live"]
    assert found.outputs["news"]["live"] == found.outputs["news"]["engine"]
    assert find_rows(storage, "demo", "news", "live")
    added = {"engine": engine, "again": FakeSystem("engine")}
    assert list(Translators(storage, "demo", added).translate([NEWS]).outputs["news"]) == [
        "engine",
        "again",
    ]
    assert added["again"].loads == 0


def test_a_confidence_that_is_not_finite_is_unknown(storage):
    system = FakeSystem("base", confidence=float("-inf"))
    found = translate(storage, [system], NEWS)
    assert found.outputs["news"]["base"].confidences == [None] * len(NEWS)
    again = FakeSystem("base")
    translate(storage, [again], NEWS)
    assert again.translated == []


def test_a_killed_evaluation_goes_on_with_the_next_set(storage):
    with pytest.raises(KeyboardInterrupt):
        translate(
            storage, [FakeSystem("base"), FakeSystem("engine", fails_at="talks")], NEWS, TALKS
        )
    systems = [FakeSystem("base"), FakeSystem("engine")]
    translate(storage, systems, NEWS, TALKS)
    assert [system.translated for system in systems] == [[], ["talks"]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("base: We", "base: They"),
        lambda text: text.replace("-0.5", "-0.1", 1),
        lambda text: text[:-40],
        lambda text: "",
    ],
    ids=["other-text", "other-confidence", "cut", "empty"],
)
def test_translations_that_were_changed_by_hand_are_made_again_and_named(storage, caplog, spoil):
    translate(storage, [FakeSystem("base")], NEWS)
    path = "demo/evaluation/hypotheses/news/base.jsonl"
    text = storage.read_bytes(path).decode()
    storage.write_bytes(path, spoil(text).encode())
    again = FakeSystem("base")
    translate(storage, [again], NEWS)
    assert again.translated == ["news"]
    assert path in caplog.text
    assert "translated again" in caplog.text


def test_scores_written_beside_translations_do_not_count_as_a_change(storage):
    translate(storage, [FakeSystem("base")], NEWS)
    path = "demo/evaluation/hypotheses/news/base.jsonl"
    rows = storage.read_bytes(path).decode().splitlines()
    scored = [row[:-1] + ',"scores":{"chrf++":12.5},"usable":0.5}' for row in rows]
    storage.write_bytes(path, "\n".join(scored).encode())
    again = FakeSystem("base")
    translate(storage, [again], NEWS)
    assert again.translated == []


def test_a_system_that_cannot_translate_a_set_is_named_with_the_reason(storage):
    hindi = sentences_of("hindi", target_language="hin_Deva")
    found = translate(storage, [FakeSystem("base"), FakeSystem("x", language="hin_Deva")], hindi)
    assert list(found.outputs["hindi"]) == ["x"]
    assert found.not_computed == [
        NotComputed(metric="all", reason="it speaks Tamil only", test_set="hindi", system="base")
    ]


def test_only_systems_with_a_model_translate_the_validation_split_and_it_costs_nothing(storage):
    file = FakeSystem("file", is_model=False)
    found = translate(storage, [FakeSystem("base"), file], sentences_of("validation"))
    assert list(found.outputs["validation"]) == ["base"]
    assert found.costs == []
    assert found.not_computed == []


def test_a_system_from_a_file_has_no_cost(storage):
    found = translate(storage, [FakeSystem("file", is_model=False)], NEWS)
    assert found.costs == []
    assert found.outputs["news"]["file"].confidences is None


def test_the_log_says_what_is_translated(storage, caplog):
    caplog.set_level("INFO")
    translate(storage, [FakeSystem("base"), FakeSystem("engine")], NEWS)
    assert "evaluate: [2/2] engine translates news, 4 sentences" in caplog.text


def reused(storage: Storage, system: FakeSystem, *runs: str) -> Translations:
    """Have another run translate that may take the translations of some runs."""
    return Translators(storage, "later", {system.name: system}, runs).translate([NEWS])


def test_the_translations_of_an_equal_system_in_another_run_are_taken(storage):
    before = translate(storage, [FakeSystem("base")], NEWS)
    again = FakeSystem("base")
    assert reused(storage, again, "gone", "demo").outputs == before.outputs
    assert again.loads == 0
    storage.delete("demo")
    reused(storage, again)
    assert again.loads == 0


def test_the_translations_of_another_system_in_another_run_are_not_taken(storage):
    translate(storage, [FakeSystem("base")], NEWS)
    other = FakeSystem("base", weights="2")
    reused(storage, other, "demo")
    assert other.translated == ["news"]
