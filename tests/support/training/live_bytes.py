"""Memory of tensors, counted as they come and go."""

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from transformers import M2M100Config

SHAPE = M2M100Config(
    vocab_size=8000,
    d_model=256,
    encoder_layers=4,
    decoder_layers=4,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=1024,
    decoder_ffn_dim=1024,
    encoder_layerdrop=0.0,
    decoder_layerdrop=0.0,
    dropout=0.0,
    attention_dropout=0.0,
)
"""Large enough that what a step holds is not lost among small tensors."""


class LiveBytes(TorchDispatchMode):
    """Bytes of all storages that operations have made and that are not yet freed; their peak.

    What an operation takes and frees inside itself is not seen, such as that of `logsumexp`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.seen: set[int] = set()

    def watch(self, tensor: torch.Tensor) -> None:
        if tensor.device.type == "meta":
            return
        storage = tensor.untyped_storage()
        address, size = storage._cdata, storage.nbytes()
        if address in self.seen:
            return
        self.seen.add(address)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self.forget, address, size)

    def forget(self, address: int, size: int) -> None:
        self.seen.discard(address)
        self.live -= size

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for item in tree_iter(result):
            if isinstance(item, torch.Tensor):
                self.watch(item)
        return result
