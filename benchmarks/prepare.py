"""CPU time and memory of `nmt prepare`, compared with OpusFilter on the same filters.

Makes corpora of any size from the halves of real pairs, prepares them in processes of their own,
and counts CPU seconds: the load of the machine changes them little. Prints a table and writes the
figures as JSON.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from opusfilter_run import run_opusfilter
from ray_workers import measure_workers

from nmt.config import DataConfig
from nmt.data.read import open_inputs

RESULTS = Path(__file__).parent / "results" / "prepare.json"
MIN_RATE = 7000
"""Pairs per CPU second, with every rule."""
MAX_BYTES = 300
"""Memory per pair in the driver."""
MIN_EFFICIENCY = 0.85
"""CPU seconds of one worker divided by those of two."""


def main() -> None:
    """Measure, print the figures and write them."""
    options = read_options()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        result = measure(options, Path(folder))
    print("\n".join(table(result)))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="pairs to make the corpora from, as data.path names them")
    parser.add_argument("--source-language", default="eng_Latn", help="data.source_language")
    parser.add_argument("--target-language", default="tam_Taml", help="data.target_language")
    parser.add_argument(
        "--pairs", type=int, nargs="+", default=[100_000, 300_000], help="sizes, smallest first"
    )
    parser.add_argument("--worker-pairs", type=int, default=100_000, help="pairs for the workers")
    parser.add_argument("--opusfilter", type=Path, help="`bin` folder of its environment")
    parser.add_argument("--opusfilter-pairs", type=int, default=2000, help="pairs for OpusFilter")
    parser.add_argument("--folder", type=Path, help="folder for temporary files")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the JSON")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure all sizes, the workers, and OpusFilter if it is installed."""
    data = DataConfig(
        path=options.corpus,
        source_language=options.source_language,
        target_language=options.target_language,
    )
    pairs = [(row.source, row.target) for row in next(open_inputs(data)).rows]
    sizes = []
    for size in options.pairs:
        settings = settings_of(data, write_halves(pairs, size, folder / f"{size}"))
        sizes.append({"pairs": size} | run_prepare(settings, folder / f"run-{size}"))
    result: dict[str, Any] = {"sizes": sizes}
    if options.worker_pairs:
        files = write_halves(pairs, options.worker_pairs, folder / "workers")
        result["workers"] = measure_workers(settings_of(data, files), folder, (1, 2))
    if options.opusfilter:
        files = write_halves(pairs, options.opusfilter_pairs, folder / "opusfilter")
        found = run_opusfilter(options.opusfilter, files, folder, data)
        result["opusfilter"] = {"pairs": options.opusfilter_pairs} | found
    return result


def write_halves(pairs: Sequence[tuple[str, str]], size: int, stem: Path) -> tuple[Path, Path]:
    """Write pairs that join the first half of one pair with the second half of another."""
    files = stem.with_suffix(".source"), stem.with_suffix(".target")
    with files[0].open("w") as sources, files[1].open("w") as targets:
        for source, target in islice(_halves(pairs), size):
            sources.write(f"{source}\n")
            targets.write(f"{target}\n")
    return files


def _halves(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    chance = random.Random(1)
    split = [tuple(_in_two(side) for side in pair) for pair in pairs]
    while True:
        one, other = chance.choice(split), chance.choice(split)
        yield f"{one[0][0]} {other[0][1]}", f"{one[1][0]} {other[1][1]}"


def _in_two(text: str) -> tuple[str, str]:
    words = " ".join(text.split()).split(" ")
    middle = len(words) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])


def settings_of(data: DataConfig, files: tuple[Path, Path]) -> dict[str, str]:
    """Return the settings that prepare a pair of files."""
    return {
        "data.path": str(files[0]),
        "data.target_path": str(files[1]),
        "data.format": "text",
        "data.source_language": data.source_language,
        "data.target_language": data.target_language,
    }


def run_prepare(settings: Mapping[str, str], storage: Path) -> dict[str, float]:
    """Run the command in a process of its own, and return its CPU seconds and its peak memory."""
    words = [f"{key}={value}" for key, value in settings.items()]
    command = [sys.executable, "-m", "ray_jobs.prepare", f"storage={storage}", *words]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def table(result: Mapping[str, Any]) -> list[str]:
    """Write the figures in plain lines."""
    lines = [f"{'pairs':>10} {'CPU s':>8} {'pairs/CPU s':>12} {'peak MiB':>9}"]
    lines += [_line(row) for row in result["sizes"]]
    first, last = result["sizes"][0], result["sizes"][-1]
    if last["pairs"] > first["pairs"]:
        more = last["pairs"] - first["pairs"]
        rate = more / (last["cpu_s"] - first["cpu_s"])
        growth = (last["peak_mib"] - first["peak_mib"]) * 2**20 / more
        lines.append(f"without the start: {rate:.0f} pairs/CPU s (goal: {MIN_RATE} or more)")
        lines.append(f"memory: {growth:.0f} bytes a pair (goal: {MAX_BYTES} or less)")
    if "workers" in result:
        one, two = (result["workers"][count]["cpu_s"] for count in ("1", "2"))
        lines.append(
            f"from 1 to 2 workers: {one:.1f} and {two:.1f} CPU s, {one / two:.2f} of linear "
            f"(goal: {MIN_EFFICIENCY} or more)"
        )
    if "opusfilter" not in result:
        return [*lines, "OpusFilter: not compared; --opusfilter names its environment"]
    return [*lines, "OpusFilter, the same filters:", _line(result["opusfilter"])]


def _line(row: Mapping[str, float]) -> str:
    rate = row["pairs"] / row["cpu_s"]
    return f"{row['pairs']:>10} {row['cpu_s']:>8.1f} {rate:>12.0f} {row['peak_mib']:>9.0f}"


if __name__ == "__main__":
    main()
