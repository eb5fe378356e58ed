"""Bounds for several looks at growing data, so that the chance of a false accept stays the same.

Source: Pocock 1977, Group sequential methods in the design and analysis of clinical trials; the
recursion is that of Armitage, McPherson and Rowe 1969.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_LOWEST = -8.0
"""Standard deviations below which the density of the sum is left out."""
_BISECTIONS = 40


@lru_cache
def pocock_bound(looks: int, alpha: float) -> float:
    """Find the bound that z exceeds at any of some looks with a given chance, if there is no gain.

    Args:
        looks: number of looks after equal amounts of data, at least 1.
        alpha: the chance over all looks, one-sided.
    """
    low, high = 0.0, 8.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if crossing_chance(middle, looks) > alpha else (low, middle)
    return (low + high) / 2


def crossing_chance(bound: float, looks: int) -> float:
    """Compute the chance that z exceeds a bound at any look, if there is no gain.

    Args:
        bound: the same at each look.
        looks: number of looks after equal amounts of data.
    """
    # The density of the sum of the data up to a look, for those cases that have gone on.
    points, masses = np.zeros(1), np.ones(1)
    crossed = 0.0
    for look in range(1, looks + 1):
        limit = bound * np.sqrt(look)
        crossed += float(masses @ _upper_tail(limit - points))
        lowest = _LOWEST * np.sqrt(look)
        half = (limit - lowest) / 2
        following = lowest + half * (_NODES + 1)
        steps = following[:, None] - points[None, :]
        density = np.exp(-(steps**2) / 2) / np.sqrt(2 * np.pi)
        points, masses = following, half * _WEIGHTS * (density @ masses)
    return crossed


def _upper_tail(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([math.erfc(value / math.sqrt(2)) / 2 for value in z])
