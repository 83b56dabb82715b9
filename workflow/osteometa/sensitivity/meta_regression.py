"""Meta-regression on what the tables hold: weeks, age, year, sessions, number of people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.pooling.model import checked, joint_test, regress
from osteometa.pooling.results import EffectData
from osteometa.pooling.tau2 import typical_variance
from osteometa.sensitivity.status import NotEstimableError, guarded
from osteometa.wording.choices import studies_words

STUDIES_PER_COVARIATE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One covariate of a meta-regression."""

    name: str
    centre: float
    """Mean over the studies: the intercept is the effect where every covariate is at its mean."""
    slope: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRegression:
    """A meta-regression; None where a quantity does not exist."""

    k: int
    """Studies whose covariates are all known."""
    left_out: int = 0
    """Studies with an unknown covariate: it is not imputed."""
    intercept: float | None = None
    intercept_se: float | None = None
    intercept_low: float | None = None
    intercept_high: float | None = None
    terms: tuple[Term, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    """Of intercept and slopes, as the covariates stand in the tables, less their centre."""
    statistic: float | None = None
    """Of all covariates together: F, or chi-square where df2 is None."""
    df1: int | None = None
    df2: float | None = None
    p: float | None = None
    tau2: float | None = None
    tau2_without: float | None = None
    """tau2 of the same studies without covariates."""
    r2: float | None = None
    """Percent of tau2_without that the covariates explain; None where that is 0."""
    i2: float | None = None
    q: float | None = None
    q_df: int | None = None
    q_p: float | None = None
    status: str = "ok"
    """ok, not_applicable (too few studies by the protocol) or not_estimable."""
    reason: str = ""


def meta_regression(
    yi: Numbers, vi: Numbers, covariates: Array, *, names: Sequence[str] = (),
    V: Array | None = None, study: Labels | None = None, method: str = "REML",
    ci: str = "hksj-floor", per_covariate: int = STUDIES_PER_COVARIATE,
) -> MetaRegression:  # fmt: skip
    """Regress effects on covariates in a mixed-effects model (Thompson and Higgins 2002).

    Parameters
    ----------
    yi, vi : sequences of length k
    covariates : array of length k, or (k, q)
        Not a number where a study does not tell.
    names : sequence of q names
    V : array of shape (k, k), optional
        Sampling covariance of effects that share people.
    study : sequence of k ids, optional
        Which study an effect comes from; by default each has one.
    method, ci : str
        As for `osteometa.pooling.regress`: "hksj" is the test of Knapp and Hartung (2003).
    per_covariate : int
        Studies that each covariate needs (M6: ten).

    Raises
    ------
    ValueError
        For variances that are not positive and effects that are not finite.
    """
    y, v = checked(yi, vi)
    columns = np.asarray(covariates, dtype=float).reshape(len(y), -1 if len(y) else 1)
    known = np.all(np.isfinite(columns), axis=1)
    ids = np.arange(len(y)) if study is None else np.asarray(study)
    k, q = len(set(ids[known].tolist())), columns.shape[1]
    left_out = len(set(ids.tolist())) - k
    if k < per_covariate * q:
        verb = "reports" if k < 2 else "report"
        what = "it" if q == 1 else f"all {q} covariates"
        reason = f"{studies_words(k)} {verb} {what}, {per_covariate * q} are needed"
        return MetaRegression(k=k, left_out=left_out, status="not_applicable", reason=reason)
    data = EffectData(
        tuple(y[known].tolist()), tuple(v[known].tolist()),
        None if V is None else np.asarray(V)[np.ix_(known, known)],
        k if k < np.sum(known) else None,
    )  # fmt: skip
    answer, reason = guarded(lambda: _fitted(data, columns[known], names, k, method, ci))
    if answer is None:
        return MetaRegression(k=k, left_out=left_out, status="not_estimable", reason=reason)
    return replace(answer, left_out=left_out)


def _fitted(
    data: EffectData, columns: Array, names: Sequence[str], k: int, method: str, ci: str
) -> MetaRegression:
    q = columns.shape[1]
    if k < q + 2:
        raise NotEstimableError(f"{studies_words(k)}: {q + 1} coefficients need {q + 2}")
    y, v, V = np.array(data.yi), np.array(data.vi), data.V
    # Centred and scaled: the year 2011 must not cost digits.
    centre = columns.mean(axis=0)
    spread = np.max(np.abs(columns - centre), axis=0)
    if np.any(spread <= 1e-10 * np.max(np.abs(columns), axis=0)):
        raise NotEstimableError("a covariate is the same for all studies")
    X = np.column_stack([np.ones(len(y)), (columns - centre) / spread])
    if np.linalg.matrix_rank(X) <= q:
        raise NotEstimableError("the covariates depend on each other")
    fit = regress(y, v, X, method=method, ci=ci, V=V, studies=data.studies)
    errors = np.sqrt(np.diagonal(fit.covariance))
    scales = np.array([1.0, *spread])
    if np.any(errors <= 1e-13 * np.max(np.abs(y))):
        raise NotEstimableError("all effects lie on the line: nothing is left to judge it by")
    quantile = t_quantile(0.975, fit.df)
    terms = []
    for j in range(q):
        slope, se = float(fit.coefficients[j + 1] / spread[j]), float(errors[j + 1] / spread[j])
        terms.append(Term(
            name=names[j] if j < len(names) else f"x{j + 1}", centre=float(centre[j]), slope=slope,
            se=se, ci_low=slope - quantile * se, ci_high=slope + quantile * se,
            statistic=slope / se, p=two_sided_p(slope / se, fit.df),
        ))  # fmt: skip
    statistic, df1, df2, p = joint_test(fit, np.eye(q + 1)[1:])
    without = regress(y, v, X[:, :1], method=method, ci=ci, V=V, studies=data.studies).tau2
    explained = max(0.0, 100 * (without - fit.tau2) / without) if without > 0 else None
    s2 = float(typical_variance(v, X, V))
    intercept, half = float(fit.coefficients[0]), quantile * float(errors[0])
    return MetaRegression(
        k=k, intercept=intercept, intercept_se=float(errors[0]),
        intercept_low=intercept - half, intercept_high=intercept + half, terms=tuple(terms),
        covariance=tuple(map(tuple, (fit.covariance / np.outer(scales, scales)).tolist())),
        statistic=statistic, df1=df1, df2=df2, p=p, tau2=fit.tau2, tau2_without=without,
        r2=explained, i2=100 * fit.tau2 / (fit.tau2 + s2), q=fit.q, q_df=fit.q_df, q_p=fit.q_p,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePoint:
    """The effect that a meta-regression expects at a value of its covariate, with its interval."""

    x: float
    fitted: float
    ci_low: float
    ci_high: float


def line_of(found: MetaRegression, values: Sequence[float]) -> list[LinePoint]:
    """Return the regression line with the 95 % confidence band of the mean effect.

    The band is pointwise, b0 + b1 d -+ q sqrt(var b0 + 2 d cov(b0, b1) + d^2 var b1) with d the
    distance from the centre and q as for the slope: t by Knapp and Hartung (2003), or normal. It
    says where the mean effect may lie, not where single studies do.

    Parameters
    ----------
    found : MetaRegression
        Of one covariate, with status ok.
    values : sequence of float
        Values of the covariate, in its unit.

    Raises
    ------
    ValueError
        If the regression has several covariates, or was not estimated.
    """
    if found.intercept is None or len(found.terms) != 1:
        raise ValueError(f"a line needs one covariate and an estimate: {found.reason or 'several'}")
    (term,), quantile = found.terms, t_quantile(0.975, found.df2)
    (var_intercept, shared), (_, var_slope) = found.covariance
    points = []
    for x in values:
        d = x - term.centre
        fitted = found.intercept + term.slope * d
        half = quantile * math.sqrt(var_intercept + 2 * d * shared + d * d * var_slope)
        points.append(LinePoint(x=x, fitted=fitted, ci_low=fitted - half, ci_high=fitted + half))
    return points
