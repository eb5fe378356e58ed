"""CPU seconds that a Ray cluster of a few CPUs spends on `nmt prepare`."""

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import ray

from nmt.config import load_with_user_set
from nmt.storage import Storage
from ray_jobs.prepare import run
from ray_jobs.runtime.context import Session

_EVERY_SECONDS = 0.2


def measure_workers(
    settings: Mapping[str, str], folder: Path, counts: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Prepare a corpus with each number of workers, and return the CPU seconds of all processes.

    Args:
        settings: of the corpus.
        folder: for the results.
        counts: numbers of CPUs of the cluster, and so of workers.
    """
    return {
        # In a process of its own, since a cluster leaves threads behind.
        str(count): {"cpu_s": _measure_apart(settings, folder / f"workers-{count}", count)}
        for count in counts
    }


def _measure_apart(settings: Mapping[str, str], storage: Path, count: int) -> float:
    words = [f"{key}={value}" for key, value in settings.items()]
    command = [sys.executable, __file__, str(storage), str(count), *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.splitlines()[-1])


def _measure(storage: str, count: int, words: Sequence[str]) -> float:
    """Prepare a corpus on a new cluster, and return the CPU seconds of the work on blocks."""
    loaded = load_with_user_set([], [*words, "data.min_ray_pairs=1"])
    ray.init("local", num_cpus=count, include_dashboard=False, log_to_driver=False)
    seen: dict[int, float] = {}
    over = threading.Event()
    watching = threading.Thread(target=_watch, args=(seen, over))
    watching.start()
    run(Session(loaded.config, Storage(storage), loaded.user_set))
    over.set()
    watching.join()
    ray.shutdown()
    return sum(seen.values())


def _watch(seen: dict[int, float], over: threading.Event) -> None:
    """Note the CPU seconds of the workers, some of which end before the others."""
    while not over.wait(_EVERY_SECONDS):
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if process.name().startswith("ray::"):
                    times = process.cpu_times()
                    seen[process.pid] = times.user + times.system


if __name__ == "__main__":
    print(_measure(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
