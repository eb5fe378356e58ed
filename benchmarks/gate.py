"""How often the gate errs, on engines that are made of the translations of real systems.

Takes the translations of a test set by several systems. A coin for each sentence makes two engines
of two systems that are equally good; a coin that favours the better translation makes one that is
better by a known amount. Both go through the rules of the gate, with its defaults and with the
whole error rate spent in one use. Then the least detectable difference is predicted for all pairs
of systems, and for kin engines, which take a part of their translations from another system, and
compared with the one seen. Prints tables and writes the figures as JSON.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, permutations
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from benchmarks.significance import Pair, bias_for, expected_detectable
from nmt.config import GateConfig
from nmt.evaluation.gate.decision import Budget, decide
from nmt.evaluation.gate.limits import Pair as Names
from nmt.metrics import SegmentStatistics, statistics
from nmt.runs.evaluation import Comparison, EvaluationResult, SystemInfo, TestSetInfo
from nmt.scoring.significance.detectable import measure_likeness, predict_detectable
from nmt.scoring.significance.differences import Difference, compare, measure

RESULTS = Path(__file__).parent / "results" / "gate.json"
METRICS = ("chrf++", "bleu")
NAMES = Names("engine", "stable")
RULES = {
    "whole error rate in one use": GateConfig(uses=1),
    "the same, least gain 0": GateConfig(uses=1, least_gain=0),
    "defaults": GateConfig(),
}
KIN_SHARES = (0.1, 0.2, 0.3, 0.4)
Coins = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """What the gate answered in the trials of one setting."""

    pair: str
    rules: str
    sentences: int
    true_gain: float
    trials: int
    accept: float
    """Percent, as the others."""
    reject: float
    undecided: float
    expected_accept: float
    """By the normal distribution, from the standard error of all sentences."""


@dataclass(frozen=True)
class Prediction:
    """A least detectable difference, as predicted and as seen."""

    engines: str
    kin: bool
    predicted: float
    seen: float

    @property
    def ratio(self) -> float:
        """Return the prediction divided by what was seen."""
        return self.predicted / self.seen


def main() -> None:
    """Simulate, print and write."""
    options = read_options()
    reference, *systems = [
        (path.name, path.read_text(encoding="utf-8").split("\n")[:-1])
        for path in (options.reference, *options.systems)
    ]
    texts = dict(systems)
    answers: list[Answers] = []
    for found in simulate(reference[1], texts, options):
        answers.append(found)
        print(row(found), flush=True)
    predictions = list(predict(reference[1], texts, options))
    for line in prediction_lines(predictions):
        print(line)
    summary = {
        "answers": [asdict(each) for each in answers],
        "predictions": [asdict(each) for each in predictions],
        "cpu_seconds": time.process_time(),
    }
    options.output.write_text(f"{json.dumps(summary, indent=2)}\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path, help="a reference in each line")
    parser.add_argument("systems", type=Path, nargs="+", help="a translation in each line")
    parser.add_argument("--language", default="tam_Taml", help="FLORES-200 code of the targets")
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1012, 2000])
    parser.add_argument("--gains", type=float, nargs="+", default=[0.5, 1.0, 1.5, 2.0])
    parser.add_argument("--trials", type=int, default=2000, help="pairs of equal engines")
    parser.add_argument("--power-trials", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=1, help="pairs of systems to take, last first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def simulate(
    reference: Sequence[str], systems: dict[str, list[str]], options: argparse.Namespace
) -> Iterator[Answers]:
    """Let the gate judge engines that are equal, and engines that are better by each gain."""
    counts = {
        (name, metric): statistics(metric, lines, [reference], options.language)
        for name, lines in systems.items()
        for metric in METRICS
    }
    for names in list(combinations(systems, 2))[-options.pairs :]:
        pairs = {metric: Pair(*(counts[name, metric] for name in names)) for metric in METRICS}
        for size in options.sizes:
            for gain in (0.0, *options.gains):
                yield from judge(" ".join(names), pairs, size, gain, options)


def judge(
    name: str, pairs: dict[str, Pair], size: int, gain: float, options: argparse.Namespace
) -> Iterator[Answers]:
    """Let the gate judge engines of one true gain on drawn test sets of one size."""
    pair = pairs["chrf++"]
    bias = bias_for(pair.true_difference, gain) if gain else 0.0
    trials = options.power_trials if gain else options.trials
    rng = np.random.default_rng(options.seed)
    verdicts: dict[str, Counter[str]] = {rules: Counter() for rules in RULES}
    for _ in range(trials):
        sentences = rng.integers(pair.size, size=size)
        takes_better = rng.random(size) < (1 + bias) / 2
        coins = takes_better == pair.second_is_better[sentences]
        found = {metric: pairs[metric].test(sentences, coins, 1) for metric in METRICS}
        for rules, settings in RULES.items():
            verdicts[rules][verdict(found, settings, size)] += 1
    error = expected_detectable(pair, size) / 2.80
    for rules, settings in RULES.items():
        share = {answer: 100 * n / trials for answer, n in verdicts[rules].items()}
        yield Answers(
            pair=name,
            rules=rules,
            sentences=size,
            true_gain=gain,
            trials=trials,
            accept=share.get("accept", 0.0),
            reject=share.get("reject", 0.0),
            undecided=share.get("undecided", 0.0),
            expected_accept=100 * expected_accept(gain, error, settings),
        )


def verdict(found: dict[str, Difference], settings: GateConfig, size: int) -> str:
    """Decide on the differences of one trial."""
    result = EvaluationResult(
        systems={name: SystemInfo() for name in (NAMES.engine, NAMES.baseline)},
        test_sets={"test": TestSetInfo(sentences=size)},
        scores=(),
        comparisons=tuple(_comparison(metric, each) for metric, each in found.items()),
    )
    budget = Budget(settings.error_rate / settings.uses)
    return decide(result, settings, budget, NAMES).verdict


def expected_accept(gain: float, error: float, settings: GateConfig) -> float:
    """Compute the chance that an estimate reaches the least gain and is surely above 0."""
    normal = NormalDist()
    sure = normal.inv_cdf(1 - settings.error_rate / settings.uses) * error
    return 1 - normal.cdf((max(settings.least_gain, sure) - gain) / error)


def _comparison(metric: str, found: Difference) -> Comparison:
    return Comparison(
        test_set="test",
        metric=metric,
        baseline=NAMES.baseline,
        system=NAMES.engine,
        difference=found.value,
        interval=found.interval,
        standard_error=found.standard_error,
        p_value=found.p_value,
        bootstrap_p=found.bootstrap_p,
        resamples=1,
        detectable=found.detectable,
    )


def predict(
    reference: Sequence[str], systems: dict[str, list[str]], options: argparse.Namespace
) -> Iterator[Prediction]:
    """Predict the detectable difference of pairs of systems, and of kin engines made of them."""
    rng = np.random.default_rng(options.seed)
    counted: dict[str, SegmentStatistics] = {
        name: statistics("chrf++", lines, [reference], options.language)
        for name, lines in systems.items()
    }
    for first, second in permutations(systems, 2):
        engines = {second: systems[second]}
        for share in KIN_SHARES:
            taken = rng.random(len(reference)) < share
            mixed = [
                b if t else a
                for a, b, t in zip(systems[first], systems[second], taken, strict=True)
            ]
            engines[f"{share:.0%} of {second}"] = mixed
        for name, lines in engines.items():
            likeness = measure_likeness(lines, systems[first])
            predicted = predict_detectable("chrf++", likeness, counted[first].segments())
            both = {
                ("a", "m"): counted[first],
                ("b", "m"): statistics("chrf++", lines, [reference], options.language),
            }
            measured = measure(both, None, samples=1, seed=1)
            seen = compare(measured["a", "m"], measured["b", "m"]).detectable
            if predicted is not None:
                yield Prediction(f"{first} and {name}", likeness.are_kin, predicted, seen)


def prediction_lines(predictions: Sequence[Prediction]) -> Iterator[str]:
    """Summarize the predictions of unrelated systems, and of kin."""
    for kin in (False, True):
        ratios = np.array([each.ratio for each in predictions if each.kin == kin])
        if len(ratios):
            error = 100 * float(np.sqrt(((ratios - 1) ** 2).mean()))
            yield (
                f"{'kin' if kin else 'unrelated'}: {len(ratios)} pairs, predicted / seen "
                f"{ratios.min():.2f} to {ratios.max():.2f}, off by {error:.0f} % (root mean square)"
            )


def row(found: Answers) -> str:
    """Write figures as a line of the table."""
    return (
        f"{found.pair:40} {found.rules:28} n={found.sentences:<5} gain {found.true_gain:.1f}: "
        f"accept {found.accept:5.1f} % (expected {found.expected_accept:5.1f}), "
        f"reject {found.reject:5.1f} %, undecided {found.undecided:5.1f} %"
    )


if __name__ == "__main__":
    main()
