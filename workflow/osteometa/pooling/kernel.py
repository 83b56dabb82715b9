"""The solver, for many random-effects models at once.

`pool_many` and `regress_many` fit the models of subsets, permutations and specifications;
`pooling.model` fits one model, as a batch of one. All of them call `solve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.numerics.distributions import t_quantile
from osteometa.numerics.range import computable, refuse_unknown
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
)
from osteometa.pooling.tau2 import estimate
from osteometa.wording.choices import CI_METHODS, METHODS

CELLS = 1 << 16
"""Effects times models computed together, so that they fit in the processor's cache."""


@dataclass(frozen=True, slots=True)
class PooledMany:
    """Pools of m sets of effects, one entry per set; I2 and H2 of a single effect are NaN."""

    k: NDArray[np.intp]
    """Effects in each model."""
    estimate: Array
    se: Array
    tau2: Array
    ci_low: Array
    ci_high: Array
    q: Array
    i2: Array
    h2: Array
    df: Array
    """Degrees of freedom of t; infinite where the interval is normal."""
    weights: Array | None = field(default=None)
    """Percent of the total weight (m, k), 0 where there is no effect; only if asked for."""

    @property
    def p(self) -> Array:
        """Two-sided p of each estimate."""
        from scipy.special import ndtr, stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = -np.abs(self.estimate / self.se)
        normal = np.isinf(self.df)
        return 2 * np.where(normal, ndtr(t), stdtr(np.where(normal, 1.0, self.df), t))

    @property
    def q_p(self) -> Array:
        """P of the test of heterogeneity."""
        from scipy.special import chdtrc

        with np.errstate(invalid="ignore"):
            return np.where(self.k > 1, chdtrc(self.k - 1.0, self.q), np.nan)


def pool_many(
    yi: Array, vi: Array, *, mask: NDArray[np.bool_] | None = None, method: str = "REML",
    ci: str = "hksj-floor", weights: bool = False,
) -> PooledMany:  # fmt: skip
    """Pool every row of effects: y ~ N(mu, v + tau2).

    Parameters
    ----------
    yi, vi : arrays of shape (m, k) or (k,)
        One row per model; (k,) gives every model the same effects.
    mask : array of bool, shape (m, k), optional
        Which effects each model has, by default all; other cells are ignored.
    method : str
        Estimator of tau2 by metafor's short name, one of METHODS.
    ci : {"wald", "hksj", "hksj-floor"}
        As for `model.pool`: a model of one effect has a normal interval and tau2 0.
    weights : bool
        Return the weights as well.

    Raises
    ------
    ValueError
        For shapes that do not fit, an unknown method, a model without an effect, and one with an
        effect that is not finite or a variance that is not above 0.
    """
    y, v, present, m = _cells(yi, vi, mask, method, ci)
    k = y.shape[-1]
    # The most precise effect of each model must come first: sorting once does it for most models.
    order = np.argsort(v, kind="stable") if v.ndim == 1 and not weights else np.arange(k)
    size = max(1, CELLS // k)
    room = np.empty(5 * k * min(m, size))
    whole: dict[str, Any] = {}
    for start in range(0, m, size):
        models = slice(start, min(m, start + size))
        count = models.stop - start
        here = room[: 5 * k * count].reshape(5, k, count)
        part = _fit(
            y if y.ndim == 1 else y[models], v if v.ndim == 1 else v[models],
            present if present is None or present.ndim == 1 else present[models], order, here,
            method, ci, weights,
        )  # fmt: skip
        if count == m:
            return part
        for name, values in ((f.name, getattr(part, f.name)) for f in fields(PooledMany)):
            if values is None:
                continue
            if start == 0:
                whole[name] = np.empty((m, *values.shape[1:]), dtype=values.dtype)
            whole[name][models] = values
    return PooledMany(**whole)


def _cells(
    yi: Array, vi: Array, mask: NDArray[np.bool_] | None, method: str, ci: str
) -> tuple[Array, Array, NDArray[np.bool_] | None, int]:
    """Return checked effects, variances, mask and the number of models."""
    refuse_unknown("method", method, METHODS)
    refuse_unknown("ci", ci, CI_METHODS)
    y, v = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    present = None if mask is None else np.asarray(mask, dtype=bool)
    shapes = [a.shape for a in (y, v, present) if a is not None]
    shape = _common_shape(shapes)
    if any(s != shape[-len(s) :] for s in shapes) or not 1 <= len(shape) <= 2:
        raise ValueError(f"effects, variances and mask do not fit each other: {shapes}")
    bad = ~computable(y, v)
    if present is not None:
        bad = bad & present
    if np.any(bad):
        where = np.argwhere(np.broadcast_to(bad, shape))[0]
        raise ValueError(
            f"model {where[0] + 1 if len(shape) == 2 else 1}, effect {where[-1] + 1}: an effect "
            "must be finite and its variance above 0, and both in a range to compute with"
        )
    if shape[-1] == 0:
        raise ValueError("a model has no effect")
    return y, v, present, shape[0] if len(shape) == 2 else 1


def _common_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape that all arrays can be stretched to, empty if there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return ()


def _fit(
    y: Array, v: Array, mask: NDArray[np.bool_] | None, order: NDArray[np.intp], rows: Array,
    method: str, ci: str, weights: bool,
) -> PooledMany:  # fmt: skip
    """Fit the models of one part in `rows` (5, k, m), room for effects, variances and work."""
    _pad(y, v, mask, order, rows)
    variances = rows[1].copy() if weights else None
    batch = intercept_batch(rows[0], rows[1], rows[2:])
    if np.min(batch.n, initial=1) < 1:
        raise ValueError("a model has no effect")
    got = solve(batch, method, ci)
    estimate, se = got.coefficients[:, 0], np.sqrt(got.covariance[:, 0, 0])
    half = _quantiles(got.df) * se
    shares = None
    if variances is not None:
        w = 1.0 / (variances + got.tau2)
        shares = (100 * w / np.sum(w, axis=0)).T
    return PooledMany(
        batch.n.astype(int), estimate, se, got.tau2, estimate - half, estimate + half, got.q,
        got.i2, got.h2, got.df, shares,
    )  # fmt: skip


def _pad(
    y: Array, v: Array, mask: NDArray[np.bool_] | None, order: NDArray[np.intp], rows: Array
) -> None:
    """Write effects and variances as (k, m), with infinite variances where a model has none."""
    rows[0] = y[order, None] if y.ndim == 1 else y.T[order]
    v = v[order, None] if v.ndim == 1 else v.T[order]
    if mask is None:
        rows[1] = v
        return
    present = np.ascontiguousarray(np.broadcast_to(mask, rows.shape[:0:-1]).T)[order]
    if not np.all(v > 0):
        v = np.where(present, v, 1.0)
    # v / 1 and v / 0: several times as fast as a masked copy.
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(v, present, out=rows[1])
    # A weight of exactly 0 needs a finite effect beside it.
    if not np.all(np.isfinite(y)):
        rows[0][~present] = 0.0


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


def regress_many(
    Y: Array, v: Array, designs: Array, *, method: str, ci: str, studies: Array | None = None
) -> RegressedMany:
    """Fit y ~ N(X b, v + tau2) for every row of effects or every design.

    Parameters
    ----------
    Y : array of shape (m, k) or (1, k)
        Effects; one row serves all designs.
    v : array of shape (m, k) or (1, k)
        Sampling variances; one row serves all models. Infinite where a model has no such effect.
    designs : array of shape (m, k, p) or (1, k, p)
        Design matrices; one serves all rows of effects.
    method, ci : str
        As for `pool_many`.
    studies : array (m), optional
        As for `solve`.

    Raises
    ------
    ValueError
        If the columns of a design are not linearly independent.
    """
    m, k, p = max(len(Y), len(v), len(designs)), Y.shape[1], designs.shape[2]
    intercept = p == 1 and bool(np.all(designs == 1.0))
    size = max(1, CELLS // (k * p))
    parts = []
    for start in range(0, m, size):
        rows = slice(start, min(m, start + size))
        y, variances = (_rows(table, rows).T for table in (Y, v))
        if intercept:
            batch = intercept_batch(y, variances)
        else:
            batch = column_batch(y, variances, _rows(designs, rows))
        own = None if studies is None else studies[rows]
        parts.append(solve(batch, method, ci, studies=own))
    names = [field.name for field in fields(RegressedMany)]
    return RegressedMany(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
    )


def _rows(table: Array, rows: slice) -> Array:
    """Return some rows of a table; a single row serves all of them."""
    if len(table) > 1:
        return np.array(table[rows])
    return np.array(np.broadcast_to(table, (rows.stop - rows.start, *table.shape[1:])))


def solve(
    batch: Batch, method: str, ci: str, *, studies: Array | None = None, sj: Array | None = None
) -> RegressedMany:
    """Return tau2 and the coefficients by generalised least squares.

    Parameters
    ----------
    batch : Batch
    method, ci : str
        As for `pool_many`.
    studies : array (m), optional
        Independent studies of each model, for the degrees of freedom of t; all effects by default.
    sj : array (m), optional
        As for `tau2.estimate`.

    Raises
    ------
    OverflowError
        If effects or variances are too large or too small to compute with.
    """
    at0 = (slope_moments if method in ("ML", "REML") else moments)(batch, 0.0)
    # A search among infinite sums would not end.
    if not all(np.all(np.isfinite(sums)) for sums in (at0.q, at0.w1, *at0[3:])):
        raise OverflowError("the numbers are too large or too small to compute with")
    tau2 = estimate(batch, method, at0, sj)
    now = QMoments(*at0[:3]) if method == "EE" else q_moments(batch, tau2)
    coefficients, covariance = _least_squares(batch, tau2, now)
    free = batch.n - batch.p
    t_df = (batch.n if studies is None else studies) - batch.p
    scaled = (ci != "wald") & (t_df > 0) & (free > 0)
    if ci != "wald":
        factor = now.q / np.where(free > 0, free, 1.0)
        factor = np.maximum(1.0, factor) if ci == "hksj-floor" else factor
        covariance = covariance * np.where(scaled, factor, 1.0)[:, None, None]
    i2, h2 = heterogeneity(tau2, at0.q, at0.trace, free, common=method == "EE")
    return RegressedMany(
        coefficients, covariance, tau2, at0.q, i2, h2, np.where(scaled, t_df, np.inf)
    )


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


def _quantiles(df: Array) -> Array:
    """Return the 97.5 % quantiles of t, of the normal where df is infinite."""
    whole = np.where(np.isinf(df), 0, df).astype(int)
    table = np.zeros(np.max(whole, initial=0) + 1)
    for value in np.flatnonzero(np.bincount(whole)):
        table[value] = t_quantile(0.975, float(value) if value else None)
    return table[whole]
