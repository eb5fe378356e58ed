"""The translation memory as a system: the target of the most similar training pair."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nmt.config import digest_of
from nmt.data.prepared_rows import MappedPairs
from nmt.data.test_sets import TestSet
from nmt.evaluation.baselines.memory import CANDIDATES, TranslationMemory
from nmt.evaluation.system import AfterBatch, LoadedSystem
from nmt.evaluation.test_sets import VALIDATION_SET
from nmt.runs.evaluation import SystemInfo
from nmt.scoring.outputs import SystemOutput


class TrainingPairs:
    """The prepared training pairs of a run, indexed when they are first asked for."""

    def __init__(self, folder: Path, digest: str, languages: tuple[str, str]) -> None:
        """Take what is known without reading them.

        Args:
            folder: of the prepared data.
            digest: of the prepared data.
            languages: FLORES-200 codes of source and target.
        """
        self._folder = folder
        self.languages = languages
        self.digest = digest_of([digest, *languages, CANDIDATES])

    @cached_property
    def rows(self) -> MappedPairs:
        """Return the pairs.

        Raises:
            DataError: there is no training split, or it is damaged.
        """
        return MappedPairs(self._folder, "train")

    # Shared by the systems that search in it, since a large index takes a minute to build.
    @cached_property
    def memory(self) -> TranslationMemory:
        """Return the translation memory.

        Raises:
            DataError: there is no training split, or it is damaged.
        """
        return TranslationMemory(self.rows, self.languages[0])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the pairs do not help to translate a test set; None if they do."""
        source, target = self.languages
        if (test_set.source_language, test_set.target_language) == (source, target):
            return None
        return (
            f"the training pairs are {source} to {target}, and the set is "
            f"{test_set.source_language} to {test_set.target_language}"
        )


@dataclass(frozen=True, slots=True)
class MemorySystem:
    """A system that copies the target of the training pair whose source is most similar."""

    pairs: TrainingPairs
    is_model: bool = True

    @property
    def info(self) -> SystemInfo:
        """Describe the system."""
        return SystemInfo(kind="memory")

    def content(self, test_set: str) -> str:
        """Return a digest of all that decides the translations of a test set."""
        del test_set
        return digest_of(["memory", self.pairs.digest])

    def find_obstacle(self, test_set: TestSet) -> str | None:
        """Explain why the system cannot translate a test set; None if it can."""
        if test_set.name == VALIDATION_SET:
            return "it has no confidence to calibrate"
        return self.pairs.find_obstacle(test_set)

    @contextmanager
    def load(self) -> Generator[LoadedSystem]:
        """Provide the system in memory, for as long as the block lasts."""
        yield LoadedMemory(self.pairs.memory)


@dataclass(frozen=True, slots=True)
class LoadedMemory:
    """A translation memory that is ready to answer."""

    memory: TranslationMemory

    @property
    def info(self) -> SystemInfo:
        """Describe the system, with what is known only of an index that is built."""
        return SystemInfo(
            kind="memory",
            device="cpu",
            size_bytes=self.memory.size_bytes,
            preparation_seconds=self.memory.build_seconds,
        )

    def translate(self, test_set: TestSet, after_batch: AfterBatch) -> SystemOutput:
        """Copy a target for each source; an empty text where no training pair shares a word."""
        hypotheses: list[str] = []
        for source in test_set.sources:
            best = self.memory.find_matches(source, 1)
            hypotheses.append(best[0].pair.target if best else "")
            after_batch(1)
        return SystemOutput(hypotheses, None)
