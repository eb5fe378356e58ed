import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from nmt.models.adapters import load_weights, save_weights
from nmt.runs import layout
from nmt.training import validation
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.saved.averaging import mean_parameters
from nmt.training.saved.checkpoints import Checkpoints
from nmt.training.trainer import run_training

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture
def averaged(job: TrainingJob) -> TrainingJob:
    """Validations at steps 2, 4, 6 and 8; the mean is of the last three."""
    settings = {
        "training.evaluate_every_steps": 2,
        "training.keep_checkpoints": 3,
        "training.average_checkpoints": 3,
    }
    return replace(job, config=job.config.with_overrides(settings))


def validate_as(monkeypatch: pytest.MonkeyPatch, *bleus: float) -> Iterator[float]:
    """Give validations these scores; what is left of them is returned."""
    left = iter(bleus)
    monkeypatch.setattr(validation, "corpus_bleu", lambda *given: next(left))
    return left


def checkpoints(job: TrainingJob) -> Checkpoints:
    return Checkpoints(job.storage, layout.checkpoints(job.folder))


def published(job: TrainingJob) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights of the published folder, and what stands beside them."""
    path = f"{job.folder}/best"
    tensors = load_file(Path(job.storage.locate(path)) / "adapter_model.safetensors")
    return tensors, job.storage.manifest(path)["meta"]


def as_published(job: TrainingJob, weights: dict[str, torch.Tensor], folder: Path) -> None:
    model = load_material(job, torch.device("cpu")).model
    load_weights(model, weights)
    save_weights(model, folder)


def test_the_mean_is_that_of_every_parameter(averaged: TrainingJob) -> None:
    run_training(averaged)
    made = checkpoints(averaged)
    steps = made.steps()[-3:]
    each = [made.load(step).parameters() for step in steps]
    for name, tensor in mean_parameters(made, steps).items():
        torch.testing.assert_close(tensor, torch.stack([one[name] for one in each]).mean(0))


def test_a_mean_with_a_better_bleu_is_published(
    averaged: TrainingJob,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    validate_as(monkeypatch, 1.0, 4.0, 3.0, 2.0, 5.0)
    with caplog.at_level(logging.INFO):
        run_training(averaged)
    tensors, meta = published(averaged)
    assert meta == {"step": 8, "bleu": 5.0, "mean_of_steps": [4, 6, 8]}
    assert "published the mean of the checkpoints of steps 4, 6, 8" in caplog.text
    as_published(averaged, mean_parameters(checkpoints(averaged), [4, 6, 8]), tmp_path / "mean")
    expected = load_file(tmp_path / "mean/adapter_model.safetensors")
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_the_best_checkpoint_is_published_where_the_mean_is_no_better(
    averaged: TrainingJob,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    validate_as(monkeypatch, 1.0, 4.0, 3.0, 2.0, 4.0)
    with caplog.at_level(logging.INFO):
        run_training(averaged)
    tensors, meta = published(averaged)
    assert meta == {"step": 4, "bleu": 4.0}
    assert "published the checkpoint of step 4" in caplog.text
    as_published(averaged, checkpoints(averaged).load(4).parameters(), tmp_path / "single")
    expected = load_file(tmp_path / "single/adapter_model.safetensors")
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_a_single_checkpoint_is_not_validated_again(
    averaged: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = validate_as(monkeypatch, 1.0, 2.0, 9.0)
    short = {"training.max_steps": 3, "training.evaluate_every_steps": 3}
    run_training(replace(averaged, config=averaged.config.with_overrides(short)))
    assert list(left) == [2.0, 9.0]


def test_a_training_that_is_over_with_the_trials_checkpoint_publishes_that(
    averaged: TrainingJob,
) -> None:
    trial = replace(averaged, folder="small/trial")
    run_training(trial)
    run_training(replace(averaged, start_from=f"{trial.folder}/checkpoints"))
    assert published(averaged)[1]["step"] in checkpoints(trial).steps()


def test_without_an_average_the_last_validation_is_that_of_the_last_step(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = validate_as(monkeypatch, 1.0, 2.0, 9.0)
    run_training(job)
    assert list(left) == [9.0]


def test_a_stopped_run_publishes_the_same_mean_as_one_left_alone(
    averaged: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_as(monkeypatch, *range(11))
    whole = replace(averaged, folder="small/whole")
    run_training(whole)
    run_training(replace(averaged, stop_at_step=6))
    run_training(averaged)
    first, second = published(whole)[0], published(averaged)[0]
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_checkpoints_between_validations_have_no_part_in_the_mean(
    averaged: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a run was interrupted, or its owner wanted more of them, one lies."""
    validate_as(monkeypatch, *range(5))
    more = averaged.config.with_overrides({"training.checkpoint_every_steps": 1})
    run_training(replace(averaged, config=more))
    assert published(averaged)[1]["mean_of_steps"] == [4, 6, 8]
    assert checkpoints(averaged).steps() == [4, 6, 7, 8]
