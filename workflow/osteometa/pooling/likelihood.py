"""Maximum likelihood and REML: the highest of all maxima over tau2 >= 0, for many models at once.

y'PPy, tr P and their derivatives fall in tau2; from their values at the ends of an interval follows
whether the score has no root in it, or one at most. So every maximum of the likelihood is found,
and none is missed between the points of a grid.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.pooling.batch import Batch, SlopeMoments, log_likelihood, q_moments, slope_moments

STEPS = 200
"""Most steps of a search; it takes a handful."""
PIECES = 6
"""First intervals of the search; the undecided ones are halved."""
NARROW = 1e-9
"""Relative width at which an undecided interval is no longer halved."""
CLOSE = 1e-6
"""Relative step of a quadratically convergent search after which the next would be below 1e-12."""


def _score(batch: Batch, tau2: Array | float, restricted: bool) -> Array:
    return _score_of(slope_moments(batch, tau2), restricted)


def _score_of(at: SlopeMoments, restricted: bool) -> Array:
    """Return the two parts of the score, up - down, and their slopes as rows (4, m).

    Both are positive and fall. REML has up = y'PPy, down = tr P; ML has down = tr W.
    """
    down, slope = (at.trace, at.trace2) if restricted else (at.w1, at.w2)
    return np.stack([at.q2, down, 2 * at.q3, slope])


def last_root_bound(batch: Batch, restricted: bool) -> tuple[Array, Array]:
    """Return the smallest variance and a tau2 above which the score is negative, both (m).

    With W between 1 / (vmax + tau2) and 1 / (vmin + tau2), y'PPy is at most RSS / (vmin + tau2)^2
    and tr P at least (k - p) / (vmax + tau2), RSS that of ordinary least squares.
    """
    present = np.isfinite(batch.v)
    plain = replace(batch, v=np.where(present, 1.0, np.inf))
    s2 = q_moments(plain, 0.0).q / (batch.n - batch.p if restricted else batch.n)
    lowest = np.min(batch.v, axis=0)
    highest = np.max(np.where(present, batch.v, 0.0), axis=0)
    u = 0.5 * (s2 + np.sqrt(s2) * np.sqrt(s2 + 4 * (highest - lowest)))
    # Just above the bound, so that rounding leaves the score there negative.
    return lowest, u * (1 + 1e-9) - lowest


def highest_maximum(batch: Batch, restricted: bool, at0: SlopeMoments) -> Array:
    """Return the tau2 >= 0 (m) of the highest maximum of the (restricted) likelihood."""
    tau2 = np.zeros(len(batch.n))
    lowest, top = last_root_bound(batch, restricted)
    # NaN is passed on, and refused by the search.
    active = np.flatnonzero(~(top <= 0))
    if not len(active):
        return tau2
    start = _score_of(at0, restricted)
    if len(active) == len(tau2):
        part = batch
    else:
        part, start = batch.take(active), start[:, active]
        lowest, top = lowest[active], top[active]
    model, roots, at_zero = _maxima(part, lowest, top, restricted, start)
    model = active[model]
    tau2[model] = roots
    # Two maxima: the higher one counts. At 0 is one if the likelihood falls there.
    several = np.bincount(model, minlength=len(tau2))
    several[active[at_zero]] += 1
    rivals = np.flatnonzero(several > 1)
    if len(rivals):
        models = np.concatenate([model, active[at_zero]])
        points = np.concatenate([roots, np.zeros(np.count_nonzero(at_zero))])
        chosen = np.flatnonzero(several[models] > 1)
        models, points = models[chosen], points[chosen]
        height = log_likelihood(batch.take(models), points, restricted)
        order = np.lexsort((-points, height))
        tau2[models[order]] = points[order]
    return tau2


def _maxima(
    batch: Batch, lowest: Array, top: Array, restricted: bool, at0: Array
) -> tuple[NDArray[np.intp], Array, NDArray[np.bool_]]:
    """Return all maxima above 0 (model, tau2) and in which models (m) there is one at 0.

    FloatingPointError where the score is not finite, so that halving intervals would not end.
    """
    # All parts of a score fall in tau2, so that those at 0 are the largest.
    if not np.all(np.isfinite([*at0, top])):
        raise FloatingPointError("the numbers are too large or too small to compute with")
    points = _first_points(lowest, top)
    after = [_score(batch, point, restricted) for point in points[1:]]
    scores = np.stack([at0, *after], axis=1)
    first = _Intervals(
        np.broadcast_to(np.arange(len(top)), (PIECES, len(top))), points[:-1], points[1:],
        scores[:, :-1], scores[:, 1:],
    )  # fmt: skip
    one, undecided = _classified(first, lowest)
    single, open_ = [first.take(one)], first.take(undecided)
    while len(open_.model):
        low = lowest[open_.model]
        middle = np.sqrt((low + open_.a) * (low + open_.b)) - low
        centre = _score(batch.take(open_.model), middle, restricted)
        halves = _Intervals.joined(
            open_._replace(b=middle, right=centre), open_._replace(a=middle, left=centre)
        )
        one, undecided = _classified(halves, lowest)
        single.append(halves.take(one))
        open_ = halves.take(undecided)
    brackets = _Intervals.joined(*single)
    return brackets.model, _roots(batch, lowest, brackets, restricted), ~(at0[0] > at0[1])


def _first_points(lowest: Array, top: Array) -> Array:
    """Return (PIECES + 1, m) points from 0 to the top, even on the logarithm of vmin + tau2."""
    ratio = ((lowest + top) / lowest) ** (1.0 / PIECES)
    points = np.empty((PIECES + 1, len(top)))
    points[0] = lowest
    for j in range(1, PIECES):
        np.multiply(points[j - 1], ratio, out=points[j])
    points[:PIECES] -= lowest
    points[PIECES] = top
    return points


class _Intervals(NamedTuple):
    """Intervals a to b of tau2, of which model, and the score (4, n) at both ends."""

    model: NDArray[np.intp]
    a: Array
    b: Array
    left: Array
    right: Array

    def take(self, chosen: NDArray[np.bool_]) -> _Intervals:
        """Return some of the intervals."""
        index = np.flatnonzero(chosen)
        parts: list[Any] = [
            np.take(part.reshape(*part.shape[: part.ndim - chosen.ndim], -1), index, axis=-1)
            for part in self
        ]
        return _Intervals(*parts)

    @classmethod
    def joined(cls, *parts: _Intervals) -> _Intervals:
        """Return all intervals in one record."""
        columns: list[Any] = [np.concatenate(c, axis=-1) for c in zip(*parts, strict=True)]
        return cls(*columns)


def _classified(at: _Intervals, lowest: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which intervals hold exactly one maximum, and which must be halved."""
    up, down, up_slope, down_slope = at.left
    right_up, right_down, right_up_slope, right_down_slope = at.right
    falls = (up > down) & ~(right_up > right_down)
    # The score is between up(right) - down(left) and up(left) - down(right).
    rootless = (up < right_down) | (right_up > down)
    # Its slope is down_slope - up_slope, each falling too.
    falling = down_slope < right_up_slope
    rising = right_down_slope > up_slope
    narrow = at.b - at.a <= NARROW * (lowest[at.model] + at.b)
    return falls & (falling | narrow), ~(rootless | falling | rising | narrow)


def _roots(batch: Batch, lowest: Array, at: _Intervals, restricted: bool) -> Array:
    """Return where the score falls through 0 in each interval, by a guarded Newton search.

    The search runs on log(up / down) over log(vmin + tau2), which is nearly straight.
    """
    low = lowest[at.model]
    a, b = np.log(low + at.a), np.log(low + at.b)
    x = _between(a, b, at.left, at.right)
    active = np.arange(len(x))
    part = batch if np.array_equal(at.model, np.arange(len(batch.n))) else batch.take(at.model)
    for _ in range(STEPS):
        u = np.exp(x[active])
        height, slope = _straight(_score(part, u - low[active], restricted), u)
        a[active] = np.where(height > 0, x[active], a[active])
        b[active] = np.where(height > 0, b[active], x[active])
        target = x[active] - height / slope
        inside = (target >= a[active]) & (target <= b[active])
        target = np.where(inside, target, 0.5 * (a[active] + b[active]))
        moved = np.abs(target - x[active])
        x[active] = target
        more = np.flatnonzero(moved > CLOSE)
        if not len(more):
            break
        active, part = active[more], part.take(more)
    return np.maximum(0.0, np.exp(x) - low)


def _straight(score: Array, u: Array) -> tuple[Array, Array]:
    """Return log(up / down) and its slope over log u."""
    up, down, up_slope, down_slope = score
    return np.log(up / down), u * (down_slope / down - up_slope / up)


def _between(a: Array, b: Array, left: Array, right: Array) -> Array:
    """Return where the inverse cubic through both ends puts the root, else the middle."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ya, sa = _straight(left, np.exp(a))
        yb, sb = _straight(right, np.exp(b))
        s = -ya / (yb - ya)
        x = a + (b - a) * s * s * (3 - 2 * s)
        x += (yb - ya) * s * (1 - s) * ((1 - s) / sa - s / sb)
    return np.where((x > a) & (x < b), x, 0.5 * (a + b))
