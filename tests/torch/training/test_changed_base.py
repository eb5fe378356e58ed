"""A base whose files have changed since the run began is noticed by whatever stands on it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from nmt.errors import ModelError, StepConflictError
from nmt.evaluation.models import find_models
from nmt.export.trained_model import find_trained_model
from nmt.models.sources.source import ModelSource
from nmt.training.base import base_source, made_base
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training
from tests.support.runs.base_record import record_base

pytestmark = pytest.mark.usefixtures("quick_validation")

CHANGED = r"the base has changed since .*: model.safetensors has different content"


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A base that may be changed."""
    return shutil.copytree(prepared / "base", tmp_path / "base")


@pytest.fixture
def on_folder(job: TrainingJob, folder: Path) -> TrainingJob:
    """The training on that base, as the record of the base step describes it."""
    config = job.config.with_overrides({"model.name_or_path": str(folder)})
    record_base(config, job.storage)
    return replace(job, config=config, base=base_source(config, job.storage))


def change(folder: Path) -> None:
    weights = {n: 1.5 * t for n, t in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def test_a_training_does_not_go_on_from_a_checkpoint_on_other_weights(
    on_folder: TrainingJob, folder: Path
) -> None:
    run_training(replace(on_folder, stop_at_step=4))
    whole = (folder / "model.safetensors").read_bytes()
    change(folder)
    with pytest.raises(ModelError, match=CHANGED):
        run_training(on_folder)
    (folder / "model.safetensors").write_bytes(whole)
    assert run_training(on_folder).finished


def test_a_checkpoint_knows_its_base_when_the_record_of_the_base_does_not(
    on_folder: TrainingJob, folder: Path
) -> None:
    run_training(replace(on_folder, stop_at_step=4))
    change(folder)
    without = replace(on_folder, base=ModelSource(str(folder)))
    with pytest.raises(ModelError, match=rf"step-00000004: {CHANGED}"):
        run_training(without)
    trial = replace(without, folder="small/other", start_from=f"{without.folder}/checkpoints")
    with pytest.raises(ModelError, match=rf"step-00000004: {CHANGED}"):
        run_training(trial)


def test_evaluation_and_export_refuse_a_base_that_has_changed(
    on_folder: TrainingJob, folder: Path
) -> None:
    run_training(on_folder)
    find_trained_model(on_folder.config, on_folder.storage)
    change(folder)
    with pytest.raises(ModelError, match=CHANGED):
        find_models(on_folder.config, on_folder.storage)
    with pytest.raises(ModelError, match=CHANGED):
        find_trained_model(on_folder.config, on_folder.storage)


def test_a_record_without_a_fingerprint_says_what_to_do(job: TrainingJob, folder: Path) -> None:
    config = job.config.with_overrides({"model.name_or_path": str(folder)})
    record_base(config, job.storage, {"license": "unknown"})
    with pytest.raises(StepConflictError, match=r"'base' of run 'small' does not say.*--restart"):
        base_source(config, job.storage)


def test_a_base_that_the_run_has_trained_itself_needs_no_record_of_its_files(
    job: TrainingJob,
) -> None:
    record_base(job.config, job.storage, {"license": "apache-2.0"})
    assert base_source(job.config, job.storage) == made_base(job.config)


def test_the_base_of_a_run_is_found_under_the_runs_new_name(
    on_folder: TrainingJob, folder: Path
) -> None:
    storage, config = on_folder.storage, on_folder.config
    with storage.commit(f"{config.run}/base/best") as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
    tiny = config.with_overrides({"model.name_or_path": "tiny"})
    made = made_base(tiny).resolve(storage)
    record_base(tiny, storage, {"license": "unknown", "model": made.as_record()})
    run = Path(storage.locate(config.run))
    run.rename(run.with_name("renamed"))
    base = base_source(tiny.with_overrides({"run": "renamed"}), storage)
    assert base.resolve(storage).path == run.with_name("renamed") / "base/best"
