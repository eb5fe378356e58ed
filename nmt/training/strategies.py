"""How the workers of a run share one training: a single process, or data parallel."""

import contextlib
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nmt.config import AdapterConfig, StrategyConfig
from nmt.errors import UnavailableError


class Strategy(Protocol):
    """What the loop asks of its workers."""

    rank: int
    workers: int

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module whose forward pass gives the loss, with gradients shared."""
        ...

    def accumulate(self, module: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Around one micro-batch; gradients are exchanged at the last."""
        ...

    def total(self, values: Tensor) -> Tensor:
        """Element-wise sum over the workers."""
        ...

    def gather(self, item: object) -> list[Any]:
        """One item of each worker, by rank."""
        ...


class Single:
    """One process: nothing to share."""

    rank = 0
    workers = 1

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module itself."""
        return module

    def accumulate(self, module: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Nothing to exchange."""
        return contextlib.nullcontext()

    def total(self, values: Tensor) -> Tensor:
        """The values themselves."""
        return values

    def gather(self, item: object) -> list[Any]:
        """The item alone."""
        return [item]


class Ddp:
    """Data parallel over the process group that is already there."""

    def __init__(self) -> None:
        self.rank = dist.get_rank()
        self.workers = dist.get_world_size()

    def wrap(self, module: nn.Module) -> nn.Module:
        """Average gradients over the workers in the backward pass."""
        return DistributedDataParallel(module)

    def accumulate(self, module: nn.Module, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Exchange gradients only with the last micro-batch of a step."""
        if last or not isinstance(module, DistributedDataParallel):
            return contextlib.nullcontext()
        return module.no_sync()

    def total(self, values: Tensor) -> Tensor:
        """All-reduce."""
        dist.all_reduce(values)
        return values

    def gather(self, item: object) -> list[Any]:
        """All-gather."""
        items: list[Any] = [None] * self.workers
        dist.all_gather_object(items, item)
        return items


def build_strategy(strategy: StrategyConfig) -> Strategy:
    """The strategy of a configuration, in this process.

    Raises:
        UnavailableError: it is not available yet, or its process group is missing.
    """
    if strategy.type == "single":
        return Single()
    if not dist.is_initialized():
        raise UnavailableError("strategy.type=ddp needs a process group: run it by `nmt train`")
    return Ddp()


def check_available(strategy: StrategyConfig, adapter: AdapterConfig) -> None:
    """Refuse settings that are valid and not available yet.

    Raises:
        UnavailableError: names what to use.
    """
    if strategy.type == "deepspeed":
        raise UnavailableError(
            "strategy.type=deepspeed is not available yet: use strategy.type=ddp, "
            "or single with one worker"
        )
    if adapter.type == "qlora":
        raise UnavailableError("adapter.type=qlora is not available yet: use adapter.type=lora")


def pick_device() -> torch.device:
    """This worker's GPU when it has one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")
