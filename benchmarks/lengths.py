"""Random lengths of sentence pairs in tokens, distributed like those of real pairs.

The distribution is log-normal. Sources have a mean of 26.6 tokens and a 95th percentile of 59,
targets a mean of 31.4; both lengths are correlated.
"""

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.int32]


def draw_lengths(random: np.random.Generator, pairs: int, longest: int) -> tuple[Lengths, Lengths]:
    """Draw the number of tokens of each source and target, at most `longest`."""
    source = random.lognormal(np.log(22.4), 0.59, pairs)
    target = source * random.lognormal(np.log(1.18) - 0.02, 0.2, pairs)
    return _whole(source, longest), _whole(target, longest)


def _whole(lengths: NDArray[np.float64], longest: int) -> Lengths:
    return np.clip(np.round(lengths), 4, longest).astype(np.int32)
