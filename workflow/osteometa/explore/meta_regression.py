"""Meta-regression on what the tables hold: weeks, age, year, sessions, number of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteometa.explore.common import Array, NotEstimableError, guarded, two_sided
from osteometa.pooling.model import checked, joint_test, pool, regress
from osteometa.pooling.tau2 import typical_variance
from osteometa.summaries import t_quantile

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
    yi: Sequence[float], vi: Sequence[float], covariates: Array, *, names: Sequence[str] = (),
    method: str = "REML", ci: str = "hksj-floor", per_covariate: int = STUDIES_PER_COVARIATE,
) -> MetaRegression:  # fmt: skip
    """Regress effects on covariates in a mixed-effects model (Thompson and Higgins 2002).

    Parameters
    ----------
    yi, vi : sequences of length k
    covariates : array of length k, or (k, q)
        Not a number where a study does not tell.
    names : sequence of q names
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
    k, q = int(np.sum(known)), columns.shape[1]
    sizes = {"k": k, "left_out": len(y) - k}
    if k < per_covariate * q:
        reason = f"{k} studies: {q} covariate{'s' if q > 1 else ''} need {per_covariate * q}"
        return MetaRegression(**sizes, status="not_applicable", reason=reason)
    answer, reason = guarded(
        lambda: _fitted(y[known], v[known], columns[known], names, method, ci, sizes)
    )
    return answer or MetaRegression(**sizes, status="not_estimable", reason=reason)


def _fitted(
    y: Array, v: Array, columns: Array, names: Sequence[str], method: str, ci: str,
    sizes: dict[str, int],
) -> MetaRegression:  # fmt: skip
    k, q = columns.shape
    if k < q + 2:
        raise NotEstimableError(f"{k} studies: {q + 1} coefficients need {q + 2}")
    # Centred and scaled: the year 2011 must not cost digits.
    centre = columns.mean(axis=0)
    spread = np.max(np.abs(columns - centre), axis=0)
    if np.any(spread <= 1e-10 * np.max(np.abs(columns), axis=0)):
        raise NotEstimableError("a covariate is the same for all studies")
    X = np.column_stack([np.ones(k), (columns - centre) / spread])
    if np.linalg.matrix_rank(X) <= q:
        raise NotEstimableError("the covariates depend on each other")
    fit = regress(y, v, X, method=method, ci=ci)
    errors = np.sqrt(np.diagonal(fit.covariance))
    if np.any(errors <= 1e-13 * np.max(np.abs(y))):
        raise NotEstimableError("all effects lie on the line: nothing is left to judge it by")
    quantile = t_quantile(0.975, fit.df)
    terms = []
    for j in range(q):
        slope, se = float(fit.coefficients[j + 1] / spread[j]), float(errors[j + 1] / spread[j])
        terms.append(Term(
            name=names[j] if j < len(names) else f"x{j + 1}", centre=float(centre[j]), slope=slope,
            se=se, ci_low=slope - quantile * se, ci_high=slope + quantile * se,
            statistic=slope / se, p=two_sided(slope / se, fit.df),
        ))  # fmt: skip
    statistic, df1, df2, p = joint_test(fit, np.eye(q + 1)[1:])
    without = regress(y, v, np.ones((k, 1)), method=method, ci=ci).tau2
    explained = max(0.0, 100 * (without - fit.tau2) / without) if without > 0 else None
    intercept, half = float(fit.coefficients[0]), quantile * float(errors[0])
    return MetaRegression(
        **sizes, intercept=intercept, intercept_se=float(errors[0]),
        intercept_low=intercept - half, intercept_high=intercept + half, terms=tuple(terms),
        statistic=statistic, df1=df1, df2=df2, p=p, tau2=fit.tau2, tau2_without=without,
        r2=explained, i2=100 * fit.tau2 / (fit.tau2 + float(typical_variance(v, X))),
        q=fit.q, q_df=fit.q_df, q_p=fit.q_p,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """The pool of one subgroup."""

    name: str
    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    tau2: float | None
    """None for a single study with a tau2 of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroups:
    """Subgroups and the test of their difference; None where there is none."""

    k: int
    tau2_model: str = ""
    """common or separate."""
    groups: tuple[Subgroup, ...] = ()
    statistic: float | None = None
    """F with df2, or chi-square where df2 is None."""
    df1: int | None = None
    df2: float | None = None
    p: float | None = None
    status: str = "ok"
    reason: str = ""


def subgroups(
    yi: Sequence[float], vi: Sequence[float], group: Sequence[str], *, tau2: str = "common",
    method: str = "REML", ci: str = "hksj-floor",
) -> Subgroups:  # fmt: skip
    """Pool subgroups with one tau2 or one each, and test whether they differ.

    Parameters
    ----------
    yi, vi : sequences of length k
    group : sequence of k names
        The order of first appearance is kept.
    tau2 : {"common", "separate"}
        One meta-regression over all groups, tested by F (chi-square for Wald); or a pool of each
        group, whose estimates are compared by their own standard errors (Borenstein et al. 2009,
        chapter 19).
    method, ci : str
        As for `osteometa.pooling.pool`.

    Raises
    ------
    ValueError
        For variances that are not positive, effects that are not finite, an unknown `tau2`.
    """
    if tau2 not in ("common", "separate"):
        raise ValueError(f"tau2 must be common or separate (found {tau2})")
    y, v = checked(yi, vi)
    labels = np.asarray([str(name) for name in group])
    names = list(dict.fromkeys(labels.tolist()))
    compared = _common if tau2 == "common" else _separate
    answer, reason = guarded(lambda: compared(y, v, labels, names, method, ci))
    return answer or Subgroups(
        k=len(y), tau2_model=tau2, status="not_estimable", reason=reason
    )  # fmt: skip


def _common(y: Array, v: Array, labels: Array, names: list[str], method: str, ci: str) -> Subgroups:
    X = (labels[:, None] == np.array(names)[None, :]).astype(float) if names else None
    if X is None or len(names) < 2:
        raise NotEstimableError(f"{len(names)} group: nothing to compare")
    if len(y) <= len(names):
        raise NotEstimableError("no more studies than groups")
    fit = regress(y, v, X, method=method, ci=ci)
    errors = np.sqrt(np.diagonal(fit.covariance))
    if np.any(errors <= 1e-13 * np.max(np.abs(y))):
        raise NotEstimableError("the groups do not vary: nothing is left to judge them by")
    half = t_quantile(0.975, fit.df) * errors
    rows = tuple(
        Subgroup(
            name=name, k=int(np.sum(labels == name)), estimate=float(b), se=float(se),
            ci_low=float(b - h), ci_high=float(b + h), tau2=fit.tau2,
        )
        for name, b, se, h in zip(names, fit.coefficients, errors, half, strict=True)
    )  # fmt: skip
    differences = np.hstack([np.eye(len(names) - 1), -np.ones((len(names) - 1, 1))])
    statistic, df1, df2, p = joint_test(fit, differences)
    return Subgroups(
        k=len(y), tau2_model="common", groups=rows, statistic=statistic, df1=df1, df2=df2, p=p
    )


def _separate(
    y: Array, v: Array, labels: Array, names: list[str], method: str, ci: str
) -> Subgroups:
    if len(names) < 2:
        raise NotEstimableError(f"{len(names)} group: nothing to compare")
    pools = [pool(y[labels == name], v[labels == name], method=method, ci=ci) for name in names]
    if any(found.se <= 1e-13 * float(np.max(np.abs(y))) for found in pools):
        raise NotEstimableError("a group does not vary: its standard error is 0")
    rows = tuple(
        Subgroup(
            name=name, k=found.k, estimate=found.estimate, se=found.se, ci_low=found.ci_low,
            ci_high=found.ci_high, tau2=found.tau2,
        )
        for name, found in zip(names, pools, strict=True)
    )  # fmt: skip
    between = pool([g.estimate for g in rows], [g.se**2 for g in rows], method="EE", ci="wald")
    return Subgroups(
        k=len(y), tau2_model="separate", groups=rows, statistic=between.q, df1=between.q_df,
        p=between.q_p,
    )  # fmt: skip
