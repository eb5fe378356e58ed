"""Tokens trained per CPU-second: this project's loop beside the Trainer of transformers.

Runs the sides of `train_sides` in turn, each in a process of its own, prints a table and writes
the figures as JSON. Counts CPU time, so that other work on the machine disturbs little.
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
"""Least ratio to the example's settings."""

Round = dict[str, dict[str, Any]]
"""Side -> its figures."""


def main() -> None:
    """Measure, print, write."""
    options = read_options()
    rounds = measure_rounds(options.rounds, options.seconds, options.seed)
    result = summarize(rounds, options)
    print(table(result))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count, 1 or more")
    parser.add_argument("--seconds", type=float, default=15, help="CPU-seconds a side, at least")
    parser.add_argument("--seed", type=int, default=1, help="of pairs, weights and order")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def measure_rounds(count: int, seconds: float, seed: int) -> list[Round]:
    """All sides in turn, `count` times; a first, short round is left out."""
    measure_round(1.0, seed)
    rounds = []
    for number in range(1, count + 1):
        rounds.append(measure_round(seconds, seed))
        rates = {s: round(f["tokens_per_cpu_second"]) for s, f in rounds[-1].items()}
        print(f"round {number}/{count}: tokens per CPU-second {rates}", flush=True)
    return rounds


def measure_round(seconds: float, seed: int) -> Round:
    """Every side once."""
    return {side: run_side(side, seconds, seed) for side in TITLES}


def run_side(side: str, seconds: float, seed: int) -> dict[str, Any]:
    """One side in a fresh process with one thread and no GPU."""
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
    """Medians over the rounds; ratios are taken within a round, then their median."""
    first = rounds[0]["ours"]
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
    """The figures as a Markdown table."""
    lines = [
        "| side | tokens per CPU-second | padding | tokens per step | ours / side |",
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
