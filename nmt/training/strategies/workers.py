"""This worker's device, and what the workers of a process group tell each other."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def pick_device() -> torch.device:
    """This worker's GPU when it has one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def total_over_workers(values: Tensor) -> Tensor:
    """Element-wise sum over the process group, on whatever device it talks from."""
    on_gpu = dist.get_backend() == "nccl"
    placed = values.to(pick_device()) if on_gpu else values
    dist.all_reduce(placed)
    return placed.to(values.device)


def gather_from_workers(item: object) -> list[Any]:
    """One item of each worker of the process group, by rank."""
    items: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(items, item)
    return items
