"""Sentence pairs as token ids, and micro-batches of them as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from nmt.data.pair import Pair


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Rows of token ids, end to end in one array."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    """Where each row starts; one more entry than rows."""

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "TokenTable":
        """Copy lists of ids into one array."""
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        ids = np.fromiter((i for row in rows for i in row), np.int32, int(offsets[-1]))
        return cls(ids, offsets)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each row."""
        return np.diff(self.offsets).astype(np.int32)

    def padded(self, rows: NDArray[np.int64], filler: int) -> Tensor:
        """(rows, longest row) of int64, filled up on the right."""
        lengths = self.lengths_of(rows)
        block = np.full((len(rows), int(lengths.max())), filler, np.int64)
        for line, row in enumerate(rows):
            block[line, : lengths[line]] = self.ids[self.offsets[row] : self.offsets[row + 1]]
        return torch.from_numpy(block)

    def lengths_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens of some rows."""
        return self.offsets[rows + 1] - self.offsets[rows]


@dataclass(frozen=True, slots=True)
class EncodedPairs:
    """Tokenized pairs: `[source code] X </s>` and `[target code] Y </s>`."""

    source: TokenTable
    target: TokenTable
    pad_token: int
    left_out: int
    """Pairs longer than the limits."""

    def __len__(self) -> int:
        return len(self.source.offsets) - 1

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> dict[str, Tensor]:
        """Tensors of some rows; -100 fills the labels up."""
        input_ids = self.source.padded(rows, self.pad_token)
        lengths = torch.from_numpy(self.source.lengths_of(rows))
        mask = (torch.arange(input_ids.shape[1])[None] < lengths[:, None]).long()
        labels = self.target.padded(rows, -100)
        batch = {"input_ids": input_ids, "attention_mask": mask, "labels": labels}
        return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


def encode(
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    max_source_tokens: int,
    max_target_tokens: int,
) -> EncodedPairs:
    """Tokenize pairs; those beyond a limit are left out, since a cut target teaches to stop early.

    The tokenizer's `src_lang` and `tgt_lang` say which language codes are put in front.
    """
    sources = tokenizer([p.source for p in pairs])["input_ids"] if pairs else []
    targets = tokenizer(text_target=[p.target for p in pairs])["input_ids"] if pairs else []
    kept = [
        (source, target)
        for source, target in zip(sources, targets, strict=True)
        if len(source) <= max_source_tokens and len(target) <= max_target_tokens
    ]
    return EncodedPairs(
        TokenTable.of([source for source, _ in kept]),
        TokenTable.of([target for _, target in kept]),
        int(tokenizer.pad_token_id),  # pyright: ignore[reportArgumentType]
        len(pairs) - len(kept),
    )
