"""Every adapter method: it learns, it is saved and attached, it is merged."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from nmt.config import AdapterConfig, BottleneckAdapter, Ia3Adapter, LoraAdapter, OftAdapter
from nmt.errors import ModelError
from nmt.models.adapters import (
    add_adapter,
    attach,
    can_merge,
    load_weights,
    merge,
    save_weights,
    trainable,
)
from nmt.models.families import unwrap

Fresh = Callable[[], PreTrainedModel]
Batch = dict[str, Tensor]

MERGED: dict[str, dict[str, object]] = {
    "lora": {"type": "lora"},
    "rslora": {"type": "lora", "rank_stabilized": True},
    "dora": {"type": "lora", "decomposed": True},
    "pissa": {"type": "lora", "initialization": "pissa", "rank": 4},
    "pissa-rslora-dora": {
        "type": "lora",
        "initialization": "pissa",
        "rank_stabilized": True,
        "decomposed": True,
        "rank": 4,
    },
    "ia3": {"type": "ia3"},
    "oft": {"type": "oft", "block_size": 16},
}
UNMERGED: dict[str, dict[str, object]] = {
    "bottleneck": {"type": "bottleneck", "width": 16},
    "prefix": {"type": "prefix", "virtual_tokens": 4},
    "prompt": {"type": "prompt", "virtual_tokens": 4},
}
METHODS = MERGED | UNMERGED
BESIDE_LAYERS = sorted(METHODS.keys() - {"prefix", "prompt"})


def setting(name: str) -> AdapterConfig:
    return TypeAdapter[AdapterConfig](AdapterConfig).validate_python(METHODS[name])


def logits(model: nn.Module, batch: Batch) -> Tensor:
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    return model(**inputs).logits[batch["labels"] != -100]


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    return cross_entropy(logits(model, batch).float(), batch["labels"][batch["labels"] != -100])


def train(model: nn.Module, batch: Batch, steps: int = 6, rate: float = 1e-2) -> list[float]:
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=rate)
    losses = []
    for _ in range(steps):
        loss = loss_of(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    model.eval()
    return losses


def trained(name: str, fresh: Fresh, batch: Batch) -> nn.Module:
    model = add_adapter(fresh(), setting(name), seed=3)
    train(model, batch)
    return model


@pytest.mark.parametrize("name", METHODS)
def test_a_few_steps_lower_the_loss(name: str, fresh: Fresh, batch: Batch) -> None:
    losses = train(add_adapter(fresh(), setting(name), seed=3), batch)
    assert losses[-1] < losses[0] - 0.02


@pytest.mark.parametrize("name", METHODS)
@torch.no_grad()
def test_what_is_saved_answers_alike_on_a_fresh_base(
    name: str, fresh: Fresh, batch: Batch, tmp_path: Path
) -> None:
    with torch.enable_grad():
        model = trained(name, fresh, batch)
    save_weights(model, tmp_path)
    attached = attach(fresh(), tmp_path)
    torch.testing.assert_close(logits(attached, batch), logits(model, batch), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(logits(attached, batch), logits(fresh(), batch), atol=1e-2)


@pytest.mark.parametrize("name", MERGED)
@torch.no_grad()
def test_the_merged_model_answers_alike_after_it_is_read_again(
    name: str, fresh: Fresh, batch: Batch, tmp_path: Path
) -> None:
    with torch.enable_grad():
        model = trained(name, fresh, batch)
    save_weights(model, tmp_path / "adapter")
    assert can_merge(tmp_path / "adapter")
    merge(attach(fresh(), tmp_path / "adapter")).save_pretrained(tmp_path / "merged")
    reloaded = type(fresh()).from_pretrained(tmp_path / "merged").eval()
    torch.testing.assert_close(logits(reloaded, batch), logits(model, batch), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", UNMERGED)
def test_an_adapter_beside_the_weights_says_that_it_cannot_be_merged(
    name: str, fresh: Fresh, tmp_path: Path
) -> None:
    save_weights(add_adapter(fresh(), setting(name), seed=3), tmp_path)
    assert not can_merge(tmp_path)


@pytest.mark.parametrize("name", METHODS)
def test_embeddings_stay_frozen(name: str, fresh: Fresh) -> None:
    model = add_adapter(fresh(), setting(name), seed=3)
    embedding = unwrap(model).get_input_embeddings().weight
    assert not embedding.requires_grad
    assert trainable(model)


@pytest.mark.parametrize("name", METHODS)
@torch.no_grad()
def test_trained_values_go_on_in_an_adapter_built_again(
    name: str, fresh: Fresh, batch: Batch
) -> None:
    with torch.enable_grad():
        model = trained(name, fresh, batch)
    again = add_adapter(fresh(), setting(name), seed=3).eval()
    load_weights(again, {key: value.detach() for key, value in trainable(model).items()})
    torch.testing.assert_close(logits(again, batch), logits(model, batch), atol=1e-5, rtol=1e-5)


def test_unset_targets_are_the_linear_layers_of_the_blocks(fresh: Fresh) -> None:
    model = add_adapter(fresh(), LoraAdapter(), seed=3)
    adapted = {name.split(".lora_")[0].rpartition(".")[2] for name in trainable(model)}
    assert adapted == {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"}


def test_a_pissa_rank_above_the_layers_width_is_refused(fresh: Fresh) -> None:
    with pytest.raises(ModelError, match=r"adapter.rank=200.*must not exceed.*128"):
        add_adapter(fresh(), LoraAdapter(rank=200, initialization="pissa"), seed=3)


def test_ia3_scales_keys_values_and_the_inner_activations(fresh: Fresh) -> None:
    parameters = trainable(add_adapter(fresh(), Ia3Adapter(), seed=3))
    widths = {
        name.split(".ia3_")[0].rpartition(".")[2]: p.numel() for name, p in parameters.items()
    }
    assert widths == {"k_proj": 128, "v_proj": 128, "fc2": 256}


def test_ia3_feed_forward_layers_outside_the_targets_are_refused(fresh: Fresh) -> None:
    adapter = Ia3Adapter(target_modules=("k_proj",), feedforward_modules=("fc2",))
    with pytest.raises(ModelError, match=r"feedforward_modules: fc2 is not among .*k_proj"):
        add_adapter(fresh(), adapter, seed=3)


def test_an_oft_block_that_divides_no_layer_is_refused(fresh: Fresh) -> None:
    with pytest.raises(ModelError, match=r"adapter.block_size=24 does not divide 128"):
        add_adapter(fresh(), OftAdapter(block_size=24), seed=3)


@pytest.mark.parametrize("name", METHODS)
@torch.no_grad()
def test_greedy_search_takes_the_tokens_that_forward_finds_likeliest(
    name: str, fresh: Fresh, batch: Batch
) -> None:
    with torch.enable_grad():
        model = trained(name, fresh, batch)
    sources = {key: batch[key] for key in ("input_ids", "attention_mask")}
    found = model.generate(**sources, do_sample=False, max_new_tokens=4)  # pyright: ignore[reportCallIssue]
    likeliest = model(**sources, decoder_input_ids=found[:, :-1]).logits.argmax(-1)
    assert found[:, 1].tolist() == likeliest[:, 0].tolist()


@pytest.mark.parametrize("name", UNMERGED)
@torch.no_grad()
def test_a_beam_finds_nothing_less_likely_than_greedy_search(
    name: str, fresh: Fresh, batch: Batch
) -> None:
    with torch.enable_grad():
        model = trained(name, fresh, batch)
    sources = {key: batch[key][:1] for key in ("input_ids", "attention_mask")}

    def likelihood(beams: int) -> float:
        ids = model.generate(  # pyright: ignore[reportCallIssue]
            **sources, num_beams=beams, do_sample=False, max_new_tokens=3, min_new_tokens=3
        )
        scores = model(**sources, decoder_input_ids=ids[:, :-1]).logits.log_softmax(-1)
        return scores.gather(2, ids[:, 1:, None]).sum().item()

    assert likelihood(4) >= likelihood(1) - 1e-4


@torch.no_grad()
def test_bottlenecks_start_as_the_identity(fresh: Fresh, batch: Batch) -> None:
    model = add_adapter(fresh(), BottleneckAdapter(width=8), seed=3)
    assert len(trainable(model)) == 4 * 4
    torch.testing.assert_close(logits(model, batch), logits(fresh(), batch), atol=0, rtol=0)


@pytest.mark.parametrize("name", METHODS)
@torch.no_grad()
def test_with_the_adapter_off_the_base_answers(
    name: str, fresh: Fresh, batch: Batch, tmp_path: Path
) -> None:
    with torch.enable_grad():
        save_weights(trained(name, fresh, batch), tmp_path)
    attached = attach(fresh(), tmp_path)
    with attached.disable_adapter():
        torch.testing.assert_close(
            logits(attached, batch), logits(fresh(), batch), atol=1e-5, rtol=1e-5
        )


def resized(model: PreTrainedModel, **sizes: int) -> PreTrainedModel:
    config = deepcopy(model.config)
    config.update(sizes)
    return type(model)(config)


@pytest.mark.parametrize("decoder_layers", [1, 3])
@pytest.mark.parametrize("name", BESIDE_LAYERS)
def test_an_adapter_of_other_layers_is_refused(
    name: str, decoder_layers: int, fresh: Fresh, tmp_path: Path
) -> None:
    save_weights(add_adapter(fresh(), setting(name), seed=3), tmp_path)
    assert fresh().config.decoder_layers not in (1, 3)
    with pytest.raises(ModelError, match="cannot be attached"):
        attach(resized(fresh(), decoder_layers=decoder_layers), tmp_path)


@pytest.mark.parametrize("name", BESIDE_LAYERS)
def test_an_adapter_of_another_width_is_refused(name: str, fresh: Fresh, tmp_path: Path) -> None:
    save_weights(add_adapter(fresh(), setting(name), seed=3), tmp_path)
    with pytest.raises(ModelError, match="cannot be attached"):
        attach(resized(fresh(), d_model=32), tmp_path)


@pytest.mark.parametrize("name", ["lora", "pissa", "ia3", "oft"])
def test_the_names_of_layers_are_saved_in_order(name: str, fresh: Fresh, tmp_path: Path) -> None:
    """Else equal weights would not have an equal digest: PEFT keeps the names in a set."""
    save_weights(add_adapter(fresh(), setting(name), seed=1), tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
