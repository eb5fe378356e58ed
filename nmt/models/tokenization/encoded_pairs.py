"""Sentence pairs as token ids, and their micro-batches as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmt.data.batches import rounded_up
from nmt.models.tokenization.codec import Codec
from nmt.text.pair import Pair

_INT32 = np.dtype(np.int32)
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Rows of token ids, stored one after another in one array."""

    # One array instead of a list per row: lists of Python integers need about ten times the memory.
    ids: NDArray[np.integer]
    offsets: NDArray[np.int64]
    """Where each row starts; one more entry than rows."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], id_type: np.dtype = _INT32) -> "TokenTable":
        """Copy lists of ids into one array."""
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        ids = np.fromiter(chain.from_iterable(rows), id_type, int(offsets[-1]))
        return cls(ids, offsets)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Count the tokens of each row."""
        lengths = np.empty(len(self.offsets) - 1, np.int32)
        # In parts: the difference of all offsets would take twice the memory of the lengths.
        for start in range(0, len(lengths), _ROWS_AT_ONCE):
            part = self.offsets[start : start + _ROWS_AT_ONCE + 1]
            lengths[start : start + _ROWS_AT_ONCE] = np.diff(part)
        return lengths

    def padded(self, rows: NDArray[np.int64], padding: int, round_to: int = 1) -> Tensor:
        """Pad rows on the right: int64 (rows, longest row rounded up)."""
        lengths = self.lengths_of(rows)
        width = int(rounded_up(lengths.max(keepdims=True), round_to)[0])
        block = np.full((len(rows), width), padding, np.int64)
        for line, row in enumerate(rows):
            block[line, : lengths[line]] = self.ids[self.offsets[row] : self.offsets[row + 1]]
        return torch.from_numpy(block)

    def row(self, row: int) -> list[int]:
        """Return the token ids of one row."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]].tolist()

    def lengths_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count the tokens of the given rows."""
        return self.offsets[rows + 1] - self.offsets[rows]


@dataclass(frozen=True, slots=True)
class EncodedPairs:
    """Tokenized sentence pairs, with a codec's language tags."""

    source: TokenTable
    target: TokenTable
    pad_token: int
    dropped_pairs: int
    """Number of pairs longer than the limits."""
    one_sequence: bool = False
    """Whether a target continues its source's sequence, as in a decoder-only model."""
    round_to: int = 1
    """Batch widths are rounded up to a multiple of this."""

    def __len__(self) -> int:
        return len(self.source.offsets) - 1

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> dict[str, Tensor]:
        """Build the tensors of the given rows, with labels padded by -100."""
        source, labels = self._sequences(rows) if self.one_sequence else (self.source, self.target)
        if self.one_sequence:
            rows = np.arange(len(rows))
        input_ids = source.padded(rows, self.pad_token, self.round_to)
        lengths = torch.from_numpy(source.lengths_of(rows))
        mask = (torch.arange(input_ids.shape[1])[None] < lengths[:, None]).long()
        labels = labels.padded(rows, -100, self.round_to)
        batch = {"input_ids": input_ids, "attention_mask": mask, "labels": labels}
        return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}

    def _sequences(self, rows: NDArray[np.int64]) -> tuple[TokenTable, TokenTable]:
        """Join source and target of the given rows, and shift the labels to match."""
        # The label of a position is the token after it, so the last token is a label only.
        pairs = [(self.source.row(int(row)), self.target.row(int(row))) for row in rows]
        inputs = [source + target[:-1] for source, target in pairs]
        labels = [[-100] * (len(source) - 1) + target for source, target in pairs]
        return TokenTable.of(inputs), TokenTable.of(labels)


def encode_pairs(
    codec: Codec,
    pairs: Sequence[Pair],
    max_source_tokens: int,
    max_target_tokens: int,
) -> EncodedPairs:
    """Tokenize a few pairs, and drop those longer than a limit."""
    encoded = encode_within(
        codec,
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
        max_source_tokens,
        max_target_tokens,
    )
    return EncodedPairs(
        TokenTable.of(encoded.sources),
        TokenTable.of(encoded.targets),
        codec.pad_token,
        len(pairs) - len(encoded.kept),
        codec.one_sequence,
    )


class EncodedRows(NamedTuple):
    """The token ids of pairs within the limits."""

    sources: list[list[int]]
    targets: list[list[int]]
    kept: list[int]
    """Their places among the given pairs."""


def encode_within(
    codec: Codec,
    sources: Sequence[str],
    targets: Sequence[str],
    max_source_tokens: int,
    max_target_tokens: int,
) -> EncodedRows:
    """Tokenize both sides of pairs, and drop pairs longer than a limit."""
    # Dropped rather than cut: a cut target would teach the model to stop early.
    source_ids, target_ids = codec.encode_sources(sources), codec.encode_targets(targets)
    kept = [
        row
        for row, (source, target) in enumerate(zip(source_ids, target_ids, strict=True))
        if len(source) <= max_source_tokens and len(target) <= max_target_tokens
    ]
    return EncodedRows([source_ids[i] for i in kept], [target_ids[i] for i in kept], kept)
