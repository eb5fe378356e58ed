"""The scores of one system on one test set, with what they are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass

from nmt.data.test_sets import TestSet
from nmt.metrics import Score, score_all
from nmt.runs.evaluation import METRIC_NAMES
from nmt.scoring.flags import Flags, find_flags
from nmt.scoring.learned import WHY_NOT, LearnedResult
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.significance.differences import SentenceMeans, Statistics


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSystem:
    """One system on a test set."""

    output: SystemOutput
    scores: Mapping[str, Score]
    """By metric, in the order of `METRIC_NAMES`."""
    statistics: Mapping[str, Statistics]
    """Metric -> counts whose sums give the score."""
    not_computed: Mapping[str, str]
    """Metric -> the reason why it has no score."""
    flags: Flags


def score_system(
    output: SystemOutput, test_set: TestSet, learned: Mapping[str, LearnedResult]
) -> ScoredSystem:
    """Score the translations of one system in every metric, and find their faults.

    Args:
        output: the translations.
        test_set: what was translated.
        learned: learned metric -> the scores of this system, or why there are none.
    """
    found = score_all(output.hypotheses, test_set.references, test_set.target_language)
    scores = dict(found.computed)
    statistics: dict[str, Statistics] = dict(found.statistics)
    not_computed = dict(found.not_computed)
    # A learned metric without scores is listed with the reason, and not left out silently.
    for metric, result in {**WHY_NOT, **learned}.items():
        if isinstance(result, str):
            not_computed[metric] = result
            continue
        value = float(result.values.mean())
        scores[metric] = Score(metric, value, result.signature, result.values)
        # With statistics of its own, a learned metric gets intervals like any other.
        statistics[metric] = SentenceMeans(result.values)
    return ScoredSystem(
        output=output,
        scores={metric: scores[metric] for metric in METRIC_NAMES if metric in scores},
        statistics=statistics,
        not_computed=not_computed,
        flags=find_flags(test_set, output.hypotheses),
    )
