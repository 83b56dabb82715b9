"""What charts with two axes share: marks, a frame that maps data to mm, ticks, labels set apart."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from osteometa.figures.palette import BLACK, BLUE, GREEN, GREY, ORANGE, SMALL, VERMILION
from osteometa.figures.style import (
    LINE,
    new_figure,
    polygon,
    put,
    put_lines,
    rectangle,
    text_width,
    wrapped,
)
from osteometa.io.csv_records import columns_of
from osteometa.wording.vocabulary import Phase

Row = TypeVar("Row")
MARGIN = 2.0
TEXT_HEIGHT = 2.6
# Exercise types differ in colour and in shape, so that neither is needed alone.
TYPE_MARKS = {
    "resistance": (BLUE, "circle"),
    "aerobic": (ORANGE, "square"),
    "high_intensity": (VERMILION, "triangle"),
    "combined": (GREEN, "diamond"),
    "other": (GREY, "cross"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark of a chart, as it is drawn."""

    kind: str
    """point, interval, diamond, line, bar, cell, heading or message."""
    label: str = ""
    group: str = ""
    shape: str = ""
    text: str = ""
    """Numbers written beside the mark."""
    effect_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRow(Mark):
    """A mark as a row of the figure's CSV: None where it has no such number."""

    x: float | None = None
    y: float | None = None
    low: float | None = None
    high: float | None = None
    size: float | None = None
    """What the area of a mark shows: weight or participants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At(Mark):
    """A mark that has a place on the horizontal axis."""

    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(At):
    """A mark that has a place on both axes."""

    kind: str = "point"
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(At):
    """An estimate at x with its interval."""

    kind: str = "interval"
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit(Point):
    """A point with an interval of y."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Mark):
    """A number of studies or participants."""

    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCount(Count):
    """A count that belongs to one outcome in one phase."""

    phase: Phase
    outcome: str
    x: float

    @property
    def place(self) -> tuple[Phase, str]:
        """The row of the figure in which it is drawn."""
        return self.phase, self.outcome


def flat(record: type[Row], rows: Iterable[Any]) -> list[Row]:
    """Return marks as rows of one record: without a number where a mark has none."""
    names = columns_of(record)
    return [record(**{n: getattr(row, n) for n in names if hasattr(row, n)}) for row in rows]


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawing area in mm and the data that it shows."""

    left: float
    right: float
    top: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """Return the distance of a value from the left, mm."""
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return the distance of a value from the top, mm; y_high is at the top."""
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - share * (self.bottom - self.top)


def padded(values: Sequence[float], share: float = 0.06) -> tuple[float, float]:
    """Return a range that holds all values with a margin; never empty."""
    low, high = min(values), max(values)
    pad = share * (high - low) or 0.5 * abs(high) or 1.0
    return low - pad, high + pad


FAR, REACH = 5.0, 1.5
"""How many typical widths of an interval an estimate may lie from the others, and an interval
reach from its estimate, before it is drawn as an arrow instead of widening the axis."""


def axis_range(
    intervals: Sequence[tuple[float, float, float]], room: float = 0.0
) -> tuple[float, float]:
    """Return the range of an axis of (estimate, low, high); no effect (0) is inside.

    Estimates further from the median of all than FAR typical widths do not count, nor do the ends
    of an interval further from its estimate than REACH typical widths. The typical width is the
    median of all. `room`, below 0.5, is the share of the axis at least on either side of no effect.
    """
    typical = median(high - low for _, low, high in intervals)
    centre = median(x for x, _, _ in intervals)
    near = [row for row in intervals if abs(row[0] - centre) <= FAR * typical] or intervals
    low = min(0.0, *(max(a, x - REACH * typical) for x, a, _ in near))
    high = max(0.0, *(min(b, x + REACH * typical) for x, _, b in near))
    pad = 0.04 * (high - low) or 1.0
    low, high = low - pad, high + pad
    most = room / (1 - room)
    return min(low, -most * high), max(high, -most * low)


Ticks = Sequence[tuple[float, str]]


def plain_ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Return round ticks of an axis that is shown as it is."""
    low, high = sorted((low, high))
    values = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [(float(v), number(v)) for v in values if low <= v <= high]


def number(value: float) -> str:
    """Return a number of a few digits with a true minus sign."""
    text = format(Decimal(f"{value:.6g}"), "f")  # 0.00005, not 5e-05
    return text.replace("-", "\N{MINUS SIGN}") if abs(value) > 1e-12 else "0"


def draw_axes(
    axes: Axes, frame: Frame, *, x_ticks: Ticks, y_ticks: Ticks, x_title: str, y_title: str
) -> None:
    """Draw the two axes with round ticks; a tick text that would touch another is left out."""
    axes.plot([frame.left, frame.right], [frame.bottom, frame.bottom], color=BLACK, lw=0.6)
    axes.plot([frame.left, frame.left], [frame.top, frame.bottom], color=BLACK, lw=0.6)
    draw_ticks(axes, frame.x, frame.bottom, x_ticks)
    draw_y_ticks(axes, frame, y_ticks)
    put(axes, (frame.left + frame.right) / 2, frame.bottom + 6.4, x_title, size=SMALL,
        align="center")  # fmt: skip
    put(axes, MARGIN, frame.top - 2.8, y_title, size=SMALL)


def draw_ticks(
    axes: Axes, place: Callable[[float], float], y: float, ticks: Ticks, *, below: float = 2.8,
    free: float = -math.inf,
) -> None:  # fmt: skip
    """Draw the ticks of a horizontal axis at height y, texts that would touch left out.

    `place` returns where a value is, mm; texts are `below` the axis, and right of `free`.
    """
    for value, text in ticks:
        x, half = place(value), text_width(text, SMALL) / 2
        axes.plot([x, x], [y, y + 0.9], color=BLACK, lw=0.6)
        if x - half > free:
            put(axes, x, y + below, text, size=SMALL, align="center")
            free = x + half + 0.8


def draw_y_ticks(axes: Axes, frame: Frame, ticks: Ticks) -> None:
    """Draw the ticks of the vertical axis from the bottom, texts that would touch left out."""
    free = math.inf
    for value, text in sorted(ticks, key=lambda tick: -frame.y(tick[0])):
        y = frame.y(value)
        axes.plot([frame.left - 0.9, frame.left], [y, y], color=BLACK, lw=0.6)
        if y + TEXT_HEIGHT / 2 < free:
            put(axes, frame.left - 1.5, y, text, size=SMALL, align="right")
            free = y - TEXT_HEIGHT / 2


def tick_room(ticks: Ticks) -> float:
    """Return the width that the texts of a vertical axis need, mm."""
    return max((text_width(text, SMALL) for _, text in ticks), default=0.0) + 2.5


def draw_mark(
    axes: Axes, x: float, y: float, side: float, shape: str, color: str, *, hollow: bool = False,
    gid: str = "point", edge: str = "", zorder: float = 4,
) -> None:  # fmt: skip
    """Draw a mark of the area of a square with this side, mm; `edge` is its own colour else."""
    face = "white" if hollow else color
    how = {"edgecolor": edge or color, "lw": 0.6, "zorder": zorder, "gid": gid}
    if shape == "square":
        rectangle(axes, x - side / 2, y - side / 2, side, side, face, **how)
        return
    if shape == "cross":
        h = side * 0.6
        for step in (1, -1):
            axes.plot([x - h, x + h], [y - step * h, y + step * h], color=color, lw=1.0,
                      zorder=zorder, gid=gid)  # fmt: skip
        return
    corners = {"triangle": 3, "diamond": 4}.get(shape, 40)
    area = corners / 2 * math.sin(2 * math.pi / corners)
    radius = side / math.sqrt(area)
    angles = [2 * math.pi * i / corners - math.pi / 2 for i in range(corners)]
    points = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
    polygon(axes, points, face, **how)


def draw_interval(axes: Axes, frame: Frame, low: float, high: float, y: float, color: str) -> None:
    """Draw an interval at height y, mm; an arrow where it continues, or lies, beyond the frame."""
    ends = [frame.x(min(max(value, frame.x_low), frame.x_high)) for value in (low, high)]
    below, above = low < frame.x_low, high > frame.x_high
    if high < frame.x_low:
        ends, above = [frame.left, frame.left + STUB], False
    elif low > frame.x_high:
        ends, below = [frame.right - STUB, frame.right], False
    axes.plot(ends, [y, y], color=color, lw=0.8, zorder=2, solid_capstyle="butt", gid="interval")
    for beyond, x, step in ((below, ends[0], 1.5), (above, ends[1], -1.5)):
        if beyond:
            draw_tip(axes, [(x, y), (x + step, y - 0.75), (x + step, y + 0.75)], color)


STUB = 3.5
"""Length of the arrow of an interval that lies beyond the axis, mm."""


def draw_tip(axes: Axes, points: Sequence[tuple[float, float]], color: str) -> None:
    """Draw the tip of an arrow of an interval that continues."""
    polygon(axes, points, color, lw=0, zorder=5, gid="tip")


def diamond_points(
    frame: Frame, estimate: float, low: float, high: float, y: float, half: float = 1.5
) -> list[tuple[float, float]]:
    """Return the corners of a diamond as wide as an interval, cut off where the frame ends, mm."""
    middle = min(max(estimate, frame.x_low), frame.x_high)
    sides = []
    for end, edge in ((low, frame.x_low), (high, frame.x_high)):
        inside = frame.x_low <= end <= frame.x_high
        cut = 0.0 if inside else half * (end - edge) / (end - estimate or 1.0)
        x = frame.x(end if inside else edge)
        sides.append([(x, y - cut), (x, y + cut)] if cut else [(x, y)])
    left, right = sides
    return [left[0], (frame.x(middle), y - half), *right, (frame.x(middle), y + half), *left[1:]]


def draw_favours(
    axes: Axes, zero: float, y: float, words: Sequence[str], width: float, *, size: float = SMALL,
    weight: str = "normal", color: str = GREY,
) -> None:  # fmt: skip
    """Say what the two sides of no effect mean, beside it as far as there is room, all in mm."""
    arrows = f"\N{LEFTWARDS ARROW} {words[0]}", f"{words[1]} \N{RIGHTWARDS ARROW}"
    left, right = (text_width(text, size, weight) for text in arrows)
    zero = min(max(zero, left + MARGIN + 1), width - MARGIN - right - 1)
    for x, text, align in ((zero - 1, arrows[0], "right"), (zero + 1, arrows[1], "left")):
        put(axes, x, y, text, size=size, weight=weight, align=align, color=color)


def in_pages(items: Iterable[Row], height: Callable[[Row], float], room: float) -> list[list[Row]]:
    """Return items in pages, filled one after the other; only a single item may exceed `room`."""
    pages: list[list[Row]] = [[]]
    for item in items:
        if pages[-1] and sum(map(height, [*pages[-1], item])) > room:
            pages.append([])
        pages[-1].append(item)
    return pages


def page_title(title: str, number: int, pages: int) -> str:
    """Return a title with the number of its page, where there are several."""
    return f"{title} (page {number} of {pages})" if pages > 1 else title


def titled_figure(title: str, width: float, height: float, note: str = "") -> tuple[Figure, Axes]:
    """Return a figure with its title; its height is `height`, mm, and that of a note."""
    lines = wrapped(note, width - 2 * MARGIN, SMALL) if note else []
    figure, axes = new_figure(width, height + LINE * len(lines))
    title_lines = wrapped(title, width - 2 * MARGIN, weight="bold")
    put_lines(axes, MARGIN, 3.2, title_lines, weight="bold")
    return figure, axes


def noted(axes: Axes, text: str, width: float, top: float) -> None:
    """Write a note below a chart."""
    lines = wrapped(text, width - 2 * MARGIN, SMALL)
    put_lines(axes, MARGIN, top + LINE / 2, lines, size=SMALL, color=GREY)


def title_height(title: str, width: float) -> float:
    """Return the height of a title in mm."""
    return 3.2 + LINE * len(wrapped(title, width - 2 * MARGIN, weight="bold"))


def distinct_labels(rows: Sequence[Any]) -> list[str]:
    """Return the labels of rows with an effect_id; two effects of one study by their arms."""
    seen = Counter(row.label for row in rows)
    return [
        row.label if seen[row.label] == 1 or row.effect_id.count(".") == 0
        else f"{row.label}, {row.effect_id.split('.')[1].replace('_', ' ')}"
        for row in rows
    ]  # fmt: skip
