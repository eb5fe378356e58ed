"""`nmt gate` where its rules leave an engine undecided: it asks people, and takes their answer."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nmt.config import Config, load_with_user_set
from nmt.ratings.gate import study_name
from nmt.ratings.studies import find_design
from nmt.runs import layout
from nmt.runs.evaluation import TestSetInfo
from nmt.runs.gate import GateResult
from nmt.runs.records import Record, find_record, result_of
from nmt.runs.steps import EVALUATE, GATE, STEPS
from nmt.storage import Storage
from nmt.traffic import promote
from ray_jobs import gate
from ray_jobs.runtime.context import Session
from tests.support.ratings.gate_study import UNDECIDED, leave_translations, rate_batch
from tests.support.runs.evaluated_run import INPUTS, evaluate, export, leave_engine, with_engine
from tests.support.runs.summaries import BETTER, evaluation

RUN = "demo"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A run whose engine a was evaluated beside the serving engine b; its rules leave it open."""
    storage = Storage(str(tmp_path / "runs"))
    for run in ("b", RUN):
        export(storage, run)
        evaluate(storage, run, BETTER)
    promote(storage, "default", "b")
    leave_engine(storage, "a")
    for step, output in (INPUTS | {"export": "a"}).items():
        inputs = INPUTS if step == "export" else {}
        record = Record(step, True, {}, inputs, output=output)
        storage.write_json(layout.step_record(RUN, STEPS[step]), asdict(record))
    sets = {each.name: TestSetInfo(sentences=9, digest=each.digest) for each in UNDECIDED.sets}
    found = with_engine(evaluation())
    found = found.model_copy(update={"test_sets": found.test_sets | sets})
    evaluate(storage, RUN, BETTER, inputs=INPUTS | {"export": "a"}, result=found.as_json())
    leave_translations(storage)
    # The rules need the model; here it is what follows them that counts.
    monkeypatch.setattr(gate, "on_worker", lambda *words, **options: UNDECIDED)
    return Session(Config(run=RUN), storage, frozenset())


def decide(session: Session) -> GateResult:
    """Call `nmt gate`, and return what it has recorded."""
    record = gate.run(session)
    return result_of(session.storage, RUN, GATE, record)


def test_people_are_asked_by_a_study_and_told_how(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert decide(session).verdict == "undecided"
    assert find_design(session.storage, RUN, study_name(UNDECIDED))
    assert "`nmt ratings sheet run=demo --name gate.a.b --output sheets`" in caplog.text


@pytest.mark.parametrize(("better", "verdict"), [(15.0, "accept"), (-10.0, "reject")])
def test_the_next_call_takes_the_answer_of_people(
    session: Session, tmp_path: Path, better: float, verdict: str
) -> None:
    decide(session)
    rate_batch(session.storage, tmp_path, better)
    found = decide(session)
    assert found.verdict == verdict
    assert found.people
    assert found.people.ratings == 50
    assert decide(session) == found


def test_an_engine_that_translates_like_the_stable_one_stays_undecided(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    same = session.storage.read_bytes(layout.hypotheses(RUN, "news", "engine"))
    session.storage.write_bytes(layout.hypotheses(RUN, "news", "stable"), same)
    assert decide(session).verdict == "undecided"
    assert "gate: people cannot decide: " in caplog.text


def test_a_set_that_only_the_gate_was_given_does_not_stop_the_next_call(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = UNDECIDED.sets[0].model_copy(update={"name": "flores", "sentences": 1})
    result = UNDECIDED.model_copy(update={"sets": (*UNDECIDED.sets, extra)})
    monkeypatch.setattr(gate, "on_worker", lambda *words, **options: result)
    loaded = load_with_user_set([], [f"run={RUN}", "evaluation.sets.flores.path=flores.tsv"])
    decide(Session(loaded.config, session.storage, loaded.user_set))
    assert decide(session).sets == result.sets


def test_translations_of_the_stable_engine_that_are_deleted_are_made_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(session)
    path = Path(session.storage.locate(layout.hypotheses(RUN, "news", "stable")))
    content = path.read_bytes()
    path.unlink()

    def judge(*words: object, **options: object) -> GateResult:
        path.write_bytes(content)
        return UNDECIDED

    monkeypatch.setattr(gate, "on_worker", judge)
    assert decide(session).verdict == "undecided"
    assert path.exists()


def with_larger_set(session: Session, monkeypatch: pytest.MonkeyPatch, *kept: str) -> None:
    """Let the next call of the gate judge on these sets and on a larger one."""
    larger = UNDECIDED.sets[0].model_copy(update={"name": "larger", "sentences": 500})
    sets = (*(each for each in UNDECIDED.sets if each.name in kept), larger)
    result = UNDECIDED.model_copy(update={"sets": sets})
    monkeypatch.setattr(gate, "on_worker", lambda *words, **options: result)
    found = find_record(session.storage, RUN, EVALUATE)
    assert found
    record = replace(found, output="another evaluation")
    session.storage.write_json(layout.step_record(RUN, EVALUATE), asdict(record))


def test_ratings_count_although_a_larger_set_is_added(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(session)
    rate_batch(session.storage, tmp_path, 15.0)
    with_larger_set(session, monkeypatch, "news")
    found = decide(session)
    assert found.rated_set == "larger"
    assert found.verdict == "accept"


def test_people_who_rate_a_set_that_no_longer_decides_are_named(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    decide(session)
    with_larger_set(session, monkeypatch)
    assert decide(session).verdict == "undecided"
    assert "they rate 'news' in the study 'gate.a.b'" in caplog.text
    assert "(larger): add it again by evaluation.sets.news.path" in caplog.text
