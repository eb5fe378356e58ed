"""This worker's device, and what the workers of a process group tell each other."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def pick_device(gpus_per_worker: float) -> torch.device:
    """The GPU that was reserved for this worker, else the CPU.

    Ray hides no GPU from a worker that asked for none: what lies on it may be somebody else's.
    """
    if gpus_per_worker and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def talks_from_gpus() -> bool:
    """Whether the process group exchanges what lies on GPUs."""
    return dist.is_initialized() and dist.get_backend() == "nccl"


def total_over_workers(values: Tensor) -> Tensor:
    """Element-wise sum over the process group, on whatever device it talks from."""
    placed = values.cuda() if talks_from_gpus() else values
    dist.all_reduce(placed)
    return placed.to(values.device)


def gather_from_workers(item: object) -> list[Any]:
    """One item of each worker of the process group, by rank."""
    items: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(items, item)
    return items
