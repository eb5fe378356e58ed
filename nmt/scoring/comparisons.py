"""Comparisons of every two systems on a test set."""

import logging
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import COMPARED_METRICS, Comparison, NgramChange
from nmt.scoring.ngrams import compare_matches, count_matches
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.significance.detectable import measure_likeness, predict_detectable
from nmt.scoring.significance.differences import Measured, compare

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]


def compare_systems(
    test_set: TestSet,
    outputs: Mapping[str, SystemOutput],
    measured: Measured,
    sentence_scores: Mapping[str, Floats],
) -> Iterator[Comparison]:
    """Compare each system with every system before it in each of `COMPARED_METRICS`.

    Args:
        test_set: what was translated.
        outputs: system -> its translations.
        measured: the scores on the whole test set.
        sentence_scores: system -> chrF++ of each sentence, `(sentences,)`.
    """
    if len(set(test_set.documents or range(len(test_set)))) < 2:
        log.warning(
            "test set %s has a single %s: how far chance moves a difference cannot be told from it,"
            " so its systems are not compared",
            test_set.name,
            "document" if test_set.documents else "sentence",
        )
        return
    for baseline, system in combinations(outputs, 2):
        scores = sentence_scores[baseline]
        yield from _compare_pair(test_set, outputs, measured, baseline, system, scores)


def compare_ngrams(test_set: TestSet, outputs: Mapping[str, SystemOutput]) -> Iterator[NgramChange]:
    """Find the words that each system has right more, or less, often than the first system."""
    matches = {
        system: count_matches(output.hypotheses, test_set.references, test_set.target_language)
        for system, output in outputs.items()
    }
    # Against every earlier system, the lists would be too many to read.
    baseline, *others = outputs
    for system in others:
        yield from compare_matches(test_set.name, baseline, system, matches)


def _compare_pair(
    test_set: TestSet,
    outputs: Mapping[str, SystemOutput],
    measured: Measured,
    baseline: str,
    system: str,
    baseline_scores: Floats,
) -> Iterator[Comparison]:
    # Once for all metrics: it is the slowest part of a comparison.
    likeness = measure_likeness(outputs[system].hypotheses, outputs[baseline].hypotheses)
    for metric in COMPARED_METRICS:
        resampled = measured[baseline, metric].resampled
        found = compare(measured[baseline, metric], measured[system, metric])
        # The prediction is for independent sentences; documents can have any effect on it.
        predicted = (
            predict_detectable(metric, likeness, baseline_scores)
            if test_set.documents is None
            else None
        )
        yield Comparison(
            test_set=test_set.name,
            metric=metric,
            baseline=baseline,
            system=system,
            difference=found.value,
            interval=found.interval,
            standard_error=found.standard_error,
            p_value=found.p_value,
            bootstrap_p=found.bootstrap_p,
            resamples=len(resampled),
            detectable=found.detectable,
            predicted_detectable=predicted,
            agreement=likeness.agreement,
            equal=likeness.equal,
        )
