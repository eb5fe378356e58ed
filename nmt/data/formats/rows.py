"""What readers yield: pairs, and damaged rows, which are skipped up to a limit."""

from dataclasses import dataclass, field
from typing import NamedTuple

from nmt.errors import DataError

MAX_EXAMPLES = 5
"""Number of damaged rows that are kept to be shown."""


class RawPair(NamedTuple):
    """A pair as it is written in the file."""

    source: str
    target: str
    line: int = 0
    """Line of the file, counted from 1; the row of a Parquet file, the unit of an XML file."""
    score: float | None = None
    extra: tuple[str, ...] = ()
    """Values of `Corpus.extra_columns`, unless the format has no columns; in a test set, then the
    further references of a list."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read."""

    place: str
    """File and line."""
    problem: str

    def __str__(self) -> str:
        """Return the place and the problem."""
        return f"{self.place}: {self.problem}"


Row = RawPair | BadRow


@dataclass(slots=True)
class BadRows:
    """The damaged rows of an input; complete when all its rows have been read."""

    limit: int = 0
    """Number of damaged rows that are allowed."""
    of_test_set: bool = False
    """Whether every row must be read, since scores of fewer sentences cannot be compared."""
    count: int = 0
    examples: list[BadRow] = field(default_factory=list[BadRow])
    """The first damaged rows."""

    def add(self, row: BadRow) -> None:
        """Count a damaged row.

        Raises:
            DataError: the row is one more than allowed.
        """
        self.count += 1
        # A large file may have millions, so only the first are kept.
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(row)
        if self.count <= self.limit:
            return
        if self.of_test_set:
            raise DataError(f"{row}. A test set is scored whole, so correct the row")
        if not self.limit:
            raise DataError(f"{row}. To skip damaged rows, set data.max_bad_rows")
        raise DataError(
            f"{self.count} damaged rows, but data.max_bad_rows allows {self.limit}. The first: "
            f"{self.examples[0]}"
        )
