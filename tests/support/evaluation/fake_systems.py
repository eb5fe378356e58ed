"""Systems that translate without a model, and count how often they do."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from nmt.data.test_sets import TestSet
from nmt.runs.evaluation import SystemInfo
from nmt.scoring.outputs import SystemOutput

SOURCES = ("The doctor is here.", "We go home.", "Where is the water?", "I see two birds.")
REFERENCES = ("மருத்துவர் இங்கே.", "நாங்கள் வீட்டுக்குப் போகிறோம்.", "தண்ணீர் எங்கே?", "இரண்டு பறவைகள்.")


def sentences_of(
    name: str = "news",
    sources: Sequence[str] = SOURCES,
    source_language: str = "eng_Latn",
    target_language: str = "tam_Taml",
) -> TestSet:
    references = (REFERENCES[: len(sources)],)
    return TestSet(name, tuple(sources), references, source_language, target_language)


@dataclass
class FakeSystem:
    """Answers each source with its own name and the source."""

    name: str
    weights: str = "1"
    is_model: bool = True
    language: str = "tam_Taml"
    fails_at: str = ""
    """Test set at which it is killed."""
    confidence: float = -0.5
    answer: Callable[[str], str] | None = None
    """Translates a source; by default with the system's name before it."""
    translated: list[str] = field(default_factory=list[str])
    """The test sets that it was asked to translate."""
    loads: int = 0

    @property
    def info(self) -> SystemInfo:
        return SystemInfo(kind="engine" if self.is_model else "file")

    def content(self, test_set: str) -> str:
        return f"{self.name} {self.weights}"

    def find_obstacle(self, test_set: TestSet) -> str | None:
        return None if test_set.target_language == self.language else "it speaks Tamil only"

    @contextmanager
    def load(self) -> Generator["FakeSystem"]:
        self.loads += 1
        yield self

    def translate(self, test_set: TestSet, after_batch: Callable[[int], None]) -> SystemOutput:
        if test_set.name == self.fails_at:
            raise KeyboardInterrupt
        self.translated.append(test_set.name)
        after_batch(len(test_set))
        answer = self.answer or (lambda source: f"{self.name}: {source}")
        hypotheses = [answer(source) for source in test_set.sources]
        return SystemOutput(
            hypotheses, [self.confidence] * len(test_set) if self.is_model else None
        )
