"""Padding of this project's batches beside random ones and ones sorted by source length.

Draws the lengths of sentence pairs and counts tokens; trains nothing. Prints a table and writes
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
"""Multiples that widths are rounded up to; 8 suits the matrix units of a GPU."""
TITLES = {
    "ours": "this project",
    "random": "random rows, as many a batch",
    "by_source": "sorted by source, same budget",
}
TARGETS = {(2048, 1): 0.08, (8192, 1): 0.08, (2048, 8): 0.13}
"""Most padding by budget and rounding."""


def main() -> None:
    """Count, print, write."""
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
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000, help="rows of an epoch")
    parser.add_argument("--longest", type=int, default=128, help="tokens a side, at most")
    parser.add_argument("--seed", type=int, default=1, help="of lengths and order")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Case:
    """One budget and one rounding of the widths."""

    source: Lengths
    target: Lengths
    budget: int
    rounding: int
    seed: int

    def measure(self) -> dict[str, Any]:
        """Share of padding by side, 0-1."""
        shares = {side: round(self.padding(batches), 4) for side, batches in self.batches().items()}
        most = TARGETS.get((self.budget, self.rounding))
        return {"budget": self.budget, "rounding": self.rounding, "padding": shares, "most": most}

    def batches(self) -> dict[str, list[Rows]]:
        """An epoch's batches by side."""
        plan = self.plan()
        ours = [rows for step in plan.epoch(0) for rows in step]
        shuffled = np.random.default_rng(self.seed).permutation(len(self.source))
        by_source = shuffled[np.argsort(self.source[shuffled], kind="stable")]
        return {
            "ours": ours,
            "random": np.array_split(shuffled, len(ours)),
            "by_source": plan._fill(by_source),
        }

    def plan(self) -> BatchPlan:
        """Batches as the training loop makes them."""
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
        """Share of the tokens held that are padding."""
        sides = (self.source, self.target)
        held = sum(
            len(rows) * int(rounded_up(s[rows].max(keepdims=True), self.rounding)[0])
            for rows in batches
            for s in sides
        )
        return 1 - (int(self.source.sum()) + int(self.target.sum())) / held


def table(cases: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table; each ratio is the side's padding over this project's."""
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
