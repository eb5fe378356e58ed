"""Batch translation: lines per CPU second of the filter and of 1 and 2 replicas, and a kill.

    python benchmarks/batch_translation.py --storage runs --run quickstart --lines 20000

CPU seconds are used, because other work on the machine changes the wall time. The filter runs in
one process. Of the replicas, the time of translating is counted; starting Ray and loading engines
takes the same time for any number of lines. The numbers of replicas are measured in turns, and the
median of the rounds' ratios counts, since other work slows down a processor for all processes.
The last part kills the command half-way, runs it again, and counts lines that are lost or repeated.
"""

import argparse
import json
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nmt.cli.translation import TranslationOptions
from nmt.config import LoadedConfig, load_with_user_set
from nmt.data.saved import load_pairs
from nmt.runs import layout
from nmt.storage import Storage
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.logs import setup_logging
from ray_jobs.translate import find_engine
from ray_jobs.translation.files import translate_files

RESULTS = Path(__file__).parent / "results" / "batch_translation.json"
TARGET = 0.9
"""Minimum lines per CPU second with 2 replicas, relative to one."""
WORKERS = (1, 2)
ATTEMPTS = 3
"""Attempts to resume, since Ray gives up when it cannot start in a minute on a busy machine."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way to translate took."""

    lines: int
    cpu_seconds: float
    """Of translating."""
    other_cpu_seconds: float
    """Of the filter's start, or of reading, handing out and writing."""
    wall_seconds: float

    @property
    def rate(self) -> float:
        """Return the lines per CPU second of translating."""
        return self.lines / self.cpu_seconds


def main() -> int:
    """Measure, print and write the figures; return 1 if a target is missed."""
    options = read_options()
    setup_logging()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "mono.txt"
        write_lines(options, source)
        alone = measure_filter(options, source)
        rounds = measure_rounds(options, source)
        ratios = [two.rate / one.rate for one, two in rounds]
        print_figures(alone, rounds)
        print(f"2 replicas against 1: {median(ratios):.2f}, target {TARGET}", flush=True)
        lost, repeated = measure_kill(options, source)
    print(f"after the kill: {lost} lines lost, {repeated} repeated")
    result = {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "lines": options.lines,
        "filter_lines_per_cpu_second": round(alone.rate, 1),
        "replicas_lines_per_cpu_second": [
            {str(workers): round(each.rate, 1) for workers, each in zip(WORKERS, both, strict=True)}
            for both in rounds
        ],
        "scaling": [round(ratio, 3) for ratio in ratios],
        "lost": lost,
        "repeated": repeated,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return int(median(ratios) < TARGET or lost > 0 or repeated > 0)


def print_figures(alone: Measured, rounds: Sequence[Sequence[Measured]]) -> None:
    """Print a line for each measurement."""
    lines = [("filter", alone)]
    for both in rounds:
        lines += [
            (f"{workers} replicas", each) for workers, each in zip(WORKERS, both, strict=True)
        ]
    for name, measured in lines:
        print(
            f"{name:<12}{measured.rate:8,.0f} lines/CPU s  {measured.cpu_seconds:8.1f} CPU s of "
            f"translating  {measured.other_cpu_seconds:6.1f} of the rest  "
            f"{measured.wall_seconds:6.1f} s in all"
        )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storage", required=True, help="storage root with an exported run")
    parser.add_argument("--run", required=True, help="the run")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def write_lines(options: argparse.Namespace, path: Path) -> None:
    """Write lines made of the sentences that the run was trained on."""
    with Storage(options.storage).reading(layout.pairs(options.run)) as folder:
        sources = [pair.source for pair in load_pairs(folder, "train")]
    draw = random.Random(1)
    lines = (" ".join(draw.choices(sources, k=draw.randint(1, 3))) for _ in range(options.lines))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def measure_filter(options: argparse.Namespace, source: Path) -> Measured:
    """Measure the filter; the start of its process is found with a single line."""

    def cpu_seconds(content: bytes) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [*nmt("translate"), f"run={options.run}", f"storage={options.storage}"]
        subprocess.run(words, input=content, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    started = time.monotonic()
    start = cpu_seconds(b"\n")
    whole = cpu_seconds(source.read_bytes())
    return Measured(options.lines, whole - start, start, time.monotonic() - started)


def measure_rounds(options: argparse.Namespace, source: Path) -> list[list[Measured]]:
    """Measure each number of replicas in each round."""
    # One Ray for all rounds: it takes longer to start than to translate some thousand lines.
    with connect(load(options, max(WORKERS)).config):
        return [
            [measure_replicas(options, source, workers) for workers in WORKERS]
            for _ in range(options.rounds)
        ]


def measure_replicas(options: argparse.Namespace, source: Path, workers: int) -> Measured:
    """Measure the translation of a file by replicas on Ray."""
    loaded, storage = load(options, workers), Storage(options.storage)
    asked = TranslationOptions(str(source), str(source.with_name("out.txt")), shard_lines=500)
    started, before = time.monotonic(), time.process_time()
    engine = find_engine(loaded, storage)
    totals = translate_files(loaded.config, storage, engine, asked, restart=True)
    used = time.process_time() - before
    if totals.lines != options.lines:
        raise SystemExit(f"{totals.lines} of {options.lines} lines were translated")
    return Measured(totals.lines, totals.cpu_seconds, used, time.monotonic() - started)


def load(options: argparse.Namespace, workers: int) -> LoadedConfig:
    """Read the settings of a number of workers."""
    words = [f"run={options.run}", f"storage={options.storage}", f"scaling.workers={workers}"]
    return load_with_user_set(overrides=[*words, "strategy.type=ddp"])


def measure_kill(options: argparse.Namespace, source: Path) -> tuple[int, int]:
    """Kill a translation half-way, run it again, and count lost and repeated lines."""
    lines = source.read_text(encoding="utf-8").splitlines()
    table, target = source.with_name("mono.tsv"), source.with_name("out.tsv")
    rows = (f"{number}\t{line}\n" for number, line in enumerate(lines))
    table.write_text("id\ttext\n" + "".join(rows), encoding="utf-8")
    words = [f"run={options.run}", f"storage={options.storage}", "scaling.workers=2"]
    places = ["--input", str(table), "--output", str(target), "--shard-lines", "500"]
    command = [*nmt("translate"), *places, *words]
    shards = target.with_name(f".{target.name}.translating") / "shards"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and count(shards) < len(lines) / 500 / 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    print(f"killed with {count(shards)} of {-(-len(lines) // 500)} shards finished", flush=True)
    for _ in range(ATTEMPTS):
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
            break
    numbers = Counter(
        int(row.split("\t")[0]) for row in target.read_text(encoding="utf-8").splitlines()[1:]
    )
    lost = sum(number not in numbers for number in range(len(lines)))
    return lost, sum(times - 1 for times in numbers.values())


def count(folder: Path) -> int:
    """Count the finished shards."""
    return sum(not path.name.startswith(".") for path in folder.glob("*"))


def nmt(command: str) -> list[str]:
    """Return the words of a command of this installation."""
    return [str(Path(sys.executable).with_name("nmt")), command]


if __name__ == "__main__":
    sys.exit(main())
