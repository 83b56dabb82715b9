"""Scatter plots: Baujat and bubble (meta-regression)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    MARGIN,
    TYPE_MARKS,
    Fit,
    Frame,
    Mark,
    Point,
    Ticks,
    distinct_labels,
    draw_axes,
    draw_mark,
    noted,
    padded,
    plain_ticks,
    tick_room,
    title_height,
    titled_figure,
)
from osteometa.figures.forest.layout import FAST, ticks_of
from osteometa.figures.labels import draw_labels, place_labels
from osteometa.figures.palette import BLACK, BLUE, GREY, NARROW
from osteometa.figures.style import polygon
from osteometa.records.sensitivity import (
    InfluenceRow,
    MetaRegressionRow,
    RegressionLine,
    RegressionPoint,
)
from osteometa.wording.measure_format import MeasureFormat
from osteometa.wording.numbers import p_text, signed
from osteometa.wording.vocabulary import ExerciseType

HEIGHT = 58.0
BAND = "#dadada"
COVARIATES = {
    "weeks": "Weeks of training",
    "age": "Mean age, years",
    "year": "Year of publication",
    "sessions": "Sessions per week",
    "n": "Participants analysed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An empty chart: its ranges, ticks, titles and note."""

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: Ticks
    y_ticks: Ticks
    x_title: str
    y_title: str
    note: str = ""
    margin: float = 0.0
    """Room above and at the right for histograms, mm."""


def ground_figure(ground: Ground, draw: Callable[[Axes, Frame], None]) -> Figure:
    """Return a chart one column wide; `draw(axes, frame)` puts the marks on it."""
    top = title_height(ground.title, NARROW) + max(5.5, ground.margin + 2)
    bottom = top + HEIGHT
    figure, axes = titled_figure(ground.title, NARROW, bottom + 9 + 1, ground.note)
    left, right = MARGIN + tick_room(ground.y_ticks), NARROW - MARGIN - 1 - ground.margin
    frame = Frame(left, right, top, bottom, *ground.x, *ground.y)
    draw(axes, frame)
    draw_axes(axes, frame, x_ticks=ground.x_ticks, y_ticks=ground.y_ticks,
              x_title=ground.x_title, y_title=ground.y_title)  # fmt: skip
    noted(axes, ground.note, NARROW, bottom + 8.6)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble(Point):
    """A study whose area shows its weight."""

    size: float


def baujat_marks(rows: Sequence[InfluenceRow]) -> list[Bubble]:
    """Return a point per study: its squared Pearson residual, and how far it moves the pool."""
    return [
        Bubble(label=label, x=row.baujat_x, y=row.baujat_y, size=row.weight,
               effect_id=row.effect_id)
        for row, label in zip(rows, distinct_labels(rows), strict=True)
        if row.baujat_x is not None and row.baujat_y is not None and row.weight is not None
    ]  # fmt: skip


def baujat_figure(marks: Sequence[Point], title: str) -> Figure:
    """Return the Baujat plot; studies far from the corner are named where there is room."""
    x_high = max(mark.x for mark in marks) * 1.08 or 1.0
    y_high = max(mark.y for mark in marks) * 1.08 or 1.0
    reach = {id(m): m.x / x_high + m.y / y_high for m in marks}
    order = sorted(marks, key=lambda m: -reach[id(m)])

    def draw(axes: Axes, frame: Frame) -> None:
        for mark in marks:
            draw_mark(axes, frame.x(mark.x), frame.y(mark.y), 1.6, "circle", BLUE)
        named = [
            (frame.x(m.x), frame.y(m.y), 1.8, m.label if reach[id(m)] > 0.25 else "") for m in order
        ]
        draw_labels(axes, place_labels(named, frame))

    ground = Ground(
        title=title, x=(0.0, x_high), y=(0.0, y_high), x_ticks=plain_ticks(0.0, x_high),
        y_ticks=plain_ticks(0.0, y_high), x_title="Squared Pearson residual",
        y_title="Standardised squared change of the pooled effect",
        note="Right: studies far from the pooled effect for their variance (v + τ²). Top: studies "
        "without which it changes most, in its variances without the study.",
    )  # fmt: skip
    return ground_figure(ground, draw)


def bubble_marks(
    fit: MetaRegressionRow, points: Sequence[RegressionPoint], line: Sequence[RegressionLine]
) -> list[Mark]:
    """Return a bubble per study, area by weight, and the fitted line with its band."""
    return [
        *(
            Bubble(label=p.label, x=p.x, y=p.yi, size=p.weight, group=p.exercise_type,
                   effect_id=p.effect_id)
            for p in points
            if p.covariate == fit.covariate
        ),
        *(
            Fit(kind="line", label=at.covariate, x=at.x, y=at.fitted, low=at.ci_low,
                high=at.ci_high)
            for at in line
            if at.covariate == fit.covariate
        ),
    ]  # fmt: skip


def bubble_figure(
    marks: Sequence[Mark], title: str, scale: MeasureFormat, note: str = ""
) -> Figure:
    """Return the bubble plot of one covariate."""
    points = [mark for mark in marks if isinstance(mark, Bubble)]
    line = [mark for mark in marks if isinstance(mark, Fit)]
    heaviest = max(mark.size for mark in points)
    x_range = padded([m.x for m in points], 0.1)
    ends = [end for m in line for end in (m.low, m.high)]
    y_range = padded([*(m.y for m in points), *ends, 0.0], 0.12)

    def draw(axes: Axes, frame: Frame) -> None:
        _band(axes, frame, line)
        axes.plot([frame.left, frame.right], [frame.y(0.0)] * 2, color=GREY, lw=0.6, zorder=1)
        axes.plot([frame.x(m.x) for m in line], [frame.y(m.y) for m in line], color=BLACK, lw=1.0,
                  zorder=3)  # fmt: skip
        for m in sorted(points, key=lambda m: -m.size):
            color, shape = TYPE_MARKS[m.group]
            side = 4.0 * math.sqrt(m.size / heaviest)
            draw_mark(axes, frame.x(m.x), frame.y(m.y), side, shape, color, edge="white")

    kinds = [kind for kind in ExerciseType if any(m.group == kind for m in points)]
    covariate = COVARIATES[line[0].label]
    legend = "; ".join(f"{TYPE_MARKS[kind][1]} {kind.words}" for kind in kinds)
    ground = Ground(
        title=f"{title}; by {covariate.split(',')[0].lower()}", x=x_range, y=y_range,
        x_ticks=plain_ticks(*x_range), y_ticks=ticks_of(*y_range, scale), x_title=covariate,
        y_title=scale.title,
        note=f"Area of a mark: weight ({legend}). {note}".strip(),
    )  # fmt: skip
    return ground_figure(ground, draw)


def _band(axes: Axes, frame: Frame, line: Sequence[Fit]) -> None:
    """Draw the confidence band of a line: a ground, and its edges for those who see no grey."""
    x = [frame.x(m.x) for m in line]
    low, high = [frame.y(m.low) for m in line], [frame.y(m.high) for m in line]
    corners = list(zip(x + x[::-1], low + high[::-1], strict=True))
    polygon(axes, corners, BAND, edgecolor="none", lw=0, zorder=0.5, gid="band")
    for edge in (low, high):
        axes.plot(x, edge, color=GREY, lw=0.6, dashes=(4, 2), zorder=1, gid="band")


def slope_words(fit: MetaRegressionRow, scale: MeasureFormat) -> str:
    """Return the slope of a meta-regression in words."""
    unit = {"weeks": "week", "age": "year of age", "year": "year", "sessions": "weekly session",
            "n": "participant"}[fit.covariate]  # fmt: skip
    slope = [v for v in (fit.slope, fit.ci_low, fit.ci_high) if v is not None]
    if scale.percent:
        numbers = [f"{signed(scale.shown(v), 3)}{FAST}%" for v in slope]
    else:
        numbers = [signed(v, 4) for v in slope]
    last = f"{p_text(fit.p)}, k = {fit.k}".replace(" = ", f"{FAST}={FAST}")
    return f"Slope per {unit}: {numbers[0]} ({numbers[1]} to {numbers[2]}), {last}."
