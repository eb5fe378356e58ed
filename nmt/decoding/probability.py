"""Probabilities of given translations."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nmt.models.families import device_of, family_of, unwrap
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import EncodedPairs, TokenTable

LOGITS_BYTES = 64 * 1024**2
_NO_LABEL = -100


@torch.inference_mode()
def log_probabilities(
    model: nn.Module,
    codec: Codec,
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    *,
    forced_tokens: int = 0,
) -> list[float]:
    """Compute the natural logarithm of each target's probability, given its source.

    Args:
        model: the model, in evaluation mode.
        codec: the model's tokenization.
        sources: token ids of the sources.
        targets: token ids of as many targets.
        forced_tokens: number of first tokens that the model had no choice about.
    """
    # One pass over finished targets. The scores that `generate` keeps are those of every token of
    # the vocabulary at each step: 13 GB for 128 rows of 100 tokens of NLLB.
    pairs = EncodedPairs(
        TokenTable.of(sources), TokenTable.of(targets), codec.pad_token, 0, codec.one_sequence
    )
    batch = pairs.batch(np.arange(len(sources)), device_of(model))
    family = family_of(unwrap(model).config)
    hidden_BTD = family.hidden_states(model, batch)
    head_VD, bias_V = family.head(model)
    labels_BT = batch["labels"]
    counted_BT = labels_BT != _NO_LABEL
    if forced_tokens:  # only of encoder-decoders, whose labels begin with them
        counted_BT[:, :forced_tokens] = False
    found_BT = torch.zeros(labels_BT.shape, dtype=torch.float32, device=labels_BT.device)
    found_BT[counted_BT] = _token_log_probabilities(
        hidden_BTD[counted_BT].to(head_VD.dtype), head_VD, bias_V, labels_BT[counted_BT]
    )
    return found_BT.sum(dim=1).tolist()


def _token_log_probabilities(
    hidden_ND: Tensor, head_VD: Tensor, bias_V: Tensor | None, tokens_N: Tensor
) -> Tensor:
    """Compute the log-probability of a token at each position, (positions,)."""
    rows = max(1, LOGITS_BYTES // (4 * len(head_VD)))
    found_N = torch.empty(len(tokens_N), dtype=torch.float32, device=hidden_ND.device)
    for start in range(0, len(tokens_N), rows):
        chunk = slice(start, start + rows)
        logits = (hidden_ND[chunk] @ head_VD.T).float()
        if bias_V is not None:
            logits += bias_V
        chosen = logits.gather(1, tokens_N[chunk, None])[:, 0]
        found_N[chunk] = chosen - logits.logsumexp(-1)
    return found_N
