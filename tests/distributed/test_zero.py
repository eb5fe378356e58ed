"""DeepSpeed on CPU: real process groups, no compiler, no Ray."""

import itertools
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file

from nmt.config import Config
from nmt.runs import layout
from nmt.training import loss
from nmt.training.job import TrainingJob
from nmt.training.saved.checkpoints import OPTIMIZER, PARAMETERS
from nmt.training.trainer import run_training
from tests.support.training.forked_process import start, wait
from tests.support.training.small_training import job_below
from tests.support.training.worker_group import train_together

pytest.importorskip("deepspeed", reason="DeepSpeed is in the extra `gpu`")
pytest.importorskip("bitsandbytes", reason="bitsandbytes is in the extra `gpu`")

CASES = [(stage, adapter) for stage in (0, 1, 2, 3) for adapter in ("lora", "none")]
CASES += [(stage, "qlora") for stage in (0, 2, 3)]
# Each stage once, and stage 3 both with weights that are trained and with weights that are not.
MOVED = [(0, "lora"), (1, "none"), (2, "qlora"), (3, "none"), (3, "lora")]
ADAPTERS: dict[str, dict[str, object]] = {
    "none": {},
    "lora": {"adapter.dropout": 0.0},
    # bf16 rounds so coarsely that stages, which add in another order, drift apart.
    "qlora": {"adapter.dropout": 0.0, "adapter.compute_precision": "fp32"},
}


def job_of(job: TrainingJob, kind: str, stage: int, adapter: str) -> TrainingJob:
    """Two micro-batches a step, and no dropout, whose mask depends on the worker."""
    settings = {
        "strategy.type": "deepspeed",
        "strategy.zero_stage": stage,
        "adapter.type": adapter,
        "training.micro_batches_per_step": 2,
        "training.learning_rate": 1e-3,
        "scaling.workers": 2,
    } | ADAPTERS[adapter]
    settings["training.allow_worse_than_base"] = True
    config = job.config.with_overrides(settings)
    # One case with, and one without partitioned weights: a validation takes its time.
    compares = (stage, adapter) in {(2, "lora"), (3, "none")}
    folder = f"small/{kind}-{stage}-{adapter}"
    return replace(job, config=config, folder=folder, compares_with_base=compares)


@pytest.fixture(scope="module")
def trained(
    prepared: Path, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> TrainingJob:
    """Train each case without a stop and with one, and some with a move to one worker."""
    root = tmp_path_factory.mktemp("zero")
    job = job_below(root, prepared, config)
    # Stage 3 gives its process another `linear` of torch, for good, which adds in another order.
    for of_stage_3 in (False, True):
        cases = [case for case in CASES if (case[0] == 3) == of_stage_3]
        whole, halves = ([job_of(job, kind, *c) for c in cases] for kind in ("whole", "halves"))
        moved = [job_of(job, "moved", *case) for case in cases if case in MOVED]
        begun = [replace(stopped, stop_at_step=3) for stopped in [*halves, *moved]]
        train_together([*whole, *begun, *halves], 2, root)
        train_together(moved, 1, root)
    return job


def state(job: TrainingJob, kind: str, case: tuple[int, str]) -> dict[str, torch.Tensor]:
    """Weights and moments at the end."""
    path = f"{job_of(job, kind, *case).folder}/checkpoints/step-00000008"
    folder = Path(job.storage.locate(path))
    return load_file(folder / PARAMETERS) | load_file(folder / OPTIMIZER)


def difference(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.mark.parametrize("case", CASES)
def test_a_stopped_training_goes_on_bit_for_bit(
    trained: TrainingJob, case: tuple[int, str]
) -> None:
    assert difference(state(trained, "whole", case), state(trained, "halves", case)) == 0


@pytest.mark.parametrize("case", MOVED)
def test_a_training_moves_to_another_number_of_workers(
    trained: TrainingJob, case: tuple[int, str]
) -> None:
    assert difference(state(trained, "whole", case), state(trained, "moved", case)) < 1e-3


@pytest.mark.parametrize("case", [case for case in CASES if case[0] > 0])
def test_every_stage_takes_the_same_steps_as_stage_0(
    trained: TrainingJob, case: tuple[int, str]
) -> None:
    replicated = state(trained, "whole", (0, case[1]))
    assert difference(replicated, state(trained, "whole", case)) < 1e-3


@pytest.mark.parametrize("case", CASES)
def test_the_best_weights_are_written_whole(trained: TrainingJob, case: tuple[int, str]) -> None:
    job = job_of(trained, "whole", *case)
    folder = Path(job.storage.locate(layout.published_weights(job.folder)))
    tensors = load_file(next(folder.glob("*model.safetensors")))
    assert tensors
    assert all(tensor.numel() for tensor in tensors.values())


def train_spoilt(job: TrainingJob, meeting: Path, fault: str) -> None:
    """In the second step: an infinite loss, or an infinite gradient of a finite loss."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    calls, true_loss = itertools.count(1), loss.sum_cross_entropy

    def spoilt_loss(*inputs: Any) -> torch.Tensor:
        value = true_loss(*inputs)
        if next(calls) != 3:
            return value
        if fault == "loss":
            return value * math.inf
        value.register_hook(lambda gradient: gradient * math.inf)
        return value

    with mock.patch.object(loss, "sum_cross_entropy", spoilt_loss):
        run_training(job)


@pytest.mark.parametrize("fault", ["loss", "gradient"])
@pytest.mark.parametrize(("stage", "offload"), [(0, False), (2, False), (2, True), (3, True)])
def test_a_step_with_an_infinite_value_is_left_out_and_no_other(
    job: TrainingJob, stage: int, offload: bool, fault: str, tmp_path: Path
) -> None:
    job = job_of(job, "spoilt", stage, "lora")
    job = replace(job, config=job.config.with_overrides({"strategy.offload": offload}))
    assert wait(start(train_spoilt, job, tmp_path / "meeting", fault)) == 0
    last = job.storage.manifest(f"{job.folder}/checkpoints/step-00000008")
    assert last["meta"]["skipped_steps"] == 1
    tensors = load_file(
        Path(job.storage.locate(layout.published_weights(job.folder))) / "adapter_model.safetensors"
    )
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
