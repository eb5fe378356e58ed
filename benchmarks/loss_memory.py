"""Extra memory and CPU time of the loss over a large vocabulary, compared with PyTorch's.

Each side runs in its own process with one thread: hidden states and head as in a training step,
then the loss forward and backward. Prints a table and writes the figures as JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from peak_memory import GIB, peak, reset_peak
from torch import Tensor
from torch.nn import functional

from nmt.training.loss import ChunkedCrossEntropy, rows_at_once

RESULTS = Path(__file__).parent / "results" / "loss_memory.json"
SMOOTHING = 0.1
TARGET_GIB = 0.5
"""Maximum extra memory of this project's loss with a frozen head, in GiB."""
TITLES = {"ours": "this project", "whole": "torch `cross_entropy`, whole logits"}


def main() -> None:
    """Measure one side, or both; print and write the figures."""
    options = read_options()
    if options.side:
        print(json.dumps(measure(options)))
        return
    cases = [measure_case(options, head) for head in ("frozen", "trained")]
    result = {
        "tokens": options.tokens,
        "whole_tokens": options.whole_tokens,
        "vocabulary": options.vocabulary,
        "width": options.width,
        "rows_at_once": options.rows,
        "machine": f"{platform.machine()}, one thread",
        "torch": torch.__version__,
        "cases": cases,
    }
    print(table(result))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=4096, help="target tokens, this project")
    parser.add_argument("--whole-tokens", type=int, default=1024, help="the same, whole logits")
    parser.add_argument("--vocabulary", type=int, default=256_206)
    parser.add_argument("--width", type=int, default=1024, help="width of the hidden states")
    parser.add_argument(
        "--rows", type=int, default=rows_at_once(256_206), help="rows of a chunk, this project"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    parser.add_argument("--side", choices=list(TITLES), help=argparse.SUPPRESS)
    parser.add_argument("--head", choices=["frozen", "trained"], help=argparse.SUPPRESS)
    return parser.parse_args()


def measure_case(options: argparse.Namespace, head: str) -> dict[str, Any]:
    """Measure both sides with a frozen or trained head; this project at both numbers of tokens."""
    many = run_side("ours", head, options.tokens, options)
    few = run_side("ours", head, options.whole_tokens, options)
    whole = run_side("whole", head, options.whole_tokens, options)
    if abs(few["loss"] - whole["loss"]) > 1e-4 * whole["loss"]:
        raise SystemExit(f"the losses differ: {few['loss']} and {whole['loss']}")
    return {"head": head, "sides": {"ours": many, "ours_few": few, "whole": whole}}


def run_side(side: str, head: str, tokens: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run one side in a new process with one thread and no GPU."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", __file__, "--side", side, "--head", head),
            *("--tokens", str(tokens), "--vocabulary", str(options.vocabulary)),
            *("--width", str(options.width), "--rows", str(options.rows)),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(
            f"{TITLES[side]}, {head} head, {tokens} tokens: ended with {done.returncode}; "
            "out of memory? Give fewer --whole-tokens"
        )
    return json.loads(done.stdout.splitlines()[-1])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure one side in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    hidden = torch.randn(1, options.tokens, options.width, requires_grad=True)
    head = (torch.randn(options.vocabulary, options.width) * 0.02).requires_grad_(
        options.head == "trained"
    )
    labels = torch.randint(options.vocabulary, (1, options.tokens))
    before, started = reset_peak(), time.process_time()
    loss = compute_loss(options, hidden[0], head, labels[0])
    (loss / options.tokens).backward()
    return {
        "tokens": options.tokens,
        "extra_gib": round((peak() - before) / GIB, 3),
        "cpu_seconds": round(time.process_time() - started, 2),
        "loss": float(loss.detach()) / options.tokens,
    }


def compute_loss(
    options: argparse.Namespace, hidden: Tensor, head: Tensor, labels: Tensor
) -> Tensor:
    """Compute a side's loss, summed over the tokens."""
    if options.side == "ours":
        return ChunkedCrossEntropy.apply(hidden, head, labels, SMOOTHING, options.rows)  # pyright: ignore[reportReturnType]
    logits = hidden @ head.T
    return functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING, reduction="sum")


def table(result: dict[str, Any]) -> str:
    """Format the figures as a Markdown table, with ratios to this project at the same tokens."""
    lines = [
        "| head | side | target tokens | extra GiB | CPU-seconds | GiB / ours | CPU / ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in result["cases"]:
        ours = case["sides"]["ours_few"]
        for side, figures in case["sides"].items():
            ratios = [""] * 2
            if side == "whole":
                ratios = [f"{figures[k] / ours[k]:.2f}" for k in ("extra_gib", "cpu_seconds")]
            lines.append(
                f"| {case['head']} | {TITLES[side.removesuffix('_few')]} | {figures['tokens']:,} "
                f"| {figures['extra_gib']:.2f} | {figures['cpu_seconds']:.1f} "
                f"| {ratios[0]} | {ratios[1]} |"
            )
    met = result["cases"][0]["sides"]["ours"]["extra_gib"] <= TARGET_GIB
    lines.append(f"\ntarget {TARGET_GIB} GiB with a frozen head: {'met' if met else 'MISSED'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
