"""Time from a trial's start to its first update, in a process that keeps the base.

At the shape of NLLB-200 600M with random weights, on one thread: the copy of the base, the adapter
and the optimizer, which a trial needs besides its data. The first trial loads the base and is not
counted. Full fine-tuning is measured with the memory of the trial before and, in turn with that,
with new memory. Prints a table and writes the figures as JSON.
"""

import argparse
import cProfile
import json
import platform
import pstats
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from model_600m import save_model

from nmt.config import Config, load_config
from nmt.models.adapters import add_adapter, trainable
from nmt.models.load import load_model
from nmt.models.sources.source import ModelSource
from nmt.training.kept_base import KEPT_BASES, BaseKey
from nmt.training.loss import LossModule
from nmt.training.reused_memory import REUSED_MEMORY
from nmt.training.strategies import Single

RESULTS = Path(__file__).parent / "results" / "trial_start.json"
STAGES = ("copy", "adapter", "optimizer")
SIDES = {
    "lora": ("lora",),
    "none": ("none", "new_memory"),
}
"""Method -> its sides, which are measured in turn."""
TITLES = {
    "lora": "LoRA, rank 16",
    "none": "full fine-tuning",
    "new_memory": "full fine-tuning in new memory",
}
CPU = torch.device("cpu")


def main() -> None:
    """Measure both methods; print and write the figures."""
    options = read_options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        save_model(argparse.Namespace(**vars(options) | {"folder": folder}))
        found = {
            side: figures
            for method in SIDES
            for side, figures in measure(method, folder, options).items()
        }
    print("\n".join(table(found)))
    shape = {key: getattr(options, key) for key in ("layers", "width", "vocabulary")}
    machine = f"{platform.machine()}, one thread"
    result = {"model": shape, "machine": machine, "torch": torch.__version__, "sides": found}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5, help="number of trials of each side")
    parser.add_argument("--profile", action="store_true", help="print what takes the time")
    parser.add_argument(
        "--layers", type=int, default=12, help="layers of the encoder and of the decoder"
    )
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=256_206)
    parser.add_argument("--folder", help="of temporary files; 2.5 GB")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


def measure(method: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the sides of a method over the trials after the first."""
    config = load_config(overrides=[f"adapter.type={method}"])
    start(config, folder)
    starts: dict[str, list[dict[str, list[float]]]] = {side: [] for side in SIDES[method]}
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    for _ in range(options.trials):
        # New memory comes first, and the next side takes it over.
        for side in reversed(SIDES[method]):
            if side == "new_memory":
                REUSED_MEMORY.free()
            starts[side].append(start(config, folder))
    profile.disable()
    if options.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
    return {side: summarize(each) for side, each in starts.items()}


def start(config: Config, folder: str) -> dict[str, list[float]]:
    """Make a model to train as a trial does, and return the time of each stage."""
    clocks = {"cpu_seconds": time.process_time, "seconds": time.perf_counter}
    times: dict[str, list[float]] = {kind: [] for kind in clocks}

    def note() -> None:
        for kind, clock in clocks.items():
            times[kind].append(clock())

    note()
    key = BaseKey("benchmark", torch.float32, None, "cpu")
    model = KEPT_BASES.model(key, config.adapter, lambda: load_model(ModelSource(folder)), CPU)
    note()
    adapted = add_adapter(model, config.adapter, config.seed)
    note()
    module = LossModule(adapted, 0.1, torch.float32)
    Single().begin(module.train(), trainable(adapted), config.training)
    note()
    return {kind: [after - before for before, after in pairwise(at)] for kind, at in times.items()}


def summarize(starts: list[dict[str, list[float]]]) -> dict[str, Any]:
    """Return the median of each stage, and median and least of the whole start."""
    stages = zip(*(each["cpu_seconds"] for each in starts), strict=True)
    whole = {kind: [sum(each[kind]) for each in starts] for kind in ("cpu_seconds", "seconds")}
    return {
        "cpu_seconds": {
            stage: round(median(values), 3) for stage, values in zip(STAGES, stages, strict=True)
        },
        "together": {
            kind: {"median": round(median(values), 3), "least": round(min(values), 3)}
            for kind, values in whole.items()
        },
    }


def table(found: dict[str, dict[str, Any]]) -> list[str]:
    """Format the figures as a Markdown table."""
    lines = [
        "| CPU-seconds | copy | adapter | optimizer | together | least |",
        "|---|---|---|---|---|---|",
    ]
    for side, figures in found.items():
        cells = [f"{figures['cpu_seconds'][stage]:.2f}" for stage in STAGES]
        together = figures["together"]["cpu_seconds"]
        cells += [f"{together[kind]:.2f}" for kind in ("median", "least")]
        lines.append(f"| {TITLES[side]} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
