"""What the gate cannot decide, people decide, in batches of 50 sentences."""

from pathlib import Path

import pytest

from nmt.errors import InputError
from nmt.ratings.batches import Key
from nmt.ratings.design import Wishes, make_design
from nmt.ratings.gate import ask_people, study_name, with_answer
from nmt.ratings.imports import import_files
from nmt.ratings.sources import outputs_kept
from nmt.ratings.studies import read_design, read_keys, start_study, write_batch
from nmt.report.gate import gate_lines
from nmt.runs import layout
from nmt.runs.gate import GateResult, GateRule, GateSet, Outcome
from nmt.scoring.stored import HypothesisRow, write_rows
from nmt.storage import Storage
from tests.support.ratings.studies import fill_in, score_by, write

SENTENCES = 120


def result_with(**outcomes: Outcome) -> GateResult:
    """Make a decision whose rules have these outcomes; the others have passed."""
    rules = tuple(
        GateRule(
            name=name.replace("_", " "),
            outcome=outcome,
            text="a figure",
            test_set="news" if name == "loss" else None,
        )
        for name, outcome in outcomes.items()
    )
    verdicts = [rule.outcome for rule in rules]
    failed, is_open = "failed" in verdicts, "open" in verdicts
    return GateResult(
        verdict="reject" if failed else "undecided" if is_open else "accept",
        reason="gain: a figure",
        engine="a",
        baseline="b",
        endpoint="default",
        route="eng_Latn-tam_Taml",
        metric="chrf++",
        signature="s",
        goal="better",
        rules_digest="r",
        error_rate=0.0025,
        difference=0.8,
        standard_error=0.4,
        low=-0.3,
        high=1.4,
        rules=rules,
        sets=tuple(
            GateSet(
                name=name,
                digest=name,
                sentences=size,
                forgetting=name == "old",
                difference=0.8,
                standard_error=0.4,
                predicted_detectable=1.0,
                detectable=1.0,
                agreement=80,
            )
            for name, size in (("news", SENTENCES), ("talks", 20), ("old", 900))
        ),
    )


UNDECIDED = result_with(gain="open")


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with the translations of run demo by both engines."""
    storage = Storage(str(tmp_path / "runs"))
    for system in ("stable", "engine"):
        rows = [
            HypothesisRow(
                source=f"sentence {number}",
                references=("r",),
                hypothesis=f"text {number} by {system} here",
                scores={"chrf++": 50.0},
            )
            for number in range(SENTENCES)
        ]
        storage.write_bytes(layout.hypotheses("demo", "news", system), write_rows(rows))
    return storage


def last_key(storage: Storage) -> Key:
    """Read the key of the last batch."""
    return read_keys(storage, read_design(storage, "demo", study_name(UNDECIDED)))[-1]


def rate_batch(storage: Storage, folder: Path, better: float) -> list[Path]:
    """Let one person rate the next batch, with the engine better by so many points."""
    design = ask_people(storage, "demo", UNDECIDED, raters=1, seed=1)
    batch = write_batch(storage, design, folder, "csv")
    key = last_key(storage)
    fill = score_by({"stable": 50.0, "engine": 50.0 + better}, spread=12.0)
    filled = [
        write(folder, f"filled-{path.name}", fill_in(path.read_bytes(), key, fill))
        for path in batch.files
        if path.suffix == ".csv"
    ]
    import_files(storage, "demo", filled)
    return filled


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
