"""The one solver: a random-effects meta-regression; pooling is the model with an intercept only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from osteometa.pooling.covariance import blocks, checked_covariance, decorrelated, row_weights
from osteometa.pooling.tau2 import (
    ESTIMATORS,
    Array,
    generalised_q,
    q_profile,
    typical_variance,
    weighted_fit,
)
from osteometa.summaries import t_quantile

METHODS = tuple(ESTIMATORS)
CI_METHODS = ("wald", "hksj", "hksj-floor")


@dataclass(frozen=True, slots=True)
class Pooled:
    """One pooled estimate; names as in the tables. None where a quantity does not exist."""

    k: int
    """Independent studies: fewer than the effects where some share a covariance."""
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


def regress(
    yi: Sequence[float], vi: Sequence[float] | None, X: Array, *,
    method: str = "REML", ci: str = "hksj-floor", V: Array | None = None,
    studies: int | None = None,
) -> Regression:  # fmt: skip
    """Fit y ~ N(X b, V + tau2 I), with an independent tau2 per effect.

    Parameters
    ----------
    yi, vi : sequences of length k
        Effects and their sampling variances.
    X : array of shape (k, p)
        Design matrix.
    method : {"REML", "DL", "PM", "EE"}
        Estimator of tau2, by metafor's short names; EE is the common-effect model.
    ci : {"wald", "hksj", "hksj-floor"}
        Normal quantiles; Hartung-Knapp (Knapp and Hartung 2003); the same with its factor
        never below 1.
    V : array of shape (k, k), optional
        Sampling covariance of the effects; its diagonal replaces `vi`.
    studies : int, optional
        Independent studies, for the degrees of freedom of t: studies - p, while Q has k - p.
        By default the blocks of V that share no covariance.

    Raises
    ------
    ValueError
        If there are no more effects than coefficients.
    """
    y, v, X, studies = _rows(yi, vi, X, V, studies)
    k, p = X.shape
    if k < p:
        raise ValueError(f"{k} effects cannot give {p} coefficients")
    tau2 = float(ESTIMATORS[method](y, v, X))
    coefficients, covariance, residuals = weighted_fit(y, v, X, tau2)
    df = None
    if ci != "wald" and studies > p:
        factor = float(np.sum(residuals**2 / (v + tau2))) / (k - p)
        covariance = covariance * (max(1.0, factor) if ci == "hksj-floor" else factor)
        df = float(studies - p)
    q = generalised_q(y, v, X, 0.0)
    q_p = float(chdtrc(k - p, q)) if k > p else None
    return Regression(coefficients, covariance, tau2, df, k, q, k - p, q_p)


def _rows(
    yi: Sequence[float], vi: Sequence[float] | None, X: Array, V: Array | None, studies: int | None
) -> tuple[Array, Array, Array, int]:
    """Return checked, uncorrelated rows y, v, X and the number of independent studies."""
    X = np.asarray(X, dtype=float)
    if V is None:
        y, v = checked(yi, vi)
        return y, v, X, len(y) if studies is None else studies
    V = checked_covariance(V, len(yi))
    y, _ = checked(yi, np.diagonal(V))
    independent = len(blocks(V)) if studies is None else studies
    return *decorrelated(y, V, X), independent


def pool(
    yi: Sequence[float], vi: Sequence[float] | None, *,
    method: str = "REML", ci: str = "hksj-floor", pi_df: str = "k-1",
    V: Array | None = None, studies: int | None = None,
) -> Pooled:  # fmt: skip
    """Pool effects; a single study is listed with its normal interval, none is not estimable.

    Parameters
    ----------
    yi, vi : sequences of length k
    method : {"REML", "DL", "EE"}
    ci : {"wald", "hksj", "hksj-floor"}
    pi_df : {"k-1", "k-2"}
        Degrees of freedom of the prediction interval: metafor's convention, or that of Higgins,
        Thompson and Spiegelhalter (2009); k is the number of independent studies.
    V, studies
        As for `regress`.
    """
    X = np.ones((len(yi), 1))
    y, v, X, studies = _rows(yi, vi, X, V, studies)
    if len(y) == 0:
        return Pooled(0, method=method, ci_method=ci, status="not_estimable", note="no study")
    try:
        if studies == 1:
            return _single(y, v, X, V, method)
        return _pooled(y, v, X, V, studies, method, ci, pi_df)
    except (np.linalg.LinAlgError, FloatingPointError, OverflowError) as error:
        return Pooled(studies, method=method, ci_method=ci, status="failed", note=str(error))


def _single(y: Array, v: Array, X: Array, V: Array | None, method: str) -> Pooled:
    """Return one study's estimate, its several effects combined by their covariance."""
    coefficients, covariance, _ = weighted_fit(y, v, X, 0.0)
    estimate, se = float(coefficients[0]), math.sqrt(float(covariance[0, 0]))
    half = t_quantile(0.975, None) * se
    z = estimate / se
    several = " (its effects combined by their covariance)" if len(y) > 1 else ""
    return Pooled(
        1, estimate, se, estimate - half, estimate + half, statistic=z, p=float(2 * ndtr(-abs(z))),
        method=method, ci_method="wald", weights=_percent(v, V, 0.0), status="listed",
        note=f"one study: its own estimate and interval{several}",
    )  # fmt: skip


def _percent(v: Array, V: Array | None, tau2: float) -> tuple[float, ...]:
    w = 1.0 / (v + tau2)
    shares = w / np.sum(w) if V is None else row_weights(np.asarray(V, dtype=float), tau2)
    return tuple(float(share) for share in 100 * shares)


def _pooled(
    y: Array, v: Array, X: Array, V: Array | None, studies: int, method: str, ci: str, pi_df: str
) -> Pooled:
    fit = regress(y, v, X, method=method, ci=ci, studies=studies)
    estimate = float(fit.coefficients[0])
    se = math.sqrt(float(fit.covariance[0, 0]))
    statistic, p, note = _tested(estimate, se, fit.df, float(np.max(np.abs(y))))
    half = t_quantile(0.975, fit.df) * se
    common = method == "EE"
    s2 = float(typical_variance(v, X))
    i2 = max(0.0, 100 * (fit.q - fit.q_df) / fit.q) if fit.q > 0 else 0.0
    low, high = (None, None) if common else q_profile(y, v, X)
    pi_low, pi_high = (
        (None, None) if common else prediction_interval(estimate, se, fit.tau2, studies, pi_df)
    )
    return Pooled(
        studies, estimate, se, estimate - half, estimate + half, pi_low, pi_high,
        tau2=fit.tau2, tau2_ci_low=low, tau2_ci_high=high,
        i2=i2 if common else 100 * fit.tau2 / (fit.tau2 + s2),
        h2=fit.q / fit.q_df if common else (fit.tau2 + s2) / s2,
        q=fit.q, q_df=fit.q_df, q_p=fit.q_p, statistic=statistic, df=fit.df, p=p,
        method=method, ci_method=ci, weights=_percent(v, V, fit.tau2), note=note,
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
