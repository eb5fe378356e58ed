"""The test sets of a run: those of its own data, and the named ones.

Imports no torch.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt.config import Config
from nmt.data.saved import count_rows, has_split
from nmt.data.test_sets import TestSet, describe_set, held_out_set, read_test_set
from nmt.data.training_overlap import find_overlaps, is_screened
from nmt.errors import DataError
from nmt.runs import layout
from nmt.runs.evaluation import GENERAL_SET, TEST_SET, TestSetInfo
from nmt.runs.records import fetch_output, require, result_of
from nmt.runs.results import PrepareResult
from nmt.runs.steps import PREPARE
from nmt.storage import RecordKind, Storage

log = logging.getLogger(__name__)

VALIDATION_SET = "validation"
"""The set on which confidences are calibrated; its scores are not reported."""
_SPLITS = {TEST_SET: "test", GENERAL_SET: "general_test"}
_KEPT = RecordKind(TestSet, "a test set")


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedSet:
    """A test set, and what is known of it."""

    test_set: TestSet
    info: TestSetInfo
    overlapping: NDArray[np.bool_] | None = None
    """Whether each sentence is like a training pair; None where this was not counted."""


class TestSets:
    """The test sets that an evaluation scores."""

    __test__ = False  # pytest collects classes by this prefix

    def __init__(self, config: Config, storage: Storage) -> None:
        self._config, self._storage = config, storage
        self._folder = fetch_output(storage, layout.pairs(config.run))
        record = require(storage, config.run, PREPARE)
        self._prepared: PrepareResult = result_of(storage, config.run, PREPARE, record)

    def read(self, named: Collection[str]) -> dict[str, TestSet]:
        """Read all test sets.

        Args:
            named: the sets that this command names; others come from an earlier one, and are taken
                as they were then.

        Raises:
            DataError: a set cannot be read, or there is none.
        """
        found = {
            name: self._held_out(name, split)
            for name, split in _SPLITS.items()
            if has_split(self._folder, split)
        }
        for name in self._config.evaluation.sets:
            kept = None if name in named else self._find_kept(name)
            found[name] = kept or self._read(name)
        if not found:
            raise DataError(
                f"run '{self._config.run}' has no test split and no other test set: set "
                "data.test_fraction, data.test_path or evaluation.sets.NAME.path"
            )
        return found

    def keep(self, test_sets: Collection[TestSet]) -> None:
        """Keep the named sets, so that later evaluations need not find them again."""
        for test_set in test_sets:
            if test_set.name not in _SPLITS:
                path = layout.kept_test_set(self._config.run, test_set.name)
                _KEPT.write(self._storage, path, test_set)

    def validation(self) -> TestSet | None:
        """Read the first pairs of the validation split; None if the run has none."""
        if not has_split(self._folder, VALIDATION_SET):
            return None
        return self._held_out(VALIDATION_SET, VALIDATION_SET)

    def describe(self, test_sets: Collection[TestSet]) -> dict[str, EvaluatedSet]:
        """Describe test sets, and look for their sentences in the training data."""
        # `prepare` has dropped the training pairs that are like a held-out or a screened one.
        unknown = [test_set for test_set in test_sets if not self._is_screened(test_set)]
        overlaps: dict[str, NDArray[np.bool_]] = {}
        if unknown:
            overlaps = find_overlaps(unknown, self._folder, self._config.data)
        return {
            test_set.name: EvaluatedSet(
                test_set,
                self._info(test_set, overlaps.get(test_set.name)),
                overlaps.get(test_set.name),
            )
            for test_set in test_sets
        }

    def _is_screened(self, test_set: TestSet) -> bool:
        screened = self._prepared.screened.get(test_set.name)
        return test_set.name in _SPLITS or is_screened(test_set, screened)

    def _info(self, test_set: TestSet, overlapping: NDArray[np.bool_] | None) -> TestSetInfo:
        settings = self._config.evaluation.sets.get(test_set.name)
        forgetting = settings.forgetting if settings else test_set.name == GENERAL_SET
        return describe_set(test_set, forgetting=forgetting).model_copy(
            update={
                "split_size": self._split_size(test_set),
                "screened": overlapping is None,
                "overlap": None if overlapping is None else int(overlapping.sum()),
            }
        )

    @property
    def folder(self) -> Path:
        """Return the folder of the prepared data."""
        return self._folder

    def _held_out(self, name: str, split: str) -> TestSet:
        return held_out_set(name, self._folder, split, self._config.data, self._limit(split))

    def _limit(self, split: str) -> int | None:
        # A split that the user gave is scored whole, like every given set.
        given = split in self._prepared.given and split != VALIDATION_SET
        return None if given else self._config.evaluation.max_sentences

    def _split_size(self, test_set: TestSet) -> int | None:
        split = _SPLITS.get(test_set.name)
        if split is None:
            return None
        size = count_rows(self._folder, split)
        return size if size > len(test_set) else None

    def _read(self, name: str) -> TestSet:
        settings = self._config.evaluation.sets[name]
        return read_test_set(name, settings, self._config.data)

    def _find_kept(self, name: str) -> TestSet | None:
        path = layout.kept_test_set(self._config.run, name)
        again = "the set is read again from its path"
        kept = _KEPT.find_or_leave_out(self._storage, path, again, log.warning)
        if kept:
            log.info("evaluate: %s is kept from an earlier evaluation", name)
        return kept


def named_below(user_set: Collection[str], section: str) -> set[str]:
    """Return the names below a section of which the user has set something."""
    prefix = f"{section}."
    return {key.removeprefix(prefix).split(".")[0] for key in user_set if key.startswith(prefix)}
