"""Sampling of translations that does not depend on the rest of the batch."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor
from transformers import LogitsProcessor

EPSILON = 0.02
"""Tokens with a smaller probability are not sampled."""
_MAX_TOKENS = int(1 / EPSILON)
"""Maximum number of tokens with at least that probability."""


class EpsilonSampling(LogitsProcessor):
    """The choice of the next token by given random numbers.

    Source: Hewitt et al. 2022, https://arxiv.org/abs/2210.15191; Freitag et al. 2023,
    https://arxiv.org/abs/2305.09860, who found 0.02 to be best for minimum Bayes risk decoding.
    """

    # `generate` would draw all rows of a batch from one generator, so that a sentence would get
    # other samples beside other sentences.

    def __init__(self, uniform_RT: Tensor) -> None:
        """Take a random number between 0 and 1 for each row and each token of its output."""
        self._uniform_RT = uniform_RT
        self._tokens = 0

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input_ids: Tensor, scores: Tensor
    ) -> Tensor:
        """Leave only the chosen token possible; called once for each new token."""
        del input_ids
        uniform_R1 = self._uniform_RT[:, self._tokens, None]
        self._tokens += 1
        top_RK, tokens_RK = scores.topk(min(_MAX_TOKENS, scores.shape[-1]))
        probabilities_RK = (top_RK - scores.logsumexp(-1, keepdim=True)).exp()
        # The first one stays, however improbable it is.
        rest = probabilities_RK[:, 1:]
        rest.masked_fill_(rest < EPSILON, 0.0)
        cumulative_RK = probabilities_RK.cumsum(-1)
        below_RK = cumulative_RK < uniform_R1 * cumulative_RK[:, -1:]
        chosen_R1 = tokens_RK.gather(1, below_RK.sum(-1, keepdim=True))
        # In place: with 256,000 tokens, the scores of a batch take hundreds of MB.
        return scores.fill_(-torch.inf).scatter_(1, chosen_R1, 0.0)


def random_numbers(
    sources: Sequence[Sequence[int]], limits: Sequence[int], samples: int, seed: int
) -> Tensor:
    """Draw the random numbers of each source's samples: (sources * samples, longest limit).

    A source gets the same numbers in every batch, and fewer samples are a part of more.

    Args:
        sources: token ids.
        limits: maximum number of new tokens of each source.
        samples: number of samples of each source.
        seed: other seeds give other numbers.
    """
    numbers = np.zeros((len(sources), samples, max(limits)), np.float32)
    for block, source, limit in zip(numbers, sources, limits, strict=True):
        # By the content and not by the place, which depends on how the input is divided.
        key = sha256(f"{seed} {' '.join(map(str, source))}".encode()).digest()
        generator = np.random.Generator(np.random.PCG64(int.from_bytes(key)))
        block[:, :limit] = generator.random((samples, limit), np.float32)
    return torch.from_numpy(numbers.reshape(len(sources) * samples, -1))
