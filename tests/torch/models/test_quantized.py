"""QLoRA: the base in 4 bits, its embedding as it was, the adapter for the plain base."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from nmt.config import QloraAdapter
from nmt.errors import MissingPackageError
from nmt.models import quantized
from nmt.models.adapters import add_adapter, attach, can_merge, save_weights, trainable
from nmt.models.families import unwrap
from nmt.models.load import load_model
from nmt.models.sources.source import ModelSource

bitsandbytes = pytest.importorskip("bitsandbytes", reason="is in the extra `gpu` alone")


@pytest.fixture(params=["bf16", "fp32"])
def adapter(request: pytest.FixtureRequest) -> QloraAdapter:
    return QloraAdapter(rank=4, dropout=0, compute_precision=request.param)


@pytest.fixture
def model(stored: Path, adapter: QloraAdapter) -> nn.Module:
    base = load_model(ModelSource(str(stored)), quantization=adapter)
    return add_adapter(base, adapter, seed=3)


def loss_of(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    return cross_entropy(
        model(**inputs).logits.float().flatten(0, 1), batch["labels"].flatten(), ignore_index=-100
    )


def train(model: nn.Module, batch: dict[str, Tensor]) -> list[float]:
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-2)
    losses = []
    for _ in range(6):
        loss = loss_of(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def test_every_linear_layer_of_the_blocks_lies_in_four_bits(model: nn.Module) -> None:
    quantized_layers = [m for m in model.modules() if isinstance(m, bitsandbytes.nn.Linear4bit)]
    assert len(quantized_layers) == 2 * 6 + 2 * 10
    assert {layer.weight.dtype for layer in quantized_layers} == {torch.uint8}


def test_the_embedding_keeps_the_number_format_it_was_loaded_in(
    model: nn.Module, adapter: QloraAdapter
) -> None:
    inner = unwrap(model)
    weight = inner.get_parameter("model.shared.weight")
    assert weight.dtype == quantized.compute_dtype(adapter)
    assert weight.data_ptr() == inner.get_parameter("lm_head.weight").data_ptr()
    assert not weight.requires_grad


def test_layer_norms_and_the_adapter_are_fp32(model: nn.Module) -> None:
    norms = {m.weight.dtype for m in model.modules() if isinstance(m, nn.LayerNorm)}
    assert norms | {p.dtype for p in trainable(model).values()} == {torch.float32}


def test_a_few_steps_lower_the_loss(model: nn.Module, batch: dict[str, Tensor]) -> None:
    losses = train(model, batch)
    assert losses[-1] < losses[0] - 0.1


def test_gradients_are_the_same_after_a_validation(
    model: nn.Module, batch: dict[str, Tensor]
) -> None:
    def gradients() -> dict[str, Tensor]:
        model.train()
        loss_of(model, batch).backward()
        found = {name: p.grad.clone() for name, p in trainable(model).items() if p.grad is not None}
        model.zero_grad()
        return found

    before = gradients()
    with torch.inference_mode():
        loss_of(model.eval(), batch)
    after = gradients()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_adapter_attaches_to_the_plain_base(
    model: nn.Module,
    batch: dict[str, Tensor],
    fresh: Callable[[], PreTrainedModel],
    tmp_path: Path,
) -> None:
    before = train(model, batch)[0]
    save_weights(model, tmp_path)
    assert can_merge(tmp_path)
    with torch.no_grad():
        assert loss_of(attach(fresh(), tmp_path), batch) < before - 0.1


@torch.no_grad()
def test_search_runs_without_autocast(model: nn.Module, batch: dict[str, Tensor]) -> None:
    model.eval()
    found = model.generate(  # pyright: ignore[reportCallIssue]
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=3
    )
    assert len(found) == 2


def test_a_missing_package_is_named(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match=r"bitsandbytes.*\.\[gpu\]"):
        load_model(ModelSource(str(stored)), quantization=QloraAdapter())
