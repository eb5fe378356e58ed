"""Scores of a run's systems on its test sets."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nmt.config import Config
from nmt.data.saved import has_split, load_pairs
from nmt.errors import DataError
from nmt.evaluation.hypotheses import translate_systems
from nmt.evaluation.significance import ResampledBleu, compare, resample_bleu
from nmt.metrics import score_all
from nmt.runs import layout
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    GENERAL_SET,
    TEST_SET,
    Comparison,
    EvaluationResult,
    Sample,
    SystemInfo,
    SystemScore,
    TestSetInfo,
)
from nmt.runs.records import fetch_output
from nmt.storage import Storage
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

_SPLITS = {TEST_SET: "test", GENERAL_SET: "general_test"}
# The general set only shows what was forgotten, which a tolerance in BLEU decides.
_COMPARED_SETS = (TEST_SET,)

Hypotheses = Mapping[str, Mapping[str, Sequence[str]]]
"""System -> test set -> translations, in the order of the pairs."""


def evaluate(config: Config, storage: Storage) -> EvaluationResult:
    """Translate the test sets of a run with each system, and score and compare the translations.

    Raises:
        DataError: the test split is missing or empty.
    """
    test_sets = _load_test_sets(config, fetch_output(storage, layout.pairs(config.run)))
    # All test sets in one list, because each call of a system loads its model.
    sources = [pair.source for pairs in test_sets.values() for pair in pairs]
    outputs = translate_systems(config, storage, sources)
    log.info(
        "evaluate: %s translated by %s",
        " and ".join(f"{len(pairs)} {name} sentences" for name, pairs in test_sets.items()),
        " and ".join(outputs),
    )
    hypotheses = {
        system: _by_test_set(output.hypotheses, test_sets) for system, output in outputs.items()
    }
    resampled = {name: _resample(test_sets, hypotheses, name, config) for name in _COMPARED_SETS}
    return EvaluationResult(
        systems={name: SystemInfo(parameters=o.parameters) for name, o in outputs.items()},
        test_sets={name: TestSetInfo(sentences=len(pairs)) for name, pairs in test_sets.items()},
        scores=tuple(_scores(test_sets, hypotheses, resampled, config.data.target_language)),
        comparisons=tuple(_comparisons(resampled, config.evaluation.bootstrap_samples)),
        samples=tuple(_samples(test_sets, hypotheses, config.evaluation.report_samples)),
    )


def _load_test_sets(config: Config, folder: Path) -> dict[str, list[Pair]]:
    """Load the first `evaluation.max_sentences` pairs of each test set.

    Raises:
        DataError: the test split is missing.
    """
    if not has_split(folder, _SPLITS[TEST_SET]):
        raise DataError(
            f"run '{config.run}' has no test split: set data.test_fraction or data.test_path"
        )
    return {
        name: load_pairs(folder, split)[: config.evaluation.max_sentences]
        for name, split in _SPLITS.items()
        if has_split(folder, split)
    }


def _by_test_set(
    hypotheses: Sequence[str], test_sets: Mapping[str, Sequence[Pair]]
) -> dict[str, Sequence[str]]:
    """Cut the translations of all test sets, one after the other, into one list per test set."""
    found: dict[str, Sequence[str]] = {}
    start = 0
    for name, pairs in test_sets.items():
        found[name] = hypotheses[start : start + len(pairs)]
        start += len(pairs)
    return found


def _resample(
    test_sets: Mapping[str, Sequence[Pair]], hypotheses: Hypotheses, test_set: str, config: Config
) -> dict[str, ResampledBleu]:
    """Compute BLEU and its resamplings for each system on one test set."""
    references = [pair.target for pair in test_sets[test_set]]
    return {
        system: resample_bleu(
            translations[test_set],
            references,
            config.data.target_language,
            samples=config.evaluation.bootstrap_samples,
            # Every system gets the same draws, which makes the comparison a paired one.
            seed=config.seed,
        )
        for system, translations in hypotheses.items()
    }


def _scores(
    test_sets: Mapping[str, Sequence[Pair]],
    hypotheses: Hypotheses,
    resampled: Mapping[str, Mapping[str, ResampledBleu]],
    language: str,
) -> Iterator[SystemScore]:
    for test_set, pairs in test_sets.items():
        references = [pair.target for pair in pairs]
        for system, translations in hypotheses.items():
            intervals = {}
            if test_set in resampled:
                intervals = {"bleu": resampled[test_set][system].interval}
            found = score_all(translations[test_set], [references], language)
            for name, score in found.computed.items():
                yield SystemScore(
                    system=system,
                    test_set=test_set,
                    metric=name,
                    value=score.value,
                    signature=score.signature,
                    interval=intervals.get(name),
                )


def _comparisons(
    resampled: Mapping[str, Mapping[str, ResampledBleu]], resamples: int
) -> Iterator[Comparison]:
    """Compare every other system with the base."""
    for test_set, systems in resampled.items():
        others = [name for name in systems if name != BASE_SYSTEM]
        for system in others:
            found = compare(systems[BASE_SYSTEM], systems[system])
            yield Comparison(
                test_set=test_set,
                metric="bleu",
                baseline=BASE_SYSTEM,
                system=system,
                difference=found.difference,
                interval=found.interval,
                p_value=found.p_value,
                resamples=resamples,
            )


def _samples(
    test_sets: Mapping[str, Sequence[Pair]], hypotheses: Hypotheses, count: int
) -> Iterator[Sample]:
    """Take evenly spaced sentences of the test set."""
    pairs = test_sets[TEST_SET]
    # Chosen by position alone, so that the choice favours no system.
    stride = max(1, len(pairs) // max(1, count))
    for index in range(0, len(pairs), stride)[:count]:
        yield Sample(
            test_set=TEST_SET,
            source=pairs[index].source,
            reference=pairs[index].target,
            hypotheses={name: sets[TEST_SET][index] for name, sets in hypotheses.items()},
        )
