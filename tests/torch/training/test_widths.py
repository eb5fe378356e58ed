"""Widths of micro-batches: as long as their longest row, or the next multiple of eight."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt.models.tokenization.encoded_pairs import EncodedPairs, TokenTable
from nmt.training import loading as job_module
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material, width_multiple
from nmt.training.loss import LossModule
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same

CPU = torch.device("cpu")


def pairs(*, one_sequence: bool, round_to: int) -> EncodedPairs:
    source = TokenTable.of([[5, 6, 7], [5] * 9])
    target = TokenTable.of([[8, 2], [8, 9, 2]])
    return EncodedPairs(source, target, 1, 0, one_sequence, round_to)


@pytest.mark.parametrize("one_sequence", [False, True])
def test_rounded_widths_hold_nothing_but_padding_more(one_sequence: bool) -> None:
    tight, wide = (
        pairs(one_sequence=one_sequence, round_to=n).batch(np.arange(2), CPU) for n in (1, 8)
    )
    fillers = {"input_ids": 1, "attention_mask": 0, "labels": -100}
    for name, filler in fillers.items():
        width = tight[name].shape[1]
        assert wide[name].shape[1] % 8 == 0
        assert torch.equal(wide[name][:, :width], tight[name])
        assert (wide[name][:, width:] == filler).all()


def test_rounded_widths_leave_the_loss_as_it_is(job: TrainingJob) -> None:
    material = load_material(job, CPU)
    module = LossModule(material.model, 0.1, torch.float32).eval()
    losses = [
        float(module(replace(material.pairs, round_to=n).batch(np.arange(6), CPU)).detach())
        for n in (1, 8)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


@pytest.mark.parametrize(("device", "multiple"), [("cpu", 1), ("cuda", 8)])
def test_widths_are_rounded_on_gpus_alone(device: str, multiple: int) -> None:
    assert width_multiple(torch.device(device)) == multiple


def test_a_run_that_goes_on_on_another_device_keeps_its_cut(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch, quick_validation: None
) -> None:
    """Its place in the epoch means nothing in another one."""
    whole = replace(job, folder="small/whole")
    run_training(whole)
    run_training(replace(job, stop_at_step=3))
    monkeypatch.setattr(job_module, "width_multiple", lambda device: 8)
    run_training(job)
    assert same(checkpoint_weights(job, 8), checkpoint_weights(whole, 8))


def test_batches_are_planned_with_the_widths_they_get(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "width_multiple", lambda device: 8)
    material = load_material(job, CPU)
    assert material.plan.round_to == material.pairs.round_to == 8
