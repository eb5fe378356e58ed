"""The same training on an S3 server."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nmt.data.prepare import prepare
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.saved.averaging import mean_parameters
from nmt.training.saved.checkpoints import OPTIMIZER, PARAMETERS, Checkpoints
from nmt.training.trainer import run_training


def on_object_store(job: TrainingJob, url: str) -> TrainingJob:
    storage = Storage(url)
    with storage.commit(job.data) as folder:
        prepare(job.config.data, job.config.seed, folder)
    return replace(job, storage=storage)


def best(job: TrainingJob) -> dict[str, torch.Tensor]:
    return load_file(Path(job.storage.fetch(f"{job.folder}/best")) / "adapter_model.safetensors")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Path]]:
    """The copies of a file that lie on this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda name: list(tmp_path.rglob(name))


def test_a_run_on_an_object_store_goes_on_bit_for_bit(
    job: TrainingJob, trained: TrainingJob, s3_url: str
) -> None:
    remote = on_object_store(job, s3_url)
    run_training(replace(remote, stop_at_step=5))
    run_training(remote)
    here, there = best(trained), best(remote)
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_a_checkpoint_without_its_manifest_does_not_count(
    job: TrainingJob, trained: TrainingJob, s3_url: str
) -> None:
    remote = on_object_store(job, s3_url)
    run_training(replace(remote, stop_at_step=4))
    run_training(replace(remote, stop_at_step=6))
    # As an upload that was cut off before its last file.
    remote.storage.delete(f"{job.folder}/checkpoints/step-00000006/manifest.json")
    assert run_training(remote).finished
    here, there = best(trained), best(remote)
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_no_copy_of_a_checkpoint_stays_on_the_machine(
    job: TrainingJob, s3_url: str, copied: Callable[[str], list[Path]]
) -> None:
    remote = on_object_store(job, s3_url)
    run_training(replace(remote, stop_at_step=5))
    assert run_training(remote).finished
    assert [*copied(OPTIMIZER), *copied(PARAMETERS)] == []


def test_a_checkpoint_is_there_until_it_is_closed(
    job: TrainingJob, s3_url: str, copied: Callable[[str], list[Path]]
) -> None:
    remote = on_object_store(job, s3_url)
    run_training(replace(remote, stop_at_step=5))
    found = Checkpoints(remote.storage, layout.checkpoints(job.folder)).load_last()
    assert found is not None
    assert copied(OPTIMIZER)
    parameters = found.parameters()
    found.close()
    assert not copied(OPTIMIZER)
    assert all(torch.isfinite(tensor).all() for tensor in parameters.values())


def test_a_mean_and_the_scores_so_far_need_no_optimizer(
    job: TrainingJob,
    s3_url: str,
    copied: Callable[[str], list[Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remote = on_object_store(job, s3_url)
    run_training(replace(remote, stop_at_step=5))
    checkpoints = Checkpoints(remote.storage, layout.checkpoints(job.folder))
    fetch, fetched = Storage._download_file, []

    def noted(storage: Storage, path: str, target: Path) -> None:
        fetched.append(target.name)
        fetch(storage, path, target)

    monkeypatch.setattr(Storage, "_download_file", noted)
    state = checkpoints.last_state()
    assert state is not None
    assert (state.step, fetched) == (5, [])
    mean_parameters(checkpoints, checkpoints.steps())
    assert set(fetched) == {PARAMETERS}
    assert not copied(PARAMETERS)
