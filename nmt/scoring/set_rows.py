"""Rows of an evaluation, and of the kept translations, from the scores of systems on a test set."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import (
    LEARNED_METRICS,
    METRIC_NAMES,
    ConfidenceSummary,
    FlagCount,
    NotComputed,
    Sentences,
    SliceScore,
    SystemScore,
)
from nmt.scoring.confidence import Calibration, summarize_confidence
from nmt.scoring.scored_system import ScoredSystem
from nmt.scoring.significance.differences import Measured
from nmt.scoring.slices import find_slices
from nmt.scoring.stored import HypothesisRow

Systems = Mapping[str, ScoredSystem]
"""By name, in the order in which they are shown."""

# The two that are quoted most. Of a few sentences BLEU is mostly chance, so it is not alone.
_SLICE_METRICS = ("bleu", "chrf++")


def list_scores(
    test_set: str, systems: Systems, parts: Mapping[Sentences, Measured]
) -> Iterator[SystemScore]:
    """List the scores of every system in every metric, on each part of the test set."""
    for part, measured in parts.items():
        for system, scored in systems.items():
            for metric, score in scored.scores.items():
                found = measured[system, metric]
                yield SystemScore(
                    system=system,
                    test_set=test_set,
                    metric=metric,
                    # Of the counts' sums, which is sacreBLEU's value for the whole set too.
                    value=found.value,
                    signature=score.signature,
                    interval=found.interval,
                    part=part,
                )


def list_missing(test_set: str, systems: Systems) -> Iterator[NotComputed]:
    """List the metrics without a score: once where no system has one for the same reason."""
    for metric in METRIC_NAMES:
        reasons = {
            name: scored.not_computed[metric]
            for name, scored in systems.items()
            if metric in scored.not_computed
        }
        # Most reasons are those of the language or the environment, and true of every system.
        if len(reasons) == len(systems) and len(set(reasons.values())) == 1:
            reason = next(iter(reasons.values()))
            yield NotComputed(metric=metric, reason=reason, test_set=test_set)
            continue
        for name, reason in reasons.items():
            yield NotComputed(metric=metric, reason=reason, test_set=test_set, system=name)


def score_slices(
    test_set: TestSet, systems: Systems, training_words: Mapping[str, int] | None
) -> Iterator[SliceScore]:
    """Score every system on each slice of the test set."""
    for found in find_slices(test_set, training_words):
        for system, scored in systems.items():
            scores: dict[str, float] = {}
            for metric in _SLICE_METRICS:
                statistics = scored.statistics[metric]
                # No text is read again: the counts of the whole set include those of its parts.
                sums = statistics.counts[found.rows].sum(axis=0)
                scores[metric] = float(statistics.corpus(sums))
            yield SliceScore(
                test_set=test_set.name,
                system=system,
                kind=found.kind,
                label=found.label,
                sentences=len(found.rows),
                scores=scores,
            )


def count_flags(test_set: str, systems: Systems) -> Iterator[FlagCount]:
    """Count the faults of every system's translations."""
    for system, scored in systems.items():
        for flag, (count, of) in scored.flags.counts.items():
            yield FlagCount(test_set=test_set, system=system, flag=flag, count=count, of=of)


def summarize_confidences(
    test_set: str, systems: Systems, calibrations: Mapping[str, Calibration]
) -> Iterator[ConfidenceSummary]:
    """Summarize how well the confidence of each calibrated system predicts its quality."""
    for system, scored in systems.items():
        confidences, calibration = scored.output.confidences, calibrations.get(system)
        quality = scored.scores["chrf++"].segments
        if confidences is None or calibration is None or quality is None:
            continue
        summary = summarize_confidence(test_set, system, confidences, quality, calibration)
        if summary:
            yield summary


def list_sentences(
    test_set: TestSet,
    scored: ScoredSystem,
    calibration: Calibration | None,
    overlapping: NDArray[np.bool_] | None,
) -> Iterator[HypothesisRow]:
    """List the translations of one system, with the scores and the faults of each."""
    segments = {
        # COMET is of about 0-1, the others are of 0-25 or 0-100.
        metric: score.segments.round(4 if metric in LEARNED_METRICS else 2).tolist()
        for metric, score in scored.scores.items()
        if score.segments is not None
    }
    for index, confidence in enumerate(scored.output.confidences or [None] * len(test_set)):
        usable = None
        if calibration is not None and confidence is not None:
            usable = calibration.estimate(confidence)
        yield HypothesisRow(
            source=test_set.sources[index],
            references=tuple(stream[index] for stream in test_set.references),
            hypothesis=scored.output.hypotheses[index],
            scores={metric: values[index] for metric, values in segments.items()},
            confidence=confidence,
            usable=usable,
            flags=scored.flags.by_sentence[index],
            domain=test_set.domains[index] if test_set.domains else None,
            overlaps=None if overlapping is None else bool(overlapping[index]),
        )
