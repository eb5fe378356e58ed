"""What the workers of a run tell each other, with the words of the others put in their mouths."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from typing_extensions import override

from nmt.errors import ModelError, StorageError, WorseThanBaseError
from nmt.runs import layout
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.micro_batches import MicroBatches
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.saved.publish import Publisher
from nmt.training.saved.state import State
from nmt.training.strategies import Single
from nmt.training.trainer import Trainer, run_training

pytestmark = pytest.mark.usefixtures("quick_validation")


class One(Single):
    """A worker of two; the other one always says the same."""

    workers = 2

    def __init__(self, rank: int, other: object) -> None:
        self.rank, self._other = rank, other

    @override
    def gather(self, item: object) -> list[Any]:
        return [item, self._other] if self.rank == 0 else [self._other, item]


def second_of(job: TrainingJob, first_says: object) -> Trainer:
    material = load_material(job, torch.device("cpu"))
    trainer = Trainer(job, material, Single())
    trainer.strategy, trainer.is_first = One(1, first_says), False
    return trainer


def test_a_worker_goes_on_from_the_step_that_the_first_has_found(job: TrainingJob) -> None:
    run_training(job)
    assert second_of(job, first_says=((0, 4), None)).resume().step == 4


def test_a_worker_starts_anew_where_the_first_has_found_nothing(job: TrainingJob) -> None:
    run_training(job)
    assert second_of(job, first_says=(None, None)).resume().step == 0


def test_a_worker_that_cannot_read_that_step_fails(job: TrainingJob) -> None:
    """From the step before it would go on with other data and another count of steps."""
    run_training(job)
    path = f"{job.folder}/checkpoints/step-00000008/parameters.safetensors"
    job.storage.write_bytes(path, job.storage.read_bytes(path)[:-1])
    with pytest.raises(StorageError, match="step-00000008"):
        second_of(job, first_says=((0, 8), None)).resume()


def test_what_is_refused_to_another_worker_is_refused_to_this_one(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = ModelError("no such folder on the other node")
    monkeypatch.setattr("nmt.training.trainer.build_strategy", lambda strategy: One(0, fault))
    with pytest.raises(ModelError, match="on the other node"):
        run_training(job)


def test_the_finest_cut_that_a_worker_knows_of_holds_for_all(job: TrainingJob) -> None:
    strategy = One(0, 4)
    assert MicroBatches("train", job.storage, job.folder, strategy).parts == 4


def test_no_mean_is_validated_where_another_worker_cannot_read_its_checkpoints(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    averaged = replace(job, config=job.config.with_overrides({"training.average_checkpoints": 2}))
    state = run_training(averaged).state
    made = Checkpoints(job.storage, layout.checkpoints(job.folder))
    material = load_material(averaged, torch.device("cpu"))
    publisher = Publisher(averaged, material, One(0, False), made)
    monkeypatch.setattr("nmt.training.saved.publish.validate", pytest.fail)
    assert publisher._mean_of_last(state) is None


class Second(Single):
    """The second worker of two, which hears these answers of the first one."""

    rank, workers = 1, 2

    def __init__(self, *answers: object) -> None:
        self._answers = iter(answers)

    @override
    def gather(self, item: object) -> list[Any]:
        return [next(self._answers), item]


def test_weights_that_the_first_worker_finds_worse_than_the_base_are_refused_by_all(
    job: TrainingJob,
) -> None:
    """One that ends well while the other fails would have the whole group started again."""
    material = load_material(job, torch.device("cpu"))
    made = Checkpoints(job.storage, layout.checkpoints(job.folder))
    second = Publisher(job, material, Second(False, "the best is 1.00, below 2.00"), made)
    with pytest.raises(WorseThanBaseError, match=r"1\.00, below 2\.00"):
        second.publish(State(step=8, base_bleu=2.0, curve=({"step": 8, "bleu": 1.0},)))
