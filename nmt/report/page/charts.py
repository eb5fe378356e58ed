"""Charts of the report as inline SVG, made by pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nmt.report.formatting import clean, number
from nmt.report.page.axes import Axis, linear_axis, setting_axis

# Shapes have classes instead of colours, so that the page's style sheet can follow a dark scheme.

_WIDTH, _SMALL_WIDTH = 460, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 30, 42


@dataclass(frozen=True, slots=True)
class Line:
    """One curve over optimizer steps."""

    label: str
    points: tuple[tuple[float, float], ...]
    style: str
    """Class of the style sheet: `final`, `chosen`, `finished`, `pruned`, ..."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One point: a setting's value or a cost, and a score."""

    label: str
    x: bool | float | str
    y: float
    style: str
    name: str = ""
    """Text beside the dot."""


@dataclass(frozen=True, slots=True)
class Range:
    """One score with its 95 % interval, if it has one."""

    label: str
    value: float
    interval: tuple[float, float] | None
    style: str
    """Class of the style sheet: `base`, `tuned`, `engine` or `other-1`, `other-2` ..."""


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


def scatter_chart(
    title: str,
    dots: Sequence[Dot],
    *,
    x_label: str,
    y_label: str = "validation BLEU",
    height: int = 210,
) -> Markup:
    """Draw scores against a searched setting or a cost."""
    values = [dot.x for dot in dots]
    x_axis, places = setting_axis(values, _LEFT + 14, _SMALL_WIDTH - _RIGHT - 14)
    y_axis = linear_axis([dot.y for dot in dots], height - _BOTTOM, _TOP)
    drawn: list[Markup] = []
    names: list[tuple[float, float]] = []
    for dot, x in zip(dots, places, strict=True):
        y = y_axis.place(dot.y)
        name_y = y + 4
        # The names of systems of equal quality and cost would cover each other.
        while any(abs(name_y - b) < 12 and abs(x - a) < 70 for a, b in names):
            name_y += 12
        names.append((x, name_y))
        drawn.append(_dot(dot, x, y, name_y))
    frame = _frame(x_axis, y_axis, x_label, y_label, height, _SMALL_WIDTH)
    return _svg(title, height, [*frame, *drawn], _SMALL_WIDTH)


def _dot(dot: Dot, x: float, y: float, name_y: float) -> Markup:
    shape = Markup(
        '<circle class="dot {style}" cx="{x}" cy="{y}" r="5"><title>{label}</title></circle>'
    )
    drawn = shape.format(style=dot.style, x=x, y=y, label=clean(dot.label))
    if not dot.name:
        return drawn
    # A name at the right edge would be cut off, so it goes to the left of its dot.
    is_right = x > _SMALL_WIDTH - 9 * len(dot.name)
    name = _text(x - 9 if is_right else x + 9, name_y, dot.name, "end" if is_right else "name")
    return drawn + name


def interval_chart(title: str, rows: Sequence[Range]) -> Markup:
    """Draw scores with their intervals.

    The axis begins near the lowest score: from 0 on, close systems would look the same.
    """
    # Long names of systems move the axis to the right, up to a third of the width.
    start = min(max(70, 10 * max(len(row.label) for row in rows)), _WIDTH // 3)
    ends = [end for row in rows for end in (row.interval or (row.value, row.value))]
    axis = linear_axis(ends, start, _WIDTH - 54)
    bottom = 12 + 22 * len(rows)
    parts: list[Markup] = []
    for value, label in axis.ticks:
        line = Markup('<path class="grid" d="M{x} 4V{y}"/>')
        parts.append(line.format(x=axis.place(value), y=bottom))
        parts.append(_text(axis.place(value), bottom + 14, label, "middle"))
    parts += [_range(axis, row, 18 + 22 * index) for index, row in enumerate(rows)]
    return _svg(title, bottom + 18, parts)


def _range(axis: Axis, row: Range, y: int) -> Markup:
    place = axis.place(row.value)
    drawn = _text(0, y + 4, row.label, "label")
    edge = place
    if row.interval:
        low, edge = (axis.place(end) for end in row.interval)
        whisker = Markup('<path class="whisker" d="M{a} {y}H{b}M{a} {t}v8M{b} {t}v8"/>')
        drawn += whisker.format(a=low, b=edge, y=y, t=y - 4)
    shape = Markup('<circle class="dot {style}" cx="{x}" cy="{y}" r="5"/>')
    drawn += shape.format(style=row.style, x=place, y=y)
    return drawn + _text(edge + 8, y + 4, number(row.value), f"value {row.style}")


def calibration_chart(title: str, lines: Sequence[Line], *, height: int = 260) -> Markup:
    """Draw the seen share of usable translations over the estimated one, both in percent."""
    ticks = tuple((value, str(value)) for value in range(0, 101, 25))
    x_axis = Axis(0, 100, _LEFT, _SMALL_WIDTH - _RIGHT, ticks)
    y_axis = Axis(0, 100, height - _BOTTOM, _TOP, ticks)
    exact = Line("estimated as seen", ((0, 0), (100, 100)), "exact")
    drawn = [_line(line, x_axis, y_axis) for line in [exact, *lines]]
    labels = ("usable, estimated (%)", "usable, seen (%)")
    frame = _frame(x_axis, y_axis, *labels, height, _SMALL_WIDTH)
    return _svg(title, height, [*frame, *drawn], _SMALL_WIDTH)


def share_bar(share: float) -> Markup:
    """Draw a thin bar for a share between 0 and 1."""
    shape = Markup(
        '<svg class="share" viewBox="0 0 100 8" aria-hidden="true">'
        '<rect class="bar base" width="{width}" height="8" rx="2"/></svg>'
    )
    return shape.format(width=round(100 * min(max(share, 0), 1), 1))


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
