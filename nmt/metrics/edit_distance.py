"""Edit distances of sequences of words within sacreBLEU's beam, many of them at a time.

Row i of a matrix holds the distances of the first i words of a hypothesis from the first j words of
the reference, for each column j. A row is kept as the differences of neighbouring cells, one bit a
column, and the rows of many hypotheses lie side by side in one Python integer: a few operations
compute a row of them all.

Sources: Myers 1999, https://doi.org/10.1145/316542.316550; Hyyrö 2003, "A bit-vector algorithm for
computing Levenshtein and Damerau edit distances"
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
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
Change = tuple[int, int, int, int]
"""Columns that are new in the beam; by which its first cell moves; that of its first cell if it
moves; and those that nothing is reached from."""
_UNCHANGED: Change = 0, 0, 0, 0


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

    def encode(self, hypothesis: Sequence[str]) -> list[bytes]:
        """Find the columns that equal each word."""
        nowhere = self._write(0)
        return [self._columns.get(word, nowhere) for word in hypothesis]

    def distances(
        self, hypotheses: Sequence[Sequence[bytes]], *, all_far: bool = False
    ) -> NDArray[np.int64]:
        """Compute the distance of each hypothesis of encoded words.

        Args:
            hypotheses: encoded words.
            all_far: expect distances so long that the beam could exclude a cheaper way.
        """
        if all_far:
            return self._fill(hypotheses, in_beam=True)[0]
        found, _ = self._fill(hypotheses, in_beam=False)
        # The beam makes a row more work, so it is used only where it could matter.
        far = np.flatnonzero(found > self._inside)
        if far.size:
            found[far], _ = self._fill([hypotheses[int(index)] for index in far], in_beam=True)
        return found

    def align(self, hypothesis: Sequence[bytes]) -> Alignment:
        """Align a hypothesis of encoded words."""
        found, traces = self._fill([hypothesis], in_beam=False)
        is_exact = bool(found[0] <= self._inside)
        if not is_exact:
            found, traces = self._fill([hypothesis], in_beam=True)
        limits = [(0, self._width + 1)] * (self._length + 1) if is_exact else self._limits()
        matches = [int.from_bytes(word, "little") for word in hypothesis]
        return Alignment(int(found[0]), is_exact, *self._walk_back(matches, traces, limits))

    def _fill(
        self, hypotheses: Sequence[Sequence[bytes]], *, in_beam: bool
    ) -> tuple[NDArray[np.int64], list[Trace]]:
        """Compute all rows.

        Returns:
            The distances, and a trace of each row of a single hypothesis.
        """
        lanes = len(hypotheses)
        ones = self._repeat(1, lanes)
        everything = self._repeat((1 << self._width) - 1, lanes)
        changes = self._changes(lanes) if in_beam else repeat(_UNCHANGED)
        more, less = everything, 0  # cells that are one more, and one less, than that to the left
        traces: list[Trace] = []
        # What adds up to the value of the first cell of the beam.
        passed_more = passed_less = edge_rises = edge_falls = steps = edge = outside = 0
        columns = zip(*hypotheses, strict=True)
        for words, (new, moved, edge, outside) in zip(columns, changes, strict=False):
            word = int.from_bytes(b"".join(words), "little")
            if new:
                # A new column has no cell above. A large one there, and no match, leave only the
                # way from the left.
                more, less, word = more | new, less & ~new, word & ~(new << 1)
            if moved:
                passed_more |= more & moved
                passed_less |= less & moved
            if outside:
                inside = everything ^ outside
                more, less, word = more & inside, less & inside, word & inside
            more, less, equal, rises, falls = _next_row(more, less, word, ones, everything)
            if lanes == 1:  # only an alignment needs them, and those of many long texts are large
                traces.append((equal, rises))
            steps += not moved  # the first cell of the beam is then reached only from above
            edge_rises |= rises & edge
            edge_falls |= falls & edge
        inside = everything ^ (outside | edge)
        return (
            steps
            + self._count([passed_more | more & inside, edge_rises], lanes)
            - self._count([passed_less | less & inside, edge_falls], lanes)
        ), traces

    def _count(self, rows: Sequence[int], lanes: int) -> NDArray[np.int64]:
        """Count the bits of each hypothesis in all rows."""
        content = b"".join(row.to_bytes(self._bytes * lanes, "little") for row in rows)
        bits = np.bitwise_count(np.frombuffer(content, dtype=np.uint8))
        return bits.reshape(len(rows), lanes, -1).sum(axis=(0, 2), dtype=np.int64)

    def _write(self, bits: int) -> bytes:
        return bits.to_bytes(self._bytes, "little")

    def _repeat(self, bits: int, lanes: int) -> int:
        # A product would take time that grows with the square of a text's length.
        return int.from_bytes(self._write(bits) * lanes, "little") if bits else 0

    def _limits(self) -> Limits:
        """Compute the columns of the beam."""
        ratio = self._width / self._length
        beam = ceil(ratio / 2 + _BEAM_WIDTH) if ratio / 2 > _BEAM_WIDTH else _BEAM_WIDTH
        after = self._width + 1
        diagonal = [int(row * ratio) for row in range(1, self._length + 1)]
        inner = [(max(0, place - beam), min(after, place + beam)) for place in diagonal]
        return [(0, after), *inner[:-1], (inner[-1][0], after)]

    def _changes(self, lanes: int) -> Iterator[Change]:
        """Compute how the beam moves before each row, in all lanes."""
        for (old_first, old_end), (first, end) in pairwise(self._limits()):
            new = (1 << end - 1) - (1 << old_end - 1) if end > old_end else 0
            moved = (1 << first) - (1 << old_first)
            edge = (1 << first >> 1) if moved else 0
            # The first cell has no cell to its left. Unless it has one above and to the left, its
            # own column must not match either.
            outside = (1 << first) - 1 ^ edge
            yield (
                self._repeat(new, lanes),
                self._repeat(moved, lanes),
                self._repeat(edge, lanes),
                self._repeat(outside, lanes),
            )

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


def _next_row(
    more: int, less: int, word: int, ones: int, everything: int
) -> tuple[int, int, int, int, int]:
    """Compute a row from the one above and the columns that match its word.

    Returns:
        Cells that are one more, and one less, than that to the left; that equal the one above and
        to the left; and that are one more, and one less, than the one above.
    """
    equal = ((((word & more) + more) ^ more) | word | less) & everything
    rises = less | everything ^ (equal | more)
    falls = equal & more
    above = rises << 1 | ones
    more = (falls << 1 | everything ^ (everything & (equal | above))) & everything
    return more, above & equal, equal, rises, falls
