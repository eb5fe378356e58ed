"""What a run does when its machine has too little memory for the configured micro-batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nmt.errors import InsufficientMemoryError, TrainingError
from nmt.models.out_of_memory import DoesNotFitError, attempt
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.micro_batches import MicroBatches
from nmt.training.strategies import Batch, Single
from nmt.training.trainer import Trainer, run_training
from tests.support.training.small_training import checkpoint_weights

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture
def steady(job: TrainingJob) -> TrainingJob:
    """Three steps of some ten rows."""
    settings = {
        "training.max_steps": 3,
        "training.evaluate_every_steps": 3,
        "training.micro_batch_tokens": 1024,
    }
    return replace(job, config=job.config.with_overrides(settings))


def limit_rows(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let a forward and backward pass run out of memory beyond so many rows; rows of each pass."""
    seen: list[int] = []
    whole = Single.backward

    def backward(self: Single, batch: Batch, weight: float, last: bool) -> torch.Tensor:
        rows = len(batch["labels"])
        seen.append(rows)
        loss = whole(self, batch, weight, last)  # gradients are there already when it fails
        if rows > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return loss

    monkeypatch.setattr(Single, "backward", backward)
    return seen


def undropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch dropout off: what it draws depends on the cut."""
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, *_, **__: x)


def test_a_step_that_does_not_fit_is_done_again_with_the_same_result(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    undropped(monkeypatch)
    whole = replace(steady, folder="small/whole")
    run_training(whole)
    limit_rows(monkeypatch, most=4)
    run_training(steady)
    assert "do not fit into the memory" in caplog.text
    expected = checkpoint_weights(whole, 3)
    # Adam makes a step of the learning rate, 3e-3, from a gradient that is all rounding.
    for name, tensor in checkpoint_weights(steady, 3).items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=3e-4)


def test_a_cut_is_logged_once_and_not_at_every_step(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = limit_rows(monkeypatch, most=4)
    run_training(steady)
    failed = sum(rows > 4 for rows in seen)
    assert 0 < failed == caplog.text.count("do not fit into the memory")


def test_a_resumed_run_starts_with_the_cut_it_had(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        limit_rows(small, most=4)
        run_training(replace(steady, stop_at_step=1))
    seen = limit_rows(monkeypatch, most=10**6)
    run_training(steady)
    assert 0 < max(seen) <= 4


def test_one_row_that_does_not_fit_ends_the_run_and_names_the_settings(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_rows(monkeypatch, most=0)
    with pytest.raises(
        InsufficientMemoryError,
        match=r"max_source_tokens.*gradient_checkpointing.*adapter.type=qlora",
    ):
        run_training(steady)


def test_a_worker_among_several_records_the_cut_and_leaves_the_step_to_a_restart(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_rows(monkeypatch, most=4)
    monkeypatch.setattr("nmt.training.trainer.build_strategy", lambda strategy: Single())
    several = replace(steady, config=steady.config.with_overrides({"strategy.type": "ddp"}))
    with pytest.raises(TrainingError, match="go on from the last checkpoint"):
        run_training(several)
    assert MicroBatches("train", steady.storage, steady.folder, Single()).parts == 2


@pytest.mark.parametrize("sizes", [[9, 1], [7, 8, 2]])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_cut_shares_hold_every_row_once_and_no_worker_has_more_than_the_count(
    tmp_path: Path, sizes: list[int], workers: int
) -> None:
    made = MicroBatches("train", Storage(str(tmp_path)), "run", Single())
    made.halve(9)
    ends = np.cumsum(sizes)
    step = [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    shares = [made.of(step, rank, workers) for rank in range(workers)]
    rows = [int(row) for mine, _ in shares for part in mine for row in part]
    assert sorted(rows) == list(range(sum(sizes)))
    assert {count for _, count in shares} == {max(len(mine) for mine, _ in shares)}


def test_memory_that_this_machine_lacks_counts_as_out_of_memory() -> None:
    with pytest.raises(DoesNotFitError):
        attempt(lambda: torch.empty(2**60, dtype=torch.uint8), rows=3)


def test_another_fault_stays_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        attempt(lambda: torch.zeros(2) + torch.zeros(3), rows=3)


def test_weights_that_do_not_fit_by_themselves_are_answered_with_what_would(
    steady: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Single, "begin", full)
    with pytest.raises(TrainingError, match=r"weights and optimizer alone.*nmt plan"):
        run_training(steady)


def test_the_first_micro_batch_meets_the_memory_of_all_later_ones(steady: TrainingJob) -> None:
    """The moments are there before it, so that it is cut where a later one would not fit."""
    trainer = Trainer(steady, load_material(steady, torch.device("cpu")), Single())
    trainer.resume()
    assert len(trainer.strategy.moments()) == 2 * len(trainer.parameters)
