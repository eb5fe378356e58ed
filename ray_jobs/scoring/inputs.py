"""The test sets and the translations that `nmt score` is given."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nmt.config import Config
from nmt.config.sections.evaluation import TestSetConfig
from nmt.data.test_sets import TestSet, read_test_set
from nmt.errors import DataError, InputError
from nmt.scoring.hypothesis_files import has_stored_rows, read_hypotheses, read_stored_set
from nmt.scoring.outputs import SystemOutput
from ray_jobs.scoring.options import ScoringOptions


@dataclass(frozen=True, slots=True)
class ScoredInput:
    """A test set, and the translations of it by some systems."""

    test_set: TestSet
    outputs: Mapping[str, SystemOutput]


def read_inputs(config: Config, options: ScoringOptions) -> list[ScoredInput]:
    """Read the test sets of the options and of the settings, and all translations of them.

    Raises:
        InputError: there is nothing to score, or a file cannot be read or does not fit.
    """
    sets = dict(_test_sets(config, options))
    if not sets:
        raise InputError(
            "there is no test set: give --source, --reference and --language, or "
            "--hypotheses SYSTEM=FILE.jsonl and --language, or set evaluation.sets"
        )
    places = _places(config, options, list(sets))
    return [
        ScoredInput(
            test_set,
            {
                system: read_hypotheses(by_set[name], system, test_set)
                for system, by_set in places.items()
                if name in by_set
            },
        )
        for name, test_set in sets.items()
    ]


def _test_sets(config: Config, options: ScoringOptions) -> Iterator[tuple[str, TestSet]]:
    for name, settings in config.evaluation.sets.items():
        yield name, read_test_set(name, settings, config.data)
    first = next(iter(options.hypotheses.values()), "")
    if not options.source and not config.evaluation.sets and has_stored_rows(first):
        yield _stored_set(first, config, options)
    if options.source:
        name = _set_name(options.source)
        if name in config.evaluation.sets:
            raise InputError(
                f"--source {options.source} gives a test set '{name}', and so does "
                f"evaluation.sets.{name}: rename one of them"
            )
        yield name, _given_set(name, config, options)


def _given_set(name: str, config: Config, options: ScoringOptions) -> TestSet:
    """Read the test set of the options."""
    keys = {
        "path": "--source",
        "target_path": "--reference",
        "source_language": "--source-language",
        "target_language": "--language",
    }
    try:
        settings = TestSetConfig(
            path=options.source or "",
            target_path=options.references,
            format="text",
            source_language=options.source_language,
            target_language=options.language,
        )
        return read_test_set(name, settings, config.data)
    except DataError as error:
        # The reader names settings, which the user has not seen.
        message = str(error)
        for key, option in keys.items():
            message = re.sub(rf"evaluation\.sets\.{name}\.{key}\b", option, message)
        raise DataError(message) from None


def _stored_set(place: str, config: Config, options: ScoringOptions) -> tuple[str, TestSet]:
    if not options.language:
        raise InputError("--language is not given: name the language of the translations")
    # An evaluation writes `hypotheses/<test set>/<system>.jsonl`.
    name = _set_name(Path(place).absolute().parent.name)
    test_set = read_stored_set(
        place,
        name,
        source_language=options.source_language or config.data.source_language,
        target_language=options.language,
    )
    return name, test_set


def _set_name(source: str) -> str:
    """Name a test set by its file without the suffixes: `news` for `news.en.gz`."""
    stem = Path(source).name.partition(".")[0] or Path(source).name
    name = re.sub(r"[^A-Za-z0-9_-]", "-", stem)[:58]
    return name if name[:1].isalpha() else f"set-{name}"


def _places(config: Config, options: ScoringOptions, sets: list[str]) -> dict[str, dict[str, str]]:
    """Return the file of each system's translations: system -> test set -> path.

    Raises:
        InputError: a system has no file, or a test set has no system.
    """
    found = {
        name: _files_of(name, system.hypotheses, sets)
        for name, system in config.evaluation.systems.items()
    }
    if options.hypotheses and len(sets) > 1:
        raise InputError(
            f"there are {len(sets)} test sets ({', '.join(sets)}), and --hypotheses does not say "
            "of which one: name all of them below evaluation.sets, and set "
            "evaluation.systems.NAME.hypotheses.SET=FILE"
        )
    for name, place in options.hypotheses.items():
        if name in found:
            raise InputError(f"--hypotheses and evaluation.systems both name the system '{name}'")
        found[name] = {sets[0]: place}
    for name in sets:
        if not any(name in files for files in found.values()):
            # The settings can name translations only of a test set that they name too.
            is_named = name in config.evaluation.sets
            advice = f" or set evaluation.systems.NAME.hypotheses.{name}=FILE" if is_named else ""
            raise InputError(
                f"test set '{name}' has no translations: give --hypotheses SYSTEM=FILE{advice}"
            )
    return found


def _files_of(system: str, hypotheses: Mapping[str, str], sets: list[str]) -> dict[str, str]:
    key = f"evaluation.systems.{system}"
    if not hypotheses:
        raise InputError(
            f"{key} has a model, and `nmt score` only reads files: set {key}.hypotheses, or use "
            "`nmt evaluate`, which translates"
        )
    for name in hypotheses.keys() - set(sets):
        raise InputError(
            f"{key}.hypotheses names '{name}', which is not a test set here: the test sets are "
            f"{', '.join(sets)}"
        )
    return dict(hypotheses)
