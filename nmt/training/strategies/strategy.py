"""What a strategy is to the training loop."""

import contextlib
from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from nmt.config import TrainingConfig

Parameters = Mapping[str, nn.Parameter]
Batch = dict[str, Tensor]


class Strategy(Protocol):
    """What the loop asks of its workers; any method may be a collective call."""

    rank: int
    workers: int

    def begin(self, module: nn.Module, parameters: Parameters, training: TrainingConfig) -> None:
        """Take over the module that computes the loss, its weights already in place."""
        ...

    def restore(self, moments: Mapping[str, Tensor], step: int) -> None:
        """Put the optimizer's moments back as they were after `step` steps."""
        ...

    def backward(self, batch: Batch, weight: float, last: bool) -> Tensor:
        """Add the gradients of `weight` times the batch's summed loss; the summed loss itself.

        Gradients are averaged over the workers by the `last` micro-batch of a step.
        """
        ...

    def step(self, learning_rate: float) -> float:
        """Clip, update and clear the gradients; their norm: not finite means no update."""
        ...

    def drop_gradients(self) -> None:
        """Forget the gradients of a step that is not to be taken."""
        ...

    def moments(self) -> dict[str, Tensor]:
        """The optimizer's moments by parameter name, whole on rank 0."""
        ...

    def gathered_weights(self) -> contextlib.AbstractContextManager[Any]:
        """Within it every weight of the model is there on every worker, to read."""
        ...

    def total(self, values: Tensor) -> Tensor:
        """Element-wise sum over the workers."""
        ...

    def gather(self, item: object) -> list[Any]:
        """One item of each worker, by rank."""
        ...
