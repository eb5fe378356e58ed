"""Tokens trained per CPU-second by this project's loop and by the Trainer of transformers.

Runs the sides of `train_sides` in turn, each in its own process, prints a table and writes the
figures as JSON. CPU time is counted, so other work on the machine has little effect.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "train_throughput.json"
TITLES = {
    "ours": "this project",
    "hf_example": "Trainer, example's settings",
    "hf_grouped": "Trainer, grouped by length",
}
TARGET = 2.2
"""Minimum ratio to the example's settings."""

Round = dict[str, dict[str, Any]]
"""Figures by side."""


def main() -> None:
    """Measure all sides, print and write the figures."""
    options = read_options()
    rounds = measure_rounds(options.rounds, options.seconds, options.seed)
    result = summarize(rounds, options)
    print(table(result))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds, 1 or more")
    parser.add_argument("--seconds", type=float, default=15, help="minimum of CPU-seconds per side")
    parser.add_argument("--seed", type=int, default=1, help="seed of pairs, weights and order")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def measure_rounds(count: int, seconds: float, seed: int) -> list[Round]:
    """Measure all sides in turn, `count` times."""
    # A short first round warms the file cache and is not counted.
    measure_round(1.0, seed)
    rounds = []
    for number in range(1, count + 1):
        rounds.append(measure_round(seconds, seed))
        rates = {s: round(f["tokens_per_cpu_second"]) for s, f in rounds[-1].items()}
        print(f"round {number}/{count}: tokens per CPU-second {rates}", flush=True)
    return rounds


def measure_round(seconds: float, seed: int) -> Round:
    """Measure every side once."""
    return {side: run_side(side, seconds, seed) for side in TITLES}


def run_side(side: str, seconds: float, seed: int) -> dict[str, Any]:
    """Run one side in a new process with one thread and no GPU."""
    # One thread and CPU time, so that other work on the machine changes the figures little. A new
    # process, because imports of one side would speed up the other.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", str(HERE / "train_sides.py"), side),
            *("--seconds", str(seconds), "--seed", str(seed)),
        ],
        env={**os.environ, **threads, "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def summarize(rounds: list[Round], options: argparse.Namespace) -> dict[str, Any]:
    """Compute the medians over the rounds."""
    # Ratios are computed within a round, where both sides met the same conditions.
    first = rounds[0]["ours"]
    # Else a side would be faster for training less.
    parameters = {f["trained_parameters"] for one in rounds for f in one.values()}
    if len(parameters) != 1:
        raise SystemExit(f"the sides train different numbers of parameters: {sorted(parameters)}")
    return {
        "rounds": len(rounds),
        "seconds": options.seconds,
        "seed": options.seed,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread used",
        "versions": {"python": platform.python_version(), **first["versions"]},
        "lengths": first["lengths"],
        "trained_parameters": first["trained_parameters"],
        "sides": {side: _side(rounds, side) for side in TITLES},
        "ratios": {side: _ratio(rounds, side) for side in TITLES if side != "ours"},
        "target": TARGET,
    }


def _side(rounds: list[Round], side: str) -> dict[str, Any]:
    keys = ("tokens_per_cpu_second", "padding", "tokens_per_step", "steps", "cpu_seconds")
    middle = {key: round(median(one[side][key] for one in rounds), 4) for key in keys}
    rates = [round(one[side]["tokens_per_cpu_second"], 1) for one in rounds]
    return {**middle, "each_round": rates}


def _ratio(rounds: list[Round], side: str) -> dict[str, Any]:
    key = "tokens_per_cpu_second"
    ratios = [round(one["ours"][key] / one[side][key], 3) for one in rounds]
    return {"median": median(ratios), "each_round": ratios}


def table(result: dict[str, Any]) -> str:
    """Format the figures as a Markdown table."""
    lines = [
        "| side | tokens per CPU-second | padding | tokens per update | ours / side |",
        "|---|---|---|---|---|",
    ]
    for side, title in TITLES.items():
        figures, ratios = result["sides"][side], result["ratios"]
        ratio = f"{ratios[side]['median']:.2f}" if side in ratios else ""
        lines.append(
            f"| {title} | {figures['tokens_per_cpu_second']:,.0f} | {figures['padding']:.1%} "
            f"| {figures['tokens_per_step']:,.0f} | {ratio} |"
        )
    met = result["ratios"]["hf_example"]["median"] >= TARGET
    lines.append(f"\ntarget {TARGET} x the example's settings: {'met' if met else 'MISSED'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
