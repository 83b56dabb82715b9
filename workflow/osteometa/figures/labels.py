"""Names beside the points of a chart: each is seen to belong to its own point, or is left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from osteometa.figures.chart import TEXT_HEIGHT, Frame
from osteometa.figures.palette import GREY, SMALL
from osteometa.figures.style import put, text_width

Point = tuple[float, float, float, str]
"""Place and side of a mark in mm, and its name; an empty name is not written."""
Array = NDArray[np.float64]
Line = tuple[Sequence[float], Sequence[float]]
"""The xs and ys of a line, mm."""

NEAR = 1.2
"""How much nearer to its own point a name is than to any other, mm."""
CLEAR = 2.0
"""How far from other points a name at the end of a leader line is, mm."""
FREE = 0.6
"""Room before and after a name to lines, mm."""
ASIDE = 1.0
"""How far a name over or under its point reaches to the other side, mm."""
CHUNK = 24
"""Places that are measured at once against lines: the first will mostly do."""
RAYS = np.array(
    [
        (math.cos(math.radians(angle)), math.sin(math.radians(angle)), 3.0 + 1.5 * step)
        for step in range(16)
        for angle in range(0, 360, 15)
    ]
)
"""Leader lines that are tried: directions and lengths in mm, the shortest first."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a name: its left end and middle height, mm."""

    left: float
    middle: float
    label: str
    leader: tuple[float, float, float, float] | None = None
    """A line from the point to the name, where it does not fit beside it: x0, y0, x1, y1."""

    @property
    def box(self) -> Array:
        """What it takes: left, top, right, bottom."""
        return _boxes(self.left, self.middle, text_width(self.label, SMALL))


def draw_labels(axes: Axes, places: Sequence[Place | None]) -> None:
    """Write the names that have a place; those that have none are in the CSV only."""
    for place in places:
        if place is None:
            continue
        put(axes, place.left, place.middle, place.label, size=SMALL)
        if place.leader:
            x0, y0, x1, y1 = place.leader
            axes.plot([x0, x1], [y0, y1], color=GREY, lw=0.5, zorder=2, gid="leader")


def place_labels(
    points: Sequence[Point], frame: Frame, lines: Sequence[Line] = (), *, numbers: bool = False
) -> list[Place | None]:
    """Return a free place for the name of each point, None where there is none.

    A name stands beside its point and farther from every other, or at the end of a leader line,
    inside the frame. `points` are all marks, named or not, the most important first; on `lines` no
    name may stand. With `numbers` 1, 2, ... take the place of names that have no room.
    """
    parts = [
        (x0, y0, x1, y1)
        for xs, ys in lines
        for x0, y0, x1, y1 in zip(xs[:-1], ys[:-1], xs[1:], ys[1:], strict=True)
    ]
    segments = np.array(parts, dtype=float).reshape(-1, 4)
    marks = np.array([point[:3] for point in points], dtype=float).reshape(-1, 3)
    found: list[Place | None] = []
    number = 1
    for index, (x, y, side, label) in enumerate(points):
        others = np.delete(marks, index, axis=0)
        placed = [place for place in found if place]
        place = _free((x, y, side, label), others, placed, frame, segments) if label else None
        if numbers and label and place is None:
            place = _free((x, y, side, f"{number}"), others, placed, frame, segments)
            number += place is not None
        found.append(place)
    return found


def _free(
    point: Point, others: Array, placed: Sequence[Place], frame: Frame, segments: Array
) -> Place | None:
    """Return the first place that is inside, upon nothing, and seen to be the point's."""
    x, y, side, label = point
    left, middle, tips = _candidates(point, frame)
    away = ~np.isnan(tips[:, 0])
    boxes = _boxes(left, middle, text_width(label, SMALL))
    fits = (boxes[:, 0] >= frame.left + 0.5) & (boxes[:, 2] <= frame.right)
    fits &= (boxes[:, 1] >= frame.top) & (boxes[:, 3] <= frame.bottom - 0.3)
    fits &= ~away | ((tips[:, 0] >= frame.left) & (tips[:, 0] <= frame.right))
    apart = np.where(away, CLEAR, _distances(boxes, np.array([[x, y]]))[:, 0] + NEAR)
    least = np.maximum(apart[:, None], others[None, :, 2] / 2 + 0.3)
    fits &= np.all(_distances(boxes, others[:, :2]) >= least, axis=1)
    for other in placed:
        apart = (boxes[:, :2] >= other.box[2:]) | (other.box[:2] >= boxes[:, 2:])
        fits &= apart.any(axis=1)
    leaders = np.array([place.leader for place in placed if place.leader]).reshape(-1, 4)
    half = others[:, 2:] / 2 + 0.4
    marks = np.hstack([others[:, :2] - half, others[:, :2] + half])
    obstacles = np.vstack([marks, *(place.box for place in placed)])
    kept = np.flatnonzero(fits)
    for some in np.split(kept, range(CHUNK, len(kept), CHUNK)):
        room = boxes[some] + np.array([-FREE, 0.0, FREE, 0.0])
        clear = ~_crossed(room, segments) & ~_crossed(boxes[some], leaders)
        for i in some[clear].tolist():
            line = _leader((x, y), tips[i], side) if away[i] else None
            if line is None or not (
                _crossed(obstacles, np.array([line])).any()
                or any(_cross(line, other) for other in leaders)
            ):
                return Place(float(left[i]), float(middle[i]), label, line)
    return None


def _candidates(point: Point, frame: Frame) -> tuple[Array, Array, Array]:
    """Return left ends, middle heights and tips of leaders (n x 2, NaN beside the point)."""
    x, y, side, label = point
    width, gap, high = text_width(label, SMALL), side / 2 + 0.9, TEXT_HEIGHT / 2 + 0.6
    overs = np.array([-width / 2, -ASIDE, ASIDE - width])
    left = [np.array([x + gap, x - gap - width]), np.repeat(x + overs, 2)]
    middle = [np.array([y, y]), np.tile([y - gap - 1.2, y + gap + 1.2], 3)]
    tip = np.array([x, y]) + (RAYS[:, 2:] + side / 2) * RAYS[:, :2]
    aside, over = np.abs(RAYS[:, 0]) > 0.1, np.abs(RAYS[:, 0]) < 0.9
    left.append((tip[:, 0] + np.where(RAYS[:, 0] > 0, 0.5, -0.5 - width))[aside])
    middle.append(tip[aside, 1])
    left.append((tip[over, :1] + overs).ravel())
    middle.append(np.repeat((tip[:, 1] + np.copysign(high, RAYS[:, 1]))[over], 3))
    tips = np.vstack([np.full((8, 2), np.nan), tip[aside], np.repeat(tip[over], 3, axis=0)])
    lengths = np.concatenate([np.zeros(8), RAYS[aside, 2], np.repeat(RAYS[over, 2], 3)])
    order = np.argsort(lengths, kind="stable")
    # Over and under its point a name may be pushed inwards by a side of the frame.
    ends, pushed = np.concatenate(left), np.ones(len(lengths), dtype=bool)
    pushed[:2] = pushed[8 : 8 + aside.sum()] = False
    inside = np.clip(ends, frame.left + 0.8, max(frame.left + 0.8, frame.right - width - 0.3))
    return np.where(pushed, inside, ends)[order], np.concatenate(middle)[order], tips[order]


def _leader(own: tuple[float, float], tip: Array, side: float) -> tuple[float, float, float, float]:
    """Return the line from the edge of a mark to the tip."""
    share = (side / 2 + 0.2) / math.hypot(tip[0] - own[0], tip[1] - own[1])
    start = [a + share * (b - a) for a, b in zip(own, tip.tolist(), strict=True)]
    return (*start, *tip.tolist())


def _boxes(left: Array | float, middle: Array | float, width: float) -> Array:
    """Return what names take (n x 4: left, top, right, bottom)."""
    half = TEXT_HEIGHT / 2 + 0.55
    return np.stack([left - 0.2, middle - half, left + width + 0.2, middle + half], axis=-1)


def _distances(boxes: Array, points: Array) -> Array:
    """Return how far each of m points is from each of n boxes (n x m), 0 inside."""
    beyond = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:])
    return np.hypot(*np.moveaxis(np.maximum(beyond, 0.0), -1, 0))


def _crossed(boxes: Array, segments: Array) -> NDArray[np.bool_]:
    """Return which of n boxes any of m segments (m x 4: x0, y0, x1, y1) crosses."""
    start, along = segments[:, :2], segments[:, 2:] - segments[:, :2]
    still = np.where(along == 0.0, 1e-12, along)
    first, second = (boxes[:, None, :2] - start) / still, (boxes[:, None, 2:] - start) / still
    enters = np.maximum(np.minimum(first, second).max(axis=-1), 0.0)
    leaves = np.minimum(np.maximum(first, second).min(axis=-1), 1.0)
    return np.any(enters <= leaves, axis=1)


def _cross(one: Sequence[float] | Array, other: Sequence[float] | Array) -> bool:
    """Return whether two segments (x0, y0, x1, y1) cross."""

    def side(line: Sequence[float] | Array, x: float, y: float) -> float:
        return (line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])

    return (
        side(one, *other[:2]) * side(one, *other[2:]) < 0
        and side(other, *one[:2]) * side(other, *one[2:]) < 0
    )
