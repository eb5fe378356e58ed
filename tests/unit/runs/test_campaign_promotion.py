"""Where a campaign on a laptop lets the engine serve that its gate has accepted."""

from dataclasses import asdict
from pathlib import Path

import pytest

from nmt.config import load_with_user_set
from nmt.runs import layout
from nmt.runs.gate import GateResult
from nmt.runs.records import Record
from nmt.runs.steps import GATE
from nmt.storage import Storage
from nmt.traffic import promote, read_traffic
from ray_jobs import campaign, gate
from ray_jobs.runtime.context import Session
from tests.support.runs.evaluated_run import INPUTS, export, leave_engine
from tests.support.runs.gate_record import gate_result

GENERAL, MEDICAL = "eng_Latn-tam_Taml", "eng_Latn-tam_Taml/medical"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(str(tmp_path / "runs"))
    export(storage, "demo")
    leave_engine(storage, "s")
    return storage


def run_accepted(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, baseline: str | None, *words: str
) -> GateResult:
    """Run a campaign whose gate has accepted the engine for the medical route."""
    result = gate_result("accept", engine="demo", baseline=baseline, route=MEDICAL)
    record = Record("gate", True, {}, INPUTS, output="g", result=result.as_json())
    storage.write_json(layout.step_record("demo", GATE), asdict(record))
    monkeypatch.setattr(campaign, "run_steps", lambda *_: None)
    monkeypatch.setattr(gate, "run", lambda _: record)
    loaded = load_with_user_set([], ["run=demo", "gate.domain=medical", *words])
    return campaign.run(Session(loaded.config, storage, loaded.user_set))


def test_an_accepted_engine_serves_the_domain_for_which_it_was_judged(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(storage, "default", "s")
    promote(storage, "default", "s", domain="medical")
    run_accepted(storage, monkeypatch, "s", "campaign.promote=true")
    traffic = read_traffic(storage, "default")
    assert traffic
    assert {key: route.stable for key, route in traffic.routes.items()} == {
        GENERAL: "s",
        MEDICAL: "demo",
    }


def test_an_accepted_engine_is_the_first_of_its_domain(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(storage, "default", "s")
    run_accepted(storage, monkeypatch, None, "campaign.promote=true")
    traffic = read_traffic(storage, "default")
    assert traffic
    assert traffic.routes[MEDICAL].stable == "demo"


def test_the_command_that_promotes_names_the_domain_and_the_endpoint(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run_accepted(storage, monkeypatch, None, "serving.name=clinic")
    assert "promote run=demo serving.name=clinic --domain medical" in caplog.text
    assert "nmt serve serving.name=clinic" in caplog.text
