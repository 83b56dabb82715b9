"""Forest plots drawn from their rows: squares, diamonds, intervals, directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.forest import marks as marks
from osteometa.figures.forest.layout import (
    LINE,
    MARGIN,
    MEANS,
    NARROW_TOTAL,
    Axis,
    Columns,
    Placed,
    place_axis,
    place_columns,
    place_rows,
)
from osteometa.figures.forest.pages import PAGE_HEIGHT, pages_of
from osteometa.figures.forest.rows import DIRECTION_ONLY, ForestRow, forest_rows
from osteometa.figures.forest.words import (
    HOLLOW_WORDS,
    N_WITHIN_WORDS,
    N_WORDS,
    NO_VOTE_WORDS,
    mean_words,
)
from osteometa.figures.presets import PRESETS, Preset
from osteometa.figures.risk_of_bias import level_words, light
from osteometa.figures.style import (
    BLACK,
    BODY,
    GREY,
    ORANGE,
    SMALL,
    new_figure,
    put,
    text_width,
    wrapped,
)
from osteometa.io.csv_records import read_records
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.wording.scale import Scale
from osteometa.wording.syntheses import title_of
from osteometa.wording.vocabulary import ALL_STUDIES, SHOWN_APART, Block

TOP = 15.0
TEXT_KINDS = ("heading", "note", "message")
"""Rows that may be as wide as the page."""


def read_forest(
    folder: str | Path, settings: dict[str, Any]
) -> tuple[list[ForestRow], list[str], Scale]:
    """Return rows, legend and scale of the forest plot of one synthesis from its results."""
    folder = Path(folder)
    effects = read_records(folder / "effects.csv", WeightedEffect)
    rows, legend = forest_rows(
        effects,
        read_records(folder / "directions.csv", StudyDirection),
        read_records(folder / "pooled.csv", PooledRow),
        read_records(folder / "subgroup_test.csv", SubgroupTest),
        settings,
    )
    return rows, legend, scale_of(effects, settings)


def scale_of(effects: Sequence[WeightedEffect], settings: dict[str, Any]) -> Scale:
    """Return how the effects of a synthesis are written."""
    measure = settings["measure"]
    unit = next((e.unit for e in effects if e.measure == measure and e.unit), "")
    return Scale(measure, unit, *(settings[key] for key in ("interval", "ratio_as", "decimals")))


def forest_figures(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
) -> list[Figure]:
    """Return the pages of a forest plot, each as high as its rows, none higher than PAGE_HEIGHT.

    Parameters
    ----------
    rows : sequence of ForestRow
    legend : sequence of str
    scale : Scale
    settings : dict
        As of `config.forest_settings`; `style` names a preset, `width` is in mm.
    """
    plot = _plot(rows, legend, scale, settings)
    most = _around(plot, rows, (9, 9))  # a page's own title and legend are no longer
    room = PAGE_HEIGHT - most.top - most.below
    pages = pages_of(rows, plot.columns, room, plot.width, plot.preset.size)
    return [_page(plot, page, (number, len(pages))) for number, page in enumerate(pages, start=1)]


def forest_figure(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
) -> Figure:
    """Return a forest plot on one page, whatever its height."""
    return _page(_plot(rows, legend, scale, settings), rows, (1, 1))


@dataclass(frozen=True, slots=True)
class _Plot:
    """What all pages of a plot share: columns, axis and sizes of squares are those of all rows."""

    rows: Sequence[ForestRow]
    legend: Sequence[str]
    scale: Scale
    settings: dict[str, Any]
    preset: Preset
    width: float
    columns: Columns
    axis: Axis | None
    heaviest: float


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands above and below the rows of a page."""

    titles: list[str]
    top: float
    notes: list[str]
    footer: float
    """Height of the axis and its words, mm."""

    @property
    def below(self) -> float:
        return self.footer + LINE * len(self.notes) + 2


def _plot(
    rows: Sequence[ForestRow], legend: Sequence[str], scale: Scale, settings: dict[str, Any]
) -> _Plot:
    preset, width = preset_of(settings, scale), float(settings["width"])
    columns = place_columns(rows, preset, width)
    sized = any(row.kind == "study" for row in rows)
    axis = place_axis(rows, columns, scale) if sized else None
    heaviest = max((row.share for row in rows if row.share), default=1.0)
    return _Plot(rows, legend, scale, settings, preset, width, columns, axis, heaviest)


def preset_of(settings: dict[str, Any], scale: Scale) -> Preset:
    """Return the preset of a plot, with the measure as the head of its effects."""
    return replace(PRESETS[settings["style"]], effect_head=scale.head)


def _around(plot: _Plot, page: Sequence[ForestRow], number: tuple[int, int]) -> _Around:
    preset = plot.preset
    title = title_words(plot.settings)
    title += f" (page {number[0]} of {number[1]})" if number[1] > 1 else ""
    titles = wrapped(title, plot.width - 2 * MARGIN, preset.size, "bold")
    top = TOP + LINE * (len(titles) - 1) + (4.0 if preset.favours_on_top else 0.0)
    legend = legend_of(page, plot.legend, plot.columns)
    notes = wrapped("; ".join(legend), plot.width - 2 * MARGIN, SMALL) if legend else []
    footer = (9.9 if preset.favours_on_top else 13.5) if plot.axis else 2.0
    return _Around(titles, top, notes, footer)


def legend_of(page: Sequence[ForestRow], legend: Sequence[str], columns: Columns) -> list[str]:
    """Return what a page needs of a legend: words for what stands on it, no others."""
    shown = [name for name in MEANS if columns.has(name)]
    means = mean_words([getattr(row, name) for row in page for name in shown])
    used = {letter for row in page for letter in row.marks.split()}
    totals = columns.has("exercise_n") or columns.has("control_n")
    people = totals and any(row.n_total.startswith("N ") for row in page)
    needed = {
        N_WORDS: people,
        N_WITHIN_WORDS: people,
        NO_VOTE_WORDS: any(row.effect.endswith("no vote") for row in page),
    }
    found = [
        words for words in legend
        if needed.get(words, words[1:3] != ": " or words[0] in used)
    ]  # fmt: skip
    judged = "" if columns.risk_of_bias is None else level_words(row.risk_of_bias for row in page)
    hollow = any(row.kind == "diamond" and row.shape == "hollow" for row in page)
    ends = {HOLLOW_WORDS: hollow, f"risk of bias (RoB): {judged}": bool(judged)}
    return [*means, *found, *(words for words, stands in ends.items() if stands)]


def _page(plot: _Plot, page: Sequence[ForestRow], number: tuple[int, int]) -> Figure:
    preset, width, columns, axis = plot.preset, plot.width, plot.columns, plot.axis
    around = _around(plot, page, number)
    top = around.top
    placed = place_rows(page, columns, top, width, preset.size)
    bottom = placed[-1].top + placed[-1].height if placed else top
    figure, axes = new_figure(width, bottom + around.below)
    for index, line in enumerate(around.titles):
        put(axes, MARGIN, 3.2 + LINE * index, line, weight="bold", size=preset.size)
    _heads(axes, columns, preset, axis is not None, top, width)
    if axis:
        _reference_lines(axes, plot.rows, placed, axis, bottom)
        _axis(axes, axis, bottom, plot.scale, width)
        _favours(axes, axis, top - 10.4 if preset.favours_on_top else bottom + 10.8, plot)
    for item in placed:
        _row(axes, item, columns, axis, plot.heaviest, preset)
    for index, line in enumerate(around.notes):
        y = bottom + around.footer + LINE * (index + 0.5)
        put(axes, MARGIN, y, line, size=SMALL, color=GREY)
    return figure


def title_words(settings: dict[str, Any]) -> str:
    """Return what a synthesis is about, as the title of its figures."""
    synthesis = settings["synthesis"]
    named = {key: synthesis[key] for key in ("site", "phase", "design_class")}
    return title_of(settings["label"], settings["analyte"], **named, when=settings["when"])


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
            heads = columns.heads["risk_of_bias"]
            for text, y in zip(heads, (line - 5.7, line - 2.1), strict=True):
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
    pooled = next(
        (r for r in rows if r.kind == "diamond" and r.label.startswith(ALL_STUDIES)), None
    )
    apart = {*(block.apart for block in SHOWN_APART), DIRECTION_ONLY}
    end = next((i.top for i in placed if i.row.label.split(" (continued)")[0] in apart), bottom)
    end = next((i.middle for i in placed if i.row is pooled), end)
    if pooled is None or any(row.label == Block.UNIT.apart for row in rows):
        return
    x = axis.x(pooled.estimate)
    for low, high in _free_of_text(placed, x, placed[0].top, end):
        axes.plot([x, x], [low, high], color=GREY, lw=0.6, dashes=(4, 2), zorder=1, gid="pooled")


def _free_of_text(
    placed: Sequence[Placed], x: float, top: float, bottom: float
) -> list[tuple[float, float]]:
    """Return the stretches of a vertical line at x that no heading or note crosses."""
    free, start = [], top
    # Notes that follow each other are passed as one: a stub beside a short one would mean nothing.
    for is_text, run in groupby(placed, lambda item: item.row.kind in TEXT_KINDS):
        items = list(run)
        if not is_text or items[0].top >= bottom or not any(_crosses(item, x) for item in items):
            continue
        if items[0].top > start:
            free.append((start, items[0].top))
        start = items[-1].top + items[-1].height
    return [*free, (start, bottom)] if bottom > start else free


def _crosses(item: Placed, x: float) -> bool:
    weight = "bold" if item.row.kind == "heading" else "normal"
    size = SMALL if item.row.kind == "note" else BODY
    return MARGIN + max(text_width(line, size, weight) for line in item.lines) + 0.8 > x


def _axis(axes: Axes, axis: Axis, bottom: float, scale: Scale, width: float) -> None:
    y = bottom + 1.5
    axes.plot([axis.left, axis.right], [y, y], color=BLACK, lw=0.6)
    free = axis.left - 4
    for place, text in axis.ticks:
        x, half = axis.x(place), text_width(text, SMALL) / 2
        axes.plot([x, x], [y, y + 0.9], color=BLACK, lw=0.6)
        if x - half > free:
            put(axes, x, y + 2.6, text, size=SMALL, align="center")
            free = x + half + 0.8
    half = text_width(scale.title, SMALL) / 2
    middle = min((axis.left + axis.right) / 2, width - MARGIN - half)
    put(axes, middle, y + 5.9, scale.title, size=SMALL, align="center")


def _favours(axes: Axes, axis: Axis, y: float, plot: _Plot) -> None:
    """Say what the two sides of the axis mean, beside the null line as far as there is room."""
    top = plot.preset.favours_on_top
    size, weight = (plot.preset.size, "bold") if top else (SMALL, "normal")
    left, right = plot.settings["axis"]
    arrows = f"\N{LEFTWARDS ARROW} {left}", f"{right} \N{RIGHTWARDS ARROW}"
    room_left, room_right = (text_width(text, size, weight) for text in arrows)
    zero = min(max(axis.x(0.0), room_left + MARGIN + 1), plot.width - MARGIN - room_right - 1)
    for x, text, align in ((zero - 1, arrows[0], "right"), (zero + 1, arrows[1], "left")):
        put(axes, x, y, text, size=size, weight=weight, align=align, color=BLACK if top else GREY)


def _row(
    axes: Axes, item: Placed, columns: Columns, axis: Axis | None, heaviest: float, preset: Preset
) -> None:
    row, y = item.row, item.middle
    _texts(axes, item, columns, preset)
    if row.risk_of_bias and columns.risk_of_bias is not None:
        light(axes, columns.risk_of_bias, y, row.risk_of_bias, 2.6)
    if row.kind == "direction":
        x = axis.x(0.0) if axis else (columns.plot_left + columns.plot_right) / 2
        marks.direction_mark(axes, x, y, row.shape)
    elif axis and row.kind == "study":
        marks.interval(axes, row, axis, y, BLACK if row.share is not None else GREY)
        marks.square(axes, row, axis, y, heaviest, preset.square)
    elif axis and row.kind == "diamond":
        marks.diamond(axes, row, axis, y, preset.diamond)
    elif axis and row.kind == "interval":
        marks.interval(axes, row, axis, y, ORANGE, lw=1.0)


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
