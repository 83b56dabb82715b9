"""Forest plots drawn from their rows: squares, diamonds, intervals, directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import draw_favours, draw_ticks, page_title
from osteometa.figures.forest import marks
from osteometa.figures.forest.layout import (
    LINE,
    MARGIN,
    MEANS,
    Axis,
    Columns,
    Placed,
    place_axis,
    place_columns,
    place_rows,
)
from osteometa.figures.forest.pages import PAGE_HEIGHT, pages_of
from osteometa.figures.forest.rows import (
    DIRECTION_ONLY,
    Diamond,
    Forest,
    ForestRow,
    Prediction,
    Study,
)
from osteometa.figures.palette import BLACK, BODY, GREY, ORANGE, SMALL
from osteometa.figures.risk_of_bias import level_words, light
from osteometa.figures.settings import Preset
from osteometa.figures.style import new_figure, put, put_lines, text_width, wrapped
from osteometa.wording.measure_format import Estimate, MeasureFormat
from osteometa.wording.vocabulary import OVERALL, SHOWN_APART, Block, Flag, MeansKind

TOP = 15.0
TEXT_KINDS = ("heading", "note")
"""Rows that may be as wide as the page."""


def forest_figures(forest: Forest) -> list[Figure]:
    """Return the pages of a forest plot, each as high as its rows, none above PAGE_HEIGHT."""
    plot = _plot(forest)
    most = _around(plot, forest.rows, (9, 9))  # a page's own title and legend are no longer
    room = PAGE_HEIGHT - most.top - most.below
    pages = pages_of(forest.rows, plot.columns, room, plot.width, plot.preset.size)
    return [_page(plot, page, (number, len(pages))) for number, page in enumerate(pages, start=1)]


def forest_figure(forest: Forest) -> Figure:
    """Return a forest plot on one page of any height."""
    return _page(_plot(forest), forest.rows, (1, 1))


@dataclass(frozen=True, slots=True)
class _Plot:
    """What all pages of a plot share: columns, axis and sizes of squares are those of all rows."""

    forest: Forest
    preset: Preset
    width: float
    columns: Columns
    axis: Axis | None
    heaviest: float


@dataclass(frozen=True, slots=True)
class _Around:
    """What is drawn above and below the rows of a page."""

    titles: list[str]
    top: float
    notes: list[str]
    footer: float
    """Height of the axis and its words, mm."""

    @property
    def below(self) -> float:
        return self.footer + LINE * len(self.notes) + 2


def _plot(forest: Forest) -> _Plot:
    rows, width = forest.rows, float(forest.settings.width)
    preset = preset_of(forest)
    columns = place_columns(rows, preset, width)
    sized = any(row.kind == "study" for row in rows)
    axis = place_axis(rows, columns, forest.scale) if sized else None
    heaviest = max((row.share for row in rows if row.share), default=1.0)
    return _Plot(forest, preset, width, columns, axis, heaviest)


def preset_of(forest: Forest) -> Preset:
    """Return the preset of a plot, with the measure as the head of its effects."""
    return replace(forest.settings.preset, effect_head=forest.scale.head)


def _around(plot: _Plot, page: Sequence[ForestRow], number: tuple[int, int]) -> _Around:
    preset = plot.preset
    title = page_title(plot.forest.settings.title, *number)
    titles = wrapped(title, plot.width - 2 * MARGIN, preset.size, "bold")
    top = TOP + LINE * (len(titles) - 1) + (4.0 if preset.favours_on_top else 0.0)
    within = plot.forest.settings.within_arm
    legend = legend_of(page, plot.columns, plot.forest.letters, within)
    notes = wrapped("; ".join(legend), plot.width - 2 * MARGIN, SMALL) if legend else []
    footer = (9.9 if preset.favours_on_top else 13.5) if plot.axis else 2.0
    return _Around(titles, top, notes, footer)


def _page(plot: _Plot, page: Sequence[ForestRow], number: tuple[int, int]) -> Figure:
    preset, width, axis = plot.preset, plot.width, plot.axis
    around = _around(plot, page, number)
    top = around.top
    placed = place_rows(page, plot.columns, top, width, preset.size)
    bottom = placed[-1].top + placed[-1].height if placed else top
    figure, axes = new_figure(width, bottom + around.below)
    put_lines(axes, MARGIN, 3.2, around.titles, weight="bold", size=preset.size)
    _heads(axes, plot, top)
    if axis:
        _reference_lines(axes, plot.forest.rows, placed, axis, bottom)
        _axis(axes, axis, bottom, plot.forest.scale, width)
        _favours(axes, axis, top - 10.4 if preset.favours_on_top else bottom + 10.8, plot)
    only = (item.row.effect for item in placed if item.row.kind == "direction")
    words = max((text_width(text, preset.size) for text in only), default=0.0)
    for item in placed:
        _row(axes, item, plot, words)
    y = bottom + around.footer + LINE / 2
    put_lines(axes, MARGIN, y, around.notes, size=SMALL, color=GREY)
    return figure


def _heads(axes: Axes, plot: _Plot, top: float) -> None:
    columns, preset, line = plot.columns, plot.preset, top - 1.1
    put(axes, columns.label, line - 2.1, preset.head, weight="bold", size=preset.size)
    places = [(name, x, "right", preset.size) for name, x in columns.right.items()]
    if columns.risk_of_bias is not None:
        places.append(("risk_of_bias", columns.risk_of_bias, "center", SMALL))
    for name, x, align, size in places if plot.axis else ():
        for text, y in zip(columns.heads[name], (line - 5.7, line - 2.1), strict=True):
            if text:
                put(axes, x, y, text, weight="bold", align=align, size=size)
    axes.plot([MARGIN, plot.width - MARGIN], [line, line], color=BLACK, lw=0.6)


def _reference_lines(
    axes: Axes, rows: Sequence[ForestRow], placed: Sequence[Placed], axis: Axis, bottom: float
) -> None:
    """Draw the null line down to the axis, and the pooled effect's beside what it is pooled of.

    The pooled line is left out where rows in another unit share the axis.
    """
    for low, high in _free_of_text(placed, axis.x(0.0), placed[0].top, bottom + 1.5):
        axes.plot([axis.x(0.0)] * 2, [low, high], color=BLACK, lw=0.6, zorder=1, gid="null")
    pooled = next((r for r in rows if isinstance(r, Diamond) and r.group == OVERALL), None)
    apart = {*SHOWN_APART, DIRECTION_ONLY}
    end = next((i.top for i in placed if i.row.kind == "heading" and i.row.group in apart), bottom)
    end = next((i.middle for i in placed if i.row is pooled), end)
    if pooled is None or any(row.group == Block.UNIT for row in rows):
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


def _axis(axes: Axes, axis: Axis, bottom: float, scale: MeasureFormat, width: float) -> None:
    y = bottom + 1.5
    axes.plot([axis.left, axis.right], [y, y], color=BLACK, lw=0.6)
    draw_ticks(axes, axis.x, y, axis.ticks, below=2.6, free=axis.left - 4)
    half = text_width(scale.title, SMALL) / 2
    middle = min((axis.left + axis.right) / 2, width - MARGIN - half)
    put(axes, middle, y + 5.9, scale.title, size=SMALL, align="center")


def _favours(axes: Axes, axis: Axis, y: float, plot: _Plot) -> None:
    """Say what the two sides of the axis mean, beside the null line as far as there is room."""
    words, style = plot.forest.settings.favours, {}
    if plot.preset.favours_on_top:
        style = {"size": plot.preset.size, "weight": "bold", "color": BLACK}
    draw_favours(axes, axis.x(0.0), y, words, plot.width, **style)


def _row(axes: Axes, item: Placed, plot: _Plot, words: float) -> None:
    row, y, columns, axis, preset = item.row, item.middle, plot.columns, plot.axis, plot.preset
    _texts(axes, item, columns, preset)
    if row.risk_of_bias and columns.risk_of_bias is not None:
        light(axes, columns.risk_of_bias, y, row.risk_of_bias, 2.6)
    if row.kind == "direction":
        # Beside its words: on the axis it would stand for a size.
        x = columns.right["effect"] - words - 2.6
        marks.direction_mark(axes, x, y, row.shape)
    elif axis and isinstance(row, Study):
        color = GREY if row.share is None else BLACK
        marks.interval(axes, (row.low, row.high), axis, y, color)
        marks.square(axes, row, axis, y, plot.heaviest, preset.square)
    elif axis and isinstance(row, Diamond):
        color = preset.diamond if row.shape == "full" else "white"
        marks.diamond(axes, Estimate(row.estimate, row.low, row.high), axis, y, color)
    elif axis and isinstance(row, Prediction):
        marks.interval(axes, (row.low, row.high), axis, y, ORANGE, lw=1.0)


def _texts(axes: Axes, item: Placed, columns: Columns, preset: Preset) -> None:
    row, y = item.row, item.middle
    bold = "bold" if row.kind in ("heading", "diamond") else "normal"
    size = SMALL if row.kind == "note" else preset.size
    color = GREY if row.kind == "note" else BLACK
    put_lines(axes, columns.label, y, item.lines, size=size, weight=bold, color=color)
    if row.marks:
        last = item.lines[-1]
        x = columns.label + text_width(last, preset.size) + 0.4
        put(axes, x, y + LINE * (len(item.lines) - 1) - 0.5, row.marks, size=SMALL, color=GREY)
    for name, right in columns.right.items():
        weight = bold if name in ("effect", "weight") else "normal"
        put(axes, right, y, getattr(row, name), align="right", weight=weight, size=preset.size)


N_WORDS = "N: participants in both arms, where n per arm is not reported"
N_WITHIN_WORDS = "N: participants"
NOT_COUNTED_WORDS = "not counted: left out of the sign test"
HOLLOW_WORDS = "hollow diamond: two studies"
MEAN_WORDS = {
    MeansKind.CHANGE: "Means are changes",
    MeansKind.PCT_CHANGE: "%: percent changes",
    # Values after need not give the effect beside them: many methods use more than those.
    MeansKind.AFTER: "†: final values (the effect may also use values before, or be adjusted)",
}


def legend_of(
    page: Sequence[ForestRow], columns: Columns, letters: Mapping[str, Flag], within_arm: bool
) -> list[str]:
    """Return what a page needs of a legend: only what has a column is explained."""
    means = {row.means_kind for row in page if set(MEANS) & set(columns.right)}
    used = {letter for row in page for letter in row.marks.split()}
    judged = "" if columns.risk_of_bias is None else level_words(row.risk_of_bias for row in page)
    lines = {
        **{words: kind in means for kind, words in MEAN_WORDS.items()},
        N_WITHIN_WORDS if within_arm else N_WORDS: any(
            row.participants is not None for row in page
        ),
        NOT_COUNTED_WORDS: any(row.counted is False for row in page),
        **{f"{letter}: {flag.words}": letter in used for letter, flag in letters.items()},
        HOLLOW_WORDS: any(row.kind == "diamond" and row.shape == "hollow" for row in page),
        f"risk of bias (RoB): {judged}": bool(judged),
    }
    return [words for words, stands in lines.items() if stands]
