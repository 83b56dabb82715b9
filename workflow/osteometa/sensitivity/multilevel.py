"""Several effects of one study: three-level and correlated-and-hierarchical-effects models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.pooling.model import checked
from osteometa.sensitivity.nested import NestedModel, study_order
from osteometa.sensitivity.robust import (
    CorrelatedModel,
    RobustFit,
    hierarchical_weights,
    robust_inference,
)
from osteometa.sensitivity.status import NotEstimableError, estimable
from osteometa.wording.choices import studies_words

LEAST_STUDIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One coefficient with its cluster-robust inference (CR2, Satterthwaite df)."""

    name: str
    estimate: float
    se: float
    """Cluster-robust, as are all that follow."""
    df: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    model_se: float
    """Under the model, if it were right."""
    warning: str
    """Says where df is below 4: the interval is not to be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multilevel:
    """A model of several effects per study; None where a quantity does not exist."""

    model: str = ""
    """three_level, che (correlated and hierarchical effects), correlated, robust_correlated or
    robust_hierarchical."""
    k: int
    """Studies (clusters)."""
    effects: int = 0
    rho: float | None = None
    """Assumed correlation of sampling errors within a study."""
    estimate: float | None = None
    """First coefficient: the pooled effect where there are no moderators."""
    se: float | None = None
    df: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p: float | None = None
    tau2: float | None = None
    """Variance between studies."""
    omega2: float | None = None
    """Variance between effects of one study."""
    i2_between: float | None = None
    i2_within: float | None = None
    """Percent of the total variance of a typical effect that lies on each level."""
    log_likelihood: float | None = None
    coefficients: tuple[Coefficient, ...] = ()
    warning: str = ""
    status: str = "ok"
    reason: str = ""


def _sizes(yi: Numbers, vi: Numbers, study: Labels, *_: object) -> dict[str, int]:
    return {"k": len(set(study)), "effects": len(yi)}


def names_of(study: Labels) -> NDArray[np.str_]:
    """Return the study of each effect as an array of names."""
    return np.asarray([str(name) for name in study])


def constant_correlation(vi: Numbers, study: Labels, rho: float) -> Array:
    """Return V (k x k) with one correlation of the sampling errors within each study.

    Raises
    ------
    ValueError
        For a correlation outside [0, 1): above 0 every such V is positive definite.
    """
    if not 0 <= rho < 1:
        raise ValueError(f"the correlation within studies must be in [0, 1) (found {rho})")
    sd = np.sqrt(np.asarray(vi, dtype=float))
    labels = np.asarray(study)
    V = rho * np.outer(sd, sd) * (labels[:, None] == labels[None, :])
    np.fill_diagonal(V, sd**2)
    return V


@estimable(Multilevel, _sizes)
def multilevel(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.0,
    within: bool = True, method: str = "REML", X: Array | None = None,
    names: Sequence[str] = (), least: int = LEAST_STUDIES,
) -> Multilevel:  # fmt: skip
    """Fit y ~ N(X b, V + tau2 (same study) + omega2 I) with cluster-robust inference.

    Parameters
    ----------
    yi, vi : sequences of length k
    study : sequence of k ids
        Which study (cluster) an effect comes from.
    rho : float
        Correlation of sampling errors within a study: 0 is the three-level model, above 0 the
        correlated-and-hierarchical-effects model (Pustejovsky and Tipton 2022).
    within : bool
        Whether effects of one study vary around its mean (omega2); without, correlated effects.
    method : {"REML", "ML"}
    X : array of shape (k, p), optional
        Design matrix; an intercept by default.
    names : sequence of p names
    least : int
        Studies that are needed: with fewer, robust inference is not to be trusted.

    Raises
    ------
    ValueError
        For variances that are not positive, effects that are not finite, a correlation outside
        [0, 1), an unknown method.

    Notes
    -----
    Standard errors are CR2 with Satterthwaite df, one per coefficient. M5: offered for ten
    studies and more, one of them with several effects; df below 4 are marked.
    """
    if method not in ("REML", "ML"):
        raise ValueError(f"the method must be REML or ML (found {method})")
    y, v = checked(yi, vi)
    labels = names_of(study)
    V = constant_correlation(v, labels, rho)
    design = design_of(y, labels, X, least)
    order, starts = study_order(labels)
    model = NestedModel.of(
        V[np.ix_(order, order)], design[order], starts, restricted=method == "REML", within=within
    )
    theta = model.highest(y[None, order])
    tau2, omega2 = (float(variance) for variance in theta[0])
    total = V + tau2 * (labels[:, None] == labels[None, :]) + omega2 * np.eye(len(y))
    robust = robust_inference(y, design, labels, total, np.linalg.inv(total))
    height = model.value(theta, y[None, order] @ model.turn.T)
    share = 100 / (tau2 + omega2 + _typical_variance(V, design))
    return _record(
        robust, names, labels, model=("che" if rho else "three_level") if within else "correlated",
        rho=rho, tau2=tau2, omega2=omega2 if within else None, i2_between=tau2 * share,
        i2_within=omega2 * share if within else None, log_likelihood=float(height[0]),
    )  # fmt: skip


@estimable(Multilevel, _sizes)
def robust_variance(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.8,
    structure: str = "correlated", X: Array | None = None, names: Sequence[str] = (),
    least: int = LEAST_STUDIES,
) -> Multilevel:  # fmt: skip
    """Estimate by moments with cluster-robust inference (Hedges, Tipton and Johnson 2010).

    Parameters
    ----------
    yi, vi, study, X, names, least
        As for `multilevel`.
    rho : float
        Correlation of sampling errors within a study; only the correlated structure uses it.
    structure : {"correlated", "hierarchical"}
        Why effects of one study depend on each other: the same people, or the same laboratory.

    Raises
    ------
    ValueError
        As for `multilevel`.

    Notes
    -----
    CR2 and its df take the covariance behind the weights as the working one (Tipton 2015), as
    robumeta and PyMARE do.
    """
    if structure not in ("correlated", "hierarchical"):
        raise ValueError(f"the structure must be correlated or hierarchical (found {structure})")
    y, v = checked(yi, vi)
    labels = names_of(study)
    constant_correlation(v, labels, rho)
    design = design_of(y, labels, X, least)
    if structure == "correlated":
        model = CorrelatedModel.of(v, design, labels, rho)
        estimated = model.tau2(y[None, :])
        tau2, omega2, w = float(estimated[0]), None, model.weights(estimated)[0]
    else:
        tau2, omega2, w = hierarchical_weights(y, v, design, labels)
    robust = robust_inference(y, design, labels, np.diag(1 / w), np.diag(w))
    return _record(
        robust, names, labels, model=f"robust_{structure}", tau2=tau2, omega2=omega2,
        rho=rho if structure == "correlated" else None,
    )  # fmt: skip


def _record(
    robust: RobustFit, names: Sequence[str], study: NDArray[np.str_], **named: Any
) -> Multilevel:
    coefficients = tuple(_coefficient(robust, j, names) for j in range(len(robust.estimate)))
    first = coefficients[0]
    return Multilevel(
        k=len(set(study.tolist())), effects=len(study), estimate=first.estimate, se=first.se,
        df=first.df, ci_low=first.ci_low, ci_high=first.ci_high, p=first.p,
        coefficients=coefficients, warning="; ".join(c.warning for c in coefficients if c.warning),
        **named,
    )  # fmt: skip


def design_of(y: Array, study: NDArray[np.str_], X: Array | None, least: int) -> Array:
    """Return the design matrix, or refuse what it or the studies cannot carry."""
    design = np.ones((len(y), 1)) if X is None else np.asarray(X, dtype=float)
    if design.shape[0] != len(y) or len(study) != len(y):
        raise ValueError("effects, studies and the design matrix must have one row per effect")
    p, studies = design.shape[1], len(set(study.tolist()))
    if studies < max(least, p + 1):
        raise NotEstimableError(f"{studies_words(studies)}: the model needs {max(least, p + 1)}")
    if len(y) == studies:
        raise NotEstimableError("no study has several effects: the ordinary model says all")
    if not np.all(np.isfinite(design)):
        raise NotEstimableError("a moderator is not known for every effect")
    size = np.max(np.abs(design), axis=0)
    if np.linalg.matrix_rank(design / np.where(size > 0, size, 1.0)) < p:
        raise NotEstimableError("the moderators depend on each other")
    return design


def _coefficient(robust: RobustFit, j: int, names: Sequence[str]) -> Coefficient:
    name = names[j] if j < len(names) else ("intercept" if j == 0 else f"x{j}")
    df = robust.df[j]
    warning = "" if df >= 4 else f"{name}: {df:.1f} degrees of freedom, below 4: not reliable"
    return Coefficient(
        name=name, estimate=robust.estimate[j], se=robust.se[j], df=df,
        ci_low=robust.ci_low[j], ci_high=robust.ci_high[j], p=robust.p[j],
        model_se=robust.model_se[j], warning=warning,
    )  # fmt: skip


def _typical_variance(V: Array, X: Array) -> float:
    """Return (k - p) / tr(P) at tau2 = omega2 = 0, the typical sampling variance behind I2."""
    W = np.linalg.inv(V)
    P = W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    return (len(X) - X.shape[1]) / float(np.trace(P))
