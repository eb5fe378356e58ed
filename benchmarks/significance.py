"""How often each test of a difference errs, and how well it says what it can detect.

Takes the translations of a test set by several systems, and makes two engines of each pair of them
by a coin for each sentence: both then make the same translations equally often, so that neither is
better, and a test at 5 % should call them different in 5 % of the trials. With a coin that favours
the better translation of a sentence, one engine is truly better by a known amount. Prints a table
and writes the figures as JSON.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nmt.metrics import SegmentStatistics, statistics
from nmt.runs.evaluation import COMPARED_METRICS
from nmt.scoring.significance.detectable import measure_likeness, predict_detectable
from nmt.scoring.significance.differences import (
    Difference,
    Part,
    compare,
    influence,
    measure,
)

RESULTS = Path(__file__).parent / "results" / "significance.json"
LEVEL = 0.05
POWER = 0.8
Choices = NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """What the trials with one pair of systems, one metric and one size of a test set gave."""

    pair: str
    metric: str
    sentences: int
    agreement: float
    called_different: float
    """Share of trials with equal engines in which p < 5 %, in percent."""
    bootstrap_called_different: float
    """The same by sacreBLEU's bootstrap p."""
    interval_called_different: float
    """The same by a 95 % interval without 0."""
    detectable: float
    """Least detectable difference that the test shows, mean of the trials."""
    simulated: float
    """The true difference that is found in 80 % of the trials."""
    error_percent: float
    """Of `detectable` against `simulated`."""
    predicted: float | None
    """Least detectable difference as predicted from the agreement."""


class Pair:
    """Two systems from whose translations equal engines, and a better and a worse one, are made."""

    def __init__(self, first: SegmentStatistics, second: SegmentStatistics) -> None:
        """Join the counts of both systems, so that an engine is a choice of rows."""
        self.size = len(first.counts)
        self.joined = replace(first, counts=np.concatenate([first.counts, second.counts]))
        self.second_is_better = influence(second) > influence(first)

    def test(self, sentences: NDArray[np.intp], coins: Choices, samples: int) -> Difference:
        """Compare an engine with its baseline, on a test set that is drawn from all sentences.

        Args:
            sentences: numbers of the drawn sentences.
            coins: whether the engine takes the second system's translation; the baseline takes the
                other one.
            samples: resamplings of the bootstrap.
        """
        engines = {
            ("baseline", "metric"): Part(self.joined, sentences + self.size * ~coins),
            ("system", "metric"): Part(self.joined, sentences + self.size * coins),
        }
        found = measure(engines, None, samples=samples, seed=1)
        return compare(found["baseline", "metric"], found["system", "metric"])

    def true_difference(self, bias: float) -> float:
        """Compute by how much the engine is better that takes the better translation more often.

        Args:
            bias: by how much more often, 0-1.
        """
        first, second = np.split(self.joined.counts.astype(float), 2)
        better = np.where(self.second_is_better[:, None], second, first)
        worse = first + second - better
        share = (1 + bias) / 2
        sums = [
            (share * x + (1 - share) * y).sum(axis=0) for x, y in ((better, worse), (worse, better))
        ]
        return float(self.joined.corpus(sums[0]) - self.joined.corpus(sums[1]))


def main() -> None:
    """Simulate, print and write."""
    options = read_options()
    reference, *systems = [
        (path.name, path.read_text(encoding="utf-8").split("\n")[:-1])
        for path in (options.reference, *options.systems)
    ]
    figures: list[Figures] = []
    for figure in simulate(reference[1], dict(systems), options):
        figures.append(figure)
        print(row(figure), flush=True)
    summary = {"figures": [asdict(each) for each in figures], "cpu_seconds": time.process_time()}
    options.output.write_text(f"{json.dumps(summary, indent=2)}\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path, help="a reference in each line")
    parser.add_argument("systems", type=Path, nargs="+", help="a translation in each line")
    parser.add_argument(
        "--language", default="tam_Taml", help="FLORES-200 code of the translations"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--power-trials", type=int, default=600)
    parser.add_argument("--bootstrap-trials", type=int, default=150)
    parser.add_argument("--samples", type=int, default=1000, help="resamplings of the bootstrap")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def simulate(
    reference: Sequence[str], systems: dict[str, list[str]], options: argparse.Namespace
) -> Iterator[Figures]:
    """Run the trials of every pair, metric and size."""
    counts = {
        (name, metric): statistics(metric, lines, [reference], options.language)
        for name, lines in systems.items()
        for metric in COMPARED_METRICS
    }
    for first, second in combinations(systems, 2):
        likeness = measure_likeness(systems[second], systems[first])
        scores = counts[first, "chrf++"].segments()
        for metric in COMPARED_METRICS:
            pair = Pair(counts[first, metric], counts[second, metric])
            for size in options.sizes:
                yield Figures(
                    pair=f"{first} {second}",
                    metric=metric,
                    sentences=size,
                    agreement=likeness.agreement,
                    predicted=predict_detectable(metric, likeness, scores, size),
                    **equal_engines(pair, size, options),
                    **unequal_engines(pair, size, options),
                )


def equal_engines(pair: Pair, size: int, options: argparse.Namespace) -> dict[str, float]:
    """Measure how often each test calls equal engines different, in percent of the trials."""
    rng = np.random.default_rng(options.seed)
    wrong, by_bootstrap, by_interval = 0, 0, 0
    for trial in range(options.trials):
        sentences, coins = rng.integers(pair.size, size=size), rng.random(size) < 0.5
        resampled = trial < options.bootstrap_trials
        found = pair.test(sentences, coins, options.samples if resampled else 1)
        wrong += found.p_value < LEVEL
        by_bootstrap += resampled and found.bootstrap_p < LEVEL
        by_interval += resampled and not found.interval[0] <= 0 <= found.interval[1]
    return {
        "called_different": 100 * wrong / options.trials,
        "bootstrap_called_different": 100 * by_bootstrap / options.bootstrap_trials,
        "interval_called_different": 100 * by_interval / options.bootstrap_trials,
    }


def unequal_engines(pair: Pair, size: int, options: argparse.Namespace) -> dict[str, float]:
    """Measure what true difference is found in 80 % of the trials, and what the test shows."""
    expected = expected_detectable(pair, size)
    # Around the expected difference the share is nearly linear on the scale of a normal deviate.
    points: list[tuple[float, float]] = []
    shown: list[float] = []
    for factor in (0.9, 1.0, 1.1):
        bias = bias_for(pair.true_difference, factor * expected)
        rng = np.random.default_rng(options.seed)
        trials = [trial(pair, size, bias, rng) for _ in range(options.power_trials)]
        share = np.mean([each.p_value < LEVEL and each.value > 0 for each in trials])
        points.append((pair.true_difference(bias), NormalDist().inv_cdf(float(share))))
        if factor == 1:
            shown = [each.detectable for each in trials]
    slope, level = np.polyfit([x for x, _ in points], [y for _, y in points], 1)
    simulated = float((NormalDist().inv_cdf(POWER) - level) / slope)
    detectable = float(np.mean(shown))
    return {
        "detectable": detectable,
        "simulated": simulated,
        "error_percent": 100 * (detectable / simulated - 1),
    }


def trial(pair: Pair, size: int, bias: float, rng: np.random.Generator) -> Difference:
    """Draw a test set, and compare a better with a worse engine on it."""
    sentences = rng.integers(pair.size, size=size)
    takes_better = rng.random(size) < (1 + bias) / 2
    return pair.test(sentences, takes_better == pair.second_is_better[sentences], samples=1)


def expected_detectable(pair: Pair, size: int) -> float:
    """Compute the least detectable difference of a set of some size from all sentences."""
    everything = np.arange(pair.size)
    found = pair.test(everything, np.zeros(pair.size, dtype=bool), samples=1)
    return found.detectable * (pair.size / size) ** 0.5


def bias_for(true_difference: Callable[[float], float], wanted: float) -> float:
    """Find the bias that makes a true difference, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if true_difference(middle) < wanted else (low, middle)
    return low


def row(figures: Figures) -> str:
    """Write figures as a line of the table."""
    predicted = "-" if figures.predicted is None else f"{figures.predicted:.2f}"
    return (
        f"{figures.pair:50} {figures.metric:7} n={figures.sentences:<5} called different (%): "
        f"p {figures.called_different:.1f}, interval {figures.interval_called_different:.1f}, "
        f"sacreBLEU's p {figures.bootstrap_called_different:.1f} | detectable: shown "
        f"{figures.detectable:.3f}, simulated {figures.simulated:.3f} "
        f"({figures.error_percent:+.1f} %), predicted {predicted}"
    )


if __name__ == "__main__":
    main()
