"""What has changed since an evaluation, though its settings are the same. Imports no torch."""

from collections.abc import Collection, Iterator
from pathlib import Path

from nmt.config import Config, SystemConfig
from nmt.data.test_sets import TestSet, read_test_set
from nmt.errors import NmtError
from nmt.evaluation.kept import digest_of_output, find_kept, find_rows
from nmt.evaluation.variants import method_variants
from nmt.runs.evaluation import EvaluationResult, TestSetInfo
from nmt.scoring.hypothesis_files import read_hypotheses, set_of
from nmt.storage import Storage
from nmt.traffic import read_traffic, route_key


def find_changes(
    config: Config, storage: Storage, result: EvaluationResult, named: Collection[str]
) -> Iterator[str]:
    """Describe what a finished evaluation no longer agrees with.

    These are translations that are damaged, files of translations or of a test set with other
    text, and endpoints that serve another engine.

    Args:
        config: all settings.
        storage: the storage root.
        result: of the evaluation.
        named: the test sets that this command names; others stay as they were scored.
    """
    scored = {(row.test_set, row.system) for row in result.scores}
    for test_set, system in sorted(scored):
        # Damage is logged where it is found.
        if find_kept(storage, config.run, test_set, system) is None:
            yield f"the translations of {test_set} by {system} are missing or damaged"
    for name, settings in config.evaluation.sets.items():
        # A data set of a hub would have to be downloaded.
        if name in named and Path(settings.path).exists() and name in result.test_sets:
            digest = _digest_now(config, name)
            if digest not in (None, result.test_sets[name].digest):
                yield f"the text of the test set {name} has changed"
    for variant in method_variants(config, storage):
        known = result.systems.get(variant.system)
        if known is None or known.weights != variant.weights:
            yield f"{variant.name} was trained since"
    for name, settings in config.evaluation.systems.items():
        if name in result.systems:
            yield from _system_changes(config, storage, result, name, settings)


def _digest_now(config: Config, name: str) -> str | None:
    """Compute the digest of a test set as its files are now; None if they cannot be read."""
    try:
        return read_test_set(name, config.evaluation.sets[name], config.data).digest
    # The sentences that were scored are kept, so the evaluation stays as it is.
    except NmtError:
        return None


def _system_changes(
    config: Config, storage: Storage, result: EvaluationResult, name: str, settings: SystemConfig
) -> Iterator[str]:
    if settings.endpoint:
        traffic = read_traffic(storage, settings.endpoint)
        key = route_key(config.data.source_language, config.data.target_language)
        route = traffic.routes.get(key) if traffic else None
        if route and route.stable != result.systems[name].engine:
            yield f"the endpoint {settings.endpoint} serves another engine"
    for test_set, place in settings.hypotheses.items():
        if not Path(place).exists() or test_set not in result.test_sets:
            continue
        sentences = _kept_sentences(config, storage, test_set, name, result.test_sets[test_set])
        kept = find_kept(storage, config.run, test_set, name)
        if sentences is None or kept is None:
            continue
        try:
            has_changed = digest_of_output(read_hypotheses(place, name, sentences)) != kept[0].texts
        # Where this command names the file, it is refused; else the kept translations are scored.
        except NmtError:
            has_changed = True
        if has_changed:
            yield f"the translations in {place} have changed"


def _kept_sentences(
    config: Config, storage: Storage, test_set: str, system: str, info: TestSetInfo
) -> TestSet | None:
    """Return the sentences of a test set as they are kept beside the translations of a system."""
    rows = find_rows(storage, config.run, test_set, system)
    if rows is None:
        return None
    return set_of(
        rows,
        test_set,
        source_language=info.source_language,
        target_language=info.target_language,
    )
