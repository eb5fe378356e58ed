"""Memory and CPU time of a training's start: first and second start, and common alternatives.

Each case runs in its own process: it loads the model, the data and the batches of an epoch, and
builds the first micro-batch. What a corpus of 1,000 pairs needs (libraries, model) is subtracted.
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
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from long_corpus import config_of, write_corpus, write_model
from peak_memory import peak

from nmt.data.batches import BatchPlan, Cursor
from nmt.data.prepared_rows import read_rows
from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import TokenTable
from nmt.runs import layout
from nmt.storage import Storage
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material

RESULTS = Path(__file__).parent / "results" / "training_start.json"
SMALLEST, PROJECTED = 1000, 10_000_000
TARGET_GB, TARGET_SECONDS = 1.0, 5.0
"""Maximum memory at 10M pairs, and of a second start at 1M pairs."""
CPU = torch.device("cpu")
TITLES = {
    "first": "this project, first start",
    "second": "this project, second start",
    "lists": "all pairs at once, in lists",
    "map": "`datasets.map`, first start",
    "map_again": "`datasets.map`, second start",
}
OURS = ("first", "second")


def main() -> None:
    """Measure one case, or all; print and write the figures."""
    options = read_options()
    if options.side:
        print(json.dumps(measure(options.folder, options.side, options.pairs)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        result = measure_all(Path(folder), options)
    print(table(result))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="pairs"
    )
    parser.add_argument(
        "--largest-others", type=int, default=100_000, help="maximum of pairs, the alternatives"
    )
    parser.add_argument("--folder", type=Path, help="of temporary files; 1 GB for 1M pairs")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    parser.add_argument("--side", choices=list(TITLES), help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure_all(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure all cases of all sizes."""
    write_model(folder)
    cases: dict[str, dict[str, dict[str, float]]] = {side: {} for side in TITLES}
    for pairs in (SMALLEST, *options.sizes):
        write_corpus(folder, pairs)
        for side in TITLES:
            if side in OURS or pairs <= options.largest_others:
                cases[side][str(pairs)] = run_side(folder, side, pairs)
    return {
        "machine": f"{platform.machine()}, one thread",
        "smallest": SMALLEST,
        "cases": {side: relative(found) for side, found in cases.items()},
        "projected": {side: project(relative(found)) for side, found in cases.items()},
    }


def run_side(folder: Path, side: str, pairs: int) -> dict[str, float]:
    """Run one case in a new process with one thread."""
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", __file__, "--side", side),
            *("--pairs", str(pairs), "--folder", str(folder)),
        ],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "RAYON_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(folder / "cache"),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{TITLES[side]}, {pairs} pairs: ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, side: str, pairs: int) -> dict[str, float]:
    """Measure one case in this process."""
    torch.set_num_threads(1)
    started = time.process_time()
    starts: dict[str, Callable[[Path, int], None]] = {
        "first": start_ours,
        "second": start_ours,
        "lists": start_with_lists,
        "map": start_with_map,
        "map_again": start_with_map,
    }
    starts[side](folder, pairs)
    return {"bytes": peak(), "cpu_seconds": time.process_time() - started}


def start_ours(folder: Path, pairs: int) -> None:
    """Load a training as a worker does, and build its first micro-batch."""
    config = config_of(pairs)
    job = TrainingJob(
        config=config,
        storage=Storage(str(folder)),
        folder=f"{config.run}/train",
        base=ModelSource(str(folder / "model")),
        data=layout.pairs(config.run),
        replay_split=None,
    )
    material = load_material(job, CPU)
    material.plan.padding()
    _, rows = next(material.plan.steps(Cursor()))
    material.pairs.batch(rows[0], CPU)


def start_with_lists(folder: Path, pairs: int) -> None:
    """Tokenize all pairs in one call, keep those within the limits, and plan an epoch."""
    codec = _model_and_codec(folder)
    chunks = list(read_rows(_data_of(folder, pairs), "train", 10_000))
    sources = codec.encode_sources([text for chunk in chunks for text in chunk.sources])
    targets = codec.encode_targets([text for chunk in chunks for text in chunk.targets])
    kept = [
        (source, target)
        for source, target in zip(sources, targets, strict=True)
        if len(source) <= 128 and len(target) <= 128
    ]
    tables = [TokenTable.of([pair[side] for pair in kept]) for side in (0, 1)]
    _plan_of(tables[0].lengths, tables[1].lengths).epoch(0)


def start_with_map(folder: Path, pairs: int) -> None:
    """Tokenize in batches into Arrow files, or find them in the cache, and plan an epoch."""
    codec = _model_and_codec(folder)
    data = Dataset.from_file(str(_data_of(folder, pairs) / "dataset/train/data.arrow"))
    encoded = data.map(
        partial(_encode, codec=codec),
        batched=True,
        batch_size=2000,
        remove_columns=["source", "target"],
        new_fingerprint=f"of-{pairs}",
        cache_file_name=str(folder / f"map-{pairs}.arrow"),
    )
    lengths = [np.array(encoded[name], np.int32) for name in ("source_length", "target_length")]
    _plan_of(*lengths).epoch(0)


def _encode(rows: dict[str, list[str]], codec: Codec) -> dict[str, list[Any]]:
    sources, targets = codec.encode_sources(rows["source"]), codec.encode_targets(rows["target"])
    return {
        "source_ids": sources,
        "target_ids": targets,
        "source_length": [len(row) for row in sources],
        "target_length": [len(row) for row in targets],
    }


def _model_and_codec(folder: Path) -> Codec:
    source = ModelSource(str(folder / "model"))
    load_model(source)
    return load_codec(source, "eng_Latn", "tam_Taml")


def _data_of(folder: Path, pairs: int) -> Path:
    return folder / layout.pairs(config_of(pairs).run)


def _plan_of(sources: np.ndarray, targets: np.ndarray) -> BatchPlan:
    return BatchPlan(
        source_tokens=sources,
        target_tokens=targets,
        corpus_rows=len(sources),
        replay_fraction=0.0,
        micro_batch_tokens=2048,
        micro_batches_per_step=1,
        seed=1,
    )


def relative(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Subtract the smallest corpus from the others."""
    base = found[str(SMALLEST)]
    return {
        pairs: {
            "gb": round((case["bytes"] - base["bytes"]) / 1e9, 4),
            "cpu_seconds": round(case["cpu_seconds"] - base["cpu_seconds"], 2),
        }
        for pairs, case in found.items()
        if pairs != str(SMALLEST)
    }


def project(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return 10M pairs projected from the two largest corpora, and the error of this method."""
    # The error is that of the largest corpus, projected from the two before it.
    sizes = sorted(int(pairs) for pairs in found)
    projected = {
        key: round(extrapolated(found, sizes[-2:], key, PROJECTED), 2)
        for key in ("gb", "cpu_seconds")
    }
    if len(sizes) > 2:
        last = found[str(sizes[-1])]
        for key in ("gb", "cpu_seconds"):
            error = extrapolated(found, sizes[-3:-1], key, sizes[-1]) / last[key] - 1
            projected[f"{key}_error"] = round(error, 3)
    return projected


def extrapolated(
    found: dict[str, dict[str, float]], sizes: Sequence[int], key: str, pairs: int
) -> float:
    """Draw a straight line through two measured sizes."""
    (x, y), (first, second) = sizes, (found[str(size)][key] for size in sizes)
    return second + (second - first) / (y - x) * (pairs - y)


def table(result: dict[str, Any]) -> str:
    """Format the figures as a Markdown table, with the targets below it."""
    lines = ["| side | pairs | GB beyond the model | CPU seconds |", "|---|---|---|---|"]
    for side, found in result["cases"].items():
        lines += [
            f"| {TITLES[side]} | {int(pairs):,} | {case['gb']:.3f} | {case['cpu_seconds']:.1f} |"
            for pairs, case in found.items()
        ]
        guess = result["projected"][side]
        errors = ""
        if "gb_error" in guess:
            errors = (
                f" (the largest corpus was projected {guess['gb_error']:+.0%}, "
                f"{guess['cpu_seconds_error']:+.0%})"
            )
        lines.append(
            f"| {TITLES[side]} | {PROJECTED:,}, projected{errors} | {guess['gb']:.2f} | "
            f"{guess['cpu_seconds']:.0f} |"
        )
    memory = max(result["projected"][side]["gb"] for side in OURS)
    lines.append(f"\n{memory:.2f} GB at 10M pairs: {met(memory <= TARGET_GB)}")
    again = result["cases"]["second"].get("1000000")
    if again:
        seconds = again["cpu_seconds"]
        lines.append(f"second start at 1M pairs {seconds:.1f} s: {met(seconds <= TARGET_SECONDS)}")
    return "\n".join(lines)


def met(holds: bool) -> str:
    """Say whether a target was met."""
    return "met" if holds else "MISSED"


if __name__ == "__main__":
    main()
