"""Two commands that work on the same step of a run."""

from contextlib import AbstractContextManager
from typing import Any

import pytest

from nmt.errors import InUseError
from nmt.runs import running
from nmt.runs.records import find_record
from nmt.runs.running import StepOutput, discard, lock_step, run_step
from nmt.runs.steps import BASE, PREPARE, Step
from nmt.storage import Storage
from ray_jobs.cli import main, runner
from tests.support.runs.finished_steps import Work, config, finish
from tests.support.runs.records import step_output


def test_a_step_that_another_process_does_is_refused_by_name(storage):
    again = Work()
    with (
        lock_step(storage, "demo", PREPARE),
        pytest.raises(
            InUseError, match=r"^run 'demo': the step 'prepare' is being done by process"
        ),
    ):
        run_step(storage, config(), PREPARE, again)
    assert again.calls == 0
    assert not storage.exists("demo/data")


@pytest.mark.parametrize("command", ["prepare", "pipeline"])
def test_a_command_whose_step_another_one_does_ends_before_its_imports(
    storage, capsys, monkeypatch, command
):
    """Those of Ray take seconds."""
    imported: list[str] = []
    monkeypatch.setattr(runner.importlib, "import_module", imported.append)
    with lock_step(storage, "demo", PREPARE):
        assert main.main([command, "run=demo", f"storage={storage.locate('')}"]) == 2
    assert "the step 'prepare' is being done by process" in capsys.readouterr().err
    assert imported == []


def test_restart_discards_nothing_under_a_process_that_works(storage):
    finish(storage, PREPARE)
    with lock_step(storage, "demo", PREPARE), pytest.raises(InUseError):
        run_step(storage, config(), PREPARE, Work(), restart=True)
    assert find_record(storage, "demo", PREPARE)


def test_of_several_steps_none_is_discarded_while_one_of_them_is_done(storage):
    finish(storage, PREPARE, BASE)
    with lock_step(storage, "demo", BASE), pytest.raises(InUseError):
        discard(storage, "demo", [PREPARE, BASE])
    assert find_record(storage, "demo", PREPARE)
    discard(storage, "demo", [PREPARE, BASE])
    assert not storage.exists("demo/data")
    assert not storage.exists("demo/base")


def test_a_finished_step_is_taken_without_waiting_for_anybody(storage):
    finish(storage, PREPARE)
    with lock_step(storage, "demo", PREPARE):
        _, did_work = run_step(storage, config(), PREPARE, Work())
    assert not did_work


def test_a_step_is_held_while_it_is_done_and_not_after(storage):
    def look() -> StepOutput[Any]:
        with pytest.raises(InUseError), lock_step(storage, "demo", PREPARE):
            pass
        return step_output()

    run_step(storage, config(), PREPARE, look)
    assert storage.list("demo") == ["data"]


def test_what_another_process_has_done_meanwhile_is_not_done_again(storage, monkeypatch):
    """Between the look at the record and the lock, a step may be finished elsewhere."""
    hold, work = running.lock_step, Work()

    def late(root: Storage, run: str, step: Step) -> AbstractContextManager[None]:
        monkeypatch.setattr(running, "lock_step", hold)
        finish(storage, PREPARE, output="theirs")
        return hold(root, run, step)

    monkeypatch.setattr(running, "lock_step", late)
    record, did_work = run_step(storage, config(), PREPARE, work)
    assert (work.calls, did_work, record.output) == (0, False, "theirs")
