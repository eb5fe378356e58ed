"""Edit distances of sequences of words within sacreBLEU's beam, many of them at a time.

Row i of a matrix holds the distances of the first i words of a hypothesis from the first j words of
the reference, for each column j. A row is kept as the differences of neighbouring cells, one bit a
column, and the rows of many hypotheses lie side by side in one Python integer: a few operations
compute a row of them all.

Sources: Myers 1999, https://doi.org/10.1145/316542.316550; Hyyrö 2003, "A bit-vector algorithm for
computing Levenshtein and Damerau edit distances"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

_BEAM_WIDTH = 25
"""Columns that sacreBLEU keeps on each side of the diagonal."""
_INSIDE = 46
"""The beam excludes a cheapest path of d edits between m and n words only if d + |m - n| is more:
such a path has at most (d + |m - n|) / 2 insertions or deletions to leave the diagonal by."""

Limits = list[tuple[int, int]]
"""For each row, the first column of the beam and the one after its last."""
Trace = tuple[int, int]
"""Of a row, bit j - 1 for column j: cells that equal the cell above and to the left; and cells that
are one more than the cell above."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """The cheapest edits between a hypothesis and the reference."""

    distance: int
    is_exact: bool
    """Whether no cheaper edits exist outside the beam."""
    words: list[int]
    """For each word of the reference its word of the hypothesis, or else the last one before."""
    edited: list[bool]
    """Which words of the hypothesis are edited."""
    edited_reference: list[bool]
    """Which words of the reference are edited."""


class EditDistance:
    """Distances of hypotheses of equal length from one reference."""

    def __init__(self, reference: Sequence[str], length: int) -> None:
        """Take the words of the reference and the number of words of each hypothesis."""
        self._width = len(reference)
        self._length = length
        # One more bit than columns, for the carry of an addition.
        self._bytes = self._width // 8 + 1
        self._inside = _INSIDE - abs(self._width - length)
        columns: dict[str, int] = {}
        for column, word in enumerate(reference):
            columns[word] = columns.get(word, 0) | 1 << column
        self._columns = {word: self._write(bits) for word, bits in columns.items()}
        self._limits: Limits = []

    def encode(self, hypothesis: Sequence[str]) -> list[bytes]:
        """Find the columns that equal each word."""
        nowhere = self._write(0)
        return [self._columns.get(word, nowhere) for word in hypothesis]

    def distances(self, hypotheses: Sequence[Sequence[bytes]]) -> NDArray[np.int64]:
        """Compute the distance of each hypothesis of encoded words."""
        found, _ = self._fill(hypotheses, None)
        # The beam matters only where it could exclude a cheaper way, and makes a row more work.
        far = np.flatnonzero(found > self._inside)
        if far.size:
            found[far], _ = self._fill([hypotheses[int(index)] for index in far], self._beam())
        return found

    def align(self, hypothesis: Sequence[bytes]) -> Alignment:
        """Align a hypothesis of encoded words."""
        limits: Limits = [(0, self._width + 1)] * (self._length + 1)
        found, traces = self._fill([hypothesis], None)
        is_exact = bool(found[0] <= self._inside)
        if not is_exact:
            limits = self._beam()
            found, traces = self._fill([hypothesis], limits)
        matches = [int.from_bytes(word, "little") for word in hypothesis]
        return Alignment(int(found[0]), is_exact, *self._walk_back(matches, traces, limits))

    def _fill(
        self, hypotheses: Sequence[Sequence[bytes]], limits: Limits | None
    ) -> tuple[NDArray[np.int64], list[Trace]]:
        """Compute all rows.

        Args:
            hypotheses: encoded words.
            limits: cells outside are never used; None: there is no beam.

        Returns:
            The distances, and a trace of each row.
        """
        lanes = len(hypotheses)
        ones = int.from_bytes(self._write(1) * lanes, "little")
        everything = ((1 << self._width) - 1) * ones
        more, less = everything, 0  # cells that are one more, and one less, than that to the left
        traces: list[Trace] = []
        # What adds up to the value of the first cell of the beam.
        risen, fallen, steps = list[int](), list[int](), 0
        for number, column in enumerate(zip(*hypotheses, strict=True)):
            word = int.from_bytes(b"".join(column), "little")
            moved = edge = 0
            if limits:
                more, less, word = _enlarge(more, less, word, limits[number : number + 2], ones)
                moved, edge, inside = _shrink(limits[number : number + 2], ones)
                risen.append(more & moved)
                fallen.append(less & moved)
                more, less, word = more & inside, less & inside, word & inside
            equal = ((((word & more) + more) ^ more) | word | less) & everything
            rises = less | everything ^ (equal | more)
            falls = equal & more
            above = rises << 1 | ones
            more = (falls << 1 | everything ^ (everything & (equal | above))) & everything
            less = above & equal
            traces.append((equal, rises))
            if moved:
                risen.append(rises & edge)
                fallen.append(falls & edge)
            else:
                steps += 1  # the first cell of the beam is reached only from above
        inside = ~(((1 << limits[-1][0]) - 1) * ones) if limits else -1
        risen.append(more & inside)
        fallen.append(less & inside)
        return steps + self._count(risen, lanes) - self._count(fallen, lanes), traces

    def _count(self, rows: Sequence[int], lanes: int) -> NDArray[np.int64]:
        """Count the bits of each hypothesis in all rows."""
        content = b"".join(row.to_bytes(self._bytes * lanes, "little") for row in rows)
        bits = np.bitwise_count(np.frombuffer(content, dtype=np.uint8))
        return bits.reshape(len(rows), lanes, -1).sum(axis=(0, 2), dtype=np.int64)

    def _write(self, bits: int) -> bytes:
        return bits.to_bytes(self._bytes, "little")

    def _beam(self) -> Limits:
        if not self._limits:
            ratio = self._width / self._length
            beam = ceil(ratio / 2 + _BEAM_WIDTH) if ratio / 2 > _BEAM_WIDTH else _BEAM_WIDTH
            after = self._width + 1
            diagonal = [int(row * ratio) for row in range(1, self._length + 1)]
            inner = [(max(0, place - beam), min(after, place + beam)) for place in diagonal]
            self._limits = [(0, after), *inner[:-1], (inner[-1][0], after)]
        return self._limits

    def _walk_back(
        self, matches: Sequence[int], traces: Sequence[Trace], limits: Limits
    ) -> tuple[list[int], list[bool], list[bool]]:
        """Follow the cheapest edits back from the last cell."""
        words = [-1] * self._width
        edited = [True] * self._length
        edited_reference = [True] * self._width
        row, column = self._length, self._width
        while row and column:
            first, end = limits[row - 1]
            equal, rises = (bits >> column - 1 & 1 for bits in traces[row - 1])
            match = matches[row - 1] >> column - 1 & 1
            # Of equal costs, sacreBLEU takes the match or substitution, then the word that only the
            # hypothesis has, then the one that only the reference has.
            if first < column <= end and (match or not equal):
                row, column = row - 1, column - 1
                words[column] = row
                edited[row] = edited_reference[column] = not match
            elif first <= column < end and rises:
                row -= 1
            else:
                column -= 1
                words[column] = row - 1
        return words, edited, edited_reference


def _enlarge(more: int, less: int, word: int, limits: Limits, ones: int) -> tuple[int, int, int]:
    """Add the columns that enter the beam on the right between two rows."""
    (_, old_end), (_, end) = limits
    if end <= old_end:
        return more, less, word
    # A new column has no cell above. A large one there, and no match, leave only the way from the
    # left.
    new = ((1 << end - 1) - (1 << old_end - 1)) * ones
    return more | new, less & ~new, word & ~(new << 1)


def _shrink(limits: Limits, ones: int) -> tuple[int, int, int]:
    """Find the columns that leave the beam on the left between two rows.

    Returns:
        The columns by which its first cell moves, this cell, and the columns that can be reached
        from their left.
    """
    (old_first, _), (first, _) = limits
    if first == old_first:
        return 0, 0, ~(((1 << first) - 1) * ones)
    moved = (1 << first) - (1 << old_first)
    return moved * ones, (1 << first - 1) * ones, ~(((1 << first - 1) - 1) * ones)
