"""What Kubernetes adds to a job, and what a lost worker Pod costs, before and after a change.

    export PYTHONPATH=.
    python benchmarks/kubernetes_jobs.py overhead before=old:/path/to/old after=new:. --repeats 3
    python benchmarks/kubernetes_jobs.py lost-worker before=old:/path/to/old after=new:. --repeats 3

Each side is NAME=NAMESPACE:CHECKOUT. The namespace has a release of the checkout's chart with the
checkout's images, and no endpoint; the checkout has a `.venv`. The sides take turns, so that a
machine that becomes slower slows down all of them alike. `overhead` also runs a minimal RayJob: the
Pods of the last side's job with KubeRay's own probes and submitter, and `true` as its command.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.runs.small_run import SMALL_RUN

RUN = "measured"
_OWN = ("run", "training.evaluate_every_steps")
SMALL = tuple(word for word in SMALL_RUN if word.partition("=")[0] not in _OWN)
LONG = (
    "training.max_steps=6000",
    "training.evaluate_every_steps=200",
    "training.log_every_seconds=0.05",
)
PATIENCE_SECONDS = 600.0
MINIMAL = "minimal"

_DONE = re.compile(r"(\w+): done in ([\d.]+) s")
_START = re.compile(r"train from step \d+ of")
_STEP = re.compile(r"train step (\d+)/")


@dataclass(frozen=True, slots=True)
class Side:
    """A release, and the `nmt-k8s` of the same code."""

    name: str
    namespace: str
    checkout: Path

    @classmethod
    def parse(cls, word: str) -> "Side":
        """Read `NAME=NAMESPACE:CHECKOUT`."""
        found = re.fullmatch(r"([^=]+)=([^:]+):(.+)", word)
        if not found:
            raise argparse.ArgumentTypeError(f"'{word}': write NAME=NAMESPACE:CHECKOUT")
        return cls(found[1], found[2], Path(found[3]).absolute())

    def command(self, *words: str) -> list[str]:
        """Return the words of an `nmt-k8s` command line."""
        python = str(self.checkout / ".venv/bin/python")
        code = "import sys; from k8s.cli.main import main; sys.exit(main())"
        return [python, "-c", code, *words, "-n", self.namespace]

    def run(self, *words: str) -> str:
        """Run `nmt-k8s` and return its output and its messages."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{self.name}: {' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def kubectl(self, *words: str, text: str | None = None) -> str:
        """Run `kubectl` in the namespace and return its output."""
        return subprocess.run(
            ["kubectl", "-n", self.namespace, *words],  # noqa: S607
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout


def overhead_of_step(side: Side, step: str) -> float:
    """Run a step as a job, and return the seconds that were not its work."""
    name = f"{side.name}-{step}"
    side.kubectl("delete", "rayjob", name, "--ignore-not-found", "--wait=true")
    started = time.monotonic()
    said = side.run("submit", step, f"run={RUN}", *SMALL, "--restart", "--name", name)
    took = time.monotonic() - started
    work = [float(seconds) for done, seconds in _DONE.findall(said) if done == step]
    side.kubectl("delete", "rayjob", name, "--wait=true")
    return took - work[0]


def minimal_job(side: Side, step: str) -> dict[str, Any]:
    """Build the RayJob with the same Pods that does nothing, as KubeRay's documentation has it."""
    words = ("submit", step, f"run={RUN}", *SMALL, "--name", f"{MINIMAL}-{step}")
    job = yaml.safe_load(side.run(*words, "--dry-run", "-o", "yaml"))
    spec = job["spec"]
    cluster = spec["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for probe in ("startupProbe", "readinessProbe"):
            group["template"]["spec"]["containers"][0].pop(probe, None)
    for key in ("command", "args"):
        spec["submitterPodTemplate"]["spec"]["containers"][0].pop(key, None)
    spec["entrypoint"] = "true"
    return job


def seconds_of_minimal_job(side: Side, step: str) -> float:
    """Run the minimal RayJob and return the seconds until KubeRay calls it complete."""
    job = minimal_job(side, step)
    name = job["metadata"]["name"]
    started = time.monotonic()
    side.kubectl("create", "-f", "-", text=json.dumps(job))
    path = "jsonpath={.status.jobDeploymentStatus}"
    _wait(lambda: side.kubectl("get", "rayjob", name, "-o", path) == "Complete", name)
    took = time.monotonic() - started
    side.kubectl("delete", "rayjob", name, "--wait=true")
    return took


def measure_overhead(sides: list[Side], steps: list[str], repeats: int) -> None:
    """Print the overhead of each step on each side, and their ratios."""
    for side in sides:
        side.run("submit", "prepare", f"run={RUN}", *SMALL, "--name", f"{side.name}-first")
        side.kubectl("delete", "rayjob", f"{side.name}-first")
    for step in steps:
        found: dict[str, list[float]] = {name: [] for name in (*(s.name for s in sides), MINIMAL)}
        for _ in range(repeats):
            for side in sides:
                _note(found, side.name, overhead_of_step(side, step))
            _note(found, MINIMAL, seconds_of_minimal_job(sides[-1], step))
        _print(f"overhead of {step}", found)


class Watched:
    """A training that runs as a job, and the times at which its steps appeared."""

    def __init__(self, side: Side, name: str) -> None:
        self.starts: list[float] = []
        self.steps: list[tuple[float, int]] = []
        words = ("submit", "train", f"run={RUN}", *SMALL, *LONG, "--restart", "--name", name)
        self._process = subprocess.Popen(
            side.command(*words),
            cwd=side.checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.lines.append(line)
            if _START.search(line):
                self.starts.append(time.monotonic())
            if found := _STEP.search(line):
                self.steps.append((time.monotonic(), int(found[1])))

    def reached(self, step: int) -> bool:
        """Tell whether it has reached a step."""
        if self._process.poll() is not None:
            sys.exit("the training ended too early:\n" + "".join(self.lines[-30:]))
        return bool(self.steps) and self.steps[-1][1] >= step

    def first_step_after(self, moment: float) -> float | None:
        """Return when the first step appeared of a new start after a moment."""
        again = next((at for at in self.starts if at > moment), None)
        return next((at for at, _ in self.steps if again and at >= again), None)

    def stop(self) -> None:
        """End the command; the job is deleted by its caller."""
        self._process.kill()


def seconds_of_lost_worker(side: Side) -> float:
    """Delete the worker Pod of a training, and return the seconds until it trains again."""
    name = f"{side.name}-lost"
    side.kubectl("delete", "rayjob", name, "--ignore-not-found", "--wait=true")
    training = Watched(side, name)
    try:
        _wait(lambda: training.reached(300), f"step 300 of {name}")
        select = "ray.io/node-type=worker,app.kubernetes.io/component=job"
        (pod,) = side.kubectl("get", "pods", "-l", select, "-o", "name").split()
        deleted = time.monotonic()
        side.kubectl("delete", pod, "--grace-period=5", "--wait=false")
        _wait(lambda: training.first_step_after(deleted) is not None, f"a new step of {name}")
        return (training.first_step_after(deleted) or deleted) - deleted
    finally:
        training.stop()
        side.kubectl("delete", "rayjob", name, "--ignore-not-found", "--wait=true")


def measure_lost_worker(sides: list[Side], repeats: int) -> None:
    """Print the seconds from the loss of a worker Pod to the next step, and their ratio."""
    for side in sides:
        side.run("submit", "prepare", f"run={RUN}", *SMALL, "--name", f"{side.name}-first")
        side.run("submit", "base", f"run={RUN}", *SMALL, "--name", f"{side.name}-base")
        side.kubectl("delete", "rayjob", f"{side.name}-first", f"{side.name}-base")
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(repeats):
        for side in sides:
            _note(found, side.name, seconds_of_lost_worker(side))
    _print("worker Pod lost, to the next step", found)


def _wait(what: Callable[[], bool], name: str) -> None:
    begun = time.monotonic()
    while not what():
        if time.monotonic() - begun > PATIENCE_SECONDS:
            sys.exit(f"{name} did not come within {PATIENCE_SECONDS:g} s")
        time.sleep(0.2)


def _note(found: dict[str, list[float]], name: str, seconds: float) -> None:
    found[name].append(seconds)
    print(f"  {name}: {seconds:.1f} s", file=sys.stderr, flush=True)


def _print(what: str, found: dict[str, list[float]]) -> None:
    print(f"\n| {what} | median | all |\n|---|---|---|")
    for name, seconds in found.items():
        listed = ", ".join(f"{each:.1f}" for each in seconds)
        print(f"| {name} | {statistics.median(seconds):.1f} s | {listed} |")
    for line in _ratios(found):
        print(line, flush=True)


def _ratios(found: dict[str, list[float]]) -> Iterator[str]:
    """Yield the ratio of the last side to each other, as the median over the rounds."""
    sides = [name for name in found if name != MINIMAL]
    last = sides[-1]
    for other in [name for name in found if name != last]:
        pairs = zip(found[last], found[other], strict=True)
        yield f"{last} / {other}: {statistics.median(a / b for a, b in pairs):.2f}"


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure jobs on a cluster, two codes in turns.")
    parser.add_argument("what", choices=("overhead", "lost-worker"))
    parser.add_argument("sides", nargs="+", type=Side.parse, metavar="NAME=NAMESPACE:CHECKOUT")
    parser.add_argument("--steps", nargs="+", default=["prepare", "base"])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.what == "overhead":
        measure_overhead(options.sides, options.steps, options.repeats)
    else:
        measure_lost_worker(options.sides, options.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
