"""Real steps of one worker of a group, and the memory that its tensors take at most."""

import gc
import json
from pathlib import Path

import torch
import torch.distributed as dist
from transformers import AutoModelForSeq2SeqLM

from nmt.config import Config
from nmt.models.adapters import add_adapter, trainable
from nmt.training.loss import LossModule
from nmt.training.strategies import build_strategy
from tests.support.training.live_bytes import SHAPE, LiveBytes

GIB = 2**30
ROWS, TOKENS = 4, 32


def peak_of_real_steps(config: Config) -> float:
    """GiB that one worker holds at most in two steps of two micro-batches."""
    strategy = build_strategy(config.strategy)
    base = AutoModelForSeq2SeqLM.from_config(SHAPE, attn_implementation="sdpa")
    model = add_adapter(base, config.adapter, 1)
    module = LossModule(model, 0.1, torch.float32).train()
    ids = torch.randint(4, SHAPE.vocab_size, (ROWS, TOKENS))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    gc.collect()
    with LiveBytes() as counter:
        for parameter in module.parameters():
            counter.watch(parameter)
        strategy.begin(module, trainable(model), config.training)
        gc.collect()
        counter.peak = counter.live  # to begin may need more for a moment, before any activation
        for _ in range(2):
            for last in (False, True):
                strategy.backward(batch, 1e-3, last=last)
            strategy.step(1e-4)
    return counter.peak / GIB


def measure(configs: dict[str, Config], answer: Path) -> None:
    """Leave the peak of each configuration, in GiB, as JSON."""
    peaks = {}
    for name, config in configs.items():
        peaks[name] = peak_of_real_steps(config)
        gc.collect()
    if dist.get_rank() == 0:
        answer.write_text(json.dumps(peaks))
