"""The solver, for many random-effects models at once.

`pool_many` and `regress_many` fit the models of subsets, permutations and specifications;
`pooling.model` fits one model, as a batch of one. All of them call `solve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.pooling.batch import (
    Batch,
    ColumnBatch,
    QMoments,
    column_batch,
    intercept_batch,
    moments,
    orthonormal,
    q_moments,
    slope_moments,
    subset_batch,
    trace_moments,
)
from osteometa.pooling.tau2 import estimate

CELLS = 1 << 16
"""Effects times models computed together, so that they fit in the processor's cache."""

MOMENTS = {"ML": slope_moments, "REML": slope_moments, "PM": moments, "EB": moments}
"""Sums that an estimator needs beyond those of `trace_moments`."""
MANY = 3000
"""Models of one length from which they are computed without others."""


@dataclass(frozen=True, slots=True)
class RegressedMany:
    """Regressions of m models with p coefficients, one entry per model."""

    coefficients: Array
    """(m, p)"""
    covariance: Array
    """(m, p, p), scaled as the interval requires."""
    tau2: Array
    q: Array
    i2: Array
    h2: Array
    df: Array
    """Degrees of freedom of t; infinite where the interval is normal."""
    hk: Array
    """Hartung-Knapp's factor of the normal interval's variance; 1 without degrees of freedom."""

    def take(self, models: NDArray[np.intp]) -> RegressedMany:
        """Return the regressions of some models, given by index."""
        return RegressedMany(*(column[models] for column in self.columns()))

    def columns(self) -> list[Array]:
        """Return all fields."""
        return [getattr(self, field.name) for field in fields(self)]

    def factor(self, ci: str) -> Array:
        """Return what the variance of the normal interval is multiplied by for an interval."""
        if ci == "wald":
            return np.ones(len(self.hk))
        return np.maximum(1.0, self.hk) if ci == "hksj-floor" else self.hk


def pool_many(
    y: Array, v: Array, mask: NDArray[np.bool_], *, method: str, ci: str
) -> RegressedMany:
    """Pool some of k effects, a model for each row of the mask (m, k).

    Effects and variances are numbers that `model.checked` accepts; `method` and `ci` as for
    `regress_many`. A model of one effect has a normal interval and tau2 0.
    """
    order = np.argsort(v, kind="stable")
    y, v = y[order], v[order]
    few = len(y) < 256  # a sum of bytes is the fastest, but would overflow
    n: NDArray[Any] = (
        np.einsum("ij->i", mask.view(np.uint8)) if few else np.count_nonzero(mask, axis=1)
    )
    # Models of one length together need the least room.
    by_length = np.argsort(n, kind="stable")
    found: list[Array] = []
    work = None
    for rows in _runs(n[by_length]):
        chosen = by_length[rows]
        batch = subset_batch(y, v, np.take(mask, chosen, axis=0)[:, order], n[chosen], work)
        work = batch.work
        columns = solve(batch, method, ci).columns()
        found = found or [np.empty((len(n), *own.shape[1:])) for own in columns]
        for whole, own in zip(found, columns, strict=True):
            whole[chosen] = own
    return RegressedMany(*found)


def _runs(lengths: NDArray[Any]) -> Iterator[slice]:
    """Yield models that are computed together, of ascending lengths: of one length where many."""
    start = 0
    while start < len(lengths):
        same = int(np.searchsorted(lengths, lengths[start], side="right"))
        stop = same if same - start >= MANY else start + MANY
        stop = min(stop, start + CELLS // max(1, int(lengths[start])), len(lengths))
        yield slice(start, stop)
        start = stop


def regress_many(
    Y: Array, v: Array, designs: Array, *, method: str, ci: str, studies: Array | None = None
) -> RegressedMany:
    """Fit y ~ N(X b, v + tau2) for every row of effects or every design.

    Y are effects (m, k) and v their variances (m, k), infinite where a model has no such effect;
    one row of either serves all models, and one design of (m, k, p) all rows. `method`, `ci` and
    `studies` are those of `solve`. ValueError if the columns of a design are not linearly
    independent.
    """
    m, k, p = max(len(Y), len(v), len(designs)), Y.shape[1], designs.shape[2]
    size = max(1, CELLS // (k * p))
    intercept = p == 1 and bool(np.all(designs == 1.0))
    parts: list[RegressedMany] = []
    for start in range(0, m, size):
        rows = slice(start, min(m, start + size))
        y, variances = (_rows(table, rows).T for table in (Y, v))
        if intercept:
            batch = intercept_batch(y, variances)
        else:
            batch = column_batch(y, variances, _rows(designs, rows))
        own = None if studies is None else studies[rows]
        parts.append(solve(batch, method, ci, studies=own))
    return joined(parts)


def joined(parts: Sequence[RegressedMany]) -> RegressedMany:
    """Return the regressions of several batches as one."""
    columns = zip(*(part.columns() for part in parts), strict=True)
    return RegressedMany(*(np.concatenate(column) for column in columns))


def _rows(table: Array, rows: slice) -> Array:
    """Return some rows of a table; a single row serves all of them."""
    if len(table) > 1:
        return np.array(table[rows])
    return np.array(np.broadcast_to(table, (rows.stop - rows.start, *table.shape[1:])))


def solve(
    batch: Batch, method: str, ci: str, *, studies: Array | None = None, sj: Array | None = None
) -> RegressedMany:
    """Return tau2 and the coefficients by generalised least squares.

    `method` is metafor's short name, one of METHODS, and `ci` as for `model.pool`. `studies` (m)
    are the independent studies of each model, for the degrees of freedom of t; all effects by
    default. `sj` (m) is as for `tau2.estimate`. OverflowError if numbers are too large or too small
    to compute with.
    """
    at0 = MOMENTS.get(method, trace_moments)(batch, 0.0)
    # A search among infinite sums would not end.
    if not all(np.all(np.isfinite(sums)) for sums in (at0.q, at0.w1, *at0.values()[3:])):
        raise OverflowError("the numbers are too large or too small to compute with")
    tau2 = estimate(batch, method, at0, sj)
    now = at0 if method == "EE" else q_moments(batch, tau2)
    coefficients, covariance = _least_squares(batch, tau2, now)
    free = batch.n - batch.p
    t_df = (batch.n if studies is None else studies) - batch.p
    scaled = (t_df > 0) & (free > 0)
    hk = np.divide(now.q, free, out=np.ones(len(free)), where=scaled)
    i2, h2 = heterogeneity(tau2, at0.q, at0.trace, free, common=method == "EE")
    df = np.where(scaled, t_df, np.inf) if ci != "wald" else np.full(len(free), np.inf)
    found = RegressedMany(coefficients, covariance, tau2, at0.q, i2, h2, df, hk)
    if ci == "wald":
        return found
    return replace(found, covariance=covariance * found.factor(ci)[:, None, None])


def _least_squares(batch: Batch, tau2: Array, now: QMoments) -> tuple[Array, Array]:
    if not isinstance(batch, ColumnBatch):
        return (now.mean + batch.origin)[:, None], (1.0 / now.w1)[:, None, None]
    w = 1.0 / (batch.v + tau2)
    U, _ = orthonormal(batch.X, w)
    # X = U G, and U is orthonormal under W: b = G^-1 U'Wy, with covariance G^-1 G^-T.
    inner = np.linalg.inv(np.einsum("aij,ij,bij->jab", U, w, batch.X))
    inner = batch.back @ inner
    turned = np.einsum("aij,ij,ij->ja", U, w, batch.y)
    return np.einsum("jab,jb->ja", inner, turned), inner @ inner.transpose(0, 2, 1)


def heterogeneity(
    tau2: Array, q: Array, trace: Array, df: Array, *, common: bool
) -> tuple[Array, Array]:
    """Return I2 in percent and H2: from tau2 and the typical variance df / tr P, or from Q.

    Higgins and Thompson (2002), as metafor has them; the common-effect model has no tau2, so its
    own come from Q. Not a number without degrees of freedom.
    """
    free = np.where(df > 0, df, np.nan)
    if common:
        part = np.divide(np.maximum(0.0, q - free), q, out=np.zeros_like(q), where=q > 0)
        return 100 * part, q / free
    # tau2 / (tau2 + df / tr P), without dividing by a trace that may vanish, or round below 0.
    share = np.maximum(0.0, tau2 * trace)
    return 100 * share / (share + free), (share + free) / free
