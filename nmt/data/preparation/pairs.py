"""Arrays that stand for the pairs while all of them are compared; their text stays on disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nmt.data.cleaning import Features
from nmt.data.overlap import Keys, keys_of
from nmt.data.preparation.blocks import features_and_keys, kept_rows

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

    def take(self, rows: Rows | Mask) -> "Origin":
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
        self.features = take_features(self.features, kept)
        # In place, since the keys take most of the memory.
        self.keys.keep(kept)

    def take(self, rows: Rows | Mask) -> "Pairs":
        """Copy some pairs."""
        features = take_features(self.features, rows)
        return Pairs(self.origin.take(rows), features, self.keys.take(rows))

    def of_part(self, number: int) -> Mask:
        """Tell which pairs are from one input."""
        return self.origin.part == number


@dataclass
class Collector:
    """The arrays of some inputs while their blocks arrive."""

    _origins: list[Origin] = field(default_factory=list[Origin])
    _features: list[Features] = field(default_factory=list[Features])
    _keys: list[Keys] = field(default_factory=list[Keys])

    def add(self, cleaned: pa.Table, part: int, first_row: int) -> None:
        """Add the kept pairs of a processed block.

        Args:
            cleaned: the block.
            part: index of its input.
            first_row: row of the stored text of its first pair.
        """
        count = kept_rows(cleaned)
        line = cleaned["line"].slice(0, count).to_numpy().copy()
        rows = np.arange(first_row, first_row + count)
        self._origins.append(Origin(np.full(count, part, np.uint16), line, rows))
        features, keys = features_and_keys(cleaned)
        self._features.append(features)
        self._keys.append(keys)

    def pairs(self) -> Pairs:
        """Join all blocks, and forget them."""
        empty = Origin(np.empty(0, np.uint16), np.empty(0, np.uint32), np.empty(0, np.int64))
        origins = [empty, *self._origins]
        origin = Origin(
            *(
                np.concatenate([getattr(each, column.name) for each in origins])
                for column in fields(Origin)
            )
        )
        self._origins.clear()
        features = Features.concatenated(self._features)
        self._features.clear()
        return Pairs(origin, features, Keys.concatenated(self._keys or [keys_of([], [], 0)]))


def take_features(features: Features, rows: Rows | Mask) -> Features:
    """Return the features of some pairs."""
    return Features(features.log_ratios[rows], features.lengths[rows], features.flags[rows])


def chunks(rows: Rows) -> Iterator[Rows]:
    """Cut rows into chunks whose text fits into memory."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[first : first + _ROWS_AT_ONCE]
