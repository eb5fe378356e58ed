from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt.decoding.generate import translate
from nmt.models.adapters import trainable
from nmt.training import loss as loss_module
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining, load_material
from nmt.training.loss import LossModule
from nmt.training.trainer import run_training

CPU = torch.device("cpu")
FROZEN = ["lora", "ia3", "oft", "bottleneck", "prompt", "prefix"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def of(job: TrainingJob, precision: str, adapter: str, **settings: object) -> TrainingJob:
    overrides = {"adapter.type": adapter, "training.precision": precision, **settings}
    return replace(job, config=job.config.with_overrides(overrides))


def material_of(
    job: TrainingJob, precision: str, adapter: str, **settings: object
) -> LoadedTraining:
    return load_material(of(job, precision, adapter, **settings), CPU)


def loss_of(material: LoadedTraining, precision: str) -> float:
    batch = material.pairs.batch(np.arange(8), CPU)
    module = LossModule(material.model, 0.1, DTYPES[precision]).eval()
    return float(module(batch).detach())


@pytest.mark.parametrize("adapter", FROZEN)
def test_a_frozen_base_takes_two_bytes_a_weight_and_what_is_trained_four(
    job: TrainingJob, adapter: str
) -> None:
    model = material_of(job, "bf16", adapter).model
    trained = {id(p) for p in trainable(model).values()}
    assert {p.dtype for p in model.parameters() if id(p) in trained} == {torch.float32}
    assert {p.dtype for p in model.parameters() if id(p) not in trained} == {torch.bfloat16}


def test_a_base_that_is_trained_stays_in_fp32(job: TrainingJob) -> None:
    model = material_of(job, "bf16", "none").model
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("adapter", FROZEN)
def test_the_loss_on_a_bf16_base_is_that_on_an_fp32_one(job: TrainingJob, adapter: str) -> None:
    expected, found = (loss_of(material_of(job, p, adapter), p) for p in DTYPES)
    assert found == pytest.approx(expected, rel=0.02)


def test_principal_vectors_are_taken_out_of_a_bf16_base(job: TrainingJob) -> None:
    pissa = {"adapter.initialization": "pissa"}
    expected, found = (loss_of(material_of(job, p, "lora", **pissa), p) for p in DTYPES)
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("adapter", FROZEN)
def test_a_bf16_base_translates_without_autocast(job: TrainingJob, adapter: str) -> None:
    material = material_of(job, "bf16", adapter)
    assert len(translate(material.model, material.codec, ["the river", "a house"])) == 2


def test_training_on_a_bf16_base_lowers_the_loss(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = {"training.max_steps": 24, "training.evaluate_every_steps": 6}
    curve = run_training(of(job, "bf16", "lora", **longer)).state.curve
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_of_bf16_logits_the_loss_is_taken_in_fp32() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(2, 3, 8, dtype=torch.bfloat16)
    head = torch.randn(1000, 8, dtype=torch.bfloat16)
    labels = torch.randint(0, 1000, (2, 3))
    loss = loss_module.sum_cross_entropy(hidden, head, labels, 0.0)
    logits = (hidden @ head.T).float().flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, labels.flatten(), reduction="sum")
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
