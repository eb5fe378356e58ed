"""Trainings that something happens to, on the Ray of this test process."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from safetensors.torch import load_file

from nmt.config import Config
from nmt.errors import PreemptedError
from nmt.storage import Storage
from ray_jobs import train
from ray_jobs.runtime.context import Session

_GIVE_UP_SECONDS = 120.0


def weights(session: Session) -> dict[str, torch.Tensor]:
    """What a run's training published."""
    folder = Path(session.storage.locate(f"{session.config.run}/train/best"))
    return load_file(folder / "adapter_model.safetensors")


def train_disturbed(session: Session, disturb: Callable[[], object]) -> set[int]:
    """Train, disturbed once after the first checkpoint; the steps of all checkpoints seen."""
    checkpoints = Path(session.storage.locate(f"{session.config.run}/train/checkpoints"))
    over = threading.Event()
    seen: set[int] = set()
    disturbed: list[object] = []

    def watch() -> None:
        give_up = time.monotonic() + _GIVE_UP_SECONDS
        while not over.is_set() and time.monotonic() < give_up:
            manifests = checkpoints.glob("step-*/manifest.json")
            seen.update(int(path.parent.name.removeprefix("step-")) for path in manifests)
            if seen and not disturbed:
                disturbed.append(disturb())
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        train.run(session)
    finally:
        over.set()
        thread.join()
    assert disturbed, "nothing happened: the training was over too soon"
    return seen


def signal_a_worker(number: int) -> None:
    """To one training worker of this process's Ray."""
    os.kill(a_worker().pid, number)


def a_worker() -> psutil.Process:
    """One training worker of this process's Ray."""
    return actors("RayTrainWorker")[0]


def actors(name: str) -> list[psutil.Process]:
    """Processes of an actor's class in this process's Ray."""
    found = [
        process
        for process in psutil.process_iter(["cmdline"])
        if " ".join(process.info["cmdline"] or []).startswith(f"ray::{name}") and _ours(process)
    ]
    assert found, f"no {name} is there"
    return found


def actor_names() -> set[str]:
    """Classes of the actors in this process's Ray, those of its own agents excepted."""
    titles = {
        title.removeprefix("ray::").strip()
        for process in psutil.process_iter(["cmdline"])
        if (title := " ".join(process.info["cmdline"] or [])).startswith("ray::") and _ours(process)
    }
    names = {title.partition(".")[0].partition(":")[0] for title in titles}
    return {name for name in names if name != "IDLE" and not name.endswith("Agent")}


def _ours(process: psutil.Process) -> bool:
    return any(parent.pid == os.getpid() for parent in process.parents())


def told_to_go_twice(config: Config, storage: Storage) -> int:
    """Work on a worker that its node sends away twice."""
    attempts = storage.read_json("attempts") if storage.exists("attempts") else 0
    storage.write_json("attempts", attempts + 1)
    if attempts < 2:
        raise PreemptedError(f"told to go at attempt {attempts + 1}")
    return attempts + 1
