"""The one solver: a random-effects meta-regression; pooling is the model with an intercept only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from osteometa.pooling.tau2 import (
    ESTIMATORS,
    Array,
    generalised_q,
    q_profile,
    times,
    typical_variance,
    weighted_fit,
    weights_of,
)
from osteometa.summaries import t_quantile

METHODS = tuple(ESTIMATORS)
CI_METHODS = ("wald", "hksj", "hksj-floor")


@dataclass(frozen=True, slots=True)
class Pooled:
    """One pooled estimate; names as in the tables. None where a quantity does not exist."""

    k: int
    estimate: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    pi_low: float | None = None
    pi_high: float | None = None
    tau2: float | None = None
    tau2_ci_low: float | None = None
    tau2_ci_high: float | None = None
    i2: float | None = None
    h2: float | None = None
    q: float | None = None
    q_df: int | None = None
    q_p: float | None = None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    method: str = "REML"
    ci_method: str = "hksj-floor"
    weights: tuple[float, ...] = ()
    """Percent of the total weight, in the order of the effects."""
    status: str = "ok"
    """ok, listed (one study), not_estimable (none) or failed."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Regression:
    """A meta-regression: coefficients, their covariance, and what was left over."""

    coefficients: Array
    covariance: Array
    """Scaled as the interval method asks."""
    tau2: float
    df: float | None
    """Degrees of freedom of t; None for the normal distribution."""
    k: int
    q: float
    q_df: int
    q_p: float | None


def checked(yi: Sequence[float], vi: Sequence[float]) -> tuple[Array, Array]:
    """Return effects and variances as arrays.

    Raises
    ------
    ValueError
        For lengths that differ, numbers that are not finite, and variances that are not positive,
        naming the position.
    """
    y, v = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if y.shape != v.shape or y.ndim != 1:
        raise ValueError("effects and variances must be two lists of one length")
    for position, (effect, variance) in enumerate(zip(y, v, strict=True), start=1):
        if not math.isfinite(effect):
            raise ValueError(f"effect {position} is not a finite number (found {effect})")
        if not (math.isfinite(variance) and variance > 0):
            raise ValueError(f"variance {position} must be above 0 (found {variance})")
    return y, v


def covariance_of(v: Array, V: Array | None) -> Array:
    """Return what the solver takes: variances (k), or V (k x k) where it is not diagonal.

    Raises
    ------
    ValueError
        If V is not a symmetric positive definite matrix of the effects.
    """
    if V is None:
        return v
    V = np.asarray(V, dtype=float)
    if V.shape != (len(v), len(v)) or not np.allclose(V, V.T, rtol=1e-10, atol=0):
        raise ValueError("V must be a symmetric matrix with a row for each effect")
    if np.array_equal(V, np.diag(np.diag(V))):
        return np.diag(V).copy()
    scale = np.sqrt(np.diag(V))
    if (
        not np.all(np.diag(V) > 0)
        or np.min(np.linalg.eigvalsh(V / np.outer(scale, scale))) <= 1e-12
    ):
        raise ValueError("V must be positive definite: a covariance is too large")
    return V


def independent(studies: int | Sequence[str] | None, k: int) -> int:
    """Return how many studies stand behind k effects: a number, a study per effect, or k."""
    if studies is None:
        return k
    return studies if isinstance(studies, int) else len(set(studies))


def regress(
    yi: Sequence[float], vi: Sequence[float], X: Array, *,
    method: str = "REML", ci: str = "hksj-floor", V: Array | None = None,
    studies: int | Sequence[str] | None = None,
) -> Regression:  # fmt: skip
    """Fit y ~ N(X b, V + tau2 I).

    Parameters
    ----------
    yi, vi : sequences of length k
        Effects and their sampling variances.
    X : array of shape (k, p)
        Design matrix.
    method : {"REML", "DL", "EE"}
        Estimator of tau2, by metafor's short names; EE is the common-effect model.
    ci : {"wald", "hksj", "hksj-floor"}
        Normal quantiles; Hartung-Knapp (Knapp and Hartung 2003); the same with its factor
        never below 1.
    V : array of shape (k, k), optional
        Sampling covariance; its diagonal takes the place of vi.
    studies : int or sequence of k ids, optional
        Independent studies behind the effects: t has studies - p degrees of freedom.

    Raises
    ------
    ValueError
        If there are no more effects than coefficients.
    """
    y, v = checked(yi, vi)
    v = covariance_of(v, V)
    k, p = X.shape
    if k < p:
        raise ValueError(f"{k} effects cannot give {p} coefficients")
    tau2 = ESTIMATORS[method](y, v, X)
    coefficients, covariance, residuals = weighted_fit(y, v, X, tau2)
    df = None
    if ci != "wald" and k > p:
        factor = float(residuals @ times(weights_of(v, tau2), residuals)) / (k - p)
        covariance = covariance * (max(1.0, factor) if ci == "hksj-floor" else factor)
        df = float(max(1, independent(studies, k) - p))
    q = generalised_q(y, v, X, 0.0)
    q_p = float(chdtrc(k - p, q)) if k > p else None
    return Regression(coefficients, covariance, tau2, df, k, q, k - p, q_p)


def pool(
    yi: Sequence[float], vi: Sequence[float], *,
    method: str = "REML", ci: str = "hksj-floor", pi_df: str = "k-1", V: Array | None = None,
    studies: int | Sequence[str] | None = None,
) -> Pooled:  # fmt: skip
    """Pool effects; a single one is listed with its normal interval, none is not estimable.

    Parameters
    ----------
    yi, vi : sequences of length k
    method : {"REML", "DL", "EE"}
    ci : {"wald", "hksj", "hksj-floor"}
    pi_df : {"k-1", "k-2"}
        Degrees of freedom of the prediction interval: metafor's convention, or that of Higgins,
        Thompson and Spiegelhalter (2009).
    V : array of shape (k, k), optional
        Sampling covariance; its diagonal takes the place of vi.
    studies : int or sequence of k ids, optional
        Independent studies behind the effects.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k == 0:
        return Pooled(0, method=method, ci_method=ci, status="not_estimable", note="no study")
    if k == 1:
        return _single(float(y[0]), float(v[0]), method)
    try:
        return _pooled(y, covariance_of(v, V), method, ci, pi_df, independent(studies, k))
    except (np.linalg.LinAlgError, FloatingPointError, OverflowError) as error:
        return Pooled(
            independent(studies, k), method=method, ci_method=ci, status="failed", note=str(error)
        )


def _single(y: float, v: float, method: str) -> Pooled:
    se = math.sqrt(v)
    half = t_quantile(0.975, None) * se
    z = y / se
    return Pooled(
        1, y, se, y - half, y + half, statistic=z, p=float(2 * ndtr(-abs(z))),
        method=method, ci_method="wald", weights=(100.0,), status="listed",
        note="one study: its own estimate and interval",
    )  # fmt: skip


def _pooled(y: Array, v: Array, method: str, ci: str, pi_df: str, studies: int) -> Pooled:
    k = len(y)
    X = np.ones((k, 1))
    full = {"V": v} if v.ndim == 2 else {}
    own = np.diag(v) if full else v
    fit = regress(y, own, X, method=method, ci=ci, studies=studies, **full)
    estimate = float(fit.coefficients[0])
    se = math.sqrt(float(fit.covariance[0, 0]))
    statistic, p, note = _tested(estimate, se, fit.df, float(np.max(np.abs(y))))
    half = t_quantile(0.975, fit.df) * se
    w = times(weights_of(v, fit.tau2), X[:, 0])
    common = method == "EE"
    s2 = typical_variance(v, X)
    i2 = max(0.0, 100 * (fit.q - (k - 1)) / fit.q) if fit.q > 0 else 0.0
    low, high = (None, None) if common else q_profile(y, v, X)
    pi_low, pi_high = (
        (None, None) if common else prediction_interval(estimate, se, fit.tau2, studies, pi_df)
    )
    return Pooled(
        studies, estimate, se, estimate - half, estimate + half, pi_low, pi_high,
        tau2=fit.tau2, tau2_ci_low=low, tau2_ci_high=high,
        i2=i2 if common else 100 * fit.tau2 / (fit.tau2 + s2),
        h2=fit.q / (k - 1) if common else (fit.tau2 + s2) / s2,
        q=fit.q, q_df=fit.q_df, q_p=fit.q_p, statistic=statistic, df=fit.df, p=p,
        method=method, ci_method=ci, weights=tuple(float(x) for x in 100 * w / np.sum(w)),
        note=note,
    )  # fmt: skip


def prediction_interval(
    estimate: float, se: float, tau2: float, k: int, pi_df: str
) -> tuple[float | None, float | None]:
    """Return the 95 % prediction interval, with the reported standard error."""
    df = k - 1 if pi_df == "k-1" else k - 2
    if df < 1:
        return None, None
    half = t_quantile(0.975, df) * math.sqrt(tau2 + se**2)
    return estimate - half, estimate + half


def _tested(
    estimate: float, se: float, df: float | None, scale: float
) -> tuple[float | None, float | None, str]:
    """Return statistic, p and a note; SE 0 (all effects equal) has no statistic."""
    if se <= 1e-15 * scale or se == 0:
        if abs(estimate) <= 1e-15 * scale:
            return None, None, "all effects are 0: plain Hartung-Knapp has no standard error"
        return None, 0.0, "all effects are equal: plain Hartung-Knapp has standard error 0"
    statistic = estimate / se
    tail = ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))
    return statistic, float(2 * tail), ""


def joint_test(fit: Regression, contrasts: Array) -> tuple[float, int, float | None, float]:
    """Test that all rows of `contrasts` (c x p) times the coefficients are 0.

    Returns
    -------
    statistic, df1, df2, p
        F with df2, or chi-square where df2 is None.
    """
    difference = contrasts @ fit.coefficients
    covariance = contrasts @ fit.covariance @ contrasts.T
    wald = float(difference @ np.linalg.solve(covariance, difference))
    df1 = len(contrasts)
    if fit.df is None:
        return wald, df1, None, float(chdtrc(df1, wald))
    return wald / df1, df1, fit.df, float(fdtrc(df1, fit.df, wald / df1))
