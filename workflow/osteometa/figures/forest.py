"""Forest plots drawn from their rows: squares, diamonds, intervals, directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from osteometa.figures.forest_layout import (
    LINE,
    MARGIN,
    NARROW_TOTAL,
    Axis,
    Columns,
    Placed,
    pages_of,
    place_axis,
    place_columns,
    place_rows,
)
from osteometa.figures.forest_rows import (
    BLOCK_WORDS,
    DIRECTION_ONLY,
    MEAN_WORDS,
    OVERALL,
    ForestRow,
    Scale,
    forest_rows,
)
from osteometa.figures.presets import PRESETS, Preset
from osteometa.figures.risk_of_bias import light
from osteometa.figures.style import (
    BLACK,
    BLUE,
    BODY,
    GREY,
    ORANGE,
    SMALL,
    new_figure,
    put,
    text_width,
    wrapped,
)
from osteometa.files import read_records
from osteometa.records import PooledRow, SubgroupTest, Vote, WeightedEffect

LARGEST_SQUARE = 2.8
"""Side in mm of the square of the heaviest study; area is proportional to weight."""
SEEN = 0.4
"""How far an interval must leave its square to be seen, mm."""
TOP = 15.0


def read_forest(
    folder: str | Path, settings: dict[str, Any]
) -> tuple[list[ForestRow], list[str], Scale]:
    """Return rows, legend and scale of the forest plot of one synthesis from its results."""
    folder = Path(folder)
    effects = read_records(folder / "effects.csv", WeightedEffect)
    rows, legend = forest_rows(
        effects,
        read_records(folder / "directions.csv", Vote),
        read_records(folder / "pooled.csv", PooledRow),
        read_records(folder / "subgroup_test.csv", SubgroupTest),
        settings,
    )
    return rows, legend, scale_of(effects, settings)


def scale_of(effects: Sequence[WeightedEffect], settings: dict[str, Any]) -> Scale:
    """Return how the effects of a synthesis are written."""
    measure = settings["measure"]
    unit = next((e.unit for e in effects if e.measure == measure and e.unit), "")
    return Scale(measure, settings["synthesis"]["outcome"], unit, settings["interval"])


def forest_figures(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
) -> list[Figure]:
    """Return the pages of a forest plot, each as high as its rows.

    Parameters
    ----------
    rows : sequence of ForestRow
    legend : sequence of str
    scale : Scale
    settings : dict
        As of `config.forest_settings`; `style` names a preset, `width` is in mm.
    """
    pages = pages_of(rows)
    return [
        _page(rows, page, legend, scale, settings, (number, len(pages)))
        for number, page in enumerate(pages, start=1)
    ]


def forest_figure(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
) -> Figure:
    """Return a forest plot on one page, whatever its height."""
    return _page(rows, rows, legend, scale, settings, (1, 1))


def _page(
    rows: Sequence[ForestRow], page: Sequence[ForestRow], legend: Sequence[str], scale: Scale,
    settings: dict[str, Any], number: tuple[int, int],
) -> Figure:  # fmt: skip
    """Draw one page; columns, axis and sizes of squares are those of all rows."""
    preset, width = PRESETS[settings["style"]], float(settings["width"])
    columns = place_columns(rows, preset, width)
    title = title_words(settings)
    title += f" (page {number[0]} of {number[1]})" if number[1] > 1 else ""
    titles = wrapped(title, width - 2 * MARGIN, weight="bold")
    top = TOP + LINE * (len(titles) - 1) + (4.0 if preset.favours_on_top else 0.0)
    placed = place_rows(page, columns, top, width, preset.size)
    bottom = placed[-1].top + placed[-1].height if placed else top
    sized = any(row.estimate is not None for row in rows)
    means = columns.has("exercise_mean") or columns.has("control_mean")
    legend = [words for words in legend if means or words != MEAN_WORDS]
    notes = wrapped("; ".join(legend), width - 2 * MARGIN, SMALL) if legend else []
    footer = (9.9 if preset.favours_on_top else 13.5) if sized else 2.0
    figure, axes = new_figure(width, bottom + footer + LINE * len(notes) + 2)
    for index, line in enumerate(titles):
        put(axes, MARGIN, 3.2 + LINE * index, line, weight="bold")
    _heads(axes, columns, preset, sized, top, width)
    axis = place_axis(rows, columns, scale) if sized else None
    if axis:
        _reference_lines(axes, rows, placed, axis, bottom)
        _axis(axes, axis, bottom, scale)
        favours_at = top - 10.4 if preset.favours_on_top else bottom + 10.8
        _favours(axes, axis, favours_at, settings, width)
    heaviest = max((row.share for row in rows if row.share), default=1.0)
    for item in placed:
        _row(axes, item, columns, axis, heaviest, preset)
    for index, line in enumerate(notes):
        put(axes, MARGIN, bottom + footer + LINE * (index + 0.5), line, size=SMALL, color=GREY)
    return figure


def title_words(settings: dict[str, Any]) -> str:
    """Return what a synthesis is about, as the title of its figures."""
    synthesis = settings["synthesis"]
    words = [subject_words(settings["label"], synthesis.get("analyte", ""))]
    words += [synthesis[key].replace("_", " ") for key in ("site",) if synthesis[key]]
    words.append(f"{synthesis['phase']}, {synthesis['design_class'].replace('_', ' ')}")
    words += [f"window: {synthesis['window']}"] if synthesis["window"] else []
    return "; ".join(words)


def subject_words(label: str, analyte: str) -> str:
    """Return an outcome and which of its analytes, such as 'Osteoprotegerin (OPG), serum'."""
    kind = analyte.partition("_")[2].replace("_", " ")
    if kind == "not stated":
        kind = "kind not stated" if analyte.startswith("srankl") else "specimen not stated"
    return f"{label}, {kind}" if kind else label


def _heads(
    axes: Axes, columns: Columns, preset: Preset, sized: bool, top: float, width: float
) -> None:
    line = top - 1.1
    put(axes, columns.label, line - 2.1, preset.head, weight="bold", size=preset.size)
    if sized:
        for name, right in columns.right.items():
            for text, y in zip(columns.heads[name], (line - 5.7, line - 2.1), strict=True):
                if text:
                    put(axes, right, y, text, weight="bold", align="right", size=preset.size)
        if columns.risk_of_bias is not None:
            for text, y in (("Risk", line - 5.7), ("of bias", line - 2.1)):
                put(axes, columns.risk_of_bias, y, text, weight="bold", align="center",
                    size=SMALL)  # fmt: skip
    axes.plot([MARGIN, width - MARGIN], [line, line], color=BLACK, lw=0.6)


def _reference_lines(
    axes: Axes, rows: Sequence[ForestRow], placed: Sequence[Placed], axis: Axis, bottom: float
) -> None:
    """Draw the null line down to the axis, and the pooled effect's beside what it is pooled of.

    The pooled line is left out where rows in another unit share the axis.
    """
    for low, high in _free_of_text(placed, axis.x(0.0), placed[0].top, bottom + 1.5):
        axes.plot([axis.x(0.0)] * 2, [low, high], color=BLACK, lw=0.6, zorder=1, gid="null")
    pooled = next((r for r in rows if r.kind == "diamond" and r.label.startswith(OVERALL)), None)
    apart = {*BLOCK_WORDS.values(), DIRECTION_ONLY}
    end = next((i.top for i in placed if i.row.label.split(" (continued)")[0] in apart), bottom)
    end = next((i.middle for i in placed if i.row is pooled), end)
    if pooled is None or any(row.label == BLOCK_WORDS["unit"] for row in rows):
        return
    x = axis.x(pooled.estimate)
    for low, high in _free_of_text(placed, x, placed[0].top, end):
        axes.plot([x, x], [low, high], color=GREY, lw=0.6, dashes=(4, 2), zorder=1, gid="pooled")


def _free_of_text(
    placed: Sequence[Placed], x: float, top: float, bottom: float
) -> list[tuple[float, float]]:
    """Return the stretches of a vertical line at x that no heading or note crosses."""
    free, start = [], top
    for item in placed:
        row = item.row
        if row.kind not in ("heading", "note", "message") or item.top >= bottom:
            continue
        weight, size = ("bold", BODY) if row.kind == "heading" else ("normal", BODY)
        if MARGIN + max(text_width(line, size, weight) for line in item.lines) + 0.8 > x:
            if item.top > start:
                free.append((start, item.top))
            start = item.top + item.height
    return [*free, (start, bottom)] if bottom > start else free


def _axis(axes: Axes, axis: Axis, bottom: float, scale: Scale) -> None:
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


def _favours(axes: Axes, axis: Axis, y: float, settings: dict[str, Any], width: float) -> None:
    """Say what the two sides of the axis mean, beside the null line as far as there is room."""
    left, right = settings["axis"]
    arrows = f"\N{LEFTWARDS ARROW} {left}", f"{right} \N{RIGHTWARDS ARROW}"
    room_left, room_right = (text_width(text, SMALL) for text in arrows)
    zero = min(max(axis.x(0.0), room_left + MARGIN + 1), width - MARGIN - room_right - 1)
    put(axes, zero - 1, y, arrows[0], size=SMALL, align="right", color=GREY)
    put(axes, zero + 1, y, arrows[1], size=SMALL, align="left", color=GREY)


def _row(
    axes: Axes, item: Placed, columns: Columns, axis: Axis | None, heaviest: float, preset: Preset
) -> None:
    row, y = item.row, item.middle
    _texts(axes, item, columns, preset)
    if row.risk_of_bias and columns.risk_of_bias is not None:
        light(axes, columns.risk_of_bias, y, row.risk_of_bias, 2.6)
    if row.kind == "direction":
        x = axis.x(0.0) if axis else (columns.plot_left + columns.plot_right) / 2
        direction_mark(axes, x, y, row.shape)
    elif axis and row.kind == "study":
        _interval(axes, row, axis, y, BLACK if row.share is not None else GREY)
        _square(axes, row, axis, y, heaviest, preset.square)
    elif axis and row.kind == "diamond":
        _diamond(axes, row, axis, y, preset.diamond)
    elif axis and row.kind == "interval":
        _interval(axes, row, axis, y, ORANGE, lw=1.0)


def _texts(axes: Axes, item: Placed, columns: Columns, preset: Preset) -> None:
    row, y = item.row, item.middle
    bold = "bold" if row.kind in ("heading", "diamond") else "normal"
    size = SMALL if row.kind == "note" else preset.size
    for index, line in enumerate(item.lines):
        put(axes, columns.label, y + LINE * index, line, size=size, weight=bold,
            color=GREY if row.kind == "note" else BLACK)  # fmt: skip
    if row.marks:
        last = item.lines[-1]
        x = columns.label + text_width(last, preset.size) + 0.4
        put(axes, x, y + LINE * (len(item.lines) - 1) - 0.5, row.marks, size=SMALL, color=GREY)
    for name, right in columns.right.items():
        weight = bold if name in ("effect", "weight") else "normal"
        put(axes, right, y, getattr(row, name), align="right", weight=weight, size=preset.size)
    if row.n_total and columns.has("exercise_n") and not columns.has("control_n"):
        put(axes, columns.right["exercise_n"], y, row.n_total, align="right", color=GREY,
            size=preset.size)  # fmt: skip
    elif row.n_total and columns.has("control_n"):
        # A total stands between the columns of the arms; a wide one reaches into the means.
        wide = text_width(row.n_total, preset.size) >= NARROW_TOTAL
        name = "control_mean" if wide and columns.has("control_mean") else "control_n"
        put(axes, columns.right[name], y, row.n_total, align="right", color=GREY, size=preset.size)


def _interval(
    axes: Axes, row: ForestRow, axis: Axis, y: float, color: str, lw: float = 0.8
) -> None:
    left, right = axis.x(row.low), axis.x(row.high)
    if row.high > axis.low and row.low < axis.high:
        axes.plot([left, right], [y, y], color=color, lw=lw, zorder=2, solid_capstyle="butt")
    for beyond, x, step in ((row.low < axis.low, left, 1.2), (row.high > axis.high, right, -1.2)):
        if beyond:
            points = [(x, y), (x + step, y - 0.7), (x + step, y + 0.7)]
            axes.add_artist(Polygon(points, closed=True, color=color, lw=0, zorder=3))


def _square(axes: Axes, row: ForestRow, axis: Axis, y: float, heaviest: float, color: str) -> None:
    if not axis.low <= row.estimate <= axis.high:
        return
    side = 1.6 if row.share is None else LARGEST_SQUARE * math.sqrt(row.share / heaviest)
    x = axis.x(row.estimate)
    fill = "white" if row.share is None else color
    edge = GREY if row.share is None else color
    axes.add_artist(
        Rectangle((x - side / 2, y - side / 2), side, side, facecolor=fill, edgecolor=edge,
                  lw=0.6 if row.share is None else 0, zorder=4, gid=f"square:{row.effect_id}")
    )  # fmt: skip
    # An interval no wider than its square would be hidden by it: drawn over it, in contrast.
    ends = max(axis.x(row.low), x - side / 2), min(axis.x(row.high), x + side / 2)
    if axis.x(row.low) > x - side / 2 - SEEN or axis.x(row.high) < x + side / 2 + SEEN:
        over = GREY if row.share is None else "white"
        axes.plot(ends, [y, y], color=over, lw=0.8, zorder=5, solid_capstyle="butt", gid="over")


def _diamond(axes: Axes, row: ForestRow, axis: Axis, y: float, color: str) -> None:
    left, middle, right = axis.x(row.low), axis.x(row.estimate), axis.x(row.high)
    points = [(left, y), (middle, y - 1.5), (right, y), (middle, y + 1.5)]
    fill = color if row.shape == "full" else "white"
    axes.add_artist(
        Polygon(points, closed=True, facecolor=fill, edgecolor=BLACK, lw=0.7, zorder=4,
                gid="diamond")
    )  # fmt: skip
    for beyond, x, step in ((row.low < axis.low, left, 1.2), (row.high > axis.high, right, -1.2)):
        if beyond:
            tip = [(x - step, y), (x, y - 0.9), (x, y + 0.9)]
            axes.add_artist(Polygon(tip, closed=True, color=BLACK, lw=0, zorder=5))


def direction_mark(axes: Axes, x: float, y: float, shape: str, size: float = 1.3) -> None:
    """Draw a direction: triangle up or down, double bar (mixed), bar (zero), or a question."""
    h = size
    if shape in ("up", "down"):
        tip = -h if shape == "up" else h
        points = [(x, y + tip), (x - h, y - tip * 0.75), (x + h, y - tip * 0.75)]
        color = BLUE if shape == "up" else ORANGE
        axes.add_artist(
            Polygon(points, closed=True, facecolor=color, edgecolor=BLACK, lw=0.5, zorder=4)
        )
    elif shape in ("mixed", "zero"):
        for step in (-0.35 * h, 0.35 * h) if shape == "mixed" else (0.0,):
            axes.plot([x - h, x + h], [y + step, y + step], color=BLACK, lw=1.0, zorder=4)
    else:
        axes.add_artist(
            Polygon(_circle(x, y, 1.45), closed=True, facecolor="white", edgecolor=GREY, lw=0.6,
                    zorder=4)
        )  # fmt: skip
        axes.text(x, y, "?", fontsize=SMALL, ha="center", va="center_baseline", zorder=5)


def _circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    angles = [2 * math.pi * i / 36 for i in range(36)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
