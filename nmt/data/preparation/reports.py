"""What a preparation found in each of its inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nmt.errors import shortened
from nmt.text.pair import Pair

EXAMPLES = 3
EXAMPLE_CHARACTERS = 120


@dataclass
class Finding:
    """The pairs that one rule dropped or flagged."""

    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """A few random ones, shortened."""


@dataclass
class InputReport:
    """What became of the pairs of one input."""

    read: int = 0
    kept: int = 0
    dropped: dict[str, Finding] = field(default_factory=dict[str, Finding])
    """Rule -> the pairs that it dropped."""
    flagged: dict[str, Finding] = field(default_factory=dict[str, Finding])
    """Flag -> the pairs that are kept and have it."""
    bad_rows: int = 0
    """Damaged rows, which are not among those that were read."""
    bad_examples: list[str] = field(default_factory=list[str])

    def reasons(self) -> str:
        """List the rules with their counts, the most frequent first: `12 html, 3 duplicate`."""
        ranked = sorted(self.dropped.items(), key=lambda item: -item[1].count)
        return ", ".join(f"{found.count} {rule}" for rule, found in ranked) or "none"


@dataclass(frozen=True)
class ScreenedSet:
    """A test set that the training pairs were compared with."""

    pairs: int
    digest: str
    """`TestSet.digest`."""


@dataclass(frozen=True)
class PrepareReport:
    """The result of a preparation."""

    sizes: dict[str, int]
    """Number of pairs in each split."""
    inputs: dict[str, InputReport]
    flagged: dict[str, dict[str, int]]
    """Split -> flag -> number of its pairs that have the flag."""
    screened: dict[str, ScreenedSet]
    """The named test sets that the training pairs were compared with."""
    given: tuple[str, ...]
    """The splits that the user gave and that are kept as they are."""
    digest: str
    """SHA-256 of split names and sentences, which is equal for equal content."""


def merged(reports: Sequence[InputReport]) -> InputReport:
    """Add up the reports of several inputs."""
    whole = InputReport()
    for report in reports:
        whole.read += report.read
        whole.kept += report.kept
        for rule, found in report.dropped.items():
            sum_of = whole.dropped.setdefault(rule, Finding())
            sum_of.count += found.count
            sum_of.examples += found.examples
    return whole


def shorten(pair: Pair) -> dict[str, str]:
    """Return both sides of a pair, cut to the length of an example."""
    return {
        "source": shortened(pair.source, EXAMPLE_CHARACTERS),
        "target": shortened(pair.target, EXAMPLE_CHARACTERS),
    }
