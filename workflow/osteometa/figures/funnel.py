"""Contour-enhanced funnel plots: effects against their standard errors (Peters 2008)."""

from collections.abc import Sequence
from statistics import NormalDist

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteometa.figures.chart import (
    MARGIN,
    At,
    Frame,
    Mark,
    Point,
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
from osteometa.figures.forest.layout import ticks_of
from osteometa.figures.labels import Line, Place, draw_labels, place_labels
from osteometa.figures.palette import BLACK, BLUE, GREY, NARROW, VERMILION
from osteometa.figures.style import polygon
from osteometa.records.sensitivity import FunnelPoint
from osteometa.wording.measure_format import MeasureFormat

SHADES = {0.01: "#DADADA", 0.05: "#BDBDBD", 0.10: "white"}
"""Two-sided p of an effect against the null, and the shade between its lines and the next ones."""
NOTE = (
    "Shaded: p from 0.10 to 0.05 (dark) and from 0.05 to 0.01 (light); not shaded: p above 0.10 "
    "(centre) and below 0.01 (outside). Lines: no effect (black), pooled effect (blue), and limits "
    "within which 95 % of studies are expected without heterogeneity (dashed). Named: studies "
    "outside these limits."
)
FILLED = " Hollow: imputed by trim and fill."


def quantile(p: float) -> float:
    """Return how many standard errors the contour of a two-sided p lies from no effect."""
    return NormalDist().inv_cdf(1 - p / 2)


def funnel_marks(points: Sequence[FunnelPoint], pooled: float) -> list[Mark]:
    """Return the marks: studies, imputed studies and the pooled line."""
    marks = [
        Point(
            label=label, x=point.yi, y=point.se, effect_id=point.effect_id,
            group="filled" if point.filled else "study",
            shape="outside" if point.outside else "",
        )
        for point, label in zip(points, distinct_labels(points), strict=True)
    ]  # fmt: skip
    return [*marks, At(kind="line", label="pooled effect", x=pooled)]


def funnel_figure(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> Figure:
    """Return the funnel plot, one column wide."""
    points, centre = _points(marks), _centre(marks)
    filled = any(mark.group == "filled" for mark in points)
    highest = max(mark.y for mark in points) * 1.08
    reach = quantile(min(SHADES)) * highest
    low, high = padded([*(mark.x for mark in points), 0.0, centre], 0.12)
    low, high = min(low, -0.6 * reach), max(high, 0.6 * reach)
    y_ticks = plain_ticks(0.0, highest)
    top = title_height(title, NARROW) + 5.5
    frame = Frame(
        MARGIN + tick_room(y_ticks), NARROW - MARGIN, top, top + 62, low, high, highest, 0.0
    )
    places, short = _named(frame, points, centre)
    note = f"{NOTE}{short}{FILLED if filled else ''}"
    figure, axes = titled_figure(title, NARROW, top + 62 + 9 + 2, note)
    for p, shade in SHADES.items():
        _triangle(axes, frame, quantile(p), shade)
    for line, color, width, dashes in _lines(frame, centre):
        axes.plot(*line, color=color, lw=width, dashes=dashes, zorder=2)
    for mark in points:
        hollow = mark.group == "filled"
        draw_mark(axes, frame.x(mark.x), frame.y(mark.y), 1.6, "circle",
                  VERMILION if hollow else BLACK, hollow=hollow)  # fmt: skip
    draw_labels(axes, places)
    y_title = "Standard error" + (" of the log ratio" if scale.measure == "ROM" else "")
    draw_axes(axes, frame, x_ticks=ticks_of(low, high, scale), y_ticks=y_ticks,
              x_title=scale.title, y_title=y_title)  # fmt: skip
    noted(axes, note, NARROW, frame.bottom + 9)
    return figure


def _points(marks: Sequence[Mark]) -> list[Point]:
    return [mark for mark in marks if isinstance(mark, Point)]


def _centre(marks: Sequence[Mark]) -> float:
    return next(mark.x for mark in marks if isinstance(mark, At) and mark.kind == "line")


def _lines(frame: Frame, centre: float) -> list[tuple[Line, str, float, tuple]]:
    """Return no effect, the pooled effect and the bounds: place, colour, width and dashes."""
    upright = (frame.top, frame.bottom)
    null, pool = (((frame.x(x), frame.x(x)), upright) for x in (0.0, centre))
    bounds = [
        _clipped(frame, centre, centre + z * frame.y_low) for z in (-quantile(0.05), quantile(0.05))
    ]
    return [
        *((line, GREY, 0.6, (4, 2)) for line in bounds),
        (null, BLACK, 0.6, ()),
        (pool, BLUE, 0.9, ()),
    ]


def _named(frame: Frame, points: Sequence[Point], centre: float) -> tuple[list[Place | None], str]:
    """Return the places of the names of studies outside the bounds; numbers without room in words.

    The farthest from the pooled effect, by standard errors, come first.
    """
    order = sorted(points, key=lambda m: -abs(m.x - centre) / max(m.y, 1e-12))
    names = [m.label if (m.group, m.shape) == ("study", "outside") else "" for m in order]
    marks = [(frame.x(m.x), frame.y(m.y), 1.8, name) for m, name in zip(order, names, strict=True)]
    places = place_labels(marks, frame, [line for line, *_ in _lines(frame, centre)], numbers=True)
    short = [
        f"{place.label}: {name}"
        for place, name in zip(places, names, strict=True)
        if place is not None and place.label != name
    ]
    return places, f" {'; '.join(short)}." if short else ""


def _triangle(axes: Axes, frame: Frame, z: float, shade: str) -> None:
    """Fill the area between effects with a p above the contour, cut at the frame."""
    corners = [(frame.x(0.0), frame.top)]
    for side in (1, -1):
        end = z * frame.y_low * side
        limit = frame.x_high if side > 0 else frame.x_low
        if abs(end) > abs(limit):
            corners += [
                (frame.x(limit), frame.y(limit / (z * side))),
                (frame.x(limit), frame.bottom),
            ][::side]
        else:
            corners.append((frame.x(end), frame.bottom))
    polygon(axes, corners, shade, lw=0, zorder=0, gid="contour")


def _clipped(frame: Frame, x0: float, x1: float) -> tuple[list[float], list[float]]:
    """Return a line from (x0, 0) to (x1, y_low), cut where it leaves the frame."""
    limit = frame.x_high if x1 > x0 else frame.x_low
    share = min(1.0, (limit - x0) / (x1 - x0)) if x1 != x0 else 1.0
    xs = [frame.x(x0), frame.x(x0 + share * (x1 - x0))]
    return xs, [frame.top, frame.y(share * frame.y_low)]


def funnel_alt(marks: Sequence[Mark], title: str, scale: MeasureFormat) -> str:
    """Return what a funnel plot shows, for readers who do not see it."""
    points, centre = _points(marks), _centre(marks)
    filled = sum(mark.group == "filled" for mark in points)
    words = f"{title}: {len(points) - filled} studies by effect and standard error"
    words += f", pooled effect {scale.number(centre)}"
    return words + (f", {filled} studies imputed." if filled else ".")
