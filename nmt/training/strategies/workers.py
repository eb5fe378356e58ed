"""This worker's device, and the exchanges between the workers of a process group."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def pick_device(gpus_per_worker: float) -> torch.device:
    """Return the GPU that was reserved for this worker, else the CPU."""
    # Ray hides no GPU from a worker that asked for none, and another process may be using it.
    if gpus_per_worker and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def talks_from_gpus() -> bool:
    """Tell whether the process group exchanges tensors on GPUs."""
    return dist.is_initialized() and dist.get_backend() == "nccl"


def total_over_workers(values: Tensor) -> Tensor:
    """Sum the values element-wise over the process group, on the device that it uses."""
    placed = values.cuda() if talks_from_gpus() else values
    dist.all_reduce(placed)
    return placed.to(values.device)


def gather_from_workers(item: object) -> list[Any]:
    """Return one item of each worker of the process group, by rank."""
    items: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(items, item)
    return items
