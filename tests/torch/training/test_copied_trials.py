"""A trial that is copied by population based training goes on from another's checkpoint."""

from dataclasses import replace

import pytest
import torch

from nmt.runs import layout
from nmt.training import validation
from nmt.training.job import TrainingJob
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.trainer import run_training

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture
def parent(job: TrainingJob) -> TrainingJob:
    """A training that has stopped after four updates."""
    config = job.config.with_overrides({"training.evaluate_every_steps": 2})
    parent = replace(job, config=config, folder="small/parent", stop_at_step=4)
    run_training(parent)
    return parent


@pytest.fixture
def changed(parent: TrainingJob) -> TrainingJob:
    """A training with another learning rate after four updates, from the beginning."""
    config = parent.config.with_overrides({"training.learning_rate_changes.4": 1e-4})
    return replace(parent, config=config, folder="small/whole", stop_at_step=8)


def copy_of(parent: TrainingJob, changed: TrainingJob) -> TrainingJob:
    """The same training from the parent's checkpoint."""
    place = layout.checkpoints(parent.folder)
    return replace(changed, folder="small/copy", start_from=place, start_at_step=4)


def weights_of(job: TrainingJob) -> dict[str, torch.Tensor]:
    return Checkpoints(job.storage, layout.checkpoints(job.folder)).parameters(8)


def test_it_ends_with_the_weights_of_its_settings_trained_from_the_beginning(
    parent: TrainingJob, changed: TrainingJob
) -> None:
    copy = copy_of(parent, changed)
    run_training(changed)
    run_training(copy)
    # The parent goes on to other weights, or this would show nothing.
    run_training(replace(parent, stop_at_step=8))
    whole, copied, other = weights_of(changed), weights_of(copy), weights_of(parent)
    assert all(torch.equal(whole[name], copied[name]) for name in whole)
    assert not all(torch.equal(whole[name], other[name]) for name in whole)


def test_it_has_a_checkpoint_of_its_own_from_its_first_moment(
    parent: TrainingJob, changed: TrainingJob
) -> None:
    copy = replace(copy_of(parent, changed), stop_at_step=4)
    run_training(copy)
    assert Checkpoints(copy.storage, layout.checkpoints(copy.folder)).steps() == [4]


def test_its_earlier_validations_are_those_of_the_other_trial(
    parent: TrainingJob, changed: TrainingJob
) -> None:
    state = run_training(copy_of(parent, changed)).state
    assert [entry["step"] for entry in state.curve] == [4, 6, 8]


def test_the_best_checkpoint_of_its_own_is_kept_below_that_of_the_other_trial(
    parent: TrainingJob, changed: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = {"training.evaluate_every_steps": 1, "training.keep_checkpoints": 2}
    copy = copy_of(parent, changed)
    copy = replace(copy, config=copy.config.with_overrides(often))
    scores = iter([0.0, -1.0, -2.0, -3.0])  # the other trial had more than 0
    monkeypatch.setattr(validation, "corpus_bleu", lambda *_: next(scores))
    run_training(copy)
    kept = Checkpoints(copy.storage, layout.checkpoints(copy.folder)).steps()
    assert kept == [4, 5, 7, 8]


def test_without_that_checkpoint_it_begins_at_the_beginning(
    parent: TrainingJob, changed: TrainingJob, caplog: pytest.LogCaptureFixture
) -> None:
    copy = replace(copy_of(parent, changed), start_from="small/gone")
    state = run_training(copy).state
    assert "begins at step 0" in caplog.text
    assert [entry["step"] for entry in state.curve] == [2, 4, 6, 8]
