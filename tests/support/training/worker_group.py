"""Several processes on this machine that train together, as the workers of a cluster do."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from nmt.training.job import TrainingJob
from tests.support.ports import free_port
from tests.support.project import PROJECT

Ledger = tuple[Path, int]
"""Folder and number of the attempt."""


def train_together(
    jobs: Sequence[TrainingJob],
    workers: int,
    folder: Path,
    ledger: Ledger | None = None,
    backend: str = "gloo",
) -> None:
    """Run trainings one after the other in one process group of `workers` processes."""
    run_together(partial(_train, list(jobs), ledger), workers, folder, backend)


def run_together(
    work: Callable[[], None], workers: int, folder: Path, backend: str = "gloo"
) -> None:
    """Call a function of a module in each process of one group."""
    plan = folder / f"work-of-{workers}.pickle"
    plan.write_bytes(pickle.dumps(work))
    port = free_port()
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.training.worker_group",
                plan,
                str(port),
                str(rank),
                str(workers),
                backend,
            ],
            cwd=PROJECT,
            env=os.environ
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(workers)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(workers)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output[-4000:]


def _train(jobs: Sequence[TrainingJob], ledger: Ledger | None) -> None:
    from nmt.training.trainer import run_training
    from tests.support.training.sample_ledger import kept

    with kept(*ledger) if ledger else nullcontext():
        for job in jobs:
            run_training(job)


def _worker(plan: str, port: str, rank: int, workers: int, backend: str) -> None:
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group(
        backend, init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=workers
    )
    pickle.loads(Path(plan).read_bytes())()
    dist.destroy_process_group()


if __name__ == "__main__":
    # Pickled functions of this module belong to it under its own name.
    from tests.support.training.worker_group import _worker as worker

    worker(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
