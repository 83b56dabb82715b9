"""Forest plots: where each row and column goes, and drawing them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import MaxNLocator

from osteometa.figures.forest_rows import OVERALL, ForestRow, Scale, forest_rows
from osteometa.figures.style import (
    BLACK,
    BLUE,
    BODY,
    GREY,
    ORANGE,
    SMALL,
    new_figure,
    put,
    save,
    text_width,
    wrapped,
)
from osteometa.files import read_records, write_records
from osteometa.records import PooledRow, SubgroupTest, Vote, WeightedEffect

WIDTH = 183.0
MARGIN, GAP = 2.0, 2.0
NARROW_TOTAL = 12.0
"""A total narrower than this stands in the column of the control's n."""
ROW, LINE = 4.2, 3.3
LARGEST_SQUARE = 3.2
"""Side in mm of the square of the heaviest study; area is proportional to weight."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns stand, in mm from the left."""

    label: float
    label_width: float
    exercise_n: float
    exercise_mean: float
    control_n: float
    control_mean: float
    plot_left: float
    plot_right: float
    effect: float
    weight: float


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: effects to mm."""

    low: float
    high: float
    left: float
    right: float
    ticks: tuple[tuple[float, str], ...]

    def x(self, value: float) -> float:
        """Return where an effect is drawn, kept inside the plot."""
        value = min(max(value, self.low), self.high)
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Placed:
    """A row with its lines of text and its place."""

    row: ForestRow
    lines: tuple[str, ...]
    top: float
    height: float

    @property
    def middle(self) -> float:
        """Height of the row's marks and numbers."""
        return self.top + min(self.height, ROW) / 2


def draw_forest(folder: str | Path, stem: str | Path, settings: dict[str, Any]) -> None:
    """Draw the forest plot of one synthesis from its results, and write what is drawn."""
    folder = Path(folder)
    rows, legend = forest_rows(
        read_records(folder / "effects.csv", WeightedEffect),
        read_records(folder / "directions.csv", Vote),
        read_records(folder / "pooled.csv", PooledRow),
        read_records(folder / "subgroup_test.csv", SubgroupTest),
        settings,
    )
    effects = read_records(folder / "effects.csv", WeightedEffect)
    unit = next((e.unit for e in effects if e.measure == settings["measure"] and e.unit), "")
    scale = Scale(settings["measure"], settings["synthesis"]["outcome"], unit, settings["interval"])
    save(forest_figure(rows, legend, scale, settings), stem)
    write_records(f"{stem}.csv", ForestRow, rows)


def forest_figure(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
):
    """Return the figure of a forest plot, 183 mm wide and as high as its rows."""
    columns = place_columns(rows)
    top = 15.0
    placed = place_rows(rows, columns, top)
    bottom = placed[-1].top + placed[-1].height if placed else top
    sized = any(row.estimate is not None for row in rows)
    notes = wrapped("; ".join(legend), WIDTH - 2 * MARGIN, SMALL) if legend else []
    footer = 13.5 if sized else 2.0
    figure, axes = new_figure(WIDTH, bottom + footer + LINE * len(notes) + 2)
    _title(axes, settings, columns, sized)
    axis = place_axis(rows, columns, scale) if sized else None
    if axis:
        _null_line(axes, placed, axis)
        _axis(axes, axis, bottom, scale, settings)
    heaviest = max((row.share for row in rows if row.share), default=1.0)
    for item in placed:
        _row(axes, item, columns, axis, heaviest)
    for index, line in enumerate(notes):
        put(axes, MARGIN, bottom + footer + LINE * (index + 0.5), line, size=SMALL, color=GREY)
    return figure


def place_columns(rows: Sequence[ForestRow]) -> Columns:
    """Return the columns; the plot takes what the texts leave."""

    def widest(name: str, least: str) -> float:
        texts = [getattr(r, name) for r in rows if r.kind in ("study", "diamond", "interval")]
        texts += [r.effect for r in rows if r.kind == "direction" and name == "effect"]
        return max(text_width(text) for text in [*texts, least])

    marks = max((text_width(row.marks, SMALL) for row in rows), default=0.0)
    labels = [row.label for row in rows if row.kind in ("study", "direction", "diamond")]
    label = min(max([text_width(text) for text in labels] + [22.0]) + marks + 1.5, 44.0)
    n = widest("exercise_n", "n")
    n_control = max(
        [widest("control_n", "n")]
        + [wide for row in rows if (wide := text_width(row.n_total)) < NARROW_TOTAL]
    )
    mean_e, mean_c = (widest(name, "Mean (SD)") for name in ("exercise_mean", "control_mean"))
    exercise_n = MARGIN + label + GAP + n
    exercise_mean = exercise_n + GAP + mean_e
    control_n = exercise_mean + GAP + 1 + n_control
    control_mean = control_n + GAP + mean_c
    weight = WIDTH - MARGIN
    effect = weight - max(widest("weight", "Weight, %"), 0) - GAP
    plot_right = effect - widest("effect", "Effect [95 % CI]") - GAP - 1
    return Columns(
        MARGIN, label - marks, exercise_n, exercise_mean, control_n, control_mean,
        control_mean + GAP + 1, plot_right, effect, weight,
    )  # fmt: skip


def place_rows(rows: Sequence[ForestRow], columns: Columns, top: float) -> list[Placed]:
    """Return the rows from top to bottom, labels broken into lines."""
    placed = []
    for row in rows:
        wide = row.kind in ("note", "message", "heading")
        width = WIDTH - 2 * MARGIN if wide else columns.label_width
        weight = "bold" if row.kind in ("heading", "diamond") else "normal"
        lines = wrapped(row.label, width, SMALL if row.kind == "note" else BODY, weight)
        height = ROW + LINE * (len(lines) - 1)
        starts = row.kind == "heading" or (row.kind == "diamond" and row.label.startswith(OVERALL))
        if starts and placed:
            top += 1.2
        placed.append(Placed(row, tuple(lines), top, height))
        top += height
    return placed


def place_axis(rows: Sequence[ForestRow], columns: Columns, scale: Scale) -> Axis:
    """Return the axis: all studies, an interval far wider than the rest clipped."""
    studies = [row for row in rows if row.kind == "study"]
    typical = median(row.high - row.low for row in studies)
    lows = [max(row.low, row.estimate - 1.5 * typical) for row in studies]
    highs = [min(row.high, row.estimate + 1.5 * typical) for row in studies]
    low, high = min([*lows, 0.0]), max([*highs, 0.0])
    pad = 0.04 * (high - low)
    low, high = low - pad, high + pad
    ticks = tuple(ticks_of(low, high, scale))
    return Axis(low, high, columns.plot_left, columns.plot_right, ticks)


def ticks_of(low: float, high: float, scale: Scale) -> list[tuple[float, str]]:
    """Return round ticks on the scale that is shown, with their places and texts."""
    if scale.measure == "ROM" and not scale.percent:
        return _ratio_ticks(low, high)
    locator = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])
    values = locator.tick_values(scale.shown(low), scale.shown(high))
    ticks = []
    for value in values:
        place = math.log1p(value / 100) if scale.percent and value > -100 else value
        if low <= place <= high:
            ticks.append((float(place), f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    return ticks


def _ratio_ticks(low: float, high: float) -> list[tuple[float, str]]:
    choices = (
        (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.25, 0.5, 1, 2, 4), (0.5, 0.7, 1, 1.4, 2),
        (0.8, 0.9, 1, 1.1, 1.2),
    )  # fmt: skip
    inside = [
        [(math.log(v), f"{v:g}") for v in values if low <= math.log(v) <= high]
        for values in choices
    ]
    return max(inside, key=lambda ticks: (min(len(ticks), 5), -len(ticks)))


def title_words(settings: dict[str, Any]) -> str:
    """Return what a synthesis is about, as the title of its figures."""
    synthesis = settings["synthesis"]
    words = [settings["label"]]
    words += [synthesis[key].replace("_", " ") for key in ("site",) if synthesis[key]]
    words.append(f"{synthesis['phase']}, {synthesis['design_class'].replace('_', ' ')}")
    words += [f"window: {synthesis['window']}"] if synthesis["window"] else []
    return "; ".join(words)


def _title(axes: Axes, settings: dict[str, Any], columns: Columns, sized: bool) -> None:
    put(axes, MARGIN, 3.2, title_words(settings), weight="bold")
    heads = [(columns.label, "Study", "left")]
    if sized:
        for right, n, name in (
            (columns.exercise_mean, columns.exercise_n, "Exercise"),
            (columns.control_mean, columns.control_n, "Control"),
        ):
            put(axes, right, 8.2, name, weight="bold", align="right")
            heads += [(n, "n", "right"), (right, "Mean (SD)", "right")]
        heads += [
            (columns.effect, "Effect [95 % CI]", "right"), (columns.weight, "Weight, %", "right"),
        ]  # fmt: skip
    for x, text, align in heads:
        put(axes, x, 11.8, text, weight="bold", align=align)
    axes.plot([MARGIN, WIDTH - MARGIN], [13.9, 13.9], color=BLACK, lw=0.6)


def _null_line(axes: Axes, placed: Sequence[Placed], axis: Axis) -> None:
    """Draw the null line beside rows that have marks, so that it crosses no text."""
    for item in placed:
        if item.row.kind in ("study", "diamond", "interval", "direction"):
            x = axis.x(0.0)
            axes.plot([x, x], [item.top, item.top + item.height], color=BLACK, lw=0.6, zorder=1)


def _axis(axes: Axes, axis: Axis, bottom: float, scale: Scale, settings: dict[str, Any]) -> None:
    y = bottom + 1.5
    axes.plot([axis.left, axis.right], [y, y], color=BLACK, lw=0.6)
    free = axis.left - 4
    for place, text in axis.ticks:
        x, half = axis.x(place), text_width(text, SMALL) / 2
        axes.plot([x, x], [y, y + 0.9], color=BLACK, lw=0.6)
        if x - half > free:
            put(axes, x, y + 2.6, text, size=SMALL, align="center")
            free = x + half + 0.8
    middle = (axis.left + axis.right) / 2
    put(axes, middle, y + 5.9, scale.title, size=SMALL, align="center")
    left, right = settings["axis"]
    zero = axis.x(0.0)
    arrows = f"\N{LEFTWARDS ARROW} {left}", f"{right} \N{RIGHTWARDS ARROW}"
    room_left, room_right = (text_width(text, SMALL) for text in arrows)
    zero = min(max(zero, room_left + MARGIN + 1), WIDTH - MARGIN - room_right - 1)
    put(axes, zero - 1, y + 9.3, arrows[0], size=SMALL, align="right", color=GREY)
    put(axes, zero + 1, y + 9.3, arrows[1], size=SMALL, align="left", color=GREY)


def _row(axes: Axes, item: Placed, columns: Columns, axis: Axis | None, heaviest: float) -> None:
    row, y = item.row, item.middle
    bold = "bold" if row.kind in ("heading", "diamond") else "normal"
    size = SMALL if row.kind == "note" else BODY
    for index, line in enumerate(item.lines):
        put(axes, columns.label, y + LINE * index, line, size=size, weight=bold,
            color=GREY if row.kind == "note" else BLACK)  # fmt: skip
    if row.marks:
        last = item.lines[-1]
        x = columns.label + text_width(last) + 0.4
        put(axes, x, y + LINE * (len(item.lines) - 1) - 0.5, row.marks, size=SMALL, color=GREY)
    put(axes, columns.exercise_n, y, row.exercise_n, align="right")
    put(axes, columns.exercise_mean, y, row.exercise_mean, align="right")
    put(axes, columns.control_n, y, row.control_n, align="right")
    if row.n_total:
        # A total stands between the columns of the arms; a wide one reaches into the means.
        at = columns.control_n if text_width(row.n_total) < NARROW_TOTAL else columns.control_mean
        put(axes, at, y, row.n_total, align="right", color=GREY)
    put(axes, columns.control_mean, y, row.control_mean, align="right")
    put(axes, columns.effect, y, row.effect, align="right", weight=bold)
    put(axes, columns.weight, y, row.weight, align="right", weight=bold)
    if row.kind == "direction":
        x = axis.x(0.0) if axis else (columns.plot_left + columns.plot_right) / 2
        direction_mark(axes, x, y, row.shape)
    elif axis and row.kind == "study":
        _interval(axes, row, axis, y, BLACK if row.share is not None else GREY)
        _square(axes, row, axis, y, heaviest)
    elif axis and row.kind == "diamond":
        _diamond(axes, row, axis, y)
    elif axis and row.kind == "interval":
        _interval(axes, row, axis, y, ORANGE, lw=1.0)


def _interval(
    axes: Axes, row: ForestRow, axis: Axis, y: float, color: str, lw: float = 0.8
) -> None:
    left, right = axis.x(row.low), axis.x(row.high)
    if row.high > axis.low and row.low < axis.high:
        axes.plot([left, right], [y, y], color=color, lw=lw, zorder=2, solid_capstyle="butt")
    for beyond, x, step in ((row.low < axis.low, left, 1.2), (row.high > axis.high, right, -1.2)):
        if beyond:
            points = [(x, y), (x + step, y - 0.7), (x + step, y + 0.7)]
            axes.add_patch(Polygon(points, closed=True, color=color, lw=0, zorder=3))


def _square(axes: Axes, row: ForestRow, axis: Axis, y: float, heaviest: float) -> None:
    if not axis.low <= row.estimate <= axis.high:
        return
    side = 1.6 if row.share is None else LARGEST_SQUARE * math.sqrt(row.share / heaviest)
    x = axis.x(row.estimate)
    fill = "white" if row.share is None else BLUE
    edge = GREY if row.share is None else BLUE
    axes.add_patch(
        Rectangle((x - side / 2, y - side / 2), side, side, facecolor=fill, edgecolor=edge,
                  lw=0.6 if row.share is None else 0, zorder=4, gid="square")
    )  # fmt: skip


def _diamond(axes: Axes, row: ForestRow, axis: Axis, y: float) -> None:
    left, middle, right = axis.x(row.low), axis.x(row.estimate), axis.x(row.high)
    points = [(left, y), (middle, y - 1.5), (right, y), (middle, y + 1.5)]
    fill = BLACK if row.shape == "full" else "white"
    axes.add_patch(
        Polygon(points, closed=True, facecolor=fill, edgecolor=BLACK, lw=0.7, zorder=4,
                gid="diamond")
    )  # fmt: skip
    for beyond, x, step in ((row.low < axis.low, left, 1.2), (row.high > axis.high, right, -1.2)):
        if beyond:
            tip = [(x - step, y), (x, y - 0.9), (x, y + 0.9)]
            axes.add_patch(Polygon(tip, closed=True, color=BLACK, lw=0, zorder=5))


def direction_mark(axes: Axes, x: float, y: float, shape: str, size: float = 1.3) -> None:
    """Draw a direction: triangle up or down, double bar (mixed), bar (zero), or a question."""
    h = size
    if shape in ("up", "down"):
        tip = -h if shape == "up" else h
        points = [(x, y + tip), (x - h, y - tip * 0.75), (x + h, y - tip * 0.75)]
        color = BLUE if shape == "up" else ORANGE
        axes.add_patch(
            Polygon(points, closed=True, facecolor=color, edgecolor=BLACK, lw=0.5, zorder=4)
        )
    elif shape in ("mixed", "zero"):
        for step in (-0.35 * h, 0.35 * h) if shape == "mixed" else (0.0,):
            axes.plot([x - h, x + h], [y + step, y + step], color=BLACK, lw=1.0, zorder=4)
    else:
        axes.add_patch(
            Polygon(_circle(x, y, 1.45), closed=True, facecolor="white", edgecolor=GREY, lw=0.6,
                    zorder=4)
        )  # fmt: skip
        axes.text(x, y, "?", fontsize=SMALL, ha="center", va="center_baseline", zorder=5)


def _circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    angles = [2 * math.pi * i / 36 for i in range(36)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
