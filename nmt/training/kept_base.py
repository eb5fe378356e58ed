"""Bases that stay in a process, for several trainings that start from the same weights.

The trials of a search follow each other in one process. Loading 600M parameters for each would take
longer than many of their updates.
"""

import copy
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from nmt.config import AdapterConfig, QloraAdapter
from nmt.models.tokenization.codec import Codec
from nmt.training.reused_memory import REUSED_MEMORY


class BaseKey(NamedTuple):
    """What two trainings must have in common to start from the same loaded base."""

    content: str
    """Digest of the files of the base."""
    dtype: torch.dtype
    quantization: QloraAdapter | None
    device: str
    """Where the weights are kept."""


class CodecKey(NamedTuple):
    """What two trainings must have in common to use the same tokenizer."""

    content: str
    """Digest of the files of the base."""
    source_language: str
    target_language: str


@dataclass
class KeptBases:
    """The bases of one run that this process has loaded, as they were loaded."""

    _models: dict[BaseKey, PreTrainedModel] = field(default_factory=dict)
    _codecs: dict[CodecKey, Codec] = field(default_factory=dict)

    def model(
        self,
        key: BaseKey,
        adapter: AdapterConfig,
        load: Callable[[], PreTrainedModel],
        device: torch.device,
    ) -> PreTrainedModel:
        """Return a model to train, whose changes reach no later training.

        Args:
            key: of the base.
            adapter: whether it changes the base's own weights decides whether they are copied.
            load: loads the base where this process has not done so yet.
            device: where weights that are copied are trained.
        """
        self._forget_others(key.content)
        if not self._models:
            leave_out_of_collections()
        if key not in self._models:
            self._models[key] = load().requires_grad_(False)
        kept = self._models[key]
        shared = list(kept.parameters())
        if not changes_base(adapter):
            REUSED_MEMORY.free()
            return working_copy(kept, shared)
        copied = copies_on(device, [weight.detach() for weight in shared])
        model = working_copy(kept, [nn.Parameter(weight, False) for weight in copied])
        REUSED_MEMORY.lend(model)
        return model

    def codec(self, key: CodecKey, load: Callable[[], Codec]) -> Codec:
        """Return the tokenizer of a base, loaded once."""
        self._forget_others(key.content)
        if key not in self._codecs:
            self._codecs[key] = load()
        return self._codecs[key]

    def models(self) -> tuple[PreTrainedModel, ...]:
        """Return the bases that are kept."""
        return tuple(self._models.values())

    def forget(self) -> None:
        """Free everything."""
        self._models, self._codecs = {}, {}
        REUSED_MEMORY.free()

    def _forget_others(self, content: str) -> None:
        """Free the bases of another run."""
        self._models = {k: model for k, model in self._models.items() if k.content == content}
        self._codecs = {k: codec for k, codec in self._codecs.items() if k.content == content}


KEPT_BASES = KeptBases()
"""The bases of this process."""


def can_be_kept(adapter: AdapterConfig) -> bool:
    """Tell whether a training by this method may start from a kept base."""
    # The last digits of PiSSA's singular vectors depend on where the weights are in memory, and a
    # trial must not depend on the trials before it.
    return not (adapter.type == "lora" and adapter.initialization == "pissa")


def changes_base(adapter: AdapterConfig) -> bool:
    """Tell whether a method changes the base's own weights."""
    return adapter.type == "none"


def copies_on(device: torch.device, weights: Sequence[Tensor]) -> list[Tensor]:
    """Copy weights on the CPU to a device."""
    if device.type == "cpu":
        return REUSED_MEMORY.copies(weights)
    # PyTorch itself keeps a GPU's memory for the next training.
    return [weight.to(device, copy=True) for weight in weights]


def leave_out_of_collections() -> None:
    """Let the garbage collector skip the objects of the libraries from now on."""
    # A full collection looks at 500,000 of them, for half a second, in every fourth trial's start.
    gc.collect()
    gc.freeze()


def working_copy(model: PreTrainedModel, weights: Sequence[nn.Parameter]) -> PreTrainedModel:
    """Copy a model's modules and buffers around given weights.

    An adapter that is added to the copy, and every hook and flag, is gone with the copy. Tied
    weights are tied in the copy too.

    Args:
        model: the model to copy.
        weights: the copy's parameters, in the order of the model's.
    """
    own = {id(old): new for old, new in zip(model.parameters(), weights, strict=True)}
    return copy.deepcopy(model, own)
