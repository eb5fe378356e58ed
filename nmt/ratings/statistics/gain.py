"""The gain of one system over another by ratings of some sentences, and how sure it is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt.runs.evaluation import Interval


@dataclass(frozen=True, slots=True)
class GainEstimate:
    """A mean gain, with all that its bounds depend on.

    Where a few sentences lose much and the others win a little, most samples show too few of the
    losses: their mean is too high and their deviation too small, at the same time. Student's t
    then accepts an equal system too often, so Hall's correction for skewness is used besides, and
    of both the more careful one counts.

    Source: Hall 1992, On the removal of skewness by transformation, Journal of the Royal
    Statistical Society B 54.
    """

    gain: float
    error: float
    """Standard error of the gain; infinite with one sentence."""
    skewness: float
    """Of the differences of the sentences."""
    count: int
    """Sentences."""

    def z(self) -> float:
        """Return the gain in standard errors, corrected for skewness if that makes it less."""
        if not self.error:
            # Raters who see no difference at all leave no variance.
            return math.copysign(math.inf, self.gain) if self.gain else 0.0
        root = math.sqrt(self.count)
        plain = self.gain / self.error
        return min(plain, root * self._corrected(plain / root))

    def bounds(self, bound: float) -> Interval:
        """Return the gains below and above which the true one is unlikely.

        Args:
            bound: what z has to reach. The lower bound is above 0 exactly if `z()` exceeds it.
        """
        if not self.error or math.isinf(bound):
            half = 0.0 if not self.error else math.inf
            return (self.gain - half, self.gain + half)
        root = math.sqrt(self.count)
        lows = [bound, root * self._uncorrected(bound / root)]
        highs = [-bound, root * self._uncorrected(-bound / root)]
        return self.gain - self.error * max(lows), self.gain - self.error * min(highs)

    def _corrected(self, x: float) -> float:
        """Correct a mean in standard deviations."""
        skewness, shift = self.skewness, self.skewness / (6 * self.count)
        # The cube of 1 + skewness * x / 3, written out: of a tiny skewness, 1 + ... keeps no digit.
        return x + skewness * x**2 / 3 + skewness**2 * x**3 / 27 + shift

    def _uncorrected(self, y: float) -> float:
        """Invert the correction."""
        moved = y - self.skewness / (6 * self.count)
        root = math.cbrt(1 + self.skewness * moved)
        # (root - 1) / skewness, without the difference and the quotient of two tiny numbers.
        return 3 * moved / (root**2 + root + 1)


def estimate_gain(
    differences: NDArray[np.float64],
    metric: NDArray[np.float64],
    all_metric: NDArray[np.float64],
    *,
    slope: float,
    share_differing: float,
) -> GainEstimate:
    """Estimate the gain over the whole test set.

    Args:
        differences: of the ratings of each rated sentence, candidate minus baseline.
        metric: the same of the metric, for the same sentences.
        all_metric: of the metric, for all sentences with different translations.
        slope: rating points for each point of the metric; fixed before the look.
        share_differing: share of the sentences with different translations. In the others the
            difference is 0, whoever rates them.
    """
    rest = differences - slope * metric if slope else differences
    known = slope * float(all_metric.mean()) if slope else 0.0
    error = _deviation(rest, 1) / math.sqrt(len(rest)) if len(rest) > 1 else math.inf
    return GainEstimate(
        share_differing * (float(rest.mean()) + known),
        share_differing * error,
        _skewness(rest),
        len(rest),
    )


def _skewness(values: NDArray[np.float64]) -> float:
    deviation = _deviation(values, 0)
    if not deviation:
        return 0.0
    return float(((values - values.mean()) ** 3).mean()) / deviation**3


def _deviation(values: NDArray[np.float64], freedom: int) -> float:
    # The mean of equal numbers may differ from them in its last digit.
    return 0.0 if values.min() == values.max() else float(values.std(ddof=freedom))
