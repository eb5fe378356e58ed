"""Memory and time of optimizer updates on a GPU, at the real size of NLLB-200 600M.

A process measures one training method, on micro-batches of several sizes, and prints JSON. All rows
are of maximum length, as in the forecast of `nmt plan`, which is added.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nmt.config import Config
from nmt.models.adapters import add_adapter, trainable
from nmt.models.load import load_model
from nmt.models.precision import base_dtype, pick_dtype
from nmt.models.sources.source import ModelSource
from nmt.planning.plan import make_plan
from nmt.training.loss import LossModule
from nmt.training.recompute import recompute_activations
from nmt.training.strategies import Single

GIB = 2**30
SIDES: dict[str, dict[str, Any]] = {
    "lora": {"adapter": {"type": "lora", "rank": 16}},
    "lora_recompute": {
        "adapter": {"type": "lora", "rank": 16},
        "training": {"gradient_checkpointing": True},
    },
    "qlora": {"adapter": {"type": "qlora", "rank": 16}},
    "full": {"adapter": {"type": "none"}},
}
WARM_UP, COUNTED = 4, 12
"""Updates before the clock starts, and updates of which the mean is taken."""


def main() -> None:
    """Measure the side named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path, required=True, help="of the model")
    parser.add_argument("--tokens", type=int, nargs="+", required=True, help="of a micro-batch")
    options = parser.parse_args()
    print(json.dumps(measure(options.side, options.folder, options.tokens)))


def pick_gpu() -> torch.device:
    """Return the GPU; without one, the CPU, to try the benchmark."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def wait() -> float:
    """Wait for the GPU, and return the time in seconds."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def settings(side: str, folder: Path, tokens: int) -> Config:
    """Build the configuration of a side."""
    training = SIDES[side].get("training", {})
    return Config.parse(
        {
            "model": {"name_or_path": str(folder)},
            "adapter": SIDES[side]["adapter"],
            "training": {**training, "micro_batch_tokens": tokens},
            "plan": {"gpu": "h100"},
        }
    )


def measure(side: str, folder: Path, sizes: list[int]) -> dict[str, Any]:
    """Measure one side on micro-batches of each size in turn."""
    device, config = pick_gpu(), settings(side, folder, sizes[0])
    products = pick_dtype("auto", device)
    used_before = used_gib()
    quantization = config.adapter if config.adapter.type == "qlora" else None
    base = load_model(
        ModelSource(str(folder)),
        base_dtype(config, products),
        quantization=quantization,
        device=device,
    )
    model = add_adapter(base, config.adapter, config.seed).to(device)
    del base
    if config.training.gradient_checkpointing:
        recompute_activations(model)
    strategy = Single()
    module = LossModule(
        model,
        config.training.label_smoothing,
        products,
        recomputes=config.training.gradient_checkpointing,
    )
    strategy.begin(module.train(), trainable(model), config.training)
    vocabulary: int = model.config.vocab_size  # pyright: ignore[reportAttributeAccessIssue, reportAssignmentType]
    return {
        "precision": str(products).removeprefix("torch."),
        "used_before_gib": used_before,
        "sizes": {
            tokens: measure_size(strategy, settings(side, folder, tokens), vocabulary, device)
            for tokens in sizes
        },
    }


def measure_size(
    strategy: Single, config: Config, vocabulary: int, device: torch.device
) -> dict[str, Any]:
    """Measure updates of one micro-batch each."""
    plan = make_plan(config)
    batch = draw_batch(plan.rows, config.model.max_source_tokens, vocabulary, device)
    labels = int((batch["labels"] != -100).sum())
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    take_updates(strategy, batch, labels, WARM_UP)
    started = wait()
    loss = take_updates(strategy, batch, labels, COUNTED)
    seconds = (wait() - started) / COUNTED
    tokens = plan.rows * (config.model.max_source_tokens + config.model.max_target_tokens)
    # What the forecast's arithmetic takes at the full rate of the data sheet.
    ideal = plan.step.compute_seconds * config.plan.efficiency
    return {
        "rows": plan.rows,
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
        "loss": loss,
        "allocated_gib": memory("max_memory_allocated"),
        "reserved_gib": memory("max_memory_reserved"),
        "used_gib": used_gib(),
        "forecast_tensors_gib": plan.memory.tensors,
        "forecast_parts_gib": asdict(plan.memory),
        "forecast_seconds": plan.step.seconds,
        "efficiency": ideal / (seconds - plan.step.optimizer_seconds),
    }


def take_updates(strategy: Single, batch: dict[str, Tensor], labels: int, count: int) -> float:
    """Take updates on the same micro-batch, and return the last one's mean loss."""
    loss = torch.zeros(())
    for _ in range(count):
        loss = strategy.backward(batch, 1 / labels, last=True)
        strategy.step(2e-4)
    return float(loss) / labels


def draw_batch(rows: int, width: int, vocabulary: int, device: torch.device) -> dict[str, Tensor]:
    """Draw random tokens in rows of equal length, but for one token of padding."""
    torch.manual_seed(1)
    source, labels = (torch.randint(4, vocabulary, (rows, width)) for _ in range(2))
    mask = torch.ones_like(source)
    # Without padding the attention would take another kernel, without a mask.
    source[-1, -1], mask[-1, -1], labels[-1, -1] = 1, 0, -100
    batch = {"input_ids": source, "attention_mask": mask, "labels": labels}
    return {name: tensor.to(device) for name, tensor in batch.items()}


def memory(peak: str) -> float:
    """Read a peak of torch's allocator in GiB; 0 without a GPU."""
    return getattr(torch.cuda, peak)() / GIB if torch.cuda.is_available() else 0.0


def used_gib() -> float:
    """Read what is in use on the whole GPU, CUDA context included; 0 without a GPU."""
    if not torch.cuda.is_available():
        return 0.0
    free, total = torch.cuda.mem_get_info()
    return (total - free) / GIB


if __name__ == "__main__":
    main()
