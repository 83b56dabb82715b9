"""Meta-regression on named moderators: the design matrix, and a result by coefficient."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.numerics.distributions import t_quantile
from osteometa.numerics.range import refuse_design
from osteometa.pooling.model import JointTest, joint_test, regress, tau2_limits
from osteometa.pooling.results import EffectData, GroupMeans, Regression
from osteometa.wording.choices import studies_words

Moderators = Mapping[str, Sequence[float] | Sequence[str]]
"""Values of each moderator by its name: numbers, or words for a factor."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient of a meta-regression, with its 95 % confidence interval."""

    name: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float | None
    """t, or z where df is None; None where the standard error is 0, as is p."""
    df: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class RegressionResult:
    """A meta-regression by coefficient, and the heterogeneity that the moderators leave."""

    coefficients: tuple[Coefficient, ...]
    test: JointTest
    """Of all moderators together."""
    k: int
    """Independent studies."""
    tau2: float
    i2: float
    h2: float
    tau2_ci_low: float | None
    tau2_ci_high: float | None
    i2_ci_low: float | None
    i2_ci_high: float | None
    h2_ci_low: float | None
    h2_ci_high: float | None
    q: float
    q_df: int
    q_p: float
    method: str
    ci_method: str
    note: str


def design_matrix(moderators: Moderators) -> tuple[list[str], Array]:
    """Return the names of the coefficients and the design matrix, the intercept first.

    A moderator of numbers has one coefficient; a factor has one for each level but the first in
    alphabetical order. ValueError for a moderator that is the same for all effects.
    """
    names, columns = ["intercept"], []
    for name, values in moderators.items():
        levels = sorted({value for value in values if isinstance(value, str)})
        if len(set(values)) < 2:
            raise ValueError(
                f"moderator '{name}' has the same value for all effects: it explains nothing"
            )
        if levels:
            names += [f"{name}: {level}" for level in levels[1:]]
            columns += [[float(value == level) for value in values] for level in levels[1:]]
        else:
            names.append(name)
            columns.append([float(value) for value in values])
    number = len(columns[0]) if columns else 0
    return names, np.column_stack([np.ones(number), *columns])


def regress_on(
    data: EffectData, moderators: Moderators, *, method: str = "REML", ci: str = "hksj-floor",
    tau2_ci: str = "qp",
) -> RegressionResult:  # fmt: skip
    """Regress effects on moderators, by name in the order of the effects; the rest as `regress`.

    ValueError for too few effects, moderators that depend on each other, and impossible numbers.
    """
    names, X = design_matrix(moderators)
    k, p = X.shape
    if k <= p:
        raise ValueError(f"{k} effects have all of {', '.join(moderators)}; {p + 1} are needed")
    refuse_design(X, np.asarray(data.vi, dtype=float), names)
    _refuse_dependent(X, names)
    fit = regress(data.yi, data.vi, X, method=method, ci=ci, V=data.V, studies=data.studies)
    limits = {f"{name}_ci_{end}": None for name in ("tau2", "i2", "h2") for end in ("low", "high")}
    if method != "EE":
        limits |= tau2_limits(data.yi, data.vi, X, method=method, V=data.V, tau2_ci=tau2_ci)
    coefficients = "1 coefficient" if p == 2 else f"{p - 1} coefficients"
    few = f"{studies_words(fit.studies)} for {coefficients}: ten for each are recommended"
    note = few if fit.studies < 10 * (p - 1) else ""
    return RegressionResult(
        tuple(combination(fit, row, name) for row, name in zip(np.eye(p), names, strict=True)),
        tested(fit, np.eye(p)[1:]), fit.studies, fit.tau2, fit.i2, fit.h2, q=fit.q, q_df=fit.q_df,
        q_p=fit.q_p, method=method, ci_method=ci, note=note, **limits,
    )  # fmt: skip


def tested(fit: Regression | GroupMeans, contrasts: Array) -> JointTest:
    """Return a joint test; without statistic and p where the standard errors are 0."""
    try:
        return joint_test(fit, contrasts)
    except np.linalg.LinAlgError:
        return JointTest(None, len(contrasts), fit.df, None)


def combination(fit: Regression | GroupMeans, weights: Array, name: str) -> Coefficient:
    """Return the sum of the coefficients (p) times weights (p)."""
    estimate = float(weights @ fit.coefficients)
    se = math.sqrt(max(0.0, float(weights @ fit.covariance @ weights)))
    half = t_quantile(0.975, fit.df) * se
    return Coefficient(
        name, estimate, se, estimate - half, estimate + half, estimate / se if se > 0 else None,
        fit.df, tested(fit, weights[None, :]).p,
    )  # fmt: skip


def _refuse_dependent(X: Array, names: Sequence[str]) -> None:
    """Raise where a column of the design (k x p, intercept first) follows from those before it."""
    size = np.max(np.abs(X), axis=0)
    scaled = X / np.where(size > 0, size, 1.0)
    for j in range(1, len(names)):
        if np.linalg.matrix_rank(scaled[:, : j + 1]) > j:
            continue
        parts = np.linalg.lstsq(scaled[:, :j], scaled[:, j], rcond=None)[0]
        others = [names[i] for i in range(1, j) if abs(parts[i]) > 1e-8]
        source = "is the same for all effects"
        if others:
            source = f"is a linear combination of {', '.join(others)}"
        raise ValueError(
            f"'{names[j]}' {source}, so their coefficients cannot be estimated separately. Leave "
            "one of these moderators out."
        )
