"""What charts with two axes share: marks, a frame that maps data to mm, ticks, labels set apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import MaxNLocator

from osteometa.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SMALL,
    VERMILION,
    new_figure,
    put,
    text_width,
    wrapped,
)

NARROW, WIDE = 89.0, 183.0
"""Widths of one and of two columns of a journal, mm."""
MARGIN, LINE = 2.0, 3.3
TEXT_HEIGHT = 2.6
# Colour and shape together tell exercise types apart, so that neither is needed alone.
TYPE_MARKS = {
    "resistance": (BLUE, "circle"),
    "aerobic": (ORANGE, "square"),
    "high_intensity": (VERMILION, "triangle"),
    "combined": (GREEN, "diamond"),
    "other": (GREY, "cross"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark of a chart, as it is drawn: a row of the figure's CSV."""

    kind: str
    """point, interval, diamond, line, bar, band, cell or message."""
    label: str = ""
    x: float | None = None
    y: float | None = None
    low: float | None = None
    high: float | None = None
    size: float | None = None
    """What the area of a mark says: weight or people."""
    group: str = ""
    shape: str = ""
    text: str = ""
    """Numbers written beside the mark."""
    effect_id: str = ""


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
        """Return where a value stands from the left, mm."""
        share = (value - self.x_low) / (self.x_high - self.x_low)
        return self.left + share * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return where a value stands from the top, mm; y_high is at the top."""
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - share * (self.bottom - self.top)

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point lies inside."""
        lows, highs = sorted((self.y_low, self.y_high))
        return self.x_low <= x <= self.x_high and lows <= y <= highs


def padded(values: Sequence[float], share: float = 0.06) -> tuple[float, float]:
    """Return a range that holds all values with a margin; never empty."""
    low, high = min(values), max(values)
    pad = share * (high - low) or 0.5 * abs(high) or 1.0
    return low - pad, high + pad


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
    draw_ticks(axes, frame, frame.bottom, x_ticks)
    free = math.inf
    for value, text in sorted(y_ticks, key=lambda tick: -frame.y(tick[0])):
        y = frame.y(value)
        axes.plot([frame.left - 0.9, frame.left], [y, y], color=BLACK, lw=0.6)
        if y + TEXT_HEIGHT / 2 < free:
            put(axes, frame.left - 1.5, y, text, size=SMALL, align="right")
            free = y - TEXT_HEIGHT / 2
    put(axes, (frame.left + frame.right) / 2, frame.bottom + 6.4, x_title, size=SMALL,
        align="center")  # fmt: skip
    put(axes, MARGIN, frame.top - 2.8, y_title, size=SMALL)


def draw_ticks(axes: Axes, frame: Frame, y: float, ticks: Ticks) -> None:
    """Draw the ticks of a horizontal axis at height y, texts that would touch left out."""
    free = -math.inf
    for value, text in ticks:
        x, half = frame.x(value), text_width(text, SMALL) / 2
        axes.plot([x, x], [y, y + 0.9], color=BLACK, lw=0.6)
        if x - half > free:
            put(axes, x, y + 2.8, text, size=SMALL, align="center")
            free = x + half + 0.8


def tick_room(ticks: Ticks) -> float:
    """Return the width that the texts of a vertical axis need, mm."""
    return max((text_width(text, SMALL) for _, text in ticks), default=0.0) + 2.5


def draw_mark(
    axes: Axes, x: float, y: float, side: float, shape: str, color: str, *, hollow: bool = False,
    gid: str = "point", edge: str = "", zorder: float = 4,
) -> None:  # fmt: skip
    """Draw a mark of the area of a square with this side, mm; `edge` is its own colour else."""
    face = "white" if hollow else color
    if shape == "square":
        box = (x - side / 2, y - side / 2)
        axes.add_artist(
            Rectangle(box, side, side, facecolor=face, edgecolor=edge or color, lw=0.6,
                      zorder=zorder, gid=gid)
        )  # fmt: skip
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
    axes.add_artist(
        Polygon(
            points,
            closed=True,
            facecolor=face,
            edgecolor=edge or color,
            lw=0.6,
            zorder=zorder,
            gid=gid,
        )
    )


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in mm that a text or mark takes."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Tell whether two boxes overlap."""
        return (
            self.left < other.right and other.left < self.right
            and self.top < other.bottom and other.top < self.bottom
        )  # fmt: skip


def place_labels(
    points: Sequence[tuple[float, float, float, str]], frame: Frame, taken: Sequence[Box] = ()
) -> list[tuple[float, float, str] | None]:
    """Return a free place for the label of each point, None where there is none.

    Parameters
    ----------
    points : sequence of (x, y, side, label)
        Places and sizes in mm, the most important first.
    frame : Frame
        Labels stay inside it.
    taken : sequence of Box
        What no label may touch beside the points themselves.
    """
    boxes = [Box(x - s / 2, y - s / 2, x + s / 2, y + s / 2) for x, y, s, _ in points]
    used = [*boxes, *taken]
    found: list[tuple[float, float, str] | None] = []
    for x, y, side, label in points:
        width, gap = text_width(label, SMALL), side / 2 + 0.9
        places = [
            (x + gap, y), (x - gap - width, y), (x - width / 2, y - gap - 1.2),
            (x - width / 2, y + gap + 1.2), (x + gap * 0.7, y - gap * 0.7 - 1.2),
            (x + gap * 0.7, y + gap * 0.7 + 1.2), (x - gap * 0.7 - width, y - gap * 0.7 - 1.2),
            (x - gap * 0.7 - width, y + gap * 0.7 + 1.2),
        ]  # fmt: skip
        free = None
        for left, middle in places:
            half = TEXT_HEIGHT / 2 + 0.55
            box = Box(left - 0.2, middle - half, left + width + 0.2, middle + half)
            inside = frame.left + 0.5 <= box.left and box.right <= frame.right
            inside = inside and frame.top <= box.top and box.bottom <= frame.bottom - 0.3
            if inside and not any(box.meets(other) for other in used):
                free = (left, middle, label)
                used.append(box)
                break
        found.append(free)
    return found


def titled(axes: Axes, title: str, width: float, top: float = 3.2) -> float:
    """Write a title, broken into lines, and return the height below it."""
    lines = wrapped(title, width - 2 * MARGIN, weight="bold")
    for index, line in enumerate(lines):
        put(axes, MARGIN, top + LINE * index, line, weight="bold")
    return top + LINE * len(lines)


def noted(axes: Axes, text: str, width: float, top: float) -> None:
    """Write a note below a chart."""
    for index, line in enumerate(wrapped(text, width - 2 * MARGIN, SMALL)):
        put(axes, MARGIN, top + LINE * (index + 0.5), line, size=SMALL, color=GREY)


def note_height(text: str, width: float) -> float:
    """Return the height of a note in mm."""
    return LINE * len(wrapped(text, width - 2 * MARGIN, SMALL)) if text else 0.0


def title_height(title: str, width: float) -> float:
    """Return the height of a title in mm."""
    return 3.2 + LINE * len(wrapped(title, width - 2 * MARGIN, weight="bold"))


def reason_figure(title: str, reason: str, width: float = NARROW) -> Figure:
    """Return a small panel that says why a figure cannot be drawn.

    In one weight: a second font would take a third of the time of drawing it, and a review has
    hundreds of them.
    """
    head, lines = (wrapped(text, width - 2 * MARGIN) for text in (title, reason))
    figure, axes = new_figure(width, 6.5 + LINE * 1.1 * (len(head) + len(lines)))
    for index, line in enumerate([*head, *lines]):
        gap = 0.8 if index >= len(head) else 0.0
        put(axes, MARGIN, 3.2 + gap + LINE * 1.1 * index, line,
            color=BLACK if index < len(head) else GREY)  # fmt: skip
    return figure


def reason_mark(reason: str) -> list[Mark]:
    """Return the row of a figure that cannot be drawn."""
    return [Mark(kind="message", text=reason)]


def side_of(weight: float, heaviest: float, largest: float = 3.2, least: float = 0.0) -> float:
    """Return the side of a mark whose area is proportional to a weight, mm."""
    return max(least, largest * math.sqrt(weight / heaviest))
