"""The decision of the gate in `report.html`, which is written before the gate decides."""

import pytest

from nmt.report.page import render_report
from nmt.runs import layout
from nmt.runs.gate import GateResult, PeopleAnswer
from nmt.storage import Storage
from ray_jobs.runtime.written_summary import add_decision, write_summary
from tests.support.runs.gate_record import leave_decision
from tests.support.runs.summaries import full


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(str(tmp_path))


@pytest.fixture
def decision(storage: Storage) -> GateResult:
    return leave_decision(storage, "demo", "reject", engine="a", baseline="b")


def report(storage: Storage) -> str:
    return storage.read_bytes(layout.report("demo")).decode()


def test_the_page_has_the_verdict_and_each_rule_with_its_figure(decision: GateResult) -> None:
    page = render_report(full(gate=decision))
    section = page.partition('<section id="gate">')[2].partition("</section>")[0]
    assert "REJECT: the engine must not replace engine b" in section
    assert ">passed<" in section
    assert "+1.50 chrF++, at least 1.00" in section


def test_the_page_has_what_people_have_said(decision: GateResult) -> None:
    people = PeopleAnswer(
        study="gate.a.b", answer="reject", reason="no gain <of 3>", ratings=50, looks_left=5
    )
    page = render_report(full(gate=decision.model_copy(update={"people": people})))
    assert "people, by 50 sentences: no gain &lt;of 3&gt;" in page


def test_without_a_decision_the_page_has_no_gate() -> None:
    assert 'id="gate"' not in render_report(full())


def test_the_decision_is_added_to_a_report_that_was_written_before_it(
    storage: Storage, decision: GateResult
) -> None:
    write_summary(storage, "demo", full(engine="a"))
    assert 'id="gate"' not in report(storage)
    add_decision(storage, "demo", decision)
    assert "REJECT" in report(storage)
    assert storage.read_json(layout.summary("demo"))["gate"]["verdict"] == "reject"


def test_a_decision_on_another_engine_is_not_added(storage: Storage, decision: GateResult) -> None:
    write_summary(storage, "demo", full(engine="newer"))
    add_decision(storage, "demo", decision)
    assert 'id="gate"' not in report(storage)


def test_a_run_without_a_summary_gets_none(storage: Storage, decision: GateResult) -> None:
    add_decision(storage, "demo", decision)
    assert not storage.exists(layout.report("demo"))
