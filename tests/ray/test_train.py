import logging
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import ray
import torch
from ray.train.v2._internal.util import construct_user_exception_with_traceback

from nmt.errors import InputError, PreemptedError, StorageError, TrainingError
from nmt.runs.records import find_record, result_of
from nmt.runs.steps import EVALUATE, TRAIN
from nmt.storage import Storage
from nmt.training.events import Signal
from ray_jobs import evaluate, export, train
from ray_jobs.runtime.connection import on_worker
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.logs import quiet_expected_failures
from ray_jobs.workers.interruption import StopCoordinator, WorkerNotice
from tests.ray.conftest import branch
from tests.support.training.disturbed_training import (
    actor_names,
    actors,
    signal_a_worker,
    told_to_go_twice,
    train_disturbed,
    weights,
)
from tests.support.training.small_training import same


@pytest.fixture(scope="module")
def whole(prepared: Session) -> Session:
    """An undisturbed training on one worker."""
    session = branch(prepared, "whole")
    train.run(session)
    return session


def test_training_leaves_a_record_with_its_curve(whole: Session) -> None:
    record = find_record(whole.storage, "whole", TRAIN)
    assert record is not None
    assert record.done
    result = result_of(whole.storage, "whole", TRAIN, record)
    assert [point.step for point in result.curve] == [4, 8, 12]
    assert result.base_bleu is not None
    assert result.base_bleu >= 0


def test_a_second_call_does_not_train_again(whole: Session) -> None:
    before = find_record(whole.storage, "whole", TRAIN)
    assert train.run(whole) == before


def test_a_second_call_publishes_again_what_was_damaged(whole: Session) -> None:
    file = Path(whole.storage.locate("whole/train/best/adapter_model.safetensors"))
    before = file.read_bytes()
    file.write_bytes(before[::-1])
    train.run(whole)
    assert file.read_bytes() == before


def test_two_workers_make_the_same_steps_as_one(prepared: Session, whole: Session) -> None:
    # The dropout masks differ between workers, so both sides go without.
    two = {"strategy__type": "ddp", "scaling__workers": 2}
    pair = branch(prepared, "pair", adapter__dropout=0.0, **two)
    alone = branch(prepared, "alone", adapter__dropout=0.0)
    train.run(pair)
    train.run(alone)
    first, second = weights(pair), weights(alone)
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)


def test_a_killed_worker_costs_nothing_but_time_and_the_log_says_from_where_it_goes_on(
    prepared: Session, whole: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    session = branch(prepared, "killed")
    train_disturbed(session, lambda: signal_a_worker(signal.SIGKILL))
    assert same(weights(session), weights(whole))
    said = "".join(capfd.readouterr())
    told = re.search(r"a worker was lost: the training goes on from step (\d+)", said)
    assert told
    assert f"train from step {told[1]} of" in said
    assert "RayTrainWorker pid=" not in said


@pytest.mark.parametrize(("max_failures", "attempts"), [(1, 2), (2, 3)])
def test_work_whose_worker_was_told_to_go_is_begun_again_as_often_as_is_allowed(
    prepared: Session, tmp_path: Path, max_failures: int, attempts: int
) -> None:
    storage = Storage(str(tmp_path))
    config = prepared.config.with_overrides({"scaling.max_failures": max_failures})
    with pytest.raises(PreemptedError) if attempts < 3 else nullcontext():
        on_worker(Session(config, storage, prepared.user_set), told_to_go_twice)
    assert storage.read_json("attempts") == attempts


def test_a_killed_notice_board_ends_no_training(prepared: Session, whole: Session) -> None:
    session = branch(prepared, "boardless", scaling__max_failures=0)
    beside: set[str] = set()

    def kill_boards() -> None:
        beside.update(actor_names())
        for board in actors("StopBoard"):
            board.kill()

    train_disturbed(session, kill_boards)
    assert same(weights(session), weights(whole))
    # Each of them would import Ray Train, for seconds of a processor that the workers start on.
    assert beside == {"StopBoard", "OneMachineController", "RayTrainWorker", "SynchronizationActor"}


def test_one_failure_too_many_is_told_with_what_remains_to_do(prepared: Session) -> None:
    session = branch(prepared, "given-up", scaling__max_failures=0)
    with pytest.raises(TrainingError, match=r"max_failures=0.* the same command goes on"):
        train_disturbed(session, lambda: signal_a_worker(signal.SIGKILL))


def test_a_worker_that_another_one_ends_knows_that_the_driver_wanted_it(prepared: Session) -> None:
    """Else it fails, as one does whose group shall begin again."""
    coordinator = StopCoordinator()
    notice = WorkerNotice(coordinator, under_train=False)
    assert notice(0) is Signal.CONTINUE
    ray.get(coordinator.board.ask_to_stop.remote())
    notice.ended(1)
    assert notice.stopping


def test_a_worker_that_is_to_stop_still_joins_the_others_question_about_the_nodes(
    prepared: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would wait for it in that barrier, and it for them in the next step."""
    asked: list[None] = []
    monkeypatch.setattr("ray.train.get_preemption_info", lambda: asked.append(None))
    coordinator = StopCoordinator()
    notice = WorkerNotice(coordinator, under_train=True)
    ray.get(coordinator.board.ask_to_stop.remote())
    assert notice(10) is Signal.STOP
    assert asked == [None]


def test_a_trial_that_is_cut_while_it_waits_is_counted_off_once(prepared: Session) -> None:
    coordinator = StopCoordinator()
    notice = WorkerNotice(coordinator, under_train=False)
    with pytest.raises(SystemExit), notice.under_way(), notice.waiting():
        raise SystemExit
    assert ray.get(coordinator.board.under_way.remote()) == 0


def test_bad_input_on_a_worker_is_bad_input_here_and_not_tried_again(prepared: Session) -> None:
    session = branch(prepared, "refused", adapter__target_modules=["query"])
    with pytest.raises(InputError, match=r"no linear layer named query"):
        train.run(session)
    assert find_record(session.storage, "refused", TRAIN) is None


def test_a_trained_run_is_exported_and_evaluated_with_its_engine(whole: Session) -> None:
    engine = export.run(whole).output
    assert whole.storage.is_committed(f"engines/{engine}")
    found = result_of(whole.storage, "whole", EVALUATE, evaluate.run(whole))
    for system in ("base", "tuned", "engine"):
        for test_set in ("test", "general"):
            for metric in ("bleu", "chrf++", "ter"):
                assert found.score(system, test_set, metric) is not None
    assert found.comparison(system="engine") is not None
    assert found.systems["engine"].engine == engine


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StorageError("no space left"), "no space left"),
        (RuntimeError("[gloo/transport/tcp/pair.cc:537] Read error"), "connection to another"),
    ],
    ids=["ours", "a-lost-peer"],
)
def test_a_failure_that_is_no_fault_of_the_code_is_one_line_in_a_workers_log(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    quiet_expected_failures()
    with _rays_log(caplog):
        try:
            raise error
        except Exception as raised:
            construct_user_exception_with_traceback(raised)
    assert said in caplog.text
    assert "Traceback" not in caplog.text


def test_a_fault_of_the_code_keeps_its_traceback_in_a_workers_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    quiet_expected_failures()
    with _rays_log(caplog):
        try:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        except RuntimeError as raised:
            construct_user_exception_with_traceback(raised)
    assert "Traceback" in caplog.text


@contextmanager
def _rays_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Ray's loggers hand nothing on to the root."""
    log = logging.getLogger(construct_user_exception_with_traceback.__module__)
    log.addHandler(caplog.handler)
    try:
        yield
    finally:
        log.removeHandler(caplog.handler)
