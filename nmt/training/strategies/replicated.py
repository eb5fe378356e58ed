"""Strategies that keep the whole model, gradients and optimizer on every worker."""

import contextlib
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from typing_extensions import override

from nmt.config import TrainingConfig
from nmt.training.optim import build_optimizer, make_moments, moments_of, restore_moments
from nmt.training.strategies.strategy import Batch, Parameters
from nmt.training.strategies.workers import gather_from_workers, total_over_workers


class Single:
    """The strategy of a single process."""

    rank = 0
    workers = 1
    module: nn.Module

    def begin(self, module: nn.Module, parameters: Parameters, training: TrainingConfig) -> None:
        """Build the optimizer for the parameters."""
        self.module = self._wrap(module)
        self._parameters = parameters
        self._max_gradient_norm = training.max_gradient_norm
        self._optimizer = build_optimizer(parameters, training)
        make_moments(self._optimizer)

    def restore(self, moments: Mapping[str, Tensor], step: int) -> None:
        """Restore the optimizer's state."""
        restore_moments(self._optimizer, self._parameters, moments, step)

    def backward(self, batch: Batch, weight: float, last: bool) -> Tensor:
        """Run the wrapped module forward and backward."""
        with self._accumulate(last):
            loss = self.module(batch)
            (loss * weight).backward()
        return loss.detach()

    def step(self, learning_rate: float) -> float:
        """Clip and update, unless the norm is not finite."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        norm = nn.utils.clip_grad_norm_(self._parameters.values(), self._max_gradient_norm)
        if torch.isfinite(norm):
            self._optimizer.step()
        self.drop_gradients()
        return float(norm)

    def drop_gradients(self) -> None:
        """Free the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def moments(self) -> dict[str, Tensor]:
        """Return the optimizer's moments."""
        return moments_of(self._optimizer, self._parameters)

    def gathered_weights(self) -> contextlib.AbstractContextManager[Any]:
        """Return an empty block: the weights are always complete."""
        return contextlib.nullcontext()

    def total(self, values: Tensor) -> Tensor:
        """Return the values themselves."""
        return values

    def gather(self, item: object) -> list[Any]:
        """Return the item alone."""
        return [item]

    def _wrap(self, module: nn.Module) -> nn.Module:
        return module

    def _accumulate(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext()


class Ddp(Single):
    """Data parallelism over the existing process group."""

    def __init__(self) -> None:
        self.rank = dist.get_rank()
        self.workers = dist.get_world_size()

    @override
    def drop_gradients(self) -> None:
        """Set the gradients to zero."""
        # New tensors would take memory in addition to the buckets of the exchange.
        self._optimizer.zero_grad(set_to_none=False)

    @override
    def total(self, values: Tensor) -> Tensor:
        return total_over_workers(values)

    @override
    def gather(self, item: object) -> list[Any]:
        return gather_from_workers(item)

    @override
    def _wrap(self, module: nn.Module) -> nn.Module:
        # Existing gradients move into the buckets of the exchange. Gradients that the first
        # micro-batch creates would take extra memory until the first exchange.
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
        # Buffers are tables of positions, alike everywhere until a validation makes one longer.
        return DistributedDataParallel(
            module, gradient_as_bucket_view=True, broadcast_buffers=False
        )

    @override
    def _accumulate(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        """Exchange gradients only with the last micro-batch of a step."""
        if last or not isinstance(self.module, DistributedDataParallel):
            return contextlib.nullcontext()
        return self.module.no_sync()
