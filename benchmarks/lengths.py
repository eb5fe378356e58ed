"""Lengths of sentence pairs in tokens, spread like those of real ones.

Log-normal: a source has 26.6 tokens in the mean and 59 at the 95th percentile, a target 31.4 in
the mean; the two lengths go together.
"""

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.int32]


def draw_lengths(random: np.random.Generator, pairs: int, longest: int) -> tuple[Lengths, Lengths]:
    """Tokens of each source and of each target, cut at `longest`."""
    source = random.lognormal(np.log(22.4), 0.59, pairs)
    target = source * random.lognormal(np.log(1.18) - 0.02, 0.2, pairs)
    return _whole(source, longest), _whole(target, longest)


def _whole(lengths: NDArray[np.float64], longest: int) -> Lengths:
    return np.clip(np.round(lengths), 4, longest).astype(np.int32)
