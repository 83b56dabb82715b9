"""The GOSH plot: pooled effects and I2 of all subsets, histograms in its margins (Olkin 2012)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import Count, Frame, Mark, Point, padded
from osteometa.figures.forest.layout import ticks_of
from osteometa.figures.palette import BLACK, BLUE, ORANGE
from osteometa.figures.scatter import Ground, ground_figure
from osteometa.figures.style import polygon
from osteometa.records.sensitivity import GoshRow
from osteometa.wording.measure_format import MeasureFormat

FEWEST = 5
"""Studies below which the subsets are so few that there is nothing to see."""
SPARSE = 300
"""Points up to which each is drawn large enough to be seen alone."""
BINS = 40
HEIGHT = 11.0
"""Of the highest bar of a histogram, mm."""
GAP = 1.0
"""Between the drawing and its histograms, mm."""
GROUPS = (("with", BLUE, "o"), ("without", ORANGE, "^"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar(Count):
    """A bar of a histogram: its edges and its count."""

    low: float
    high: float


def gosh_marks(
    rows: Sequence[GoshRow], labels: Sequence[str], influential: int, most: int = 4000
) -> list[Mark]:
    """Return a point per subset, in two groups: with and without one study; and histograms.

    `labels` are in the order of the bits; the study `influential` separates the groups. Of more
    than `most` points a sample is drawn, so that files stay small. Every n-th would not do: in the
    order of the subsets, a study is in each second one. The histograms count all subsets.
    """
    pools = [
        Point(x=row.estimate, y=row.i2, label=labels[influential],
              group="with" if row.subset[influential] == "1" else "without")
        for row in rows
        if row.estimate is not None and row.i2 is not None
    ]  # fmt: skip
    kept = pools
    if len(pools) > most:
        kept = [pools[i] for i in sorted(random.Random(most).sample(range(len(pools)), most))]
    groups = [pool.group for pool in pools]
    estimates, i2 = [pool.x for pool in pools], [pool.y for pool in pools]
    ends = min(estimates), max(estimates)
    ends = ends if ends[0] < ends[1] else padded(estimates)
    return [
        *kept,
        *histogram("estimate", estimates, groups, ends),
        *histogram("i2", i2, groups, (0.0, 100.0)),
    ]


def histogram(
    label: str, values: Sequence[float], groups: Sequence[str], ends: tuple[float, float]
) -> list[Bar]:
    """Return BINS bars per group, with bins in common: `low` and `high` edges, `size` the count.

    `ends` are the lowest and the highest edge; a value at the highest belongs to the last bin.
    """
    found, belongs = np.asarray(values, dtype=float), np.asarray(groups)
    bars = []
    for group, *_ in GROUPS:
        counts, edges = np.histogram(found[belongs == group], bins=BINS, range=ends)
        bars += [
            Bar(kind="bar", label=label, low=low, high=high, size=count, group=group)
            for low, high, count in zip(
                edges[:-1].tolist(), edges[1:].tolist(), map(float, counts), strict=True
            )
        ]
    return bars


def gosh_figure(marks: Sequence[Mark], title: str, scale: MeasureFormat, subsets: int) -> Figure:
    """Return the GOSH plot of `subsets` subsets."""
    points = [mark for mark in marks if isinstance(mark, Point)]
    bars = {name: [m for m in marks if isinstance(m, Bar) and m.label == name]
            for name in ("estimate", "i2")}  # fmt: skip
    size, alpha = (3.0, 0.8) if len(points) <= SPARSE else (1.5, 0.4)
    x_range = padded([end for m in bars["estimate"] for end in (m.low, m.high)], 0.04)

    def draw(axes: Axes, frame: Frame) -> None:
        for group, color, shape in GROUPS:
            chosen = [m for m in points if m.group == group]
            # One artist a group, as an image: thousands of shapes would make a large, slow file.
            axes.plot(
                [frame.x(m.x) for m in chosen], [frame.y(m.y) for m in chosen], ls="", marker=shape,
                ms=size, mew=0, color=color, alpha=alpha, rasterized=True, zorder=2,
            )  # fmt: skip
        if x_range[0] < 0 < x_range[1]:
            x = frame.x(0.0)
            axes.plot([x, x], [frame.top, frame.bottom], color=BLACK, lw=0.6, zorder=3)
        for name, chosen in bars.items():
            _histogram(axes, frame, name, chosen)

    shown = "" if len(points) == subsets else f"; {len(points):,} drawn as points"
    label = points[0].label
    ground = Ground(
        title=title, x=x_range, y=(-3.0, 103.0), x_ticks=ticks_of(*x_range, scale),
        y_ticks=[(v, f"{v}") for v in (0, 25, 50, 75, 100)], x_title=scale.title, y_title="I², %",
        note=f"{subsets:,} subsets of the studies{shown}. Blue circles: with {label}; "
        f"orange triangles: without it. Margins: distributions over all subsets, filled: with "
        f"{label}, line: without it.",
        margin=HEIGHT + GAP,
    )  # fmt: skip
    return ground_figure(ground, draw)


def _histogram(axes: Axes, frame: Frame, name: str, bars: Sequence[Bar]) -> None:
    """Draw both groups' bars above (of the estimate) or at the right (of I2), to one scale."""
    most = max(bar.size for bar in bars)
    for group, color, _ in GROUPS:
        steps = outline([bar for bar in bars if bar.group == group])
        heights = [GAP + HEIGHT * count / most for _, count in steps]
        if name == "estimate":
            places = [(frame.x(v), frame.top - h) for (v, _), h in zip(steps, heights, strict=True)]
        else:
            places = [(frame.right + h, frame.y(v))
                      for (v, _), h in zip(steps, heights, strict=True)]  # fmt: skip
        if group == "with":
            polygon(axes, places, color, edgecolor="none", lw=0, zorder=2, gid="histogram")
        else:
            axes.plot(*zip(*places, strict=True), color=color, lw=1.0, zorder=3, gid="histogram")


def outline(bars: Sequence[Bar]) -> list[tuple[float, float]]:
    """Return the corners of a histogram's outline, (value, count), from bottom to bottom."""
    corners = [(bars[0].low, 0.0)]
    for bar in bars:
        corners += [(bar.low, bar.size), (bar.high, bar.size)]
    return [*corners, (bars[-1].high, 0.0)]
