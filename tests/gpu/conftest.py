"""Tests that need one NVIDIA GPU and the packages of the extra `gpu`."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nmt.config import Config
from nmt.training.job import TrainingJob
from tests.support.training.small_training import _one_thread, config, job_below, prepared

__all__ = ["_one_thread", "config", "prepared"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="this machine has no GPU that torch can use"))


@pytest.fixture
def job(prepared: Path, config: Config, tmp_path: Path) -> TrainingJob:
    """A LoRA training of eight steps on the GPU."""
    on_gpu = {"scaling.gpus_per_worker": 1, "training.allow_worse_than_base": True}
    return replace(
        job_below(tmp_path, prepared, config),
        config=config.with_overrides(on_gpu),
        compares_with_base=False,
    )
