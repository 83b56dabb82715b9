"""The summary forest: one diamond per outcome and exercise type, the figure of an abstract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from osteometa.figures.chart import (
    MARGIN,
    WIDE,
    Frame,
    Mark,
    draw_mark,
    draw_ticks,
    note_height,
    noted,
    title_height,
    titled,
)
from osteometa.figures.forest_layout import ticks_of
from osteometa.figures.forest_rows import OVERALL, TYPE_WORDS, Scale
from osteometa.figures.style import BLACK, BLUE, GREY, SMALL, new_figure, put, text_width
from osteometa.records import PooledRow

ROW, LABELS, PLOT = 4.4, 62.0, 62.0
HIGHEST = 240.0
"""Blocks of a page, mm."""
ONE = "One study"
TOO_FEW = "too few to show a pool"
NOTE = (
    "Diamonds: pooled effects with 95 % CI (hollow: two studies); squares: one study, not pooled. "
    "Each analysis has an axis of its own; its vertical line is no effect."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The pooled rows of one synthesis, and how they are written."""

    heading: str
    rows: tuple[PooledRow, ...]
    """Of the primary measure and model, overall first."""
    scale: Scale
    axis: tuple[str, str]


def summary_marks(panels: Sequence[Panel]) -> list[Mark]:
    """Return a mark per pooled group or single study."""
    marks: list[Mark] = []
    for panel in panels:
        own = [mark for row in panel.rows if (mark := _mark(row, panel)) is not None]
        marks += own if any(mark.kind != "message" for mark in own) else []
    return marks


def _mark(row: PooledRow, panel: Panel) -> Mark | None:
    if row.estimate is None:
        return None
    word = TYPE_WORDS.get(row.group, OVERALL)
    if row.k > 1 and row.diamond == "none":
        return Mark(kind="message", label=word, size=float(row.k), group=panel.heading,
                    text=TOO_FEW)  # fmt: skip
    one = row.k == 1
    if one and row.group != "overall" and len(panel.rows) == 2:
        return None  # the one study has been shown
    return Mark(
        kind="interval" if one else "diamond", x=row.estimate, low=row.ci_low, high=row.ci_high,
        label=ONE if one and row.group == "overall" else word, size=float(row.k),
        group=panel.heading, shape="single" if one else row.diamond,
        text=panel.scale.with_interval(row.estimate, row.ci_low, row.ci_high),
    )  # fmt: skip


def summary_figures(marks: Sequence[Mark], panels: Sequence[Panel], title: str) -> list[Figure]:
    """Return the pages of the figure: a block per analysis, each with an axis of its own."""
    drawn = [p for p in panels if any(mark.group == p.heading for mark in marks)]
    pages: list[list[tuple[Panel, float]]] = [[]]
    for panel in drawn:
        height = ROW * (1 + sum(mark.group == panel.heading for mark in marks)) + 11
        if pages[-1] and sum(h for _, h in pages[-1]) + height > HIGHEST:
            pages.append([])
        pages[-1].append((panel, height))
    return [
        _page(page, marks, title + (f" (page {n} of {len(pages)})" if len(pages) > 1 else ""))
        for n, page in enumerate(pages, start=1)
    ]


def _page(page: Sequence[tuple[Panel, float]], marks: Sequence[Mark], title: str) -> Figure:
    top = title_height(title, WIDE) + 1.5
    total = sum(height for _, height in page)
    figure, axes = new_figure(WIDE, top + total + note_height(NOTE, WIDE) + 2)
    titled(axes, title, WIDE)
    y = top
    for panel, height in page:
        _block(axes, panel, [mark for mark in marks if mark.group == panel.heading], y)
        y += height
    noted(axes, NOTE, WIDE, y)
    return figure


def _block(axes, panel: Panel, chosen: Sequence[Mark], top: float) -> None:
    left, right = LABELS, LABELS + PLOT
    put(axes, MARGIN, top + ROW / 2, panel.heading, weight="bold")
    for text, x in (("k", right + 8), ("Effect [95 % CI]", WIDE - MARGIN)):
        put(axes, x, top + ROW / 2, text, weight="bold", align="right")
    first = top + ROW
    bottom = first + ROW * len(chosen)
    # The widest interval of a small pool must not flatten the others: clipped, with an arrow.
    rows, chosen = chosen, [m for m in chosen if m.kind != "message"]
    core = [m for m in chosen if m.label in (OVERALL, ONE)] or list(chosen)
    reach = 2.5 * max(max(abs(m.low), abs(m.high)) for m in core)
    low = max(min(*(m.low for m in chosen), 0.0), -reach)
    high = min(max(*(m.high for m in chosen), 0.0), reach)
    pad = 0.06 * (high - low)
    frame = Frame(left, right, first, bottom, low - pad, high + pad, 0.0, 1.0)
    axes.plot([frame.x(0.0)] * 2, [first, bottom], color=BLACK, lw=0.6, zorder=1)
    for number, mark in enumerate(rows):
        y = first + ROW * (number + 0.5)
        bold = "bold" if mark.label in (OVERALL, ONE) else "normal"
        put(axes, MARGIN + 3, y, mark.label, weight=bold)
        put(axes, right + 8, y, f"{mark.size:.0f}", align="right")
        put(axes, WIDE - MARGIN, y, mark.text, align="right", weight=bold,
            color=GREY if mark.kind == "message" else BLACK)  # fmt: skip
        if mark.kind != "message":
            _shape(axes, frame, mark, y)
    _axis(axes, frame, bottom, panel)


def _shape(axes, frame: Frame, mark: Mark, y: float) -> None:
    ends = [frame.x(min(max(v, frame.x_low), frame.x_high)) for v in (mark.low, mark.high)]
    middle = frame.x(min(max(mark.x, frame.x_low), frame.x_high))
    if mark.kind == "interval":
        axes.plot(ends, [y, y], color=BLACK, lw=0.8, zorder=2, solid_capstyle="butt")
        draw_mark(axes, middle, y, 1.7, "square", BLUE)
    else:
        points = [(ends[0], y), (middle, y - 1.5), (ends[1], y), (middle, y + 1.5)]
        face = (
            "white" if mark.shape == "hollow" else BLACK if mark.label in (OVERALL, ONE) else BLUE
        )
        axes.add_artist(
            Polygon(points, closed=True, facecolor=face, edgecolor=BLACK, lw=0.6, zorder=3,
                    gid="diamond")
        )  # fmt: skip
    for beyond, x, step in (
        (mark.low < frame.x_low, ends[0], 1.2), (mark.high > frame.x_high, ends[1], -1.2),
    ):  # fmt: skip
        if beyond:
            axes.plot([x + step, x, x + step], [y - 0.8, y, y + 0.8], color=BLACK, lw=0.8, zorder=5)


def _axis(axes, frame: Frame, bottom: float, panel: Panel) -> None:
    y = bottom + 0.5
    axes.plot([frame.left, frame.right], [y, y], color=BLACK, lw=0.6)
    draw_ticks(axes, frame, y, ticks_of(frame.x_low, frame.x_high, panel.scale))
    put(axes, MARGIN + 3, y + 2.4, panel.scale.title, size=SMALL, color=GREY)
    zero = frame.x(0.0)
    left, right = f"\N{LEFTWARDS ARROW} {panel.axis[0]}", f"{panel.axis[1]} \N{RIGHTWARDS ARROW}"
    zero = min(max(zero, MARGIN + text_width(left, SMALL) + 1),
               WIDE - MARGIN - text_width(right, SMALL) - 1)  # fmt: skip
    put(axes, zero - 1, y + 5.6, left, size=SMALL, align="right", color=GREY)
    put(axes, zero + 1, y + 5.6, right, size=SMALL, color=GREY)


def _studies(k: float) -> str:
    return "1 study" if k == 1 else f"{k:.0f} studies"


def summary_alt(marks: Sequence[Mark], title: str) -> str:
    """Return what the figure says, for people who do not see it."""
    parts = [
        f"{mark.group}, {mark.label.lower()}: {mark.text} ({_studies(mark.size)})"
        for mark in marks
        if mark.label in (OVERALL, ONE)
    ]
    return f"{title}. {'; '.join(parts)}."
