"""Translations of each test set by each system, made where they are not kept yet."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nmt.cli.progress import PairProgress
from nmt.data.test_sets import TestSet
from nmt.errors import DataError, StorageError
from nmt.evaluation.kept import TranslationRecord, digest_of_output, find_kept, keep, key_of
from nmt.evaluation.system import LoadedSystem, System
from nmt.evaluation.test_sets import VALIDATION_SET
from nmt.runs.evaluation import EVERY_METRIC, Cost, NotComputed, SystemInfo
from nmt.scoring.outputs import SystemOutput
from nmt.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Translations:
    """What the systems made of the test sets."""

    outputs: dict[str, dict[str, SystemOutput]]
    """Test set -> system -> translations; without the systems that cannot translate the set."""
    systems: dict[str, SystemInfo]
    costs: list[Cost] = field(default_factory=list[Cost])
    not_computed: list[NotComputed] = field(default_factory=list[NotComputed])


class Translators:
    """The systems of a run, which translate what is not kept in the run's folder."""

    def __init__(
        self,
        storage: Storage,
        run: str,
        systems: Mapping[str, System],
        reuse: Sequence[str] = (),
    ) -> None:
        """Begin.

        Args:
            storage: the storage root.
            run: name of the run, which keeps the translations.
            systems: name -> system.
            reuse: other runs, whose translations by equal systems are taken.
        """
        self._storage, self._run, self._systems = storage, run, systems
        self._reuse = reuse

    def translate(self, test_sets: Sequence[TestSet]) -> Translations:
        """Return all translations, system by system.

        Raises:
            DataError: no system can translate a test set; raised before anything is translated.
        """
        found = Translations(
            {test_set.name: {} for test_set in test_sets},
            {name: system.info for name, system in self._systems.items()},
        )
        pending, equal = self._plan(found, test_sets)
        self._translate_pending(found, pending)
        for name, other, test_set in equal:
            self._copy(found, other, name, test_set)
        # In the order of the systems, also where some were translated now and some before.
        for outputs in found.outputs.values():
            ordered = {name: outputs[name] for name in self._systems if name in outputs}
            outputs.clear()
            outputs.update(ordered)
        return found

    def _plan(
        self, found: Translations, test_sets: Sequence[TestSet]
    ) -> tuple[dict[str, list[TestSet]], list[tuple[str, str, TestSet]]]:
        """Add the translations that are kept, and find out what is left to do.

        Returns:
            System -> the sets that it must translate; and the systems that are equal to another
            one, with that one and the set.
        """
        pending: dict[str, list[TestSet]] = {}
        equal: list[tuple[str, str, TestSet]] = []
        # Two names may stand for one engine, such as `engine` and that of an endpoint.
        first: dict[str, str] = {}
        obstacles = self._find_obstacles(test_sets)
        for name in self._systems:
            for test_set in test_sets:
                if obstacle := obstacles[test_set.name].get(name):
                    _add_obstacle(found, name, test_set, obstacle)
                    continue
                key = self._key(name, test_set)
                if kept := self._find(name, test_set, key):
                    _add(found, name, test_set, *kept)
                elif key in first:
                    equal.append((name, first[key], test_set))
                else:
                    pending.setdefault(name, []).append(test_set)
                first.setdefault(key, name)
        return pending, equal

    def _find(
        self, name: str, test_set: TestSet, key: str
    ) -> tuple[TranslationRecord, SystemOutput] | None:
        """Find the translations that this run keeps, or take those of another one."""
        if kept := find_kept(self._storage, self._run, test_set.name, name, key):
            return kept
        for run in self._reuse:
            if kept := find_kept(self._storage, run, test_set.name, name, key):
                log.info("evaluate: %s has translated %s in run %s", name, test_set.name, run)
                keep(self._storage, self._run, test_set, name, kept[1], kept[0])
                return kept
        return None

    def _find_obstacles(self, test_sets: Sequence[TestSet]) -> dict[str, dict[str, str]]:
        """Find out which systems cannot translate a test set, and why.

        Raises:
            DataError: no system can.
        """
        found: dict[str, dict[str, str]] = {test_set.name: {} for test_set in test_sets}
        for test_set in test_sets:
            for name, system in self._systems.items():
                if test_set.name == VALIDATION_SET and not system.is_model:
                    found[test_set.name][name] = "it has no confidence to calibrate"
                elif obstacle := system.find_obstacle(test_set):
                    found[test_set.name][name] = obstacle
            if len(found[test_set.name]) == len(self._systems) and test_set.name != VALIDATION_SET:
                reasons = "; ".join(f"{n}: {why}" for n, why in found[test_set.name].items())
                raise DataError(
                    f"test set '{test_set.name}': no system can translate it ({reasons})"
                )
        return found

    def _translate_pending(
        self, found: Translations, pending: Mapping[str, Sequence[TestSet]]
    ) -> None:
        number, total = 0, sum(map(len, pending.values()))
        for name, test_sets in pending.items():
            # The model of one system is out of memory before the next one is loaded.
            with self._systems[name].load() as loaded:
                for test_set in test_sets:
                    number += 1
                    log.info(
                        "evaluate: [%d/%d] %s translates %s, %s sentences",
                        number, total, name, test_set.name, f"{len(test_set):,}",
                    )  # fmt: skip
                    output, translation = self._translate(name, loaded, test_set)
                    # Kept at once, so that a command that is killed need not do it again.
                    keep(self._storage, self._run, test_set, name, output, translation)
                    _add(found, name, test_set, translation, output)

    def _translate(
        self, name: str, loaded: LoadedSystem, test_set: TestSet
    ) -> tuple[SystemOutput, TranslationRecord]:
        progress = PairProgress(
            f"evaluate: {name}, {test_set.name}:", len(test_set), units="sentences"
        )
        started = time.monotonic()
        output = loaded.translate(test_set, progress.add)
        seconds = round(time.monotonic() - started, 2)
        system = self._systems[name]
        return output, TranslationRecord(
            key=self._key(name, test_set),
            texts=digest_of_output(output),
            system=loaded.info,
            # A system outside the project took its time elsewhere.
            seconds=seconds if system.is_model else None,
        )

    def _copy(self, found: Translations, equal: str, name: str, test_set: TestSet) -> None:
        """Take over the translations of an equal system."""
        kept = find_kept(self._storage, self._run, test_set.name, equal)
        if kept is None:  # it was there a moment ago
            raise StorageError(f"the translations of {test_set.name} by {equal} are gone")
        log.info("evaluate: %s is %s, which has translated %s", name, equal, test_set.name)
        keep(self._storage, self._run, test_set, name, kept[1], kept[0])
        _add(found, name, test_set, *kept)

    def _key(self, name: str, test_set: TestSet) -> str:
        content = self._systems[name].content(test_set.name)
        languages = (test_set.source_language, test_set.target_language)
        return key_of(content, test_set.digest, languages)


def _add(
    found: Translations, name: str, test_set: TestSet, translation: TranslationRecord,
    output: SystemOutput,
) -> None:  # fmt: skip
    found.outputs[test_set.name][name] = output
    found.systems[name] = translation.system
    if translation.seconds is not None and test_set.name != VALIDATION_SET:
        characters = sum(map(len, test_set.sources))
        found.costs.append(
            Cost(
                test_set=test_set.name,
                system=name,
                seconds=translation.seconds,
                characters=characters,
            )
        )


def _add_obstacle(found: Translations, name: str, test_set: TestSet, obstacle: str) -> None:
    if test_set.name != VALIDATION_SET:
        found.not_computed.append(
            NotComputed(metric=EVERY_METRIC, reason=obstacle, test_set=test_set.name, system=name)
        )
