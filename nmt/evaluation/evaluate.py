"""Scores of systems on the test sets of a run."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from nmt.config import Config
from nmt.data.prepared_rows import read_rows
from nmt.evaluation.calibration import calibrate
from nmt.evaluation.systems import find_systems
from nmt.evaluation.test_sets import VALIDATION_SET, EvaluatedSet, TestSets, named_below
from nmt.evaluation.translations import Translations, Translators
from nmt.runs import layout
from nmt.runs.evaluation import TEST_SET, EvaluationResult, TestSetInfo
from nmt.scoring.confidence import Calibration
from nmt.scoring.result import join_sets, take_samples
from nmt.scoring.score import ScoredSet, ScoreOptions, score_set
from nmt.scoring.stored import write_rows
from nmt.scoring.words import count_words, source_words
from nmt.storage import Storage

_ROWS_AT_ONCE = 10_000
_MAX_COUNTED_SENTENCES = 1_000_000
"""Training sentences of which the words are counted; more would change few slices."""


def evaluate(config: Config, storage: Storage, user_set: Collection[str] = ()) -> EvaluationResult:
    """Translate the test sets of a run with each system, and score and compare the translations.

    Translations that the run keeps are not made again.

    Args:
        config: all settings; those of an earlier evaluation of the run are among them.
        storage: the storage root.
        user_set: dotted keys that this command names.

    Raises:
        NmtError: a test set or a system cannot be used; raised before anything is translated.
    """
    sets = TestSets(config, storage)
    test_sets = sets.read(named_below(user_set, "evaluation.sets"))
    systems = find_systems(config, storage, test_sets, named_below(user_set, "evaluation.systems"))
    sets.keep(test_sets.values())
    validation = sets.validation()
    wanted = [*test_sets.values(), *([validation] if validation else [])]
    translations = Translators(storage, config.run, systems, config.campaign.reuse).translate(
        wanted
    )
    described = sets.describe(test_sets.values())
    calibrations: Mapping[str, Calibration] = {}
    if validation:
        outputs = translations.outputs[VALIDATION_SET]
        calibrations = calibrate(validation, outputs, config.evaluation.usable_chrf)
    scored = _score(config, storage, described, translations, calibrations, sets.folder)
    shown = test_sets.get(TEST_SET) or next(iter(test_sets.values()))
    return join_sets(
        translations.systems,
        scored,
        costs=translations.costs,
        samples=take_samples(
            shown, translations.outputs[shown.name], config.evaluation.report_samples
        ),
        not_computed=translations.not_computed,
    )


def _score(
    config: Config,
    storage: Storage,
    described: Mapping[str, EvaluatedSet],
    translations: Translations,
    calibrations: Mapping[str, Calibration],
    pairs: Path,
) -> dict[str, tuple[TestSetInfo, ScoredSet]]:
    """Score each test set, and write the scores of each sentence beside its translation."""
    # Only these words are counted, however many the training data has.
    wanted = source_words(evaluated.test_set for evaluated in described.values())
    words = count_words(islice(_training_sources(pairs), _MAX_COUNTED_SENTENCES), wanted)
    found: dict[str, tuple[TestSetInfo, ScoredSet]] = {}
    for name, evaluated in described.items():
        options = _options(config, evaluated, calibrations, words)
        scored = score_set(evaluated.test_set, translations.outputs[name], options)
        for system, rows in scored.rows.items():
            storage.write_bytes(layout.hypotheses(config.run, name, system), write_rows(rows))
        found[name] = evaluated.info, scored
    return found


def _options(
    config: Config,
    evaluated: EvaluatedSet,
    calibrations: Mapping[str, Calibration],
    words: Mapping[str, int],
) -> ScoreOptions:
    source, target = config.data.source_language, config.data.target_language
    test_set = evaluated.test_set
    is_own_source = test_set.source_language == source
    # Calibrations are fitted to sentences of the run's direction, and valid for these alone.
    is_own_direction = is_own_source and test_set.target_language == target
    return ScoreOptions(
        bootstrap_samples=config.evaluation.bootstrap_samples,
        seed=config.seed,
        calibrations=calibrations if is_own_direction else {},
        training_words=words if is_own_source else None,
        overlapping=evaluated.overlapping,
    )


def _training_sources(folder: Path) -> Iterator[str]:
    for rows in read_rows(folder, "train", _ROWS_AT_ONCE):
        yield from rows.sources
