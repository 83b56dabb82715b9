"""Weighted sums of many small models at any tau2.

Arrays are (effects, models), so that a sum over effects adds whole rows. An effect that a model
does not have is a cell with infinite variance: its weight is exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.pooling.correlated import decorrelated


@dataclass(frozen=True, slots=True)
class QMoments:
    """Sums over the effects of each model (m), P = W - W X (X'WX)^-1 X'W, W = 1 / (v + tau2)."""

    q: Array
    """y'Py, the generalised Q."""
    w1: Array
    """Sum of the weights, tr W."""
    mean: Array
    """Weighted mean less the origin; NaN for a model with a design."""

    def take(self, models: NDArray[np.intp]) -> Self:
        """Return the sums of some models, given by index."""
        return type(self)(*(values[models] for values in self.values()))

    def values(self) -> list[Array]:
        """Return all sums."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True, slots=True)
class TraceMoments(QMoments):
    """The sums behind estimators in one step."""

    trace: Array
    """tr P."""


@dataclass(frozen=True, slots=True)
class Moments(TraceMoments):
    """The sums behind moment estimators."""

    q2: Array
    """y'PPy; the derivative of Q is its negative."""


@dataclass(frozen=True, slots=True)
class SlopeMoments(Moments):
    """The sums behind the derivatives of a likelihood."""

    q3: Array
    """y'PPPy."""
    trace2: Array
    """tr PP."""
    w2: Array
    """Sum of the squared weights, tr WW."""


@dataclass(frozen=True, slots=True)
class InterceptBatch:
    """Models with an intercept only: effects y and variances v (k, m), n (m) effects each.

    Row 0 is the most precise effect of each model and the origin of y: what one effect of huge
    weight leaves to the others is computed without subtracting nearly equal numbers.
    """

    y: Array
    v: Array
    n: Array
    origin: Array
    work: Array
    """Room (3, k, m) for the arrays of one call of `moments`: new ones would cost as much as all
    its arithmetic. A batch taken from this one shares it, so a batch belongs to one thread."""

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return 1

    def take(self, models: NDArray[np.intp]) -> InterceptBatch:
        """Return the batch of some models, given by index."""
        y, v = np.take(self.y, models, axis=1), np.take(self.v, models, axis=1)
        work = room(y.shape, self.work)
        return InterceptBatch(y, v, self.n[models], self.origin[models], work)


@dataclass(frozen=True, slots=True)
class ColumnBatch:
    """Models with a design X (p, k, m): effects y and variances v (k, m), n (m) effects each.

    The columns of X are orthonormal; `back` (m, p, p) turns their coefficients into those of the
    columns as they were given.
    """

    y: Array
    v: Array
    n: Array
    X: Array
    back: Array

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return len(self.X)

    def take(self, models: NDArray[np.intp]) -> ColumnBatch:
        """Return the batch of some models, given by index."""
        y, v = np.take(self.y, models, axis=1), np.take(self.v, models, axis=1)
        return ColumnBatch(y, v, self.n[models], self.X[:, :, models], self.back[models])


Batch = InterceptBatch | ColumnBatch


def room(shape: Sequence[int], old: Array | None = None) -> Array:
    """Return three work arrays of a shape, from old ones if they are large enough."""
    size = 3 * shape[0] * shape[1]
    if old is None or old.size < size:
        return np.empty((3, *shape))
    return old.reshape(-1)[:size].reshape(3, *shape)


def dot(a: Array, b: Array) -> Array:
    """Return the sums over effects of a product."""
    return np.einsum("ij,ij->j", a, b)


def intercept_batch(y: Array, v: Array, work: Array | None = None) -> InterceptBatch:
    """Return intercept-only models; y, v (k, m) are kept, v infinite where there is no effect."""
    y, v = np.ascontiguousarray(y), np.ascontiguousarray(v)
    models = np.flatnonzero(v[0] > np.min(v, axis=0))
    if len(models):
        first = np.argmin(v, axis=0)[models]
        for rows in (y, v):
            rows[0, models], rows[first, models] = rows[first, models], rows[0, models]
    origin = y[0].copy()
    y -= origin
    n = np.add.reduce(np.isfinite(v), axis=0, dtype=float)
    return InterceptBatch(y, v, n, origin, room(y.shape, work))


def subset_batch(
    y: Array, v: Array, mask: NDArray[np.bool_], n: NDArray[Any], work: Array | None = None
) -> InterceptBatch:
    """Return models with an intercept only: of each row of the mask (m, k), n effects of it.

    The effects are in the order of their variances, the most precise first. A model is as long as
    the longest, not as all effects: what it lacks is filled up with an effect that is absent.
    """
    widest = int(np.max(n))
    if int(np.min(n)) < widest:
        absent = np.arange(widest) < (widest - n)[:, None]
        mask = np.concatenate([mask, absent], axis=1)
        y = np.concatenate([y, np.zeros(widest)])
        v = np.concatenate([v, np.full(widest, np.inf)])
    rows = np.arange(0, mask.size, mask.shape[1])
    # The columns of what is present; numpy finds them faster in one row than in a table.
    present = np.flatnonzero(mask).reshape(len(mask), widest) - rows[:, None]
    present = np.ascontiguousarray(present.T)
    effect, variances = np.take(y, present), np.take(v, present)
    origin = effect[0].copy()
    effect -= origin
    return InterceptBatch(effect, variances, n.astype(float), origin, room(effect.shape, work))


def column_batch(y: Array, v: Array, X: Array) -> ColumnBatch:
    """Return models with the designs X (m, k, p), v infinite where there is no effect."""
    absent = np.isinf(v)
    n = np.sum(~absent, axis=0).astype(float)
    y, X = np.where(absent, 0.0, y), np.where(absent.T[:, :, None], 0.0, X)
    size = np.linalg.norm(X, axis=1)
    if not np.all(size > 0):
        raise ValueError("a column of the design is 0 everywhere")
    turned, triangle = np.linalg.qr(X / size[:, None, :])
    if np.min(np.abs(np.diagonal(triangle, axis1=1, axis2=2)), initial=1.0) < 1e-10:
        raise ValueError("the columns of the design are not linearly independent")
    back = np.linalg.inv(triangle) / size[:, :, None]
    columns = np.ascontiguousarray(np.moveaxis(turned, 2, 0).transpose(0, 2, 1))
    v = np.ascontiguousarray(v)
    return ColumnBatch(y, v, n, columns, back)


def one_model(y: Array, v: Array, X: Array, V: Array | None = None) -> Batch:
    """Return the batch of one model: effects y (k), variances v (k) or covariance V, design (k, p).

    Covariances are removed by rotation first, see `correlated`.
    """
    y, X = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    if V is not None:
        y, v, X = decorrelated(y, V, X)
    y, v = y[:, None].copy(), np.array(v, dtype=float)[:, None]
    if X.shape[1] == 1 and np.all(X == 1.0):
        return intercept_batch(y, v)
    return column_batch(y, v, X[None])


class _Residuals(NamedTuple):
    """What all sums of models with an intercept start from, without row 0 of the batch."""

    top: Array
    """Weight of the most precise effect."""
    w: Array
    z: Array
    """Weighted residuals, in room that the next call takes again, as are w and free."""
    free: Array
    r1: Array
    """Sum of w."""
    total: Array
    mean: Array
    first: Array
    """Weighted residual of the most precise effect, with the other sign."""
    q: Array

    def trace(self, r2: Array) -> Array:
        """Return tr P; r2 is the sum of the squares of w."""
        return (2 * self.top * self.r1 + (self.r1 * self.r1 - r2)) / self.total


def _residuals(batch: InterceptBatch, tau2: Array | float, *, weighted: bool = True) -> _Residuals:
    """Return the sums at a tau2; only with `weighted` z is filled, which takes as long as Q."""
    w, residuals, z = batch.work
    at0 = isinstance(tau2, float) and tau2 == 0
    np.reciprocal(batch.v if at0 else np.add(batch.v, tau2, out=w), out=w)
    top, w, y, residuals, z = w[0].copy(), w[1:], batch.y[1:], residuals[1:], z[1:]
    r1 = np.add.reduce(w, axis=0)
    total = top + r1
    mean = dot(w, y) / total
    np.subtract(y, mean, out=residuals)
    if weighted:
        np.multiply(residuals, w, out=z)
    # The weighted residuals add up to 0: that of the first effect is minus the sum of the others.
    first = top * mean
    q = np.einsum("ij,ij,ij->j", residuals, w, residuals) + first * mean
    return _Residuals(top, w, z, residuals, r1, total, mean, first, q)


def q_moments(batch: Batch, tau2: Array | float) -> QMoments:
    """Return Q, the sum of the weights and the mean of every model at its tau2."""
    if isinstance(batch, ColumnBatch):
        return moments(batch, tau2)
    at = _residuals(batch, tau2, weighted=False)
    return QMoments(at.q, at.total, at.mean)


def trace_moments(batch: Batch, tau2: Array | float) -> TraceMoments:
    """Return the sums of every model at its tau2 that estimators in one step need."""
    if isinstance(batch, ColumnBatch):
        return moments(batch, tau2)
    at = _residuals(batch, tau2, weighted=False)
    return TraceMoments(at.q, at.total, at.mean, at.trace(dot(at.w, at.w)))


def moments(batch: Batch, tau2: Array | float) -> Moments:
    """Return the sums of every model at its tau2 that moment estimators need."""
    if isinstance(batch, ColumnBatch):
        return _column_parts(batch, 1.0 / (batch.v + tau2)).moments
    at = _residuals(batch, tau2)
    trace, q2 = at.trace(dot(at.w, at.w)), dot(at.z, at.z) + at.first * at.first
    return Moments(at.q, at.total, at.mean, trace, q2)


def slope_moments(batch: Batch, tau2: Array | float) -> SlopeMoments:
    """Return the sums of every model at its tau2, those of the derivatives too."""
    if isinstance(batch, ColumnBatch):
        return _column_slopes(batch, 1.0 / (batch.v + tau2))
    at = _residuals(batch, tau2)
    top, w, z, free, r1, total, mean, first, q = at
    q2, r2 = dot(z, z) + first * first, dot(w, w)
    trace = at.trace(r2)
    c = dot(w, z)
    np.multiply(z, w, out=free)
    q3 = (first * top * (first * r1 + 2 * c) - c * c) / total + dot(free, z)
    r3 = dot(np.multiply(w, w, out=free), w)
    # tr PP written out without the powers of the largest weight that cancel.
    trace2 = top * top * (r1 * r1 + 3 * r2) + 2 * top * (r1 * r2 - r3)
    trace2 = (trace2 + (r1 * r1 * r2 - 2 * r1 * r3 + r2 * r2)) / (total * total)
    return SlopeMoments(q, total, mean, trace, q2, q3, trace2, top * top + r2)


def orthonormal(X: Array, w: Array) -> tuple[Array, Array]:
    """Return the columns (p, k, m) made orthonormal under weights w, and log det X'WX (m)."""
    U = np.empty_like(X)
    determinant = np.zeros(w.shape[1])
    for a in range(len(X)):
        x = X[a].copy()
        for b in [*range(a), *range(a)]:
            x -= U[b] * dot(U[b] * w, x)
        norm = dot(x * w, x)
        determinant += np.log(norm)
        U[a] = x / np.sqrt(norm)
    return U, determinant


class _ColumnParts(NamedTuple):
    """The sums of models with a design, and what those of the derivatives are made of."""

    moments: Moments
    z: Array
    """Weighted residuals."""
    wu: Array
    """Weights times the columns, orthonormal under the weights."""


def _column_parts(batch: ColumnBatch, w: Array) -> _ColumnParts:
    U, _ = orthonormal(batch.X, w)
    residuals = batch.y.copy()
    for u in [*U, *U]:
        residuals -= u * dot(u * w, residuals)
    z = w * residuals
    w1, wu = np.sum(w, axis=0), w * U
    trace = np.sum(w * (1 - np.einsum("aij,aij->ij", wu, U)), axis=0)
    mean = np.full(len(w1), np.nan)
    return _ColumnParts(Moments(dot(z, residuals), w1, mean, trace, dot(z, z)), z, wu)


def _column_slopes(batch: ColumnBatch, w: Array) -> SlopeMoments:
    at, z, wu = _column_parts(batch, w)
    w2 = dot(w, w)
    cross = np.einsum("aij,bij->abj", wu, wu)
    trace2 = w2 - 2 * np.einsum("aij,aij,ij->j", wu, wu, w) + np.einsum("abj,abj->j", cross, cross)
    q3 = dot(w * z, z) - np.sum(np.einsum("aij,ij->aj", wu, z) ** 2, axis=0)
    return SlopeMoments(at.q, at.w1, at.mean, at.trace, at.q2, q3, trace2, w2)


def log_likelihood(batch: Batch, tau2: Array | float, restricted: bool) -> Array:
    """Return the (restricted) log-likelihood of each model without its constant."""
    w = 1.0 / (batch.v + tau2)
    logs = np.sum(np.log(w, out=np.zeros_like(w), where=w > 0), axis=0)
    total = logs - q_moments(batch, tau2).q
    if restricted:
        columns = isinstance(batch, ColumnBatch)
        total -= orthonormal(batch.X, w)[1] if columns else np.log(np.sum(w, axis=0))
    return 0.5 * total
