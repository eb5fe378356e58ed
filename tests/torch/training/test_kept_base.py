"""Trainings of one process that start from the same kept base: none changes it for the next."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from weakref import ref

import pytest
from safetensors.torch import save
from torch import Tensor, nn

from nmt.config import digest_of
from nmt.training import loading
from nmt.training.job import TrainingJob
from nmt.training.kept_base import KEPT_BASES
from nmt.training.reused_memory import REUSED_MEMORY
from nmt.training.trainer import run_training
from tests.support.training.small_training import checkpoint_weights, same

METHODS: dict[str, dict[str, Any]] = {
    "lora": {"adapter.type": "lora", "adapter.rank": 4},
    "dora": {"adapter.type": "lora", "adapter.decomposed": True},
    "pissa": {"adapter.type": "lora", "adapter.rank": 4, "adapter.initialization": "pissa"},
    "full": {"adapter.type": "none"},
    "ia3": {"adapter.type": "ia3"},
    "oft": {"adapter.type": "oft", "adapter.block_size": 4},
    "bottleneck": {"adapter.type": "bottleneck", "adapter.width": 4},
    "prefix": {"adapter.type": "prefix", "adapter.virtual_tokens": 2},
}

pytestmark = pytest.mark.usefixtures("quick_validation")


@pytest.fixture(autouse=True)
def _none_kept() -> Iterator[None]:
    KEPT_BASES.forget()
    yield
    KEPT_BASES.forget()


def trial(job: TrainingJob, name: str, **changes: Any) -> TrainingJob:
    """One of several trainings of this process, of three steps."""
    dotted = {"training.max_steps": 3, "training.evaluate_every_steps": 3, **METHODS[name]}
    config = job.config.with_overrides(dotted)
    fields = {"config": config, "folder": f"small/{name}", "keeps_base": True, **changes}
    return replace(job, **fields)


def digest(model: nn.Module) -> str:
    """Of all weights and buffers, bit for bit."""
    tensors = {name: value.detach().clone() for name, value in model.state_dict().items()}
    return digest_of(save(tensors).hex())


def weights(job: TrainingJob) -> dict[str, Tensor]:
    """The trained weights of the last checkpoint."""
    return checkpoint_weights(job, 3)


@pytest.mark.parametrize("method", METHODS)
def test_a_training_leaves_no_trace_in_a_kept_base_and_finds_none(
    job: TrainingJob, method: str
) -> None:
    """After a full fine-tuning in the same process, which moves every weight."""
    run_training(trial(job, "full", folder="small/first"))
    (kept,) = KEPT_BASES.models()
    before, names = digest(kept), [name for name, _ in kept.named_modules()]
    later = trial(job, method)
    run_training(later)
    assert digest(kept) == before
    assert [name for name, _ in kept.named_modules()] == names
    assert not any(weight.requires_grad for weight in kept.parameters())
    alone = trial(job, method, keeps_base=False, folder="small/alone")
    run_training(alone)
    assert same(weights(later), weights(alone))


def test_model_and_tokenizer_are_loaded_once(
    job: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []

    def count(name: str, load: Any) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            loads.append(name)
            return load(*given, **named)

        return counted

    for name in ("load_model", "load_codec"):
        monkeypatch.setattr(loading, name, count(name, getattr(loading, name)))
    for method in ("lora", "full", "ia3"):
        run_training(trial(job, method))
    assert sorted(loads) == ["load_codec", "load_model"]


def test_an_adapter_takes_no_second_copy_of_the_weights(job: TrainingJob) -> None:
    material = loading.load_material(trial(job, "lora"), loading.pick_device(0))
    (kept,) = KEPT_BASES.models()
    places = {weight.data_ptr() for weight in kept.parameters()}
    assert places <= {weight.data_ptr() for weight in material.model.parameters()}


def test_a_training_that_keeps_no_base_leaves_none(job: TrainingJob) -> None:
    run_training(replace(trial(job, "lora"), keeps_base=False))
    assert KEPT_BASES.models() == ()


def test_a_full_fine_tuning_takes_over_the_memory_of_the_last_one(job: TrainingJob) -> None:
    def places() -> list[int]:
        material = loading.load_material(trial(job, "full"), loading.pick_device(0))
        return [weight.data_ptr() for weight in material.model.parameters()]

    assert places() == places()


def test_a_model_in_use_keeps_its_weights_when_the_next_one_is_loaded(job: TrainingJob) -> None:
    first, second = (
        loading.load_material(trial(job, "full"), loading.pick_device(0)) for _ in range(2)
    )
    places = {weight.data_ptr() for weight in first.model.parameters()}
    assert places.isdisjoint(weight.data_ptr() for weight in second.model.parameters())


@pytest.mark.parametrize("method", ["lora", "pissa"])
def test_a_training_of_another_kind_frees_the_memory_of_a_full_fine_tuning(
    job: TrainingJob, method: str
) -> None:
    run_training(trial(job, "full"))
    (kept,) = KEPT_BASES.models()
    copied = ref(REUSED_MEMORY.copies([weight.detach() for weight in kept.parameters()])[0])
    assert copied() is not None
    loading.load_material(trial(job, method), loading.pick_device(0))
    assert copied() is None
