"""A check that two text files do not slip: that line n of one translates line n of the other.

A long sentence has a long translation. Where the lengths of the lines agree only after one side is
moved by some lines, the files have slipped. The lengths must agree clearly better than unmoved, so
that text whose lengths never agree, such as a dictionary, is not refused.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.rows import BadRow, Row
from nmt.errors import DataError

Lengths = NDArray[np.float64]
"""Logarithms of the numbers of characters."""


class _Scale(NamedTuple):
    """A number of lines that are compared at once."""

    lines: int
    step: int
    """Number of lines between two comparisons."""
    max_shift: int


# The shorter the window, the fewer slipped lines are found; the longer, the more noise is allowed.
_SCALES = (_Scale(40, 20, 12), _Scale(100, 40, 12), _Scale(300, 100, 150))
_MIN_LINES = 30
"""Minimum number of lines that are compared; shorter files are not checked."""
_ALIGNED = 0.6
"""Correlation from which lines are taken to be aligned, without a look at other shifts."""
# Both are in standard errors of a correlation. They were set so that 3.6 million lines of aligned
# text in many languages, most of them short texts of programs, give no alarm.
_MIN_AGREEMENT = 6.0
_MIN_ADVANTAGE = 3.5
_MAX_RESIDUAL = 1.0
"""Difference of log lengths from which a larger one says nothing more."""
_BUFFER_LINES = 1200


class Slip(NamedTuple):
    """A place where two texts stop to be aligned."""

    line: int
    """Estimate of the first line that is not aligned, counted from 1."""
    shift: int
    """Line n of the source is translated by line n + shift of the target."""
    unmoved: float
    """Correlation of the lengths of lines with the same number."""
    moved: float
    """Correlation after the shift."""


class AlignmentCheck:
    """A comparison of the lengths of lines, which are given in order."""

    def __init__(self) -> None:
        self._source: list[float] = []
        self._target: list[float] = []
        self._first_line = 1
        """Number of the first line in the buffer."""
        self._count = 0

    def add(self, source: str, target: str) -> Slip | None:
        """Take the next two lines, and return a slip if the last lines show one."""
        self._source.append(math.log1p(len(source)))
        self._target.append(math.log1p(len(target)))
        self._count += 1
        if self._count % _SCALES[0].step:
            return None
        # At twice the size, so that the lists are not cut at every comparison.
        if len(self._source) >= 2 * _BUFFER_LINES:
            self._first_line += len(self._source) - _BUFFER_LINES
            del self._source[:-_BUFFER_LINES], self._target[:-_BUFFER_LINES]
        for scale in _SCALES:
            if self._count % scale.step == 0:
                slip = self._compare(scale)
                if slip:
                    return slip
        return None

    def finish(self) -> Slip | None:
        """Compare the last lines, or all of a short text."""
        count = len(self._source)
        # Near the end, a target that has moved down has no line left, so fewer shifts are tried.
        for scale in _SCALES[:2]:
            shift = min(scale.max_shift, (count - _MIN_LINES) // 2)
            lines = min(scale.lines, count - 2 * shift)
            if shift > 0 and lines >= _MIN_LINES:
                slip = self._compare(_Scale(lines, 1, shift))
                if slip:
                    return slip
        return None

    def _compare(self, scale: _Scale) -> Slip | None:
        shift, size = scale.max_shift, scale.lines + 2 * scale.max_shift
        if len(self._source) < size:
            return None
        source, target = np.array(self._source[-size:]), np.array(self._target[-size:])
        # Most text is aligned, and is passed on at once, since ranks cost more.
        if _correlation(source[shift:-shift], target[shift:-shift]) >= _ALIGNED:
            return None
        # Ranks, so that a few empty lines do not decide.
        found = _correlations(_ranks(source)[shift:-shift], _ranks(target))
        # On this scale of Fisher, the error does not depend on the correlation.
        scores = np.arctanh(np.clip(found, -0.995, 0.995)) * math.sqrt(scale.lines - 3)
        unmoved = scores[shift]
        # The best of the other shifts is compared with no shift.
        scores[shift] = -np.inf
        best = int(scores.argmax())
        if scores[best] < _MIN_AGREEMENT:
            return None
        if scores[best] - unmoved < _MIN_ADVANTAGE * math.sqrt(2):
            return None
        line = self._start(best - shift, scale)
        return Slip(line, best - shift, float(found[shift]), float(found[best]))

    def _start(self, shift: int, scale: _Scale) -> int:
        """Find the line from which on the shift fits better than no shift."""
        source, target = np.array(self._source), np.array(self._target)
        # Only lines that have a partner both with the shift and without it.
        first, last = max(0, -shift), len(source) - max(0, shift)
        unmoved = target[first:last] - source[first:last]
        moved = target[first + shift : last + shift] - source[first:last]
        usual = np.median(moved[-scale.lines :])
        # Capped, since one pair of very different lengths would outweigh many lines.
        gain = np.minimum(abs(unmoved - usual), _MAX_RESIDUAL)
        gain -= np.minimum(abs(moved - usual), _MAX_RESIDUAL)
        # The sum of what the shift gains in the lines from each one on is the largest at the slip.
        gains = np.cumsum(gain[::-1])[::-1]
        return self._first_line + first + int(gains.argmax())


def refuse_slips(rows: Iterable[Row], source: InputFile, target: InputFile) -> Iterator[Row]:
    """Pass on the rows of two text files.

    Raises:
        DataError: the files slip; says where.
    """
    check = AlignmentCheck()
    for row in rows:
        # An empty pair in place of a damaged row keeps the count of the lines.
        slip = check.add("", "") if isinstance(row, BadRow) else check.add(row.source, row.target)
        if slip:
            _refuse(slip, source, target)
        yield row
    slip = check.finish()
    if slip:
        _refuse(slip, source, target)


def _refuse(slip: Slip, source: InputFile, target: InputFile) -> None:
    amount = f"{abs(slip.shift)} line{'s' if abs(slip.shift) > 1 else ''}"
    place = "further down" if slip.shift > 0 else "further up"
    raise DataError(
        f"{source} and {target} slip at about line {slip.line}: from there on, a line of the "
        f"second file is the translation {amount} {place} (the lengths of the lines correlate "
        f"with {slip.moved:.2f} after a shift, and with {slip.unmoved:.2f} as they are). Look for "
        "a line that is missing or added there, and correct the file. If the files are right, "
        "join them: paste FIRST SECOND > pairs.tsv"
    )


def _correlation(first: Lengths, second: Lengths) -> float:
    first, second = first - first.sum() / len(first), second - second.sum() / len(second)
    spread = math.sqrt(first.dot(first) * second.dot(second))
    return first.dot(second) / spread if spread else 0.0


def _correlations(fixed: Lengths, longer: Lengths) -> Lengths:
    """Compute the correlation of a text with every part of its length of a longer text."""
    parts = sliding_window_view(longer, len(fixed))
    centred = fixed - fixed.mean()
    spread = parts.std(axis=1) * fixed.std() * len(fixed)
    # Lines that all have the same length correlate with nothing.
    return (parts @ centred) / np.maximum(spread, 1e-9)


def _ranks(values: Lengths) -> Lengths:
    """Return the rank of each value; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
