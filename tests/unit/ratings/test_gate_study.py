"""What the gate cannot decide, people decide, in batches of 50 sentences."""

from pathlib import Path

import pytest

from nmt.errors import InputError, StorageError
from nmt.ratings.design import Wishes, make_design
from nmt.ratings.gate import ask_people, study_name, with_answer
from nmt.ratings.imports import import_files
from nmt.ratings.sources import outputs_kept
from nmt.ratings.studies import start_study
from nmt.report.gate import gate_lines
from nmt.runs.gate import GateRule
from nmt.runs.layout import hypotheses
from nmt.storage import Storage
from tests.support.ratings.gate_study import (
    UNDECIDED,
    last_key,
    leave_translations,
    rate_batch,
    result_with,
)
from tests.support.ratings.studies import fill_in, score_by, write


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = Storage(str(tmp_path / "runs"))
    leave_translations(storage)
    return storage


def test_people_rate_the_largest_set_that_decides(storage):
    design = ask_people(storage, "demo", UNDECIDED, raters=2, seed=1)
    assert (design.study, design.test_set) == ("gate.a.b", "news")
    assert (design.systems, design.rows) == (("stable", "engine"), 50)
    assert len(design.raters) == 2


def test_a_study_that_has_started_goes_on_whatever_is_asked_for_now(storage):
    first = ask_people(storage, "demo", UNDECIDED, raters=2, seed=1)
    assert ask_people(storage, "demo", UNDECIDED, raters=5, seed=1) == first


def test_before_anybody_has_rated_the_gate_stays_undecided(storage):
    assert with_answer(storage, "demo", UNDECIDED) == UNDECIDED
    ask_people(storage, "demo", UNDECIDED, raters=1, seed=1)
    found = with_answer(storage, "demo", UNDECIDED)
    assert found.verdict == "undecided"
    assert found.people is not None
    assert (found.people.study, found.people.ratings) == (study_name(UNDECIDED), 0)


@pytest.mark.parametrize(("better", "verdict"), [(15.0, "accept"), (-10.0, "reject")])
def test_ratings_that_come_back_decide(storage, tmp_path, better, verdict):
    rate_batch(storage, tmp_path, better)
    found = with_answer(storage, "demo", UNDECIDED)
    assert found.verdict == verdict
    assert found.reason.startswith("people: the gain is")
    assert found.people is not None
    assert found.people.ratings == 50


def test_the_gate_names_a_rater_who_does_not_see_degraded_translations(storage, tmp_path):
    rate_batch(storage, tmp_path, 15.0)
    assert "warning" not in "".join(gate_lines(with_answer(storage, "demo", UNDECIDED)))
    blind = fill_in(
        (tmp_path / "batch-1-1.csv").read_bytes(),
        last_key(storage),
        lambda row, label, _: "90" if row.systems["AB".index(label)] == "engine" else "75",
    )
    import_files(storage, "demo", [write(tmp_path, "blind.csv", blind)], replace=True)
    shown = "".join(gate_lines(with_answer(storage, "demo", UNDECIDED)))
    assert "warning: rater '1' rated 4 of 4 degraded translations no lower" in shown


@pytest.mark.parametrize("better", [15.0, -10.0])
def test_ratings_corrected_to_undecided_leave_the_answer_of_the_rules(storage, tmp_path, better):
    (path,) = rate_batch(storage, tmp_path, better)
    decided = with_answer(storage, "demo", UNDECIDED)
    assert decided.verdict != "undecided"
    unclear = score_by({"stable": 50.0, "engine": 52.0}, spread=25.0)
    sheet = (tmp_path / path.name.removeprefix("filled-")).read_bytes()
    corrected = write(tmp_path, path.name, fill_in(sheet, last_key(storage), unclear))
    import_files(storage, "demo", [corrected], replace=True)
    found = with_answer(storage, "demo", decided)
    assert found == with_answer(storage, "demo", UNDECIDED)
    assert (found.verdict, found.reason) == ("undecided", "gain: a figure")
    assert found.people is not None
    assert (found.people.answer, found.people.looks_left) == ("undecided", 2)


@pytest.mark.parametrize(
    "result",
    [result_with(gain="open"), result_with(loss="open"), result_with(error_rate="open")],
    ids=["gain", "loss", "error-rate"],
)
def test_people_can_decide_about_quality(result):
    assert result.is_for_people


@pytest.mark.parametrize(
    "result",
    [
        result_with(leak="open"),
        result_with(time="open", gain="open"),
        result_with(forgetting="open"),
        result_with(gain="passed"),
    ],
    ids=["leak", "time", "forgetting", "nothing-is-open"],
)
def test_people_cannot_decide_about_leaks_times_and_forgetting(result):
    assert not result.is_for_people


def test_people_cannot_decide_about_a_set_that_they_do_not_rate():
    rule = GateRule(name="loss", outcome="open", text="a figure", test_set="talks")
    assert not UNDECIDED.model_copy(update={"rules": (rule,)}).is_for_people


def test_people_cannot_tell_that_an_engine_is_as_good():
    assert not UNDECIDED.model_copy(update={"goal": "as_good"}).is_for_people


def test_a_study_with_another_design_cannot_decide(storage):
    name = study_name(UNDECIDED)
    outputs = outputs_kept(storage, "demo", "news", ("engine", "stable"), ("eng_Latn", "tam_Taml"))
    start_study(storage, make_design("demo", name, outputs, Wishes(alpha=0.4), seed=1))
    with pytest.raises(InputError, match="another design"):
        ask_people(storage, "demo", UNDECIDED, raters=1, seed=1)


def test_people_are_not_asked_about_an_engine_that_a_rule_has_rejected():
    assert not result_with(empty="failed", gain="open").is_for_people


def test_translations_that_are_missing_or_damaged_say_which_commands_write_them(storage):
    path = hypotheses("demo", "news", "engine")
    languages = ("eng_Latn", "tam_Taml")
    again = "give `nmt evaluate run=demo` again, and `nmt gate run=demo`"
    storage.write_bytes(path, b"{")
    with pytest.raises(StorageError, match=f"engine.jsonl, line 1.*{again}"):
        outputs_kept(storage, "demo", "news", ("engine",), languages)
    Path(storage.locate(path)).unlink()
    with pytest.raises(StorageError, match=f"engine.jsonl is missing: {again}"):
        outputs_kept(storage, "demo", "news", ("engine",), languages)
