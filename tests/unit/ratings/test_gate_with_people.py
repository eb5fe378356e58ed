"""`nmt gate` where its rules leave an engine undecided: it asks people, and takes their answer."""

from dataclasses import asdict
from pathlib import Path

import pytest

from nmt.config import Config
from nmt.ratings.gate import study_name
from nmt.ratings.studies import find_design
from nmt.runs import layout
from nmt.runs.evaluation import TestSetInfo
from nmt.runs.gate import GateResult
from nmt.runs.records import Record, result_of
from nmt.runs.steps import GATE, STEPS
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
