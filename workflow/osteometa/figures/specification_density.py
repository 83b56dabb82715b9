"""The specification curve of any number of specifications: bands and tones in place of strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from osteometa.figures.chart import (
    MARGIN,
    Frame,
    Ticks,
    axis_range,
    note_height,
    noted,
    tick_room,
    title_height,
    titled,
)
from osteometa.figures.forest.layout import ticks_of
from osteometa.figures.palette import BLACK, BLUE, ORANGE, SMALL, WIDE
from osteometa.figures.specification import BARS, CURVE, LABELS, LEVEL, level_words
from osteometa.figures.style import new_figure, put
from osteometa.numerics.arrays import Array
from osteometa.records.specifications import CurveColumn, SpecificationLevel, SpecificationSummary
from osteometa.wording.measure_format import MeasureFormat

OUTER, INNER = "#DDDDDD", "#A9CBE3"
MOST_LEVELS = 6
"""Levels of one choice that are drawn; of more, as many at even distances."""
OWN_HEADS = {
    "designs": "Designs", "inconsistent_data": "Inconsistent data", "method": "Estimator of τ²",
    "ci": "Interval",
}  # fmt: skip


def density_figure(
    curve: Sequence[CurveColumn], levels: Sequence[SpecificationLevel],
    summary: SpecificationSummary, title: str, scale: MeasureFormat,
) -> Figure:  # fmt: skip
    """Return the curve above, the frequency of the levels below, explained variance at the right.

    All rows are of one measure.
    """
    groups = _groups(levels)
    note = density_note(summary)
    low, high = axis_range([(c.estimate, c.low, c.high) for c in curve])
    ticks = ticks_of(low, high, scale)
    top = title_height(title, WIDE) + 5
    matrix = top + CURVE + 3
    rows = sum(1 + len(group) for _, group in groups) + 1
    height = matrix + LEVEL * rows + len(groups) + 1
    figure, axes = new_figure(WIDE, height + note_height(note, WIDE) + 3)
    titled(axes, title, WIDE)
    left = MARGIN + max(LABELS, tick_room(ticks))
    frame = Frame(left, WIDE - MARGIN - BARS - 4, top, top + CURVE, 0.0, 100.0, low, high)
    _bands(axes, frame, curve, ticks, scale)
    put(axes, WIDE - MARGIN - BARS, matrix - 1.5, "Variance explained", size=SMALL, weight="bold")
    excludes = np.array([c.excludes_null for c in curve])
    y = _tones(axes, frame, curve, "Interval excludes the null", excludes, matrix)
    shares = np.array([[float(x) for x in c.levels.split()] for c in curve])
    most = max((level.share or 0.0 for _, group in groups for _, level in group), default=0) or 1.0
    for name, group in groups:
        put(axes, MARGIN, y + 0.5 + LEVEL / 2, name, size=SMALL, weight="bold")
        y += LEVEL + 0.5
        barred: set[str] = set()
        for place, level in group:
            if level.choice not in barred:
                _bar(axes, y, level.share or 0.0, most)
            barred.add(level.choice)
            y = _tones(axes, frame, curve, _words(level), shares[:, place], y)
        y += 0.5
    noted(axes, note, WIDE, height)
    return figure


def density_note(summary: SpecificationSummary) -> str:
    """Return what the figure shows, with its numbers of specifications."""
    return (
        f"{summary.specifications:,} specifications, sorted by estimate (line). Blue band: median "
        "limits of the intervals of neighbouring specifications; grey: 5 % of the lower limits are "
        "below it, 5 % of the upper above; both may continue beyond the frame. Rows: the darker, "
        "the more of the neighbouring "
        "specifications have the choice, from none (white) to all (black). Bars: share of the "
        "variance of the estimates that a choice explains alone. "
        f"{summary.same_sign or 0:.1f} % have the sign of the primary result; the intervals of "
        f"{summary.excludes_null or 0:.1f} % exclude the null."
    )


Group = list[tuple[int, SpecificationLevel]]


def _groups(levels: Sequence[SpecificationLevel]) -> list[tuple[str, Group]]:
    """Return the drawn levels under their heads, each with its place among all levels.

    Of a derivation or a rule of inclusion the primary level is what the others leave.
    """
    found: dict[str, Group] = {}
    of_choice: dict[str, Group] = {}
    for place, level in enumerate(one for one in levels if one.level):
        of_choice.setdefault(level.choice, []).append((place, level))
    for choice, all_levels in of_choice.items():
        if len(all_levels) == 1:
            continue
        rule = {level.level for _, level in all_levels} == {"included", "excluded"}
        head = OWN_HEADS.get(choice) or ("Effects" if rule else "Derivation")
        shown = all_levels if choice in OWN_HEADS else all_levels[1:]
        if len(shown) > MOST_LEVELS:
            chosen = np.linspace(0, len(shown) - 1, MOST_LEVELS).round().astype(int)
            shown = [shown[i] for i in chosen]
        found.setdefault(head, []).extend(shown)
    return list(found.items())


def _words(level: SpecificationLevel) -> str:
    if level.choice in OWN_HEADS:
        return level_words(level.level)
    if level.level == "excluded":
        return level.choice
    return level_words(f"{level.choice}={level.level}")


def _bar(axes: Axes, y: float, share: float, most: float) -> None:
    start, width = WIDE - MARGIN - BARS, (BARS - 10) * share / most
    axes.add_artist(
        Rectangle((start, y + 0.6), width, LEVEL - 1.2, facecolor=ORANGE, lw=0, gid="bar")
    )
    put(axes, start + width + 1, y + LEVEL / 2, f"{share:.0f} %", size=SMALL)


def _bands(
    axes: Axes, frame: Frame, curve: Sequence[CurveColumn], ticks: Ticks, scale: MeasureFormat
) -> None:
    edges = [frame.x(edge) for c in curve for edge in (c.start, c.stop)]

    def steps(name: str) -> list[float]:
        values = (min(max(getattr(c, name), frame.y_low), frame.y_high) for c in curve)
        return [frame.y(value) for value in values for _ in range(2)]

    for low, high, color in (("low_outer", "high_outer", OUTER), ("low", "high", INNER)):
        outline = [*zip(edges, steps(low), strict=True),
                   *zip(reversed(edges), reversed(steps(high)), strict=True)]  # fmt: skip
        axes.add_patch(Polygon(outline, closed=True, facecolor=color, lw=0, zorder=2))
    axes.plot(edges, steps("estimate"), color=BLACK, lw=1.0, zorder=3)
    axes.plot([frame.left, frame.right], [frame.y(0.0)] * 2, color=BLUE, lw=0.6, zorder=2.5)
    axes.plot([frame.left, frame.left], [frame.top, frame.bottom], color=BLACK, lw=0.6)
    for value, text in ticks:
        y = frame.y(value)
        axes.plot([frame.left - 0.9, frame.left], [y, y], color=BLACK, lw=0.6)
        put(axes, frame.left - 1.5, y, text, size=SMALL, align="right")
    put(axes, MARGIN, frame.top - 2.9, scale.title, size=SMALL)


def _tones(
    axes: Axes, frame: Frame, curve: Sequence[CurveColumn], label: str, shares: Array,
    y: float,
) -> float:  # fmt: skip
    """Draw a row whose tone is the share, percent, in each column; return where it ends."""
    put(axes, frame.left - 1.5, y + LEVEL / 2, label, size=SMALL, align="right")
    edges = [frame.x(curve[0].start), *(frame.x(c.stop) for c in curve)]
    axes.pcolormesh(edges, [y + 0.4, y + LEVEL - 0.4], shares[None, :], cmap="Greys", vmin=0.0,
                    vmax=100.0, rasterized=True)  # fmt: skip
    return y + LEVEL
