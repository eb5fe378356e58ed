"""Memory on the CPU that a full fine-tuning takes over from the one before it in the same process.

The system needs longer to hand out new memory than a process needs to fill what it has: about 6
CPU-seconds against 1 for the weights and moments of 600M parameters, which are 7.2 GB.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import ref

import torch
from torch import Tensor, nn


@dataclass
class ReusedMemory:
    """The memory of trained weights and of their moments, lent to one model after another."""

    _weights: list[Tensor] = field(default_factory=list)
    _addresses: frozenset[int] = frozenset()
    """Of the weights."""
    _moments: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    """Address of a weight and name of the moment -> its memory."""
    _user: ref[nn.Module] | None = None

    def copies(self, originals: Sequence[Tensor]) -> list[Tensor]:
        """Copy weights on the CPU into memory that no other model uses."""
        # Were the last model still in use, its weights would change under it.
        if (self._user and self._user()) or _layout(self._weights) != _layout(originals):
            self.free()
        if not self._weights:
            self._weights = [torch.empty_like(weight) for weight in originals]
            self._addresses = frozenset(weight.data_ptr() for weight in self._weights) - {0}
        return [
            copied.copy_(weight) for copied, weight in zip(self._weights, originals, strict=True)
        ]

    def lend(self, model: nn.Module) -> None:
        """Note the model whose weights the last copies are, which has the memory while it lives."""
        self._user = ref(model)

    def zeros_like(self, parameter: Tensor, moment: str) -> Tensor:
        """Return zeros for a moment of a parameter, in kept memory if the parameter is in it."""
        address = parameter.data_ptr()
        if address not in self._addresses:
            return torch.zeros_like(parameter)
        place = (address, moment)
        if place not in self._moments:
            self._moments[place] = torch.empty_like(parameter)
        return self._moments[place].zero_()

    def free(self) -> None:
        """Keep nothing; what a model still uses stays its own."""
        self._weights, self._addresses, self._moments, self._user = [], frozenset(), {}, None


def _layout(tensors: Sequence[Tensor]) -> list[tuple[torch.Size, tuple[int, ...], torch.dtype]]:
    """List what two tensors must have in common to use the same memory."""
    return [(tensor.shape, tensor.stride(), tensor.dtype) for tensor in tensors]


REUSED_MEMORY = ReusedMemory()
"""The memory that the full fine-tunings of this process share."""
