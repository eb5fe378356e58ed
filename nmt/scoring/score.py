"""Everything that is measured of some systems on one test set, from their translations alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nmt.cli.progress import PairProgress
from nmt.data.test_sets import TestSet
from nmt.errors import DataError
from nmt.runs.evaluation import (
    METRIC_NAMES,
    Comparison,
    ConfidenceSummary,
    FlagCount,
    NgramChange,
    NotComputed,
    Sentences,
    SliceScore,
    SystemScore,
)
from nmt.scoring.comparisons import compare_ngrams, compare_systems
from nmt.scoring.confidence import Calibration
from nmt.scoring.learned import LearnedResult
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.scored_system import ScoredSystem, score_system
from nmt.scoring.set_rows import (
    count_flags,
    list_missing,
    list_scores,
    list_sentences,
    score_slices,
    summarize_confidences,
)
from nmt.scoring.significance.differences import Measured, Part, measure, number_documents
from nmt.scoring.stored import HypothesisRow


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """How a test set is scored, and what is known beside its text."""

    bootstrap_samples: int = 1000
    """Resamplings of each interval."""
    seed: int = 1
    """Seed of the resamplings."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """System -> what turns its confidence into a chance of being usable."""
    training_words: Mapping[str, int] | None = None
    """Word of the training sources -> how often it is there; None: not known."""
    overlapping: NDArray[np.bool_] | None = None
    """Whether each sentence is like a training pair; None: not looked for."""
    learned: Mapping[str, Mapping[str, LearnedResult]] = field(default_factory=dict)
    """Learned metric -> system -> its scores, or the reason why there are none."""


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """What was measured on one test set."""

    scores: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]
    not_computed: tuple[NotComputed, ...]
    slices: tuple[SliceScore, ...]
    flags: tuple[FlagCount, ...]
    ngrams: tuple[NgramChange, ...]
    confidences: tuple[ConfidenceSummary, ...]
    rows: dict[str, list[HypothesisRow]]
    """System -> its translations, with the scores of each."""


def score_set(
    test_set: TestSet, outputs: Mapping[str, SystemOutput], options: ScoreOptions | None = None
) -> ScoredSet:
    """Score systems on a test set, and compare each of them with those before it.

    Args:
        test_set: sources and references, which are scored as they are.
        outputs: system -> its translations. The earlier system is the baseline of a comparison.
        options: how to score.

    Raises:
        DataError: there is no system or no sentence, or something does not have one value for
            each sentence.
    """
    options = options or ScoreOptions()
    _check_sizes(test_set, outputs, options)
    systems = _score_systems(test_set, outputs, options)
    parts = _measure_parts(test_set, systems, options)
    return ScoredSet(
        scores=tuple(list_scores(test_set.name, systems, parts)),
        comparisons=tuple(
            compare_systems(test_set, outputs, parts["all"], _sentence_scores(systems))
        ),
        not_computed=tuple(list_missing(test_set.name, systems)),
        slices=tuple(score_slices(test_set, systems, options.training_words)),
        flags=tuple(count_flags(test_set.name, systems)),
        ngrams=tuple(compare_ngrams(test_set, outputs)),
        confidences=tuple(summarize_confidences(test_set.name, systems, options.calibrations)),
        rows={
            name: list(
                list_sentences(
                    test_set, scored, options.calibrations.get(name), options.overlapping
                )
            )
            for name, scored in systems.items()
        },
    )


def _check_sizes(
    test_set: TestSet, outputs: Mapping[str, SystemOutput], options: ScoreOptions
) -> None:
    """Check that everything has one value for each sentence.

    Raises:
        DataError: names what does not, and both numbers.
    """
    if not outputs:
        raise DataError(f"test set '{test_set.name}': no system to score: name at least one")
    if not len(test_set):
        raise DataError(f"test set '{test_set.name}' has no sentences to score")
    sizes = {f"reference {n}": len(s) for n, s in enumerate(test_set.references, start=1)}
    for system, output in outputs.items():
        sizes[f"system '{system}'"] = len(output.hypotheses)
        if output.confidences is not None:
            sizes[f"the confidence of system '{system}'"] = len(output.confidences)
    for metric, results in options.learned.items():
        for system, result in results.items():
            if not isinstance(result, str):
                sizes[f"{METRIC_NAMES[metric]} of system '{system}'"] = len(result.values)
    if options.overlapping is not None:
        sizes["the overlap with the training"] = len(options.overlapping)
    for part, size in sizes.items():
        if size != len(test_set):
            raise DataError(
                f"test set '{test_set.name}' has {len(test_set):,} sentences, but {part} has "
                f"{size:,}: it must have one line for each sentence, in the same order"
            )


def _score_systems(
    test_set: TestSet, outputs: Mapping[str, SystemOutput], options: ScoreOptions
) -> dict[str, ScoredSystem]:
    progress = PairProgress(
        f"test set {test_set.name}: scored", len(test_set) * len(outputs), units="translations"
    )
    systems: dict[str, ScoredSystem] = {}
    for name, output in outputs.items():
        learned = {
            metric: results[name] for metric, results in options.learned.items() if name in results
        }
        systems[name] = score_system(output, test_set, learned)
        progress.add(len(test_set))
    progress.finish()
    return systems


def _sentence_scores(systems: Mapping[str, ScoredSystem]) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    for name, scored in systems.items():
        values = scored.scores["chrf++"].segments
        assert values is not None  # noqa: S101 - chrF++ has a score of each sentence
        found[name] = values
    return found


def _measure_parts(
    test_set: TestSet, systems: Mapping[str, ScoredSystem], options: ScoreOptions
) -> dict[Sentences, Measured]:
    """Measure the scores on the whole test set, and on the sentences unlike any training pair."""
    statistics = {
        (name, metric): found
        for name, scored in systems.items()
        for metric, found in scored.statistics.items()
    }
    units = None if test_set.documents is None else number_documents(test_set.documents)
    draws = {"samples": options.bootstrap_samples, "seed": options.seed}
    parts: dict[Sentences, Measured] = {"all": measure(statistics, units, **draws)}
    overlapping = options.overlapping
    # Without a sentence of either kind, the part would be the whole or nothing.
    if overlapping is not None and 0 < overlapping.sum() < len(overlapping):
        rows = np.flatnonzero(~overlapping)
        unseen = {key: Part(found, rows) for key, found in statistics.items()}
        left = None if units is None else np.unique(units[rows], return_inverse=True)[1]
        parts["unseen"] = measure(unseen, left, **draws)
    return parts
