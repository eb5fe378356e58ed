"""Seconds from the command to the first step of `nmt train`, by stage and by process.

A stage ends when its process or its log line appears. Other work on the machine increases the
figures, so run this alone.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

ROUNDS = 3
SETTINGS = (
    "run=startup",
    "data.phrasebook.general_pairs=400",
    "data.phrasebook.domain_pairs=200",
    "model.base_steps=4",
    "training.max_steps=2",
    "training.warmup_steps=0",
    "training.evaluate_every_steps=2",
    "training.validation_sentences=4",
    "training.log_every_seconds=0.001",
)
STAGES = {
    "raylet": "Ray's processes are started",
    "IDLE": "Ray's first worker is there",
    "OneMachineController": "the controller of the training is there",
    "RayTrainWorker": "the worker of the training is there",
    "from step": "model and data are loaded",
    "step 1/": "first step taken",
}
TARGET_SECONDS = 18.0


def main() -> int:
    """Print each round's stages and return 1 when the best round misses the target."""
    with tempfile.TemporaryDirectory() as storage:
        words = [*SETTINGS, f"storage={storage}"]
        for step in ("prepare", "base"):
            subprocess.run([*_nmt(step), *words], check=True, stdout=subprocess.DEVNULL)
        best = min(_round(number, words) for number in range(1, ROUNDS + 1))
    print(f"best: {best:.1f} s to the first step; target {TARGET_SECONDS:g} s")
    return int(best > TARGET_SECONDS)


def _nmt(command: str) -> list[str]:
    return [str(Path(sys.executable).with_name("nmt")), command]


def _round(number: int, words: list[str]) -> float:
    """Measure the seconds to the first step of one training."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        command = subprocess.Popen(
            [*_nmt("train"), *words, "--restart"], stdout=output, stderr=subprocess.STDOUT
        )
        reached, used = _watch(command, output.fileno(), started)
        command.wait()
        if command.returncode:
            output.seek(0)
            raise SystemExit(output.read())
    total = time.monotonic() - started
    print(f"round {number}")
    before = 0.0
    for key, about in STAGES.items():
        if key in reached:
            print(f"  {reached[key]:5.1f} s  +{reached[key] - before:4.1f}  {about}")
            before = reached[key]
    print(f"  {total:5.1f} s  +{total - before:4.1f}  the command has ended")
    busiest = sorted(used.items(), key=lambda each: -each[1])[:8]
    by_process = ", ".join(f"{name} {seconds:.1f}" for name, seconds in busiest)
    print(f"  processor seconds to the first step: {sum(used.values()):.1f}: {by_process}")
    return reached["step 1/"]


def _watch(
    command: subprocess.Popen[bytes], output: int, started: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure when each stage was reached, and each process's CPU seconds up to the first step."""
    reached: dict[str, float] = {}
    seconds: dict[int, tuple[str, float]] = {}
    this = psutil.Process(command.pid)
    while command.poll() is None and "step 1/" not in reached:
        for process in [this, *this.children(recursive=True)]:
            try:
                name = _name(process)
                times = process.cpu_times()
            except psutil.Error:
                continue
            seconds[process.pid] = (name, times.user + times.system)
            if name in STAGES:
                reached.setdefault(name, time.monotonic() - started)
        with open(f"/proc/self/fd/{output}") as said:  # noqa: PTH123 - a position of its own
            text = said.read()
        for key in ("from step", "step 1/"):
            if key in text:
                reached.setdefault(key, time.monotonic() - started)
        time.sleep(0.05)
    used: dict[str, float] = defaultdict(float)
    for name, spent in seconds.values():
        used[name] += spent
    return reached, used


def _name(process: psutil.Process) -> str:
    """Name a process by its Ray title, or else by its program or script."""
    words = process.cmdline()
    if not words:
        return process.name()
    if words[0].startswith("ray::"):
        return words[0].removeprefix("ray::").split(".")[0].split(":")[0]
    script = next((word for word in words[1:] if word.endswith(".py")), words[0])
    if Path(words[0]).name.startswith("python") and len(words) > 1 and words[1].endswith("/nmt"):
        return "nmt"
    return Path(script).stem


if __name__ == "__main__":
    sys.exit(main())
