"""The forecast against what a real training step on the CPU holds."""

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BloomConfig,
    LlamaConfig,
    NllbMoeConfig,
    PreTrainedConfig,
    Qwen3Config,
    T5Config,
)

from nmt.config import Config, load_config
from nmt.models.adapters import add_adapter, trainable
from nmt.models.families import family_of
from nmt.planning.gpus import GPUS
from nmt.planning.memory import GIB, memory_parts
from nmt.planning.shapes import training_shape
from nmt.planning.speed import body_flops
from nmt.training.loss import LossModule
from nmt.training.optim import build_optimizer
from nmt.training.recompute import recompute_activations
from tests.support.training.live_bytes import SHAPE, LiveBytes

_DECODER: dict[str, Any] = {
    "vocab_size": 8000,
    "hidden_size": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
OTHERS: dict[str, PreTrainedConfig] = {
    "t5": T5Config(
        vocab_size=8000, d_model=256, d_kv=64, d_ff=1024, num_layers=4, num_heads=4,
        dropout_rate=0.0,
    ),
    "llama": LlamaConfig(
        **_DECODER, intermediate_size=1024, num_hidden_layers=4, num_attention_heads=4
    ),
    "bloom": BloomConfig(
        **_DECODER, n_layer=4, n_head=4, hidden_dropout=0.0, attention_dropout=0.0
    ),
}  # fmt: skip
OTHERS["t5"].decoder_start_token_id = 0
WITHOUT_DATA: dict[str, PreTrainedConfig] = {
    "bloom": OTHERS["bloom"],
    "nllb-moe": NllbMoeConfig(
        vocab_size=800, d_model=64, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=128,
        decoder_ffn_dim=128, encoder_attention_heads=2, decoder_attention_heads=2, num_experts=4,
        encoder_sparse_step=2, decoder_sparse_step=2, decoder_start_token_id=2,
    ),
    "bert": BertConfig(
        vocab_size=800, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128,
    ),
}  # fmt: skip
ROWS = 8


def settings(folder: Path, adapter: str, shape: PreTrainedConfig = SHAPE) -> Config:
    shape.save_pretrained(folder)
    words = [] if adapter == "none" else ["adapter.dropout=0"]
    return load_config(
        [],
        [
            f"model.name_or_path={folder}",
            f"adapter.type={adapter}",
            "model.max_source_tokens=64",
            "model.max_target_tokens=64",
            *words,
        ],
    )


def peak_of_a_real_training(config: Config, shape: PreTrainedConfig = SHAPE) -> float:
    """GiB that two steps of two micro-batches hold at most."""
    family = family_of(shape)
    attention = "eager" if shape.model_type == "bloom" else "sdpa"
    model = family.auto_class.from_config(shape, attn_implementation=attention)
    adapted = add_adapter(model, config.adapter, 1)
    if config.training.gradient_checkpointing:
        recompute_activations(adapted)
    module = LossModule(adapted, 0.1, torch.float32).train()
    optimizer = build_optimizer(trainable(module), config.training)
    gc.collect()
    generator = torch.Generator().manual_seed(1)
    width = 128 if family.decoder_only else 64
    ids = torch.randint(4, 8000, (ROWS, width), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, 40:] = 0  # one shorter row, so that the masks are made
    with LiveBytes() as counter:
        for parameter in module.parameters():
            counter.watch(parameter)
        for _ in range(2):
            for _ in range(2):
                module({"input_ids": ids, "attention_mask": mask, "labels": ids}).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return counter.peak / GIB


def forecast(config: Config) -> float:
    shape = training_shape(config, mixed=False)
    return memory_parts(config, shape, ROWS, GPUS["l4"]).tensors


@pytest.mark.parametrize("adapter", ["lora", "none"])
def test_the_forecast_is_within_15_percent_of_a_real_step(tmp_path, adapter):
    config = settings(tmp_path, adapter)
    assert forecast(config) == pytest.approx(peak_of_a_real_training(config), rel=0.15)


@pytest.mark.parametrize("name", OTHERS)
def test_the_forecast_is_within_20_percent_for_other_families(tmp_path, name):
    config = settings(tmp_path, "lora", OTHERS[name])
    assert forecast(config) == pytest.approx(peak_of_a_real_training(config, OTHERS[name]), rel=0.2)


def test_keys_and_values_that_heads_share_are_counted_once_for_each_head(tmp_path):
    """A masked row makes attention copy them."""
    shape = Qwen3Config(
        **_DECODER, intermediate_size=512, num_hidden_layers=4, num_attention_heads=16,
        num_key_value_heads=2, head_dim=64,
    )  # fmt: skip
    config = settings(tmp_path, "lora", shape)
    assert forecast(config) == pytest.approx(peak_of_a_real_training(config, shape), rel=0.1)


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_a_forecast_needs_neither_data_nor_a_tokenizer(tmp_path, name):
    config = settings(tmp_path, "lora", WITHOUT_DATA[name])
    assert training_shape(config, mixed=True).activation_bytes.at(ROWS) > 0


def test_with_recomputing_the_forecast_is_above_a_real_step_by_a_quarter_at_most(tmp_path):
    """The loss and the layer that is made again are held one after the other, and both counted."""
    config = settings(tmp_path, "lora").with_overrides({"training.gradient_checkpointing": True})
    assert 1.0 <= forecast(config) / peak_of_a_real_training(config) <= 1.25


def test_recomputing_takes_less_memory_and_more_arithmetic(tmp_path):
    config = settings(tmp_path, "lora")
    kept, again = (
        training_shape(config.with_overrides({"training.gradient_checkpointing": on}), mixed=False)
        for on in (False, True)
    )
    assert again.activation_bytes.at(ROWS) < 0.5 * kept.activation_bytes.at(ROWS)
    assert body_flops(again, ROWS) == pytest.approx(1.5 * body_flops(kept, ROWS))
