"""The systems that an evaluation compares: those of the run, other engines, and given ones.

Imports no torch until they are looked for.
"""

import logging
from collections.abc import Collection, Mapping

from nmt.config import Config, SystemConfig
from nmt.data.test_sets import TestSet
from nmt.errors import InputError, NmtError
from nmt.evaluation.engines import EngineSystem, find_engine
from nmt.evaluation.given import GivenSystem
from nmt.evaluation.kept import find_of_sources
from nmt.evaluation.system import System
from nmt.runs import layout
from nmt.runs.evaluation import BASE_SYSTEM, ENGINE_SYSTEM
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.scoring.hypothesis_files import read_hypotheses
from nmt.storage import Storage
from nmt.traffic import read_traffic, route_key

log = logging.getLogger(__name__)


def find_systems(
    config: Config, storage: Storage, test_sets: Mapping[str, TestSet], named: Collection[str]
) -> dict[str, System]:
    """Find all systems of an evaluation, and check what they are made of.

    Args:
        config: all settings.
        storage: the storage root.
        test_sets: the sets to translate, by name.
        named: the systems that this command names; of others that are gone since an earlier
            evaluation, the translations that it kept are used.

    Returns:
        Name -> system; each is compared with those before it.

    Raises:
        NmtError: a system is missing or damaged, or does not fit the test sets.
    """
    from nmt.evaluation.models import find_models  # imports torch

    exported = require(storage, config.run, EXPORT).output
    systems = find_models(config, storage)
    systems[ENGINE_SYSTEM] = find_engine(config, storage, exported)
    if config.evaluation.baselines:
        from nmt.evaluation.baselines.find import find_baselines  # imports torch

        systems |= find_baselines(config, storage, systems[BASE_SYSTEM])
    for name, settings in config.evaluation.systems.items():
        try:
            systems[name] = _find_named(name, settings, config, storage, test_sets)
        except NmtError as error:
            if name not in named and (kept := _find_kept(name, config, storage, test_sets)):
                log.warning("evaluate: %s: %s: its kept translations are scored", name, error)
                systems[name] = kept
                continue
            raise type(error)(f"evaluation.systems.{name}: {error}") from error
    return systems


def _find_kept(
    name: str, config: Config, storage: Storage, test_sets: Mapping[str, TestSet]
) -> GivenSystem | None:
    """Find the translations of these test sets that an earlier evaluation has kept."""
    found = {
        test_set.name: kept
        for test_set in test_sets.values()
        if (kept := find_of_sources(storage, config.run, test_set, name))
    }
    if not found:
        return None
    outputs = {test_set: output for test_set, (_, output) in found.items()}
    translation, _ = next(iter(found.values()))
    return GivenSystem(name, outputs, translation.system)


def _find_named(
    name: str,
    settings: SystemConfig,
    config: Config,
    storage: Storage,
    test_sets: Mapping[str, TestSet],
) -> System:
    if settings.hypotheses:
        return GivenSystem(
            name,
            {
                test_set: read_hypotheses(place, name, test_sets[test_set])
                for test_set, place in settings.hypotheses.items()
                if test_set in test_sets
            },
        )
    system = find_engine(config, storage, _engine_digest(settings, config, storage))
    _check_direction(system, test_sets)
    return system


def _engine_digest(settings: SystemConfig, config: Config, storage: Storage) -> str:
    """Find the engine that a named system is.

    Raises:
        MissingStepError: a run without an engine.
        InputError: no such engine, or an endpoint without one for the run's languages.
    """
    if settings.run:
        return require(storage, settings.run, EXPORT).output
    if settings.engine:
        if not storage.is_committed(layout.engine(settings.engine)):
            raise InputError(
                f"engine={settings.engine} is not in {storage.locate(layout.ENGINES)}: name the "
                "run that exported it, or copy its folder there"
            )
        return settings.engine
    name = settings.endpoint or ""
    traffic = read_traffic(storage, name)
    if traffic is None:
        endpoints = ", ".join(storage.list(layout.ENDPOINTS)) or "none"
        raise InputError(
            f"endpoint={name} serves no engine: give `nmt promote serving.name={name} run=NAME` "
            f"first, or name an endpoint of {storage.locate(layout.ENDPOINTS)}: {endpoints}"
        )
    key = route_key(config.data.source_language, config.data.target_language)
    if key not in traffic.routes:
        raise InputError(
            f"endpoint={name} has no route {key}, which are the languages of run={config.run}: "
            f"name an endpoint that has it, or an engine; its routes: {', '.join(traffic.routes)}"
        )
    return traffic.routes[key].stable


def _check_direction(system: EngineSystem, test_sets: Mapping[str, TestSet]) -> None:
    """Refuse an engine that can translate none of the test sets."""
    obstacles = [system.find_obstacle(test_set) for test_set in test_sets.values()]
    if all(obstacles):
        raise InputError(f"it can translate none of the test sets: {obstacles[0]}")
