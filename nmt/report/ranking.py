"""Which system is best on a test set, and how sure that is."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from nmt.report.scores import Difference, Results
from nmt.runs.evaluation import LOWER_IS_BETTER, SystemScore

Place = Literal["best", "tied", "behind", "untested"]
"""`tied`: not significantly different from the best; `untested`: not compared with it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A system's score and its place among the others."""

    system: str
    score: SystemScore
    place: Place
    behind: Difference | None
    """What it lacks to the best; None for the best, and where it was not tested."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two systems of which one metric prefers one, and BLEU the other."""

    better: str
    worse: str
    metric: str
    """chrF++ or chrF, which prefers `better`."""
    gain: float
    bleu_gain: float
    """Below 0."""
    test: Difference | None
    """None where the difference in `metric` was not tested."""
    bleu: Difference | None
    """None where the difference in BLEU was not tested."""


def rank(results: Results, test_set: str, metric: str) -> list[Ranked]:
    """Order the systems of a test set by one metric, the best first."""
    scores = [results.score(name, test_set, metric) for name in results.systems]
    found = [score for score in scores if score]
    found.sort(key=lambda score: score.value, reverse=metric not in LOWER_IS_BETTER)
    return [_ranked(results, score, found[0]) for score in found]


def _ranked(results: Results, score: SystemScore, best: SystemScore) -> Ranked:
    if score is best:
        return Ranked(score.system, score, "best", None)
    behind = results.difference(score.system, best.system, score.test_set, score.metric)
    if behind is None:
        return Ranked(score.system, score, "untested", None)
    return Ranked(score.system, score, "behind" if behind.is_significant else "tied", behind)


def detectable_range(results: Results, test_set: str, metric: str) -> tuple[float, float] | None:
    """Return the smallest and the largest least detectable difference among the pairs."""
    # Two equal outputs differ in nothing, so their figure says nothing of the test set.
    found = [
        row.detectable for row in results.comparisons_on(test_set, metric) if row.detectable > 0
    ]
    return (min(found), max(found)) if found else None


def disagreements(results: Results, test_set: str) -> list[Disagreement]:
    """List the pairs of systems on which BLEU and chrF++, or chrF, disagree."""
    found = results.metrics([test_set])
    metric = next((metric for metric in ("chrf++", "chrf") if metric in found), None)
    if metric is None:
        return []
    ranked = [row.system for row in rank(results, test_set, metric)]
    pairs = combinations(ranked, 2)
    rows = (_disagreement(results, *pair, test_set, metric) for pair in pairs)
    return [row for row in rows if row]


def _disagreement(
    results: Results, better: str, worse: str, test_set: str, metric: str
) -> Disagreement | None:
    gain = _gain(results, better, worse, test_set, metric)
    bleu_gain = _gain(results, better, worse, test_set, "bleu")
    if gain is None or bleu_gain is None or gain * bleu_gain >= 0:
        return None
    tests = [results.difference(better, worse, test_set, name) for name in (metric, "bleu")]
    tested = [test for test in tests if test]
    # Of two differences that may both be chance nothing is claimed, so they cannot contradict.
    if tested and not any(test.is_significant for test in tested):
        return None
    return Disagreement(better, worse, metric, gain, bleu_gain, *tests)


def _gain(results: Results, system: str, baseline: str, test_set: str, metric: str) -> float | None:
    after, before = (results.value(name, test_set, metric) for name in (system, baseline))
    return None if after is None or before is None else after - before
