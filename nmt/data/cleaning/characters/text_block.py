"""Many texts as one array of code points, so that NumPy looks at all of them at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt.data.cleaning.characters.code_points import Bits, Codes, Kind

Mask = NDArray[np.bool_]
Counts = NDArray[np.int32]


class TextBlock:
    """Texts as code points, each followed by a separator."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Join the texts; each of them may have any character, the separator included."""
        joined = "\n".join(texts) + "\n"
        self.codes: Codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        self.lengths: Counts = np.fromiter(map(len, texts), np.int32, len(texts))
        self.separators = np.cumsum(self.lengths.astype(np.int64) + 1) - 1
        self.starts = self.separators - self.lengths

    def count(self, characters: Mask) -> Counts:
        """Count the characters of a mask in each text."""
        return np.add.reduceat(characters.view(np.uint8), self.starts, dtype=np.int32)

    def rows(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Find the text that each position belongs to."""
        return np.searchsorted(self.separators, positions)


class Side(TextBlock):
    """One side of a block of pairs: its texts, and the kinds of their characters."""

    def __init__(self, texts: Sequence[str], kinds: Bits) -> None:
        """Look up the kinds of all characters."""
        super().__init__(texts)
        self.texts = texts
        self._kinds: Bits = kinds[self.codes]
        self._kinds[self.separators] = np.uint32(Kind.SPACE)
        self._present = int(np.bitwise_or.reduce(self._kinds)) if texts else 0
        self._masks: dict[Kind, Mask] = {}
        self._counts: dict[Kind, Counts] = {}

    def has(self, kind: Kind) -> Mask:
        """Tell of each character whether it is of a kind; do not change the result."""
        if kind not in self._masks:
            self._masks[kind] = (self._kinds & np.uint32(kind)) != 0
        return self._masks[kind]

    def count_kind(self, kind: Kind) -> Counts:
        """Count the characters of a kind in each text; do not change the result."""
        if kind not in self._counts:
            # Most texts have no ideograms and nothing that is broken.
            found = self._present & kind
            empty = np.zeros(len(self.texts), np.int32)
            self._counts[kind] = self.count(self.has(kind)) if found else empty
        return self._counts[kind]

    def count_both(self, first: Kind, second: Kind) -> Counts:
        """Count the characters of each text that are of two kinds."""
        if not self._present & first or not self._present & second:
            return np.zeros(len(self.texts), np.int32)
        return self.count(self.has(first) & self.has(second))
