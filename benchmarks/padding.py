"""Padding of this project's batches, compared with random and length-sorted batches.

Draws lengths of sentence pairs and counts tokens without training. Prints a table and writes
the figures as JSON.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lengths import Lengths, draw_lengths

from nmt.data.batches import BatchPlan, Rows, rounded_up

RESULTS = Path(__file__).parent / "results" / "padding.json"
BUDGETS = (2048, 8192)
ROUNDINGS = (1, 8)
"""Multiples to which widths are rounded up; 8 matches the matrix units of a GPU."""
TITLES = {
    "ours": "this project",
    "random": "random rows, as many a batch",
    "by_source": "sorted by source, same budget",
}
TARGETS = {(2048, 1): 0.08, (8192, 1): 0.08, (2048, 8): 0.13}
"""Maximum padding by budget and rounding."""


def main() -> None:
    """Count the padding, print it and write it."""
    options = read_options()
    source, target = draw_lengths(
        np.random.default_rng(options.seed), options.pairs, options.longest
    )
    cases = [
        Case(source, target, budget, rounding, options.seed).measure()
        for budget in BUDGETS
        for rounding in ROUNDINGS
    ]
    print(table(cases))
    settings = {name: getattr(options, name) for name in ("pairs", "longest", "seed")}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    result = {**settings, "cases": cases}
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000, help="rows of an epoch")
    parser.add_argument("--longest", type=int, default=128, help="maximum of tokens per side")
    parser.add_argument("--seed", type=int, default=1, help="seed of lengths and order")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Case:
    """A token budget with a rounding of the widths."""

    source: Lengths
    target: Lengths
    budget: int
    rounding: int
    seed: int

    def measure(self) -> dict[str, Any]:
        """Compute the share of padding by side, 0-1."""
        shares = {side: round(self.padding(rows), 4) for side, rows in self.batches().items()}
        maximum = TARGETS.get((self.budget, self.rounding))
        return {
            "budget": self.budget,
            "rounding": self.rounding,
            "padding": shares,
            "most": maximum,
        }

    def batches(self) -> dict[str, list[Rows]]:
        """Build an epoch's batches by side."""
        plan = self.plan()
        ours = [rows for step in plan.epoch(0) for rows in step]
        shuffled = np.random.default_rng(self.seed).permutation(len(self.source))
        by_source = shuffled[np.argsort(self.source[shuffled], kind="stable")]
        return {
            "ours": ours,
            "random": np.array_split(shuffled, len(ours)),
            "by_source": np.split(by_source, plan.bounds(by_source)[1:-1]),
        }

    def plan(self) -> BatchPlan:
        """Plan batches as the training loop does."""
        return BatchPlan(
            source_tokens=self.source,
            target_tokens=self.target,
            corpus_rows=len(self.source),
            replay_fraction=0.0,
            micro_batch_tokens=self.budget,
            micro_batches_per_step=1,
            seed=self.seed,
            round_to=self.rounding,
        )

    def padding(self, batches: list[Rows]) -> float:
        """Compute the share of padding among all tokens of the batches."""
        sides = (self.source, self.target)
        held = sum(
            len(rows) * int(rounded_up(s[rows].max(keepdims=True), self.rounding)[0])
            for rows in batches
            for s in sides
        )
        return 1 - (int(self.source.sum()) + int(self.target.sum())) / held


def table(cases: list[dict[str, Any]]) -> str:
    """Format the figures as a Markdown table, with the ratio of each side's padding to ours."""
    lines = ["| budget | widths | side | padding | side / ours |", "|---|---|---|---|---|"]
    for case in cases:
        ours = case["padding"]["ours"]
        widths = f"multiples of {case['rounding']}" if case["rounding"] > 1 else "as they are"
        lines += [
            f"| {case['budget']} | {widths} | {TITLES[side]} | {share:.1%} | {share / ours:.2f} |"
            for side, share in case["padding"].items()
        ]
    for case in cases:
        if case["most"] is not None:
            met = "met" if case["padding"]["ours"] <= case["most"] else "MISSED"
            lines.append(
                f"\ntarget {case['most']:.0%}, budget {case['budget']}, "
                f"multiples of {case['rounding']}: {met}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
