"""Bootstrap: scores of test sets that are drawn with replacement from the units of a real one."""

import numpy as np
from numpy.typing import NDArray

from nmt.errors import DataError
from nmt.runs.evaluation import Interval

# 32 MiB of draws and as much again of weights, whatever the size of the test set.
DRAWS_AT_ONCE = 4_194_304


def resample(counts: NDArray[np.float64], samples: int, seed: int) -> NDArray[np.float64]:
    """Sum the counts of units that are drawn with replacement.

    The draws are those of `sacrebleu --paired-bs` with the same seed.

    Args:
        counts: what each unit adds to the sums, `(units, k)`.
        samples: number of drawn test sets; each has as many units as the real one.
        seed: seed of the draws.

    Returns:
        The sums of each drawn test set, `(samples, k)`.

    Raises:
        DataError: there are no samples.

    Source: Koehn 2004, https://aclanthology.org/W04-3250
    """
    if samples < 1:
        raise DataError(f"samples ({samples}) must be at least 1")
    random = np.random.default_rng(seed)
    units = len(counts)
    sums = np.empty((samples, counts.shape[1]))
    block = max(1, DRAWS_AT_ONCE // units)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        # The generator gives the same draws in blocks as all at once.
        drawn = random.choice(units, (rows, units))
        cells = drawn + units * np.arange(rows)[:, None]
        # How often each unit was drawn. With it, all metrics of all systems are summed by one
        # matrix product, which is far faster than to gather the drawn rows.
        weights = np.bincount(cells.ravel(), minlength=rows * units).reshape(rows, units)
        sums[start : start + rows] = weights.astype(np.float64) @ counts
    return sums


def interval_of(values: NDArray[np.float64]) -> Interval:
    """Compute the 95 % interval of resampled values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_p(difference: float, resampled: NDArray[np.float64]) -> float:
    """Compute the p-value of sacreBLEU's paired bootstrap for a difference.

    Args:
        difference: score of one system minus that of the other on the test set itself.
        resampled: the same on each drawn test set.
    """
    # sacreBLEU takes the mean of the absolute differences from them, where the mean of the signed
    # ones would centre them. That is why this p-value is too small for small differences.
    sizes = np.abs(resampled)
    extreme = np.sum(sizes - sizes.mean() >= abs(difference))
    return float((extreme + 1) / (len(sizes) + 1))
