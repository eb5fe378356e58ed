"""Axes of charts: values as pixels, and ticks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt.report.formatting import setting


@dataclass(frozen=True, slots=True)
class Axis:
    """A mapping of values to pixels, with ticks."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""
    ticks: tuple[tuple[float, str], ...]
    """Value, label."""
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, value = (
            math.log(v) if self.logarithmic else v for v in (self.low, self.high, value)
        )
        share = (value - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)


def linear_axis(values: Iterable[float], start: float, end: float, *, tight: bool = False) -> Axis:
    """Build an axis over all values.

    Args:
        values: the values to show.
        start: pixel of the lowest value.
        end: pixel of the highest value.
        tight: end the axis at the outermost values, rather than at round ticks beyond them.
    """
    low, high = _range(values)
    step = _round_step((high - low) / 4)
    # The margin keeps rounding errors from adding a tick beyond a round end.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(index * step, 10) for index in range(first, last + 1)]
    if tight:
        ticks = [tick for tick in ticks if low <= tick <= high]
    ends = (low, high) if tight else (ticks[0], ticks[-1])
    return Axis(*ends, start, end, tuple((v, f"{v:g}") for v in ticks))


def setting_axis(
    values: Sequence[bool | float | str], start: float, end: float
) -> tuple[Axis, list[float]]:
    """Build an axis over a setting's values, and return it with the pixel of each value."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):  # words are spread evenly
        names = sorted({setting(value) for value in values})
        axis = Axis(-0.5, len(names) - 0.5, start, end, tuple(enumerate(names)))
        return axis, [axis.place(names.index(setting(value))) for value in values]
    low, high = _range(numbers)
    # Learning rates and ranks are tried in wide ranges, of which a linear axis shows one end only.
    if min(numbers) > 0 and max(numbers) >= 4 * min(numbers):
        low, high = min(numbers), max(numbers)
        ticks = tuple((v, setting(v)) for v in _log_ticks(sorted(set(numbers))))
        axis = Axis(low, high, start, end, ticks, logarithmic=True)
    else:
        axis = linear_axis([low, high], start, end)
    return axis, [axis.place(value) for value in numbers]


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Choose all values as ticks if they are few integers, else 1, 2 and 5 times powers of ten."""
    if len(values) <= 5 and all(isinstance(value, int) for value in values):
        return list(values)
    powers = range(math.floor(math.log10(values[0])), math.ceil(math.log10(values[-1])) + 1)
    steps = (1,) if len(powers) > 4 else (1, 2, 5)
    round_ones = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in round_ones if values[0] <= tick <= values[-1]]


def _range(values: Iterable[float]) -> tuple[float, float]:
    low, high = min(values := list(values)), max(values)
    # An axis needs two different ends.
    margin = max(abs(low) * 0.1, 0.5) if low == high else 0
    return low - margin, high + margin


def _round_step(step: float) -> float:
    """Round a step up to 1, 2, 2.5, 5 or 10 times a power of ten."""
    power = 10 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))
