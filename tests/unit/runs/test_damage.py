"""What a step has left and is damaged: made again by its command, which others name."""

import logging
from pathlib import Path
from typing import Any

import pytest

from nmt.config import load_with_user_set
from nmt.errors import StorageError
from nmt.runs import layout
from nmt.runs.records import fetch_output, find_record, require
from nmt.runs.results import BaseResult, ExportResult
from nmt.runs.running import StepOutput, run_step
from nmt.runs.steps import BASE, PREPARE, TRAIN
from nmt.storage import Storage
from nmt.traffic import fetch_engine, promote, read_traffic
from ray_jobs import base, export, prepare
from ray_jobs.runtime.context import Session
from tests.support.runs.evaluated_run import leave_engine
from tests.support.runs.records import step_output
from tests.unit.storage.test_records import MUTATIONS, Damaged, mutations


@pytest.fixture
def session(storage: Storage) -> Session:
    words = ["data.phrasebook.general_pairs=200", "data.phrasebook.domain_pairs=120"]
    loaded = load_with_user_set(overrides=words)
    return Session(loaded.config, storage, loaded.user_set)


def flip(storage: Storage, path: str) -> None:
    """Change the last byte of a file."""
    file = Path(storage.locate(path))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def commit(storage: Storage, path: str, **meta: Any) -> None:
    with storage.commit(path, meta) as folder:
        (folder / "weights").write_text("weights")


def finish(session: Session, *steps: Any) -> None:
    for step in steps:
        run_step(session.storage, session.config, step, lambda: step_output("engine"))


def test_damaged_data_is_prepared_again(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = prepare.run(session)
    (damaged,) = Path(session.storage.locate("demo/data/pairs")).glob("**/train/*.arrow")
    content = damaged.read_bytes()
    flip(session.storage, str(damaged.relative_to(session.storage.locate(""))))
    after = prepare.run(session)
    assert damaged.read_bytes() == content
    assert after.output == before.output
    assert "damaged, and made again" in caplog.text
    assert prepare.run(session) == after


@pytest.mark.parametrize("name", ["best", "initial"])
def test_a_damaged_base_is_made_again(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    storage = session.storage
    if name == "initial":
        session = session.with_config(session.config.with_overrides({"model.name_or_path": "x"}))
    run_step(storage, session.config, PREPARE, lambda: step_output(sizes={"validation": 1}))
    made: list[str] = []

    def make(_: Session, work: object) -> StepOutput[BaseResult]:
        made.append(name)
        commit(storage, f"demo/base/{name}")
        return StepOutput(BaseResult(license="mit"), "base")

    monkeypatch.setattr(base, "on_worker", make)
    for _ in range(2):
        base.run(session)
    assert len(made) == 1
    flip(storage, f"demo/base/{name}/weights")
    base.run(session)
    assert len(made) == 2
    storage.verify(f"demo/base/{name}")


@pytest.mark.parametrize("damaged", ["engines/engine", "demo/export/merged"])
def test_a_damaged_export_is_made_again(
    session: Session, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    storage = session.storage
    finish(session, PREPARE, BASE, TRAIN)
    made: list[str] = []

    def make(_: Session, work: object) -> ExportResult:
        made.append("engine")
        for path in ("engines/engine", "demo/export/merged"):
            commit(storage, path)
        return ExportResult(engine="engine", format="torch", logit_difference=0.0, license="mit")

    monkeypatch.setattr(export, "on_worker", make)
    for _ in range(2):
        export.run(session)
    assert len(made) == 1
    flip(storage, f"{damaged}/weights")
    export.run(session)
    assert len(made) == 2


@pytest.mark.parametrize(
    ("path", "command"),
    [("data/pairs", "prepare"), ("base/best", "base"), ("train/best", "train")],
)
def test_who_reads_what_is_damaged_names_the_command_that_makes_it(
    storage: Storage, path: str, command: str
) -> None:
    commit(storage, f"demo/{path}")
    assert fetch_output(storage, f"demo/{path}").is_dir()
    flip(storage, f"demo/{path}/weights")
    with pytest.raises(StorageError, match=rf"weights: differs from .*give `nmt {command}` with"):
        fetch_output(storage, f"demo/{path}")


def test_a_damaged_record_of_an_earlier_step_names_that_step(
    session: Session, storage: Storage
) -> None:
    finish(session, PREPARE)
    storage.write_bytes("demo/data/step.json", b"")
    with pytest.raises(StorageError, match=r"give `nmt prepare run=demo` with this run's settings"):
        require(storage, "demo", PREPARE)


def test_a_damaged_engine_is_neither_promoted_nor_loaded(storage: Storage) -> None:
    leave_engine(storage, "engine", run="mine")
    promote(storage, "default", "engine")
    flip(storage, f"{layout.engine('engine')}/weights")
    for use in (
        lambda: promote(storage, "default", "engine"),
        lambda: fetch_engine(storage, "engine"),
    ):
        with pytest.raises(StorageError, match=r"differs from .*give `nmt export` run=mine"):
            use()


def test_a_damaged_pointer_says_how_to_go_on_and_never_ends_in_a_traceback(
    storage: Storage,
) -> None:
    leave_engine(storage, "engine")
    promote(storage, "default", "engine")
    content = storage.read_bytes(layout.traffic("default"))
    refused = 0

    damaged = Damaged(storage.locate(""))
    for _, damaged.content in zip(range(MUTATIONS), mutations(content), strict=False):
        try:
            read_traffic(damaged, "default")
        except StorageError as error:
            refused += "delete this one file, and `nmt promote`" in str(error)
    assert refused > MUTATIONS / 3


def test_a_damaged_folder_is_noticed_on_an_object_store(s3_url: str) -> None:
    storage = Storage(s3_url)
    commit(storage, "one")
    storage.verify("one")
    storage.write_bytes("one/weights", b"weightz")
    with pytest.raises(StorageError, match=r"one/weights: differs from its manifest"):
        storage.verify("one")
    storage.delete("one/weights")
    with pytest.raises(StorageError, match="one/weights"):
        storage.verify("one")


def test_the_record_of_a_step_that_was_copied_elsewhere_is_refused(
    session: Session, storage: Storage
) -> None:
    finish(session, PREPARE, BASE)
    storage.write_bytes("demo/base/step.json", storage.read_bytes("demo/data/step.json"))
    with pytest.raises(StorageError, match="not the record of the step 'base', but of 'prepare'"):
        find_record(storage, "demo", BASE)
