"""Where the translations come from: the evaluation of a run, or files of any systems."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nmt.data.test_sets import TestSet
from nmt.errors import InputError, StorageError, did_you_mean
from nmt.metrics.segment_statistics import statistics
from nmt.ratings.design import CONTROL_METRIC, Outputs
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM
from nmt.runs.records import require, result_of
from nmt.runs.steps import EVALUATE
from nmt.scoring.hypothesis_files import read_exact_lines, read_hypotheses
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.stored import HypothesisRow, read_rows
from nmt.storage import Storage


def outputs_of_run(
    storage: Storage, run: str, test_set: str, systems: Sequence[str] = ()
) -> Outputs:
    """Read the translations and scores that the evaluation of a run keeps.

    Args:
        storage: the storage root.
        run: name of the run.
        test_set: name of the test set.
        systems: in the order of the comparison; base and engine if empty.

    Raises:
        MissingStepError: the run has no finished evaluation.
        InputError: it has no such test set or system.
    """
    result = result_of(storage, run, EVALUATE, require(storage, run, EVALUATE))
    names = tuple(systems) or (BASE_SYSTEM, ENGINE_SYSTEM)
    if test_set not in result.test_sets:
        raise InputError(
            f"--set {test_set}: the evaluation of run '{run}' has "
            f"{', '.join(result.test_sets)}.{did_you_mean(test_set, result.test_sets)}"
        )
    for name in names:
        if name not in result.systems or not storage.exists(layout.hypotheses(run, test_set, name)):
            raise InputError(
                f"--systems {name}: the evaluation of run '{run}' has no translations of "
                f"'{test_set}' by it; its systems are {', '.join(result.systems)}."
                f"{did_you_mean(name, result.systems)}"
            )
    _check_unique(names)
    info = result.test_sets[test_set]
    languages = (info.source_language, info.target_language)
    return outputs_kept(storage, run, test_set, names, languages)


def outputs_kept(
    storage: Storage, run: str, test_set: str, names: Sequence[str], languages: tuple[str, str]
) -> Outputs:
    """Read the translations and scores that a run keeps of some systems.

    Args:
        storage: the storage root.
        run: name of the run.
        test_set: name of the test set.
        names: systems in the order of the comparison.
        languages: source and target.

    Raises:
        InputError: they have translated different sentences.
        StorageError: a file is missing or damaged.
    """
    rows = {
        name: _rows_kept(storage, run, layout.hypotheses(run, test_set, name)) for name in names
    }
    sources = [row.source for row in rows[names[0]]]
    for name, of_system in rows.items():
        if [row.source for row in of_system] != sources:
            raise InputError(
                f"'{names[0]}' and '{name}' have translated other sentences of '{test_set}': give "
                f"`nmt evaluate run={run}` again"
            )
    return Outputs(
        test_set,
        *languages,
        sources,
        {name: [row.hypothesis for row in of_system] for name, of_system in rows.items()},
        _stored_scores(rows),
    )


def _rows_kept(storage: Storage, run: str, path: str) -> list[HypothesisRow]:
    place = storage.locate(path)
    again = f"give `nmt evaluate run={run}` again, and `nmt gate run={run}` if it was given before"
    if not storage.exists(path):
        raise StorageError(f"{place} is missing: {again}")
    content = storage.read_bytes(path)
    try:
        return list(read_rows(content, place))
    except StorageError as error:
        raise StorageError(f"{error}: {again}") from error


def _stored_scores(
    rows: Mapping[str, Sequence[HypothesisRow]],
) -> dict[str, dict[str, list[float | None]]]:
    """Collect the scores of each metric: metric -> system -> score of each sentence."""
    metrics = {metric for of_system in rows.values() for row in of_system for metric in row.scores}
    return {
        metric: {
            system: [row.scores.get(metric) for row in of_system]
            for system, of_system in rows.items()
        }
        for metric in metrics
    }


def outputs_of_files(
    source: str,
    references: Sequence[str],
    hypotheses: Mapping[str, str],
    *,
    source_language: str,
    target_language: str,
) -> Outputs:
    """Read translations from files with a text in each line, and score them by chrF++.

    Args:
        source: file of the sources.
        references: files of references; without any there is no metric.
        hypotheses: system -> file of its translations.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.

    Raises:
        DataError: a file cannot be read, or its number of lines is wrong.
    """
    name = Path(source).name.partition(".")[0] or Path(source).name
    sources = tuple(read_exact_lines(source))
    streams = {place: read_exact_lines(place) for place in references}
    test_set = TestSet(name, sources, (sources,), source_language, target_language)
    outputs = {
        system: read_hypotheses(place, system, test_set) for system, place in hypotheses.items()
    }
    for place, lines in streams.items():
        if len(lines) != len(sources):
            raise InputError(
                f"--reference {place}: has {len(lines):,} lines, and {source} has {len(sources):,}"
            )
    return Outputs(
        name,
        source_language,
        target_language,
        sources,
        {system: output.hypotheses for system, output in outputs.items()},
        _score(outputs, list(streams.values()), target_language),
    )


def _score(
    outputs: Mapping[str, SystemOutput], references: Sequence[Sequence[str]], language: str
) -> dict[str, dict[str, Sequence[float | None]]]:
    if not references:
        return {}
    return {
        CONTROL_METRIC: {
            system: statistics(CONTROL_METRIC, output.hypotheses, references, language)
            .segments()
            .tolist()
            for system, output in outputs.items()
        }
    }


def _check_unique(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise InputError(f"--systems {','.join(names)}: names a system twice")
