"""Meta-regression on covariates of the tables: weeks, age, year, sessions, participants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.pooling.model import checked, regress
from osteometa.pooling.results import EffectData
from osteometa.records.sensitivity import MetaRegressionRow, RegressionLine
from osteometa.sensitivity.status import NotEstimableError, guarded
from osteometa.wording.choices import studies_words

LEAST_STUDIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRegression(MetaRegressionRow):
    """A meta-regression on one covariate."""

    covariance: tuple[tuple[float, float], tuple[float, float]] | None = None
    """Of intercept and slope, in the units of the tables, with the covariate centred."""


def meta_regression(
    yi: Numbers, vi: Numbers, covariate: Numbers, *, V: Array | None = None,
    study: Labels | None = None, method: str = "REML", ci: str = "hksj-floor",
    least: int = LEAST_STUDIES,
) -> MetaRegression:  # fmt: skip
    """Regress effects on a covariate in a mixed-effects model (Thompson and Higgins 2002).

    The covariate is NaN where a study does not report it: it is not imputed. V (k, k) is the
    sampling covariance of effects that share participants; `study` is the study of each effect, by
    default its own. `method` and `ci` are those of `pooling.model.regress`: "hksj" is the test of
    Knapp and Hartung (2003). `least` studies are needed (M6: ten). Errors are those of
    `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    x = np.asarray(covariate, dtype=float)
    known = np.isfinite(x)
    ids = np.arange(len(y)) if study is None else np.asarray(study)
    k = len(set(ids[known].tolist()))
    if k < least:
        reason = f"{studies_words(k)} {'reports' if k < 2 else 'report'} it, {least} are needed"
        return MetaRegression(k=k, status="not_applicable", reason=reason)
    data = EffectData(
        tuple(y[known].tolist()), tuple(v[known].tolist()),
        None if V is None else np.asarray(V)[np.ix_(known, known)],
        k if k < np.sum(known) else None,
    )  # fmt: skip
    answer, reason = guarded(lambda: _fitted(data, x[known], k, method, ci))
    return answer or MetaRegression(k=k, status="not_estimable", reason=reason)


def _fitted(data: EffectData, x: Array, k: int, method: str, ci: str) -> MetaRegression:
    if k < 3:
        raise NotEstimableError(f"{studies_words(k)}: 2 coefficients need 3")
    y, v, V = np.array(data.yi), np.array(data.vi), data.V
    # Centred and scaled: the year 2011 must not cost digits.
    centre = float(x.mean())
    spread = float(np.max(np.abs(x - centre)))
    if spread <= 1e-10 * np.max(np.abs(x)):
        raise NotEstimableError("a covariate is the same for all studies")
    X = np.column_stack([np.ones(len(y)), (x - centre) / spread])
    fit = regress(y, v, X, method=method, ci=ci, V=V, studies=data.studies)
    errors = np.sqrt(np.diagonal(fit.covariance))
    if np.any(errors <= 1e-13 * np.max(np.abs(y))):
        raise NotEstimableError("all effects lie on the line: the slope has no standard error")
    half = t_quantile(0.975, fit.df)
    slope, se = float(fit.coefficients[1]) / spread, float(errors[1]) / spread
    without = regress(y, v, X[:, :1], method=method, ci=ci, V=V, studies=data.studies).tau2
    (v0, shared), (_, v1) = fit.covariance.tolist()
    return MetaRegression(
        k=k, intercept=float(fit.coefficients[0]), slope=slope, se=se, ci_low=slope - half * se,
        ci_high=slope + half * se, statistic=slope / se, df=fit.df,
        p=two_sided_p(slope / se, fit.df), tau2=fit.tau2,
        r2=max(0.0, 100 * (without - fit.tau2) / without) if without > 0 else None, centre=centre,
        covariance=((v0, shared / spread), (shared / spread, v1 / spread**2)),
    )  # fmt: skip


def line_of(found: MetaRegression, values: Sequence[float]) -> list[RegressionLine]:
    """Return the regression line with the 95 % confidence band of the mean effect.

    `values` are in the unit of the covariate. The band is pointwise, b0 + b1 d -+ q sqrt(var b0 + 2
    d cov(b0, b1) + d^2 var b1) with d the distance from the centre and q as for the slope: t by
    Knapp and Hartung (2003), or normal. It is that of the mean effect, not of single studies.
    ValueError if the regression was not estimated.
    """
    if (
        found.covariance is None or found.centre is None or found.intercept is None
        or found.slope is None
    ):  # fmt: skip
        raise ValueError(f"a line needs an estimate: {found.reason}")
    quantile = t_quantile(0.975, found.df)
    (v0, shared), (_, v1) = found.covariance
    line, name = [], found.covariate
    for x in values:
        d = x - found.centre
        y = found.intercept + found.slope * d
        half = quantile * math.sqrt(v0 + 2 * d * shared + d * d * v1)
        line.append(
            RegressionLine(covariate=name, x=x, fitted=y, ci_low=y - half, ci_high=y + half)
        )
    return line
