"""Student's t distribution, which few sentences or documents need in place of the normal one."""

import math
from functools import lru_cache
from statistics import NormalDist

# From here on, p-values of .05 differ by less than .0003 from those of the normal distribution.
_NEARLY_NORMAL = 1000
_NORMAL = NormalDist()


def two_sided_p(t: float, degrees: int) -> float:
    """Compute the chance of a t statistic that is as far from 0.

    Args:
        t: difference divided by its standard error.
        degrees: degrees of freedom, at least 1.

    Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    if degrees >= _NEARLY_NORMAL:
        return math.erfc(abs(t) / math.sqrt(2))
    angle = math.atan(abs(t) / math.sqrt(degrees))
    cosine = math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = term if degrees > 1 else 0.0
    for order in range(3 if is_odd else 2, degrees - 1, 2):
        term *= cosine**2 * (order - 1) / order
        total += term
    inside = math.sin(angle) * total
    if is_odd:
        inside = 2 / math.pi * (angle + inside)
    return max(0.0, 1 - inside)


@lru_cache
def quantile(share: float, degrees: int) -> float:
    """Find the value below which a share of the distribution is, from 0.5 up to below 1."""
    if degrees >= _NEARLY_NORMAL:
        return _NORMAL.inv_cdf(share)
    # By bisection: there is no closed form, and it is needed once for each size of a test set.
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > 2 * (1 - share):
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        is_below = two_sided_p(middle, degrees) > 2 * (1 - share)
        low, high = (middle, high) if is_below else (low, middle)
    return low
