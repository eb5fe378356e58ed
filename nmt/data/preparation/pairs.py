"""Arrays that stand for the pairs while all of them are compared; their text stays on disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nmt.data.cleaning import Features
from nmt.data.overlap import Keys
from nmt.data.preparation.blocks import NO_KEYS, features_and_keys, kept_rows

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
_ROWS_AT_ONCE = 20_000


@dataclass
class Origin:
    """Where pairs are from, and where their text is."""

    part: NDArray[np.uint16]
    """Index of the input."""
    line: NDArray[np.uint32]
    """Line in its file."""
    row: Rows
    """Row of the stored text."""

    def take(self, rows: Rows | Mask | slice) -> "Origin":
        """Return the origin of some pairs."""
        return Origin(self.part[rows], self.line[rows], self.row[rows])


@dataclass
class Dropped:
    """The pairs that one comparison dropped."""

    rule: str
    origin: Origin
    values: Sequence[str | None]
    """What the rule measured for each."""


@dataclass
class Pairs:
    """The pairs that are left of some inputs, in order, and those that comparisons dropped."""

    origin: Origin
    features: Features
    keys: Keys
    dropped: list[Dropped] = field(default_factory=list[Dropped])

    def __len__(self) -> int:
        return len(self.origin.row)

    def drop(self, rule: str, mask: Mask, values: Sequence[str | None] | None = None) -> None:
        """Remove pairs.

        Args:
            rule: why.
            mask: True for the pairs to remove.
            values: what the rule measured for each removed pair.
        """
        if not mask.any():
            return
        origin = self.origin.take(mask)
        self.dropped.append(Dropped(rule, origin, values or [None] * len(origin.row)))
        kept = ~mask
        self.origin = self.origin.take(kept)
        self.features = self.features.take(kept)
        # In place, since the keys take most of the memory.
        self.keys.keep(kept)

    def take(self, rows: Rows | Mask) -> "Pairs":
        """Copy some pairs."""
        return Pairs(self.origin.take(rows), self.features.take(rows), self.keys.take(rows))

    def of_part(self, number: int) -> Mask:
        """Tell which pairs are from one input."""
        return self.origin.part == number


class Collector:
    """The arrays of some inputs while their blocks arrive."""

    def __init__(self, capacity: int) -> None:
        """Reserve space.

        Args:
            capacity: maximum number of pairs.
        """
        # Reserved at once, since joining the arrays of all blocks would take the memory twice.
        # Pages that no pair fills are never used.
        self._count = 0
        self._origin = Origin(
            np.empty(capacity, np.uint16),
            np.empty(capacity, np.uint32),
            np.empty(capacity, np.int64),
        )
        self._features = Features(
            np.empty(capacity, np.float32),
            np.empty(capacity, np.int32),
            np.empty(capacity, np.uint8),
        )
        self._keys = Keys(
            **{
                column.name: _reserved(getattr(NO_KEYS, column.name), capacity)
                for column in fields(Keys)
            }
        )

    def add(self, cleaned: pa.Table, part: int, first_row: int) -> None:
        """Add the kept pairs of a processed block.

        Args:
            cleaned: the block.
            part: index of its input.
            first_row: row of the stored text of its first pair.
        """
        count = kept_rows(cleaned)
        rows = slice(self._count, self._count + count)
        self._origin.part[rows] = part
        self._origin.line[rows] = cleaned["line"].slice(0, count).to_numpy()
        self._origin.row[rows] = np.arange(first_row, first_row + count)
        features, keys = features_and_keys(cleaned)
        for whole, block in ((self._features, features), (self._keys, keys)):
            for column in fields(whole):
                getattr(whole, column.name)[rows] = getattr(block, column.name)
        self._count += count

    def pairs(self) -> Pairs:
        """Return the pairs of all blocks."""
        rows = slice(0, self._count)
        keys = {column.name: getattr(self._keys, column.name)[rows] for column in fields(Keys)}
        return Pairs(self._origin.take(rows), self._features.take(rows), Keys(**keys))


def _reserved(template: NDArray[Any], capacity: int) -> NDArray[Any]:
    """Return an array of the type and width of another one."""
    return np.empty((capacity, *template.shape[1:]), template.dtype)


def chunks(rows: Rows) -> Iterator[Rows]:
    """Cut rows into chunks whose text fits into memory."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[first : first + _ROWS_AT_ONCE]
