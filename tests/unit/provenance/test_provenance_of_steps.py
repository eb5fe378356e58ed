"""`export` signs what it has made, and nothing else unasked."""

import logging
from pathlib import Path
from typing import Any

import pytest

from nmt.config import load_with_user_set
from nmt.errors import ConfigError
from nmt.provenance.verification import verify_engine
from nmt.runs import layout
from nmt.runs.results import ExportResult
from nmt.runs.running import run_step
from nmt.runs.steps import BASE, EXPORT, PREPARE, TRAIN, AnyStep
from nmt.storage import Storage
from ray_jobs import export
from ray_jobs.runtime.context import Session
from tests.support.runs.records import step_output
from tests.support.runs.signed_run import FILES, RUN, KeyPair, leave_content

RESULTS: dict[str, dict[str, Any]] = {
    "prepare": {"sizes": {"train": 9}},
    "base": {"license": "mit"},
    "train": {"trained_parameters": 1, "left_out": 0, "steps": 2},
}


def make_session(storage: Storage, *words: str) -> Session:
    loaded = load_with_user_set(overrides=[f"run={RUN}", *words])
    return Session(loaded.config, storage, loaded.user_set)


@pytest.fixture
def made(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engines that the export has made, of a trained run."""
    made: list[str] = []
    session = make_session(storage)
    steps: list[AnyStep] = [PREPARE, BASE, TRAIN]
    for step in steps:
        run_step(storage, session.config, step, lambda s=step: step_output(**RESULTS[s.name]))

    def make(_: Session, work: object) -> ExportResult:
        made.append(leave_content(storage, RUN, FILES))
        return ExportResult(engine=made[-1], format="torch", logit_difference=0.0, license="mit")

    monkeypatch.setattr(export, "on_worker", make)
    return made


def test_an_export_with_a_key_leaves_a_signed_engine(
    storage: Storage, keys: KeyPair, made: list[str]
) -> None:
    export.run(make_session(storage, f"provenance.private_key={keys.private}"))
    record = verify_engine(storage, made[0], keys.public)
    assert (record.run, record.seed) == (RUN, 1)
    assert "data.cleaning.max_words" in record.settings["prepare"]
    assert record.settings["export"]["export.quantization"] == "int8"


def test_a_key_that_cannot_sign_ends_the_export_before_its_work(
    storage: Storage, made: list[str]
) -> None:
    with pytest.raises(ConfigError, match=r"^provenance.private_key=missing.key"):
        export.run(make_session(storage, "provenance.private_key=missing.key"))
    assert made == []


def test_an_engine_that_an_earlier_export_made_is_not_signed_unasked(
    storage: Storage, keys: KeyPair, made: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    export.run(make_session(storage))
    with caplog.at_level(logging.WARNING):
        export.run(make_session(storage, f"provenance.private_key={keys.private}"))
    assert "is not signed unasked" in caplog.text
    assert not storage.exists(layout.provenance(made[0]))


def test_a_damaged_engine_is_made_and_signed_again(
    storage: Storage, keys: KeyPair, made: list[str]
) -> None:
    session = make_session(storage, f"provenance.private_key={keys.private}")
    export.run(session)
    Path(storage.locate(f"{layout.engine(made[0])}/README.md")).write_text("other")
    export.run(session)
    assert len(made) == 2
    verify_engine(storage, made[1], keys.public)


def test_the_key_is_no_setting_of_a_step(storage: Storage, keys: KeyPair, made: list[str]) -> None:
    export.run(make_session(storage))
    before = storage.read_json(layout.step_record(RUN, EXPORT))
    export.run(make_session(storage, f"provenance.private_key={keys.private}"))
    assert storage.read_json(layout.step_record(RUN, EXPORT)) == before
    assert len(made) == 1
