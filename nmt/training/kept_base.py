"""Bases that stay in a process, for several trainings that start from the same weights.

The trials of a search follow each other in one process. Loading 600M parameters for each would take
longer than many of their updates.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from transformers import PreTrainedModel

from nmt.config import AdapterConfig, QloraAdapter
from nmt.models.tokenization.codec import Codec


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
        self, key: BaseKey, adapter: AdapterConfig, load: Callable[[], PreTrainedModel]
    ) -> PreTrainedModel:
        """Return a model to train, whose changes reach no later training.

        Args:
            key: of the base.
            adapter: whether it changes the base's own weights decides whether they are copied.
            load: loads the base where this process has not done so yet.
        """
        self._forget_others(key.content)
        if key not in self._models:
            self._models[key] = load().requires_grad_(False)
        return working_copy(self._models[key], shares_weights=not changes_base(adapter))

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


def working_copy(model: PreTrainedModel, *, shares_weights: bool) -> PreTrainedModel:
    """Copy a model's modules and buffers, and its weights unless it shares them.

    An adapter that is added to the copy, and every hook and flag, is gone with the copy. Tied
    weights are tied in the copy too.
    """
    shared = {id(weight): weight for weight in model.parameters()} if shares_weights else {}
    return copy.deepcopy(model, shared)
