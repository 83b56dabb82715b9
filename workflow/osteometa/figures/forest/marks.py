"""The marks of a forest plot: intervals, squares, diamonds and directions."""

import math

from matplotlib.axes import Axes

from osteometa.figures.chart import draw_tip
from osteometa.figures.forest.layout import Axis
from osteometa.figures.forest.rows import Study
from osteometa.figures.palette import BLACK, BLUE, GREY, ORANGE, SMALL
from osteometa.figures.style import polygon, rectangle
from osteometa.wording.measure_format import Estimate

LARGEST_SQUARE = 2.8
"""Side in mm of the square of the heaviest study; area is proportional to weight."""
LEAST_SQUARE = 0.6
"""A square with a side shorter than this has an upright stroke, so that it is seen, mm."""
SEEN = 0.4
"""How far an interval must leave its square to be seen, mm."""
TIP, HALF = 1.2, 0.9
"""Length and half the height of an arrow at the end of the axis, mm."""
TALL = 1.5
"""Half the height of a diamond, mm."""


def interval(
    axes: Axes, ends: tuple[float, float], axis: Axis, y: float, color: str, lw: float = 0.8
) -> None:
    """Draw an interval, with an arrow at an end that lies outside the axis."""
    low, high = ends
    left, right = axis.x(low), axis.x(high)
    if high > axis.low and low < axis.high:
        axes.plot([left, right], [y, y], color=color, lw=lw, zorder=2, solid_capstyle="butt")
    for beyond, x, step in ((low < axis.low, left, TIP), (high > axis.high, right, -TIP)):
        if beyond:
            points = [(x, y), (x + step, y - 0.7), (x + step, y + 0.7)]
            polygon(axes, points, color, lw=0, zorder=3)


def square(axes: Axes, row: Study, axis: Axis, y: float, heaviest: float, color: str) -> None:
    """Draw a study's square, hollow and of one size outside the pool; none off the axis."""
    if not axis.low <= row.estimate <= axis.high:
        return
    side = 1.6 if row.share is None else LARGEST_SQUARE * math.sqrt(row.share / heaviest)
    x = axis.x(row.estimate)
    fill = "white" if row.share is None else color
    edge = GREY if row.share is None else color
    rectangle(axes, x - side / 2, y - side / 2, side, side, fill, edgecolor=edge,
              lw=0.6 if row.share is None else 0, zorder=4,
              gid=f"square:{row.effect_id}")  # fmt: skip
    if side < LEAST_SQUARE:
        axes.plot([x, x], [y - HALF, y + HALF], color=color, lw=0.6, zorder=5, gid="tick")
        return
    # An interval no wider than its square would be hidden by it: drawn over it, in contrast.
    ends = max(axis.x(row.low), x - side / 2), min(axis.x(row.high), x + side / 2)
    if axis.x(row.low) > x - side / 2 - SEEN or axis.x(row.high) < x + side / 2 + SEEN:
        over = GREY if row.share is None else "white"
        axes.plot(ends, [y, y], color=over, lw=0.8, zorder=5, solid_capstyle="butt", gid="over")


def diamond(axes: Axes, pool: Estimate, axis: Axis, y: float, color: str) -> None:
    """Draw a pool; where it leaves the axis it is cut off and ends in an arrow."""
    left, middle, right = (axis.place(v) for v in (pool.low, pool.value, pool.high))
    low = axis.left + TIP + 0.3 if left < axis.left else left
    high = axis.right - TIP - 0.3 if right > axis.right else right
    xs = sorted({low, min(max(middle, low), high), high})
    above = [(x, y - _half_height(x, left, middle, right)) for x in xs]
    below = [(x, 2 * y - top) for x, top in reversed(above)]
    points = list(dict.fromkeys([*above, *below]))  # an end that is not cut off is one point
    polygon(axes, points, color, edgecolor=BLACK, lw=0.7, zorder=4, gid="diamond")
    for beyond, x, step in (
        (left < axis.left, axis.left, TIP), (right > axis.right, axis.right, -TIP),
    ):  # fmt: skip
        if beyond:
            draw_tip(axes, [(x, y), (x + step, y - HALF), (x + step, y + HALF)], BLACK)


def _half_height(x: float, left: float, middle: float, right: float) -> float:
    """Return half the height of a diamond at x, from its corners."""
    run, whole = (x - left, middle - left) if x < middle else (right - x, right - middle)
    return TALL * run / whole if whole > 0 else TALL


def direction_mark(
    axes: Axes, x: float, y: float, shape: str, size: float = 1.3, face: str = ""
) -> None:
    """Draw a direction: triangle, double arrow (unchanged), diamond (mixed), `=` (zero) or `?`.

    `face` fills a triangle in place of the colour of its direction; the other marks have no fill.
    """
    h = size
    if shape in ("up", "down"):
        tip = -h if shape == "up" else h
        points = [(x, y + tip), (x - h, y - tip * 0.75), (x + h, y - tip * 0.75)]
        color = BLUE if shape == "up" else ORANGE
        edge, lw = (color, 0.9) if face else (BLACK, 0.5)
        polygon(axes, points, face or color, edgecolor=edge, lw=lw, zorder=4)
    elif shape == "unchanged":
        axes.plot([x - h, x + h], [y, y], color=BLACK, lw=0.9, zorder=4)
        for end, step in ((x - h, 0.6), (x + h, -0.6)):
            points = [(end + step, y - 0.55), (end, y), (end + step, y + 0.55)]
            axes.plot(*zip(*points, strict=True), color=BLACK, lw=0.9, zorder=4)
    elif shape == "mixed":
        points = [(x - h, y), (x, y - h), (x + h, y), (x, y + h)]
        polygon(axes, points, GREY, edgecolor=BLACK, lw=0.5)
    elif shape == "zero":
        for step in (-0.35 * h, 0.35 * h):
            axes.plot([x - h, x + h], [y + step, y + step], color=BLACK, lw=1.0, zorder=4)
    else:
        axes.text(x, y, "?", fontsize=SMALL, ha="center", va="center_baseline", zorder=5)
