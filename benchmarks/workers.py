"""Data-parallel training with 1, 2 and 4 processes: work per CPU-second and time of a step.

Every number of workers trains the same LoRA adapter of the tiny model on the same steps, over gloo.
Prints a table and writes the figures as JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from train_sides import SOURCE_CODE, TARGET_CODE, Task, build_task

from nmt.data.batches import Cursor, share
from nmt.models.adapters import trainable
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.language_tags import LanguageCodes
from nmt.storage import Storage
from nmt.training.events import Signal
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining
from nmt.training.strategies import Ddp, Single
from nmt.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "workers.json"
MICRO_BATCHES = 4
"""Micro-batches per update of all workers; divisible by every number of workers."""
WARM_UP_STEPS = 10
TARGET = 0.9
"""Minimum work per CPU-second of 2 workers, relative to one worker."""

Round = dict[int, dict[str, Any]]
"""Figures by number of workers."""


def main() -> None:
    """Measure, print and write the figures, or run as one worker."""
    options = read_options()
    if options.rank is not None:
        figures = work(options)
        if options.rank == 0:
            print(json.dumps(figures))
        return
    rounds = [measure_round(options) for _ in range(options.rounds)]
    result = summarize(rounds, options)
    print(table(result))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="1, then more")
    parser.add_argument("--steps", type=int, default=30, help="measured steps, after a warm-up")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="seed of pairs, weights and order")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--meeting", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.workers[0] != 1 and options.rank is None:
        parser.error("--workers must begin with 1: the others are compared with it")
    if any(MICRO_BATCHES % workers for workers in options.workers):
        parser.error(f"--workers must divide {MICRO_BATCHES}, the micro-batches of a step")
    return options


def measure_round(options: argparse.Namespace) -> Round:
    """Measure each number of workers in turn."""
    return {workers: train_together(workers, options) for workers in options.workers}


def train_together(workers: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train in `workers` new processes of one thread each, without a GPU."""
    # The workers meet through a file, since a port might be taken.
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-W", "ignore", __file__, "--workers", str(workers)),
            *("--steps", str(options.steps), "--seed", str(options.seed)),
            *("--meeting", f"{folder}/meeting"),
        ]
        processes = [
            subprocess.Popen(
                [*command, "--rank", str(rank)],
                env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(workers)
        ]
        outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit(f"{workers} workers: {[p.returncode for p in processes]}")
    return json.loads(outputs[0].splitlines()[-1])


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Train as one of the workers and return the figures of all."""
    torch.set_num_threads(1)
    (workers,) = options.workers
    dist.init_process_group(
        "gloo", init_method=f"file://{options.meeting}", rank=options.rank, world_size=workers
    )
    task = build_task(options.seed)
    parameters = sum(p.numel() for p in trainable(task.model).values())
    own = train(task, options.steps)
    bandwidth = measure_bandwidth(workers) if workers > 1 else None
    everyone: list[Any] = [None] * workers
    dist.all_gather_object(everyone, own)
    dist.destroy_process_group()
    return {
        "cpu_seconds": sum(one["cpu_seconds"] for one in everyone),
        "tokens": sum(one["tokens"] for one in everyone),
        "step_seconds": own["step_seconds"],
        "bytes_per_second": bandwidth,
        "trained_parameters": parameters,
    }


def train(task: Task, steps: int) -> dict[str, float]:
    """Train and measure CPU time, tokens and the median time of a step, after a warm-up."""
    strategy = Ddp() if dist.get_world_size() > 1 else Single()
    seconds: list[float] = []
    tokens, cpu_started = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(task.config, Storage(folder), "bench", ModelSource(folder), "bench")
        codec = LanguageCodes(task.tokenizer, SOURCE_CODE, TARGET_CODE)
        plan = replace(task.plan, micro_batches_per_step=MICRO_BATCHES)
        trainer = Trainer(job, LoadedTraining(task.model, codec, task.pairs, plan, []), strategy)
        state = trainer.resume()
        planned = islice(plan.steps(Cursor()), WARM_UP_STEPS + steps)
        for step, (_, rows) in enumerate(planned):
            if step == WARM_UP_STEPS:
                tokens, cpu_started, seconds = 0, time.process_time(), []
            started = time.monotonic()
            state, _ = trainer.train_step(state, rows, Signal.CONTINUE)
            seconds.append(time.monotonic() - started)
            tokens += sum(
                int(plan.source_tokens[r].sum() + plan.target_tokens[r].sum())
                for r in share(rows, strategy.rank, strategy.workers)
            )
    return {
        "cpu_seconds": time.process_time() - cpu_started,
        "tokens": tokens,
        "step_seconds": median(seconds),
    }


def measure_bandwidth(workers: int, numbers: int = 2**22, times: int = 10) -> float:
    """Measure the bytes per second that a worker sends in a ring all-reduce of 16 MiB."""
    values = torch.zeros(numbers)
    seconds = []
    for _ in range(times):
        dist.barrier()
        started = time.monotonic()
        dist.all_reduce(values)
        seconds.append(time.monotonic() - started)
    return ring_bytes(numbers, workers) / median(seconds)


def ring_bytes(numbers: int, workers: int) -> float:
    """Estimate the bytes each worker sends to sum fp32 numbers over all, as `nmt plan` does."""
    return 2 * 4 * numbers * (workers - 1) / workers


def summarize(rounds: list[Round], options: argparse.Namespace) -> dict[str, Any]:
    """Compute the medians over the rounds."""
    # Each comparison with one worker is made within a round, under the same conditions.
    cores = len(os.sched_getaffinity(0))
    return {
        "machine": f"{platform.machine()}, {cores} cores, one thread a worker",
        "torch": torch.__version__,
        "steps": options.steps,
        "micro_batches_per_step": MICRO_BATCHES,
        "trained_parameters": rounds[0][1]["trained_parameters"],
        "load_average": round(os.getloadavg()[2], 2),
        "workers": {n: summarize_workers(rounds, n, cores) for n in options.workers},
        "target": TARGET,
    }


def summarize_workers(rounds: list[Round], workers: int, cores: int) -> dict[str, Any]:
    """Compute one row of the table."""
    rates = [one[workers]["tokens"] / one[workers]["cpu_seconds"] for one in rounds]
    alone = [one[1]["tokens"] / one[1]["cpu_seconds"] for one in rounds]
    relative = [round(rate / base, 3) for rate, base in zip(rates, alone, strict=True)]
    predicted = [predict(one, workers, cores) for one in rounds]
    measured = [one[workers]["step_seconds"] for one in rounds]
    return {
        "tokens_per_cpu_second": round(median(rates), 1),
        "relative": {"median": median(relative), "each_round": relative},
        "bytes_per_second": median(one[workers]["bytes_per_second"] or 0.0 for one in rounds),
        "predicted_step_seconds": median(predicted),
        "measured_step_seconds": median(measured),
        "measured_by_predicted": median(m / p for m, p in zip(measured, predicted, strict=True)),
    }


def predict(one: Round, workers: int, cores: int) -> float:
    """Predict the seconds of a step: one worker's time over the cores, plus the network."""
    compute = one[1]["step_seconds"] / min(workers, cores)
    if workers == 1:
        return compute
    figures = one[workers]
    return (
        compute + ring_bytes(figures["trained_parameters"], workers) / figures["bytes_per_second"]
    )


def table(result: dict[str, Any]) -> str:
    """Format the figures as a Markdown table."""
    lines = [
        "| workers | tokens per CPU-second | relative to 1 | all-reduce, MB/s "
        "| predicted step, s | measured | measured / predicted |",
        "|---|---|---|---|---|---|---|",
    ]
    for workers, own in result["workers"].items():
        bandwidth = f"{own['bytes_per_second'] / 1e6:,.0f}" if workers > 1 else ""
        lines.append(
            f"| {workers} | {own['tokens_per_cpu_second']:,.0f} | {own['relative']['median']:.2f} "
            f"| {bandwidth} | {own['predicted_step_seconds']:.3f} "
            f"| {own['measured_step_seconds']:.3f} | {own['measured_by_predicted']:.2f} |"
        )
    two = result["workers"].get(2)
    if two:
        met = "met" if two["relative"]["median"] >= TARGET else "MISSED"
        lines.append(f"\ntarget {TARGET} of one worker's work per CPU-second with two: {met}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
