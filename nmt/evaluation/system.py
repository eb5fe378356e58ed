"""The interface of a system that is scored. Imports no torch."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import SystemInfo
from nmt.scoring.outputs import SystemOutput

AfterBatch = Callable[[int], None]
"""Takes the number of sentences that were translated since the last call."""


class LoadedSystem(Protocol):
    """A system that is ready to translate."""

    @property
    def info(self) -> SystemInfo:
        """Describe the system, with what is known only of a loaded one."""
        ...

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Translate the sources of a test set."""
        ...


class System(Protocol):
    """Anything that translates and is compared."""

    @property
    def info(self) -> SystemInfo:
        """Describe the system."""
        ...

    @property
    def is_model(self) -> bool:
        """Tell whether it translates, so that its confidence can be calibrated."""
        ...

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        ...

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        ...

    def load(self) -> AbstractContextManager[LoadedSystem]:
        """Provide the system in memory, for as long as the block lasts."""
        ...
