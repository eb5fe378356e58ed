"""The same training on an S3 server."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from nmt.data.prepare import prepare
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.loop import run_training


def on_object_store(job: TrainingJob, url: str) -> TrainingJob:
    storage = Storage(url)
    with storage.commit(job.data) as folder:
        prepare(job.config.data, job.config.seed, folder)
    return replace(job, storage=storage)


def best(job: TrainingJob) -> dict[str, torch.Tensor]:
    return load_file(Path(job.storage.fetch(f"{job.folder}/best")) / "adapter_model.safetensors")


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
