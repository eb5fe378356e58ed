"""Tokens per second of whole trainings of NLLB-200 600M on a GPU: this project and the Trainer.

A process measures one side of `train_sides` with LoRA on a model of that size with random weights,
and prints JSON. Wall time is counted, since the GPU works beside the CPU.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from gpu_updates import memory, pick_gpu, wait
from train_sides import PAIRS, SIDES, Meter, Task, build_task

from nmt.models.adapters import add_adapter
from nmt.models.load import load_model
from nmt.models.precision import pick_dtype
from nmt.models.sources.source import ModelSource
from nmt.training.loading import width_multiple


def main() -> None:
    """Measure the side named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path, required=True, help="of the model")
    parser.add_argument("--tokens", type=int, default=2048, help="of a micro-batch of this project")
    parser.add_argument("--seconds", type=float, default=5, help="at least")
    options = parser.parse_args()
    print(json.dumps(measure(options.side, options.folder, options.tokens, options.seconds)))


def measure(side: str, folder: Path, tokens: int, seconds: float) -> dict[str, Any]:
    """Measure one side."""
    task, meter = build_large_task(folder, tokens), Meter(seconds, clock=wait)
    SIDES[side](task, meter)
    return {
        "tokens_per_second": meter.tokens / meter.seconds_used,
        "padding": 1 - meter.tokens / meter.held,
        "tokens_per_update": meter.tokens / meter.steps,
        "updates": meter.steps,
        "seconds": meter.seconds_used,
        "allocated_gib": memory("max_memory_allocated"),
        "pairs": PAIRS,
    }


def build_large_task(folder: Path, tokens: int) -> Task:
    """Build the task of the benchmark on CPUs with a larger model, on the GPU."""
    task, device = build_task(seed=1), pick_gpu()
    base = load_model(ModelSource(str(folder)), pick_dtype("auto", device))
    model = add_adapter(base, task.config.adapter, task.config.seed).to(device)
    width = width_multiple(device)
    return replace(
        task,
        model=model,
        config=task.config.with_overrides({"training.micro_batch_tokens": tokens}),
        pairs=replace(task.pairs, round_to=width),
        plan=replace(task.plan, round_to=width, micro_batch_tokens=tokens),
    )


if __name__ == "__main__":
    torch.set_num_threads(4)
    main()
