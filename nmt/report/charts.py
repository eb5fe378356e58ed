"""Charts of the report as inline SVG, made by pure functions."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nmt.report.formatting import clean, number, setting

# Shapes have classes instead of colours, so that the page's style sheet can follow a dark scheme.

_WIDTH, _SMALL_WIDTH = 460, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 30, 42


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; a missing value is written as not computed."""

    label: str
    value: float | None
    style: str
    """Class of the style sheet: `base`, `tuned` or `other-1`, `other-2` ..."""
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One curve over optimizer steps."""

    label: str
    points: tuple[tuple[float, float], ...]
    style: str
    """Class of the style sheet: `final`, `chosen`, `finished`, `pruned`, ..."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One trial: a setting's value and its BLEU."""

    label: str
    x: bool | float | str
    y: float
    style: str


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


def bar_chart(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> Markup:
    """Draw horizontal bars on one scale from 0 to 100, with 95 % intervals as whiskers."""
    # Long names of systems move the bars to the right, up to a third of the width.
    longest = max((len(bar.label) for _, bars in groups for bar in bars), default=0)
    start = min(max(70, 8 * longest), _WIDTH // 3)
    axis = Axis(0, 100, start, _WIDTH - 62, tuple((v, str(v)) for v in range(0, 101, 25)))
    parts: list[Markup] = []
    y = 18
    for heading, bars in groups:
        parts.append(_text(0, y, heading, "heading"))
        for index, bar in enumerate(bars):
            parts.append(_bar(axis, bar, y + 10 + 22 * index))
        y += 10 + 22 * len(bars) + 26
    height = y - 10
    grid = [
        Markup('<path class="grid" d="M{x} 24V{y}"/>').format(x=axis.place(v), y=height - 16)
        for v, _ in axis.ticks
    ]
    ticks = [_text(axis.place(v), height - 2, label, "middle") for v, label in axis.ticks]
    return _svg(title, height, [*grid, *parts, *ticks])


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    y_label: str,
    height: int = 300,
) -> Markup | None:
    """Draw curves over optimizer steps, each above the one before; None if there are no points."""
    points = [point for line in lines for point in line.points]
    if not points:
        return None
    x_axis = linear_axis([0, *(x for x, _ in points)], _LEFT, _WIDTH - _RIGHT, tight=True)
    y_axis = linear_axis([y for _, y in points], height - _BOTTOM, _TOP)
    drawn = [_line(line, x_axis, y_axis) for line in lines if line.points]
    frame = _frame(x_axis, y_axis, "optimizer steps", y_label, height)
    return _svg(title, height, [*frame, *drawn])


def scatter_chart(title: str, dots: Sequence[Dot], *, x_label: str, height: int = 210) -> Markup:
    """Draw BLEU against one searched setting."""
    values = [dot.x for dot in dots]
    x_axis, places = setting_axis(values, _LEFT + 14, _SMALL_WIDTH - _RIGHT - 14)
    y_axis = linear_axis([dot.y for dot in dots], height - _BOTTOM, _TOP)
    drawn = [
        Markup(
            '<circle class="dot {style}" cx="{x}" cy="{y}" r="5"><title>{label}</title></circle>'
        ).format(style=dot.style, x=place, y=y_axis.place(dot.y), label=clean(dot.label))
        for dot, place in zip(dots, places, strict=True)
    ]
    frame = _frame(x_axis, y_axis, x_label, "validation BLEU", height, _SMALL_WIDTH)
    return _svg(title, height, [*frame, *drawn], _SMALL_WIDTH)


def share_bar(share: float) -> Markup:
    """Draw a thin bar for a share between 0 and 1."""
    shape = Markup(
        '<svg class="share" viewBox="0 0 100 8" aria-hidden="true">'
        '<rect class="bar base" width="{width}" height="8" rx="2"/></svg>'
    )
    return shape.format(width=round(100 * min(max(share, 0), 1), 1))


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


def _bar(axis: Axis, bar: Bar, y: int) -> Markup:
    label = _text(0, y + 13, bar.label, "label")
    if bar.value is None:
        return label + _text(axis.start + 4, y + 13, number(None), "missing")
    end = axis.place(min(bar.value, axis.high))
    shape = Markup('<rect class="bar {style}" x="{x}" y="{y}" width="{w}" height="17" rx="2"/>')
    drawn = shape.format(style=bar.style, x=axis.start, y=y, w=round(end - axis.start, 1))
    edge = end
    if bar.interval:
        low, high = (axis.place(min(v, axis.high)) for v in bar.interval)
        whisker = Markup('<path class="whisker" d="M{a} {m}H{b}M{a} {t}v7M{b} {t}v7"/>')
        drawn += whisker.format(a=low, b=high, m=y + 8.5, t=y + 5)
        edge = max(end, high)
    return label + drawn + _text(edge + 6, y + 13, number(bar.value), f"value {bar.style}")


def _line(line: Line, x_axis: Axis, y_axis: Axis) -> Markup:
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    shape = Markup(
        '<g class="line {style}"><title>{label}</title><path d="{path}"/>'
        '<circle cx="{x}" cy="{y}" r="3.5"/></g>'
    )
    x, y = places[-1]
    return shape.format(style=line.style, label=clean(line.label), path=path, x=x, y=y)


def _frame(
    x_axis: Axis, y_axis: Axis, x_label: str, y_label: str, height: int, width: int = _WIDTH
) -> list[Markup]:
    right = width - _RIGHT
    parts = [
        _text((_LEFT + right) / 2, height - 4, x_label, "axis middle"),
        _text(2, 13, y_label, "axis"),
    ]
    for value, label in y_axis.ticks:
        y = y_axis.place(value)
        parts.append(Markup('<path class="grid" d="M{a} {y}H{b}"/>').format(a=_LEFT, b=right, y=y))
        parts.append(_text(_LEFT - 6, y + 4, label, "end"))
    y = height - _BOTTOM + 17
    return parts + [_text(x_axis.place(v), y, label, "middle") for v, label in x_axis.ticks]


def _text(x: float, y: float, text: str, style: str) -> Markup:
    shape = Markup('<text x="{x}" y="{y}" class="{style}">{text}</text>')
    return shape.format(x=round(x, 1), y=round(y, 1), style=style, text=clean(text))


def _svg(title: str, height: int, parts: Sequence[Markup], width: int = _WIDTH) -> Markup:
    shape = Markup(
        '<svg class="{style}" viewBox="0 0 {w} {h}" role="img" aria-label="{title}">{body}</svg>'
    )
    style = "wide" if width == _WIDTH else "small"
    body = Markup("").join(parts)
    return shape.format(style=style, w=width, h=height, title=clean(title), body=body)
