"""Very many small models side by side: their weighted sums at any tau2.

Arrays are (effects, models), so that a sum over effects adds whole rows. An effect that a model
does not have is a cell with infinite variance: its weight is exactly 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.pooling.covariance import decorrelated


class Moments(NamedTuple):
    """Sums over the effects of each model (m), P = W - W X (X'WX)^-1 X'W, W = 1 / (v + tau2)."""

    q: Array
    """y'Py, the generalised Q."""
    q2: Array | None = None
    """y'PPy; the derivative of Q is its negative."""
    trace: Array | None = None
    """tr P."""
    q3: Array | None = None
    """y'PPPy."""
    trace2: Array | None = None
    """tr PP."""
    w1: Array | None = None
    """Sum of the weights, tr W."""
    w2: Array | None = None
    """Sum of the squared weights, tr WW."""
    mean: Array | None = None
    """Weighted mean above the origin, of models without X."""

    def take(self, models: NDArray[np.intp]) -> Moments:
        """Return the sums of some models, given by index."""
        return Moments(*(None if sums is None else sums[models] for sums in self))


@dataclass(frozen=True, slots=True)
class Batch:
    """Effects y and variances v (k, m), n (m) effects per model, design X (p, k, m) or none.

    The columns of X are orthonormal; `back` (m, p, p) turns their coefficients into those of the
    columns as they were given.

    Without X the models have an intercept only. Then row 0 is the most precise effect of each
    model and the origin of y: what one effect of huge weight leaves over is computed without
    subtracting nearly equal numbers.
    """

    y: Array
    v: Array
    n: Array
    origin: Array
    X: Array | None = None
    back: Array | None = None
    work: Array | None = None
    """Room (3, k, m) for the arrays of one call of `moments`: new ones would cost as much as all
    its arithmetic. A batch taken from this one shares it, so a batch belongs to one thread."""

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return 1 if self.X is None else len(self.X)

    def take(self, models: NDArray[np.intp]) -> Batch:
        """Return the batch of some models, given by index."""
        y, v = np.take(self.y, models, axis=1), np.take(self.v, models, axis=1)
        if self.X is None:
            work = room(y.shape, self.work)
            return Batch(y, v, self.n[models], self.origin[models], work=work)
        return Batch(
            y, v, self.n[models], self.origin[models], self.X[:, :, models], self.back[models]
        )


def room(shape: tuple[int, ...], old: Array | None = None) -> Array:
    """Return three work arrays of a shape, from old ones if they are large enough."""
    size = 3 * shape[0] * shape[1]
    if old is None or old.size < size:
        return np.empty((3, *shape))
    return old.reshape(-1)[:size].reshape(3, *shape)


def dot(a: Array, b: Array) -> Array:
    """Return the sums over effects of a product."""
    return np.einsum("ij,ij->j", a, b)


def intercept_batch(y: Array, v: Array, work: Array | None = None) -> Batch:
    """Return models with an intercept only; y, v (k, m), v infinite where there is no effect.

    The two arrays may be changed: the batch keeps them.
    """
    y, v = np.ascontiguousarray(y), np.ascontiguousarray(v)
    models = np.flatnonzero(v[0] > np.min(v, axis=0))
    if len(models):
        first = np.argmin(v, axis=0)[models]
        for rows in (y, v):
            rows[0, models], rows[first, models] = rows[first, models], rows[0, models]
    origin = y[0].copy()
    y -= origin
    n = np.add.reduce(np.isfinite(v), axis=0, dtype=float)
    return Batch(y, v, n, origin, work=room(y.shape, work))


def column_batch(y: Array, v: Array, X: Array) -> Batch:
    """Return models with the designs X (m, k, p), v infinite where there is no effect.

    Raises
    ------
    ValueError
        If the columns of a design are not linearly independent.
    """
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
    return Batch(y, v, n, np.zeros(y.shape[1]), columns, back)


def one_model(y: Array, v: Array, X: Array, V: Array | None = None) -> Batch:
    """Return the batch of one model: effects y (k), variances v (k) or covariance V, design (k, p).

    What effects share is turned away first, see `covariance`.
    """
    y, X = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    if V is not None:
        y, v, X = decorrelated(y, V, X)
    y, v = y[:, None].copy(), np.array(v, dtype=float)[:, None]
    if X.shape[1] == 1 and np.all(X == 1.0):
        return intercept_batch(y, v)
    return column_batch(y, v, X[None])


def moments(
    batch: Batch, tau2: Array | float, slopes: bool = False, only_q: bool = False
) -> Moments:
    """Return the sums of every model at its tau2.

    With `slopes` also those of the derivatives; with `only_q` neither y'PPy nor tr P.
    """
    if batch.X is not None:
        return _column_moments(batch, 1.0 / (batch.v + tau2), slopes)
    w, residuals, z = batch.work
    np.reciprocal(np.add(batch.v, tau2, out=w), out=w)
    top, w, y, residuals, z = w[0].copy(), w[1:], batch.y[1:], residuals[1:], z[1:]
    r1 = np.add.reduce(w, axis=0)
    total = top + r1
    mean = dot(w, y) / total
    np.subtract(y, mean, out=residuals)
    np.multiply(residuals, w, out=z)
    # The weighted residuals add up to 0: that of the first effect is minus the sum of the others.
    first = top * mean
    q = dot(z, residuals) + first * mean
    if only_q:
        return Moments(q, w1=total, mean=mean)
    q2 = dot(z, z) + first * first
    r2 = dot(w, w)
    trace = (2 * top * r1 + (r1 * r1 - r2)) / total
    if not slopes:
        return Moments(q, q2, trace, w1=total, mean=mean)
    c = dot(w, z)
    np.multiply(z, w, out=residuals)
    q3 = (first * top * (first * r1 + 2 * c) - c * c) / total + dot(residuals, z)
    r3 = dot(np.multiply(w, w, out=residuals), w)
    # tr PP written out without the powers of the largest weight that cancel.
    trace2 = top * top * (r1 * r1 + 3 * r2) + 2 * top * (r1 * r2 - r3)
    trace2 = (trace2 + (r1 * r1 * r2 - 2 * r1 * r3 + r2 * r2)) / (total * total)
    return Moments(q, q2, trace, q3, trace2, total, top * top + r2, mean)


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


def _column_moments(batch: Batch, w: Array, slopes: bool) -> Moments:
    U, _ = orthonormal(batch.X, w)
    residuals = batch.y.copy()
    for u in [*U, *U]:
        residuals -= u * dot(u * w, residuals)
    z = w * residuals
    w1, wu = np.sum(w, axis=0), w * U
    trace = np.sum(w * (1 - np.einsum("aij,aij->ij", wu, U)), axis=0)
    q, q2 = dot(z, residuals), dot(z, z)
    if not slopes:
        return Moments(q, q2, trace, w1=w1)
    w2 = dot(w, w)
    cross = np.einsum("aij,bij->abj", wu, wu)
    trace2 = w2 - 2 * np.einsum("aij,aij,ij->j", wu, wu, w) + np.einsum("abj,abj->j", cross, cross)
    q3 = dot(w * z, z) - np.sum(np.einsum("aij,ij->aj", wu, z) ** 2, axis=0)
    return Moments(q, q2, trace, q3, trace2, w1, w2)


def log_likelihood(batch: Batch, tau2: Array | float, restricted: bool) -> Array:
    """Return the (restricted) log-likelihood of each model without its constant."""
    w = 1.0 / (batch.v + tau2)
    logs = np.sum(np.log(w, out=np.zeros_like(w), where=w > 0), axis=0)
    total = logs - moments(batch, tau2).q
    if restricted:
        total -= np.log(np.sum(w, axis=0)) if batch.X is None else orthonormal(batch.X, w)[1]
    return 0.5 * total
