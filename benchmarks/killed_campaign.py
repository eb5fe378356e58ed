"""A campaign that is killed at random moments, beside one that nothing interrupts.

Both run `nmt campaign` with the same settings. The second gets SIGKILL, with all its processes, and
is given again, until it was killed as often as was asked for; then it may finish. Compares the
trials with their scores and states, the settings of the training, the engine and the decision, and
ends with code 1 if anything differs.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from nmt.config import load_config
from nmt.runs import layout
from nmt.runs.gate_record import find_decision
from nmt.runs.records import find_record, require, result_of
from nmt.runs.steps import EXPORT, STEPS, TRAIN, TUNE, VARIANTS
from nmt.runs.variants import Variant
from nmt.storage import Storage

PROJECT = Path(__file__).parents[1]
RUN = "campaign"


def main() -> None:
    """Run both campaigns, and compare what is left of them."""
    options = read_options()
    draw = random.Random(options.seed)
    whole = options.folder / "whole"
    began = time.monotonic()
    run_to_its_end(options.config, whole)
    seconds = time.monotonic() - began
    print(f"nothing interrupted: {seconds:.0f} s", flush=True)

    killed = options.folder / "killed"
    low, high = (share * seconds for share in options.after)
    began = time.monotonic()
    for number in range(1, options.kills + 1):
        after = draw.uniform(low, high)
        if not run_and_kill(options.config, killed, after):
            print(f"it was finished before kill {number}: lower --after", flush=True)
            break
        step = newest_step(killed)
        print(f"kill {number}: after {after:.0f} s of a command, in {step}", flush=True)
    run_to_its_end(options.config, killed)
    print(f"killed: {time.monotonic() - began:.0f} s\n")

    one, other = outcome(whole), outcome(killed)
    print("\n".join(table(one, other)))
    sys.exit(one != other)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for both storage roots; has to be empty")
    parser.add_argument("--config", type=Path, default=PROJECT / "configs/campaign_tiny.yaml")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument(
        "--after",
        type=float,
        nargs=2,
        default=(0.06, 0.17),
        metavar="SHARE",
        help="each command is killed after so much of the uninterrupted campaign's time",
    )
    return parser.parse_args()


def begin(config: Path, storage: Path) -> psutil.Popen:
    """Start the campaign; its output goes to a file beside the storage root."""
    storage.mkdir(parents=True, exist_ok=True)
    log = storage.with_suffix(".log").open("ab")
    words = ["campaign", "--config", str(config), f"run={RUN}", f"storage={storage}"]
    command = [sys.executable, "-m", "ray_jobs.cli.main", *words]
    return psutil.Popen(command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT)


def run_to_its_end(config: Path, storage: Path) -> None:
    """Run the campaign, and end this benchmark if it fails."""
    # A gate that rejects the engine has an exit code of its own, and has decided all the same.
    begin(config, storage).wait()
    result = find_record(Storage(str(storage)), RUN, EXPORT)
    if result is None or not result.done:
        sys.exit(f"the campaign has no engine: {storage.with_suffix('.log')} says why")


def run_and_kill(config: Path, storage: Path, after_seconds: float) -> bool:
    """Run the campaign and kill all its processes; return False if it ended before."""
    process = begin(config, storage)
    with suppress(psutil.TimeoutExpired):
        process.wait(after_seconds)
        return False
    processes = [*process.children(recursive=True), process]
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes)
    return True


def newest_step(storage: Path) -> str:
    """Name the step that the campaign began last."""
    root = Storage(str(storage))
    begun = [name for name, step in STEPS.items() if find_record(root, RUN, step)]
    return begun[-1] if begun else "its start"


def outcome(storage: Path) -> dict[str, Any]:
    """Return what two campaigns with the same settings have in common, and no times."""
    root = Storage(load_config([], [f"storage={storage}"]).storage)
    search = result_of(root, RUN, TUNE, require(root, RUN, TUNE))
    variants = result_of(root, RUN, VARIANTS, require(root, RUN, VARIANTS))
    engine = require(root, RUN, EXPORT).output
    decision = find_decision(root, RUN, engine) if engine else None
    return {
        "trials": [
            (trial.number, trial.config, trial.state, trial.steps, trial.score)
            for trial in search.trials
        ],
        "training": require(root, RUN, TRAIN).settings,
        "engine": engine,
        "decision": decision.verdict if decision else None,
        "weights of variants": [(each.name, weights_of(root, each)) for each in variants.variants],
    }


def weights_of(root: Storage, variant: Variant) -> dict[str, Any]:
    """Map the files of a variant's weights to their sizes and hashes."""
    # The settings of an adapter beside them name the folder of the base.
    files = root.manifest(layout.published_weights(variant.folder))["files"]
    return {name: each for name, each in files.items() if name.endswith(".safetensors")}


def table(one: dict[str, Any], other: dict[str, Any]) -> Sequence[str]:
    """Format both outcomes as a Markdown table."""
    lines = ["| what | nothing interrupted | killed | |", "|---|---|---|---|"]
    for name in one:
        cells = [short(each[name]) for each in (one, other)]
        same = "same" if one[name] == other[name] else "differs"
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {same} |")
    return lines


def short(value: object) -> str:
    """Write a value in a cell: the number of what it lists, else itself."""
    return str(len(value)) if isinstance(value, (list, dict)) else str(value)[:12]


if __name__ == "__main__":
    main()
