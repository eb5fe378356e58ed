"""Systems outside the project, of which only translations are known."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from nmt.data.test_sets import TestSet
from nmt.evaluation.kept import digest_of_output
from nmt.evaluation.system import AfterBatch, LoadedSystem
from nmt.runs.evaluation import SystemInfo
from nmt.scoring.outputs import SystemOutput


@dataclass(frozen=True, slots=True)
class GivenSystem:
    """A system whose translations are read from files."""

    name: str
    outputs: Mapping[str, SystemOutput]
    """Test set -> its translations."""
    info: SystemInfo = field(default_factory=lambda: SystemInfo(kind="file"))
    is_model: bool = False

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        return digest_of_output(self.outputs[test_set])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        if test_set.name in self.outputs:
            return None
        key = f"evaluation.systems.{self.name}.hypotheses.{test_set.name}"
        return f"no file has its translations of this set: set {key}=FILE"

    @contextmanager
    def load(self) -> Generator[LoadedSystem]:
        """Provide the system in memory, for as long as the block lasts."""
        yield self

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Translate the sources of a test set."""
        after_batch(len(test_set))
        return self.outputs[test_set.name]
