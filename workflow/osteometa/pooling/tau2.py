"""Between-study variance: estimators and the Q-profile interval.

All functions take effects y (k), sampling variances v (k) or their covariance (k x k), and a design
matrix X (k x p). They are scale-equivariant: effects in g/cm2 or in ug/cm2 give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

Array = NDArray[np.float64]
GRID_POINTS = 400


def weights_of(v: Array, tau2: float) -> Array:
    """Return the weights: 1 / (v + tau2) (k), or the inverse of V + tau2 I (k x k)."""
    if v.ndim == 1:
        return 1.0 / (v + tau2)
    return np.linalg.inv(v + tau2 * np.eye(len(v)))


def times(W: Array, x: Array) -> Array:
    """Return W x for weights as a vector or as a matrix; x is (k) or (k x p)."""
    if W.ndim == 2:
        return W @ x
    return W * x if x.ndim == 1 else W[:, None] * x


def weighted_fit(y: Array, v: Array, X: Array, tau2: float) -> tuple[Array, Array, Array]:
    """Return coefficients (p), their covariance (p x p) and residuals (k) for a given tau2."""
    cross = times(weights_of(v, tau2), X).T
    covariance = np.linalg.inv(cross @ X)
    coefficients = covariance @ (cross @ y)
    return coefficients, covariance, y - X @ coefficients


def generalised_q(y: Array, v: Array, X: Array, tau2: float) -> float:
    """Return the weighted sum of squared residuals at a given tau2: e' W e."""
    *_, residuals = weighted_fit(y, v, X, tau2)
    return float(residuals @ times(weights_of(v, tau2), residuals))


def trace_p(v: Array, X: Array, tau2: float = 0.0) -> float:
    """Return tr(P), P = W - W X (X'WX)^-1 X'W."""
    W = weights_of(v, tau2)
    WX = times(W, X)
    whole = float(np.sum(W)) if W.ndim == 1 else float(np.trace(W))
    return whole - float(np.trace(np.linalg.solve(X.T @ WX, WX.T @ WX)))


def tau2_dl(y: Array, v: Array, X: Array) -> float:
    """Return the moment estimate, not below 0 (DerSimonian and Laird 1986)."""
    df = len(y) - X.shape[1]
    return max(0.0, (generalised_q(y, v, X, 0.0) - df) / trace_p(v, X))


def tau2_pm(y: Array, v: Array, X: Array) -> float:
    """Return the estimate of Paule and Mandel (1982): where the generalised Q equals k - p."""
    df = len(y) - X.shape[1]

    def gap(tau2: float) -> float:
        return generalised_q(y, v, X, tau2) - df

    if df < 1 or gap(0.0) <= 0:
        return 0.0
    high = float(np.max(v))
    while gap(high) > 0:
        high *= 4
    return _root(gap, 0.0, high)


def restricted_log_likelihood(y: Array, v: Array, X: Array, tau2: float) -> float:
    """Return the restricted log-likelihood without its constant."""
    _, covariance, residuals = weighted_fit(y, v, X, tau2)
    W = weights_of(v, tau2)
    log_weights = np.sum(np.log(W)) if W.ndim == 1 else np.linalg.slogdet(W)[1]
    return float(
        0.5 * log_weights
        + 0.5 * np.linalg.slogdet(covariance)[1]
        - 0.5 * residuals @ times(W, residuals)
    )


def restricted_score(y: Array, v: Array, X: Array, tau2: float) -> float:
    """Return the derivative of the restricted log-likelihood: (y'PPy - tr P) / 2."""
    *_, residuals = weighted_fit(y, v, X, tau2)
    weighted = times(weights_of(v, tau2), residuals)
    return 0.5 * (float(weighted @ weighted) - trace_p(v, X, tau2))


def tau2_reml(y: Array, v: Array, X: Array) -> float:
    """Return the REML estimate: the highest of all maxima over tau2 >= 0.

    The restricted likelihood can have two maxima, one of them at 0, so a local search or a score
    test at 0 is not enough: every sign change of the score on a fine grid is refined.
    """
    if len(y) <= X.shape[1]:
        return 0.0

    def score(tau2: float) -> float:
        return restricted_score(y, v, X, tau2)

    own = v if v.ndim == 1 else np.diag(v)
    *_, residuals = weighted_fit(y, v, X, float(np.max(own)) * 1e6)
    top = 10.0 * max(float(np.sum(residuals**2)), float(np.min(own)))
    grid = np.concatenate(([0.0], np.geomspace(float(np.min(own)) * 1e-6, top, GRID_POINTS)))
    slopes = np.array([score(tau2) for tau2 in grid])
    candidates = [0.0] if slopes[0] <= 0 else []
    for i in np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0)):
        candidates.append(_root(score, grid[i], grid[i + 1]))
    if not candidates:
        return float(grid[-1])
    return max(candidates, key=lambda tau2: restricted_log_likelihood(y, v, X, tau2))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function falls through 0, by bisection to the last bit that matters."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def q_profile(y: Array, v: Array, X: Array, level: float = 0.95) -> tuple[float, float]:
    """Return the Q-profile interval of tau2 (Viechtbauer 2007).

    The limits are where the generalised Q, which falls in tau2, meets the chi-square quantiles;
    a limit below 0 is 0.
    """
    df = len(y) - X.shape[1]
    tail = (1 - level) / 2
    limits = []
    for quantile in (chdtri(df, tail), chdtri(df, 1 - tail)):

        def gap(tau2: float, quantile: float = quantile) -> float:
            return generalised_q(y, v, X, tau2) - quantile

        if gap(0.0) <= 0:
            limits.append(0.0)
            continue
        high = float(np.max(v))
        while gap(high) > 0:
            high *= 4
        limits.append(_root(gap, 0.0, high))
    return limits[0], limits[1]


def typical_variance(v: Array, X: Array) -> float:
    """Return the typical within-study variance behind I2: (k - p) / tr(P) at tau2 = 0."""
    return (len(v) - X.shape[1]) / trace_p(v, X)


ESTIMATORS: dict[str, Callable[[Array, Array, Array], float]] = {
    "EE": lambda y, v, X: 0.0,
    "DL": tau2_dl,
    "PM": tau2_pm,
    "REML": tau2_reml,
}
