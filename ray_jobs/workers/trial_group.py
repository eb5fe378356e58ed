"""The workers of one trial: the trial's own process, and further ones that train beside it.

A trial runs in an actor of Tune, whose placement group has the resources of all its workers. Ray
Train would start a controller of its own for each trial, and reserve workers that Tune knows
nothing of.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from nmt.config import Config
from nmt.errors import NmtError, TrainingError
from ray_jobs.runtime.connection import prepare_worker
from ray_jobs.workers.interruption import StopCoordinator, WorkerNotice

if TYPE_CHECKING:
    from nmt.training.job import TrainingJob

log = logging.getLogger(__name__)

_ANSWER_SECONDS = 10.0


class TrialWorker:
    """A further worker of a trial."""

    def __init__(self, config: Config) -> None:
        prepare_worker(config)

    def train(
        self, job: "TrainingJob", address: str, rank: int, coordinator: StopCoordinator
    ) -> NmtError | None:
        """Take part in a training to its end; return the error that ended it."""
        import torch.distributed as dist

        from nmt.training.trainer import run_training

        notice = WorkerNotice(coordinator, under_train=False)
        _join(job.config, address, rank)
        try:
            with notice.under_way():
                run_training(job, notice=notice)
        except NmtError as error:
            return error
        finally:
            # The others, which may wait for this worker, learn that it has left.
            dist.destroy_process_group()
        return None


@contextmanager
def joined_by_others(job: "TrainingJob", coordinator: StopCoordinator) -> Iterator[None]:
    """Start the further workers of a trial, and join them to this process for a training.

    Raises:
        NmtError: of the worker that failed first, where this process only lost its connection.
    """
    if job.config.scaling.workers == 1:
        yield
        return
    from ray.train._internal.utils import get_address_and_port

    host, port = get_address_and_port()
    address = f"tcp://{host}:{port}"
    others = [_start(job.config, rank) for rank in range(1, job.config.scaling.workers)]
    answers = [
        other.train.remote(job, address, rank, coordinator) for rank, other in enumerate(others, 1)
    ]
    try:
        _join(job.config, address, rank=0)
        yield
    except RuntimeError as error:
        raise _first_fault(answers) or error from None
    finally:  # also where Tune ends the trial: they would wait for this process
        for other in others:
            ray.kill(other)


def _start(config: Config, rank: int) -> Any:  # noqa: ANN401 - a handle of Ray
    """Start a worker on the resources that Tune has reserved for it."""
    scaling = config.scaling
    reserved = ray.util.get_current_placement_group()
    if reserved is None:
        raise TrainingError("Tune has reserved no resources for the workers of this trial")
    place = PlacementGroupSchedulingStrategy(reserved, placement_group_bundle_index=rank)
    options: Callable[..., Any] = ray.remote(TrialWorker).options
    actor = options(
        num_cpus=scaling.cpus_per_worker,
        num_gpus=scaling.gpus_per_worker,
        scheduling_strategy=place,
    )
    return actor.remote(config)


def _join(config: Config, address: str, rank: int) -> None:
    """Join the process group of a trial."""
    import torch.distributed as dist

    backend = "nccl" if config.scaling.gpus_per_worker else "gloo"
    dist.init_process_group(
        backend, init_method=address, rank=rank, world_size=config.scaling.workers
    )


def _first_fault(answers: list[Any]) -> NmtError | None:
    """Return the error of the first worker that has ended with one."""
    ended, _ = ray.wait(answers, num_returns=len(answers), timeout=_ANSWER_SECONDS)
    for answer in ended:
        try:
            if fault := ray.get(answer):
                return fault
        except RayError as error:
            log.warning("a worker of the trial was lost: %s", str(error).splitlines()[0])
    return None
