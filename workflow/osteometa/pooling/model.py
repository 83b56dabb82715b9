"""The one solver: a random-effects meta-regression; pooling is the model with an intercept only.

It is the batch kernel with one model. Effects that share participants come with their covariance.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, fdtrc

from osteometa.numerics.arrays import Array, Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.numerics.range import out_of_range, refuse_design, refuse_unknown
from osteometa.pooling.batch import moments, one_model
from osteometa.pooling.correlated import blocks, checked_covariance, row_weights
from osteometa.pooling.kernel import solve
from osteometa.pooling.results import (
    Estimated,
    Fitted,
    GroupMeans,
    Pooled,
    Regression,
    not_estimated,
)
from osteometa.pooling.tau2 import profile_likelihood, q_profile, start_sj
from osteometa.wording.choices import CI_METHODS, METHODS

PI_DF = ("k-1", "k-2")
TAU2_CI = ("qp", "pl")


def checked(yi: Numbers, vi: Numbers) -> tuple[Array, Array]:
    """Return effects and variances as arrays.

    ValueError for lengths that differ, numbers that are not finite, variances that are not
    positive, and numbers too large or too small to compute with, naming the position.
    """
    y, v = np.asarray(yi, dtype=float), np.asarray(vi, dtype=float)
    if y.shape != v.shape or y.ndim != 1:
        raise ValueError(
            f"yi and vi must be two lists of the same length (found shapes {y.shape} and {v.shape})"
        )
    for position, (effect, variance) in enumerate(zip(y, v, strict=True), start=1):
        if not math.isfinite(effect):
            raise ValueError(f"yi: effect {position} is not a finite number (found {effect})")
        if not (math.isfinite(variance) and variance > 0):
            raise ValueError(f"vi: variance {position} must be above 0 (found {variance})")
        if wrong := out_of_range(effect, variance):
            raise ValueError(f"yi and vi, position {position}: {wrong}")
    return y, v


def regress(
    yi: Numbers, vi: Numbers | None, X: Array, *,
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
    method : {"REML", "ML", "DL", "HE", "HS", "SJ", "EB", "PM", "EE"}
        Estimator of tau2, by metafor's short names; EE is the common-effect model. With V, M and P
        the residual makers of ordinary and of generalised least squares: EE, ML and REML as in
        rma.mv; DL, PM and EB solve E(y'Py) = k - p + tau2 tr P (DerSimonian and Laird 1986; with
        covariances Jackson, White and Thompson 2010), HE E(y'My) = tr MV + tau2 (k - p), equations
        that hold for any V. HS and SJ have no published form with covariances; here they are
        (y'Py - k) / tr V^-1 and tau0 y'P(tau0)y / (k - p), tau0 the variance of the effects, which
        for a diagonal V are the published ones (Viechtbauer 2005; Sidik and Jonkman 2005).
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
        If there are fewer effects than coefficients, or columns of X depend on each other.
    """
    y, v, X, V, studies = _rows(yi, vi, X, V, studies)
    k, p = X.shape
    if k < p:
        raise ValueError(f"{k} effects cannot give {p} coefficients")
    refuse_unknown("method", method, METHODS)
    refuse_unknown("ci", ci, CI_METHODS)
    start = start_sj(y[:, None], np.ones((k, 1), dtype=bool))
    fit = solve(one_model(y, v, X, V), method, ci, studies=np.array([studies]), sj=start)
    (coefficients,), (covariance,) = fit.coefficients, fit.covariance
    tau2, q, df = fit.tau2.item(), fit.q.item(), fit.df.item()
    weights = tuple((100 * row_weights(np.diag(v) if V is None else V, tau2)).tolist())
    return Regression(
        coefficients, covariance, tau2, None if math.isinf(df) else df, k, q, k - p,
        float(chdtrc(k - p, q)) if k > p else math.nan, fit.i2.item(), fit.h2.item(), studies,
        weights,
    )  # fmt: skip


def _rows(
    yi: Numbers, vi: Numbers | None, X: Array, V: Array | None, studies: int | None
) -> tuple[Array, Array, Array, Array | None, int]:
    """Return checked y, v, X, the covariance if there is one, and the number of studies."""
    X = np.asarray(X, dtype=float)
    if V is None:
        if vi is None:
            raise ValueError("give the sampling variances as vi, or their covariance as V")
        y, v = checked(yi, vi)
        refuse_design(X, v)
        return y, v, X, None, len(y) if studies is None else studies
    V = checked_covariance(V, len(yi))
    y, v = checked(yi, np.diagonal(V))
    refuse_design(X, v)
    together = blocks(V)
    # Without a covariance between two effects it is the model of independent ones, to the bit.
    full = V if len(together) < len(y) else None
    return y, v, X, full, len(together) if studies is None else studies


def pool(
    yi: Numbers, vi: Numbers | None, *,
    method: str = "REML", ci: str = "hksj-floor", pi_df: str = "k-1",
    V: Array | None = None, studies: int | None = None, tau2_ci: str = "qp",
) -> Pooled:  # fmt: skip
    """Pool effects; a single study is listed with its normal interval, none is not estimable.

    `method`, `ci`, V and `studies` are those of `regress`.

    Parameters
    ----------
    yi, vi : array-like, shape (k,)
        Effects and their variances; vi is None where V has them.
    pi_df : {"k-1", "k-2"}
        Degrees of freedom of the prediction interval: metafor's convention, or that of Higgins,
        Thompson and Spiegelhalter (2009); k is the number of independent studies.
    tau2_ci : {"qp", "pl"}
        Interval of tau2, I2 and H2: Q-profile (Viechtbauer 2007), or profile likelihood (Hardy and
        Thompson 1996), which REML and ML have.

    Raises
    ------
    ValueError
        For impossible input, and for a profile likelihood of another method.
    """
    refuse_unknown("pi_df", pi_df, PI_DF)
    refuse_unknown("tau2_ci", tau2_ci, TAU2_CI)
    _refuse_without_likelihood(method, tau2_ci)
    y, v, X, V, studies = _rows(yi, vi, np.ones((len(yi), 1)), V, studies)
    if len(y) == 0:
        return not_estimated(0, method, ci, status="not_estimable", note="no study")
    try:
        if studies == 1:
            return _single(y, v, X, V, method)
        return _pooled(y, v, X, V, studies, method, ci, pi_df, tau2_ci)
    except (np.linalg.LinAlgError, FloatingPointError, OverflowError) as error:
        return not_estimated(studies, method, ci, status="failed", note=str(error))


def _single(y: Array, v: Array, X: Array, V: Array | None, method: str) -> Estimated:
    """Return one study's estimate, its several effects combined by their covariance."""
    fit = regress(y, v, X, method="EE", ci="wald", V=V, studies=1)
    estimate, se = fit.coefficients.item(), math.sqrt(fit.covariance.item())
    half = t_quantile(0.975, None) * se
    z = estimate / se
    several = " (its effects combined by their covariance)" if len(y) > 1 else ""
    return Estimated(
        k=1, estimate=estimate, se=se, ci_low=estimate - half, ci_high=estimate + half, tau2=None,
        i2=None, h2=None, q=None, q_df=None, q_p=None, statistic=z, p=two_sided_p(z, None),
        method=method, ci_method="wald", weights=fit.weights, status="listed",
        note=f"one study: its own estimate and interval{several}",
    )  # fmt: skip


def _pooled(
    y: Array, v: Array, X: Array, V: Array | None, studies: int, method: str, ci: str, pi_df: str,
    tau2_ci: str,
) -> Fitted:  # fmt: skip
    fit = regress(y, v, X, method=method, ci=ci, V=V, studies=studies)
    estimate, se = fit.coefficients.item(), math.sqrt(fit.covariance.item())
    statistic, p, note = _tested(estimate, se, fit.df, float(np.max(np.abs(y))))
    half = t_quantile(0.975, fit.df) * se
    found = Fitted(
        k=studies, estimate=estimate, se=se, ci_low=estimate - half, ci_high=estimate + half,
        tau2=fit.tau2, i2=fit.i2, h2=fit.h2, q=fit.q, q_df=fit.q_df, q_p=fit.q_p,
        statistic=statistic, df=fit.df, p=p, method=method, ci_method=ci, weights=fit.weights,
        note=note,
    )  # fmt: skip
    if method == "EE":
        return found
    low, high = prediction_interval(estimate, se, fit.tau2, studies, pi_df)
    return replace(found, pi_low=low, pi_high=high, **_tau2_limits(y, v, X, V, method, tau2_ci))


def _refuse_without_likelihood(method: str, tau2_ci: str) -> None:
    if tau2_ci == "pl" and method not in ("REML", "ML"):
        raise ValueError(
            f"{method} has no likelihood: a profile-likelihood interval needs REML or ML"
        )


def tau2_limits(
    yi: Numbers, vi: Numbers | None, X: Array, *, method: str = "REML",
    V: Array | None = None, tau2_ci: str = "qp",
) -> dict[str, float]:  # fmt: skip
    """Return the 95 % intervals of what a meta-regression leaves: tau2, I2 and H2.

    Parameters and errors are those of `regress` and `pool`. I2 and H2 rise with tau2 over one
    typical variance, (k - p) / tr(P) at tau2 = 0: their limits are those of tau2 (Viechtbauer
    2007).
    """
    _refuse_without_likelihood(method, tau2_ci)
    y, v, X, V, _ = _rows(yi, vi, X, V, None)
    if len(y) <= X.shape[1]:
        raise ValueError(f"{len(y)} effects and {X.shape[1]} coefficients leave no variance")
    return _tau2_limits(y, v, X, V, method, tau2_ci)


def _tau2_limits(
    y: Array, v: Array, X: Array, V: Array | None, method: str, kind: str
) -> dict[str, float]:
    """Return the interval of tau2 and, as they rise with it, those of I2 and H2."""
    by_likelihood = kind == "pl"
    ends = profile_likelihood(y, v, X, method, V=V) if by_likelihood else q_profile(y, v, X, V=V)
    batch = one_model(y, v, X, V)
    ratio = (moments(batch, 0.0).trace / (batch.n - batch.p)).item()
    limits = {}
    for name, tau2 in zip(("low", "high"), ends, strict=True):
        limits[f"tau2_ci_{name}"] = tau2
        limits[f"i2_ci_{name}"] = 100 * tau2 * ratio / (1 + tau2 * ratio)
        limits[f"h2_ci_{name}"] = 1 + tau2 * ratio
    return limits


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
    return statistic, two_sided_p(statistic, df), ""


class JointTest(NamedTuple):
    """A Wald test of coefficients: F with df2, or chi-square where df2 is None."""

    statistic: float | None
    df1: int
    df2: float | None
    p: float | None


def joint_test(fit: Regression | GroupMeans, contrasts: Array) -> JointTest:
    """Test that all rows of `contrasts` (c x p) times the coefficients are 0.

    numpy.linalg.LinAlgError if the covariance of the contrasts is singular.
    """
    difference = contrasts @ fit.coefficients
    covariance = contrasts @ fit.covariance @ contrasts.T
    wald = float(difference @ np.linalg.solve(covariance, difference))
    df1 = len(contrasts)
    if fit.df is None:
        return JointTest(wald, df1, None, float(chdtrc(df1, wald)))
    return JointTest(wald / df1, df1, fit.df, float(fdtrc(df1, fit.df, wald / df1)))
