import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from nmt.errors import InputError
from nmt.steps import TRAIN, find_record
from ray_jobs import evaluate, export, train
from ray_jobs.session import Session
from tests.ray.conftest import branch


def weights(session: Session) -> dict[str, torch.Tensor]:
    folder = Path(session.storage.locate(f"{session.config.run}/train/best"))
    return load_file(folder / "adapter_model.safetensors")


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
    assert [point["step"] for point in record.result["curve"]] == [4, 8, 12]


def test_a_second_call_does_not_train_again(whole: Session) -> None:
    before = find_record(whole.storage, "whole", TRAIN)
    assert train.run(whole) == before


def test_two_workers_make_the_same_steps_as_one(prepared: Session, whole: Session) -> None:
    pair = branch(prepared, "pair", strategy__type="ddp", scaling__workers=2)
    # The dropout masks differ between workers, so both sides go without.
    pair = pair.with_config(pair.config.with_overrides({"adapter.dropout": 0.0}))
    alone = branch(prepared, "alone", adapter__dropout=0.0)
    train.run(pair)
    train.run(alone)
    first, second = weights(pair), weights(alone)
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=1e-4)


def test_a_killed_worker_costs_nothing_but_time(prepared: Session, whole: Session) -> None:
    session = branch(prepared, "killed")
    checkpoints = Path(session.storage.locate("killed/train/checkpoints"))
    killed: list[int] = []

    def kill_when_saved() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not killed:
            if list(checkpoints.glob("step-*/manifest.json")):
                for process in psutil.process_iter(["name", "cmdline"]):
                    line = " ".join(process.info["cmdline"] or [])
                    if line.startswith("ray::RayTrainWorker") and _ours(process):
                        os.kill(process.pid, signal.SIGKILL)
                        killed.append(process.pid)
                        return
            time.sleep(0.01)

    thread = threading.Thread(target=kill_when_saved, daemon=True)
    thread.start()
    train.run(session)
    thread.join()
    assert killed, "no worker was killed: the training was over too soon"
    first, second = weights(session), weights(whole)
    assert all(torch.equal(first[name], second[name]) for name in second)


def _ours(process: psutil.Process) -> bool:
    """Whether a process belongs to the Ray that this test process started."""
    return any(parent.pid == os.getpid() for parent in process.parents())


def test_bad_input_on_a_worker_is_bad_input_here_and_not_tried_again(prepared: Session) -> None:
    session = branch(prepared, "refused", adapter__target_modules=["query"])
    with pytest.raises(InputError, match=r"no layer named query"):
        train.run(session)
    assert find_record(session.storage, "refused", TRAIN) is None


def test_a_trained_run_is_evaluated_and_exported(whole: Session) -> None:
    scores = evaluate.run(whole).result
    assert set(scores["best"]["scores"]) == {"bleu", "chrf++", "ter"}
    assert scores["best"]["general_bleu"] is not None
    assert 0 <= scores["p_value"] <= 1
    engine = export.run(whole).output
    assert whole.storage.is_committed(f"engines/{engine}")
