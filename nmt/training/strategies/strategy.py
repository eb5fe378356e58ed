"""The interface of a strategy to the training loop."""

import contextlib
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from nmt.config import TrainingConfig

Parameters = Mapping[str, nn.Parameter]
Batch = dict[str, Tensor]


class Strategy(Protocol):
    """The workers of a training; any method may be a collective call."""

    rank: int
    workers: int

    def begin(self, module: nn.Module, parameters: Parameters, training: TrainingConfig) -> None:
        """Take over the module that computes the loss, its weights already in place."""
        ...

    def restore(self, moments: Mapping[str, Tensor], step: int) -> None:
        """Restore the optimizer's moments as they were after `step` updates."""
        ...

    def backward(self, batch: Batch, weight: float, last: bool) -> Tensor:
        """Add the gradients of `weight` times the batch's summed loss, and return that loss.

        Gradients are averaged over the workers by the `last` micro-batch of a step.
        """
        ...

    def step(self, learning_rate: float) -> float:
        """Clip the gradients, update, and return their norm.

        A norm that is not finite means that no update took place.
        """
        ...

    def drop_gradients(self) -> None:
        """Discard the gradients of a step that is not taken."""
        ...

    def moments(self) -> dict[str, Tensor]:
        """Return the optimizer's moments by parameter name, complete on rank 0."""
        ...

    def gathered_weights(self) -> contextlib.AbstractContextManager[Any]:
        """Return a block in which every worker can read all weights of the model."""
        ...

    def total(self, values: Tensor) -> Tensor:
        """Sum the values element-wise over the workers."""
        ...

    def gather(self, item: object) -> list[Any]:
        """Return one item of each worker, by rank."""
        ...
