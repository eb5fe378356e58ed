"""How sure a difference between two systems is, from what each sentence adds to their scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nmt.runs.evaluation import Interval
from nmt.scoring.significance.resampling import bootstrap_p, interval_of, resample
from nmt.scoring.significance.student_t import quantile, two_sided_p

Floats = NDArray[np.float64]

_LEVEL = 0.05
_POWER = 0.8


class Statistics(Protocol):
    """Counts of each sentence whose sums give the score of a corpus."""

    @property
    def counts(self) -> NDArray[np.number]:
        """Return the counts, `(sentences, k)`."""
        ...

    def corpus(self, sums: Floats, /) -> Floats:
        """Compute scores from sums of counts, `(..., k)` -> `(...)`."""
        ...


@dataclass(frozen=True, slots=True)
class SentenceMeans:
    """Statistics of a metric whose corpus score is the mean of its sentence scores."""

    values: Floats
    """Score of each sentence, `(sentences,)`."""

    @property
    def counts(self) -> Floats:
        """Return value and number of sentences of each sentence, `(sentences, 2)`."""
        # Documents differ in their number of sentences, so that number has to be summed too.
        return np.column_stack([self.values, np.ones(len(self.values))])

    def corpus(self, sums: Floats, /) -> Floats:
        """Compute means from sums, `(..., 2)` -> `(...)`."""
        return sums[..., 0] / sums[..., 1]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Statistics of some sentences of a test set."""

    whole: Statistics
    rows: NDArray[np.intp]
    """Numbers of the sentences."""

    @property
    def counts(self) -> NDArray[np.number]:
        """Return the counts of these sentences, `(sentences, k)`."""
        return self.whole.counts[self.rows]

    def corpus(self, sums: Floats, /) -> Floats:
        """Compute scores from sums of counts, `(..., k)` -> `(...)`."""
        return self.whole.corpus(sums)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredScore:
    """The score of a system, and what says how far chance moves it."""

    value: float
    influence: Floats
    """What each unit, a sentence or a document, adds to the score, `(units,)`."""
    resampled: Floats
    """The score on each drawn test set, `(samples,)`."""

    @property
    def interval(self) -> Interval | None:
        """Compute the 95 % interval of the score; None for a single unit."""
        # Every draw of a single unit is that unit, which would make the score look certain.
        return interval_of(self.resampled) if len(self.influence) > 1 else None


Measured = Mapping[tuple[str, str], MeasuredScore]
"""System and metric -> its score; all of the same sentences and with the same draws."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The score of a system minus that of a baseline."""

    value: float
    interval: Interval
    """95 % interval, by the paired bootstrap."""
    standard_error: float
    p_value: float
    """Chance of such a difference between equal systems, two-sided, from the standard error."""
    bootstrap_p: float
    """The p-value of sacreBLEU's paired bootstrap, which is too small for small differences."""
    detectable: float
    """Least true difference that this test finds in 80 % of cases."""


def number_documents(documents: Sequence[str]) -> NDArray[np.intp]:
    """Number the document of each sentence from 0, in the order of first appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in documents], dtype=np.intp)


def influence(statistics: Statistics, units: NDArray[np.intp] | None = None) -> Floats:
    """Compute what each unit adds to the corpus score.

    Args:
        statistics: counts of each sentence.
        units: number of the unit of each sentence; None: each sentence is a unit.

    Returns:
        `n * (f(T + s/2) - f(T - s/2))` of each unit, with its counts `s`, the sums `T` of all n
        units and the score `f`, `(units,)`.
    """
    return _influence(statistics, _sum_units(statistics, units))


def measure(
    statistics: Mapping[tuple[str, str], Statistics],
    units: NDArray[np.intp] | None,
    *,
    samples: int,
    seed: int,
) -> dict[tuple[str, str], MeasuredScore]:
    """Score systems on a test set and on resamplings of it, with the same draws for all of them.

    Args:
        statistics: system and metric -> its counts, all of the same sentences.
        units: number of the unit, the document, of each sentence; None: each sentence is a unit.
        samples: number of resamplings.
        seed: seed of the draws.

    Raises:
        DataError: there are no samples.
    """
    if not statistics:
        return {}
    counts = [_sum_units(each, units) for each in statistics.values()]
    sums = resample(np.concatenate(counts, axis=1), samples, seed)
    ends = np.cumsum([each.shape[1] for each in counts])
    resampled = np.split(sums, ends[:-1], axis=1)
    return {
        key: MeasuredScore(
            value=float(each.corpus(of_units.sum(axis=0))),
            influence=_influence(each, of_units),
            resampled=each.corpus(drawn),
        )
        for (key, each), of_units, drawn in zip(statistics.items(), counts, resampled, strict=True)
    }


def compare(baseline: MeasuredScore, system: MeasuredScore) -> Difference:
    """Compare a system with a baseline that was measured with the same draws.

    There must be at least two units.
    """
    value = system.value - baseline.value
    differences = system.resampled - baseline.resampled
    of_units = system.influence - baseline.influence
    error = float(of_units.std(ddof=1) / math.sqrt(len(of_units)))
    # The floor keeps rounding errors of equal scores from counting as differences, and systems
    # without any difference have no error either.
    t = value / max(error, 1e-9)
    return Difference(
        value=value,
        interval=interval_of(differences),
        standard_error=error,
        # Of a test set with ten documents, the normal distribution would call 8 % of equal systems
        # different. With a thousand sentences the two are the same.
        p_value=two_sided_p(t, len(of_units) - 1),
        bootstrap_p=bootstrap_p(value, differences),
        detectable=detectable_errors(len(of_units)) * error,
    )


def _sum_units(statistics: Statistics, units: NDArray[np.intp] | None) -> Floats:
    """Sum the counts of the sentences of each unit, `(units, k)`."""
    counts = statistics.counts.astype(np.float64)
    if units is None:
        return counts
    sums = np.zeros((int(units.max()) + 1, counts.shape[1]))
    np.add.at(sums, units, counts)
    return sums


def _influence(statistics: Statistics, of_units: Floats) -> Floats:
    total = of_units.sum(axis=0)
    half = of_units / 2
    # A step of half a unit to either side: with a whole one, a unit could take all matches of an
    # order away, and BLEU would jump to its smoothing.
    return len(of_units) * (statistics.corpus(total + half) - statistics.corpus(total - half))


def detectable_errors(units: int) -> float:
    """Compute how many standard errors a difference must have to be found in 80 % of cases.

    Of many units, a two-sided test at 5 % needs 2.80, and a one-sided one would need 2.49.
    """
    return quantile(1 - _LEVEL / 2, units - 1) + quantile(_POWER, units - 1)
