"""64-bit keys of pairs, from which everything that compares all pairs is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from nmt.data.overlap.sketches import Sketches, sketches_of
from nmt.text.normalise import match_key

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = Callable[[Rows], tuple[Sequence[str], Sequence[str]]]
"""Returns the sources and the targets of some rows, in their order."""


@dataclass
class Keys:
    """The keys of some pairs, one row a pair: 160 bytes."""

    pair: Hashes
    """Equal for equal pairs."""
    source: Hashes
    """Equal for sources that differ only in case and outer punctuation."""
    target: Hashes
    rank: Hashes
    """A random order of the pairs, which the seed and the text decide."""
    source_sketch: Sketches
    target_sketch: Sketches

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, rows: Rows | Mask) -> "Keys":
        """Return the keys of some rows."""
        return Keys(*(getattr(self, field.name)[rows] for field in fields(self)))

    def keep(self, rows: Rows | Mask) -> None:
        """Keep only some rows, without a copy of all arrays at once."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])

    @classmethod
    def concatenated(cls, parts: list["Keys"]) -> "Keys":
        """Join parts into one, and empty the list."""
        whole = keys_of([], [], 0)
        for field in fields(cls):
            setattr(whole, field.name, np.concatenate([getattr(p, field.name) for p in parts]))
            for part in parts:
                # Freed one by one, since the parts and the whole together take twice the memory.
                setattr(part, field.name, getattr(part, field.name)[:0].copy())
        parts.clear()
        return whole


def keys_of(sources: Sequence[str], targets: Sequence[str], seed: int) -> Keys:
    """Compute the keys of pairs.

    Args:
        sources: as `normalise` returns them.
        targets: one for each source.
        seed: decides the ranks; equal for all keys that are compared.
    """
    source_keys = [match_key(text) for text in sources]
    target_keys = [match_key(text) for text in targets]
    whole = [
        blake2b(f"{seed}\0{source}\0{target}".encode(), digest_size=16).digest()
        for source, target in zip(sources, targets, strict=True)
    ]
    numbers = np.frombuffer(b"".join(whole), ">u8").astype(np.uint64).reshape(-1, 2)
    return Keys(
        pair=numbers[:, 1].copy(),
        source=_hashes(source_keys),
        target=_hashes(target_keys),
        rank=numbers[:, 0].copy(),
        source_sketch=sketches_of(source_keys),
        target_sketch=sketches_of(target_keys),
    )


def _hashes(texts: Sequence[str]) -> Hashes:
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)
