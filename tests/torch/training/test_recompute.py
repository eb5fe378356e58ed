from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt.errors import ModelError
from nmt.models.adapters import trainable
from nmt.planning.shapes import saved_storages
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from nmt.training.loss import LossModule
from nmt.training.recompute import recompute_activations
from nmt.training.trainer import run_training
from tests.support.training.live_bytes import LiveBytes

CPU = torch.device("cpu")


def of(job: TrainingJob, adapter: str, *, recomputed: bool) -> TrainingJob:
    settings = {"adapter.type": adapter, "training.gradient_checkpointing": recomputed}
    return replace(job, config=job.config.with_overrides(settings))


def module_of(job: TrainingJob) -> tuple[LossModule, dict[str, torch.Tensor]]:
    material = load_material(job, CPU)
    batch = material.pairs.batch(np.arange(6), CPU)
    return LossModule(material.model, 0.1, torch.float32).train(), batch


def gradients(job: TrainingJob) -> dict[str, torch.Tensor]:
    """Of one micro-batch, dropout included, and its loss."""
    module, batch = module_of(job)
    torch.manual_seed(1)
    loss = module(batch)
    loss.backward()
    found = {name: p.grad for name, p in trainable(module).items() if p.grad is not None}
    return {"loss": loss.detach(), **found}


@pytest.mark.parametrize("adapter", ["none", "lora", "ia3", "bottleneck", "prompt"])
def test_loss_and_gradients_are_those_of_kept_activations(job: TrainingJob, adapter: str) -> None:
    kept, made_again = (gradients(of(job, adapter, recomputed=on)) for on in (False, True))
    assert kept.keys() == made_again.keys()
    for name, tensor in kept.items():
        torch.testing.assert_close(made_again[name], tensor, rtol=1e-5, atol=1e-6)


def test_less_is_kept_for_the_backward_pass(job: TrainingJob) -> None:
    def kept(recomputed: bool) -> int:
        module, batch = module_of(of(job, "lora", recomputed=recomputed))
        with saved_storages(module.parameters()) as saved:
            loss = module(batch)
        assert loss.requires_grad
        return sum(storage.nbytes() for storage in saved.values())

    assert kept(recomputed=True) < kept(recomputed=False) / 2


def test_no_copy_of_a_weight_in_bf16_outlives_its_use(job: TrainingJob) -> None:
    """Autocast would keep them all to the end of the forward pass."""
    material = load_material(of(job, "none", recomputed=True), CPU)
    batch = material.pairs.batch(np.arange(1), CPU)

    def peak(recomputes: bool) -> int:
        module = LossModule(material.model, 0.1, torch.bfloat16, recomputes=recomputes).train()
        with LiveBytes() as memory:
            module(batch)
        return memory.peak

    linear = [m.weight for m in material.model.modules() if isinstance(m, torch.nn.Linear)]
    head = material.model.get_output_embeddings().weight  # pyright: ignore[reportCallIssue]
    copies = 2 * sum(weight.numel() for weight in linear if weight is not head)
    assert peak(recomputes=False) - peak(recomputes=True) > copies / 2


def test_a_run_validates_and_ends(job: TrainingJob) -> None:
    assert run_training(of(job, "lora", recomputed=True)).finished


def test_a_prefix_would_be_lost_and_is_refused(job: TrainingJob) -> None:
    with pytest.raises(ModelError, match=r"gradient_checkpointing=true.*adapter.type=prefix"):
        load_material(of(job, "prefix", recomputed=True), CPU)


def test_a_model_that_cannot_is_named(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_material(of(job, "none", recomputed=False), CPU).model
    monkeypatch.setattr(type(model), "supports_gradient_checkpointing", False)
    with pytest.raises(ModelError, match="M2M100ForConditionalGeneration does not support it"):
        recompute_activations(model)
