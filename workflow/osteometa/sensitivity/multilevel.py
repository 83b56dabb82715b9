"""Several effects of one study: multilevel models, inference robust to clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.pooling.model import checked
from osteometa.records.sensitivity import AlternativeModel
from osteometa.sensitivity.nested import NestedModel, study_order
from osteometa.sensitivity.status import NotEstimableError, estimable
from osteometa.wording.choices import studies_words


class RobustFit(NamedTuple):
    """A mean with its cluster-robust inference."""

    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p: float


def robust_inference(y: Array, study: Labels, working: Array, weights: Array) -> RobustFit:
    """Return a weighted mean with its CR2 variance and Satterthwaite degrees of freedom.

    `study` are the clusters of the effects y (k), independent of each other; `working` (k, k) is
    the covariance that the adjustment and the df take as true, block-diagonal over clusters;
    `weights` (k, k) are those of the estimate, whose inverse is the working covariance where both
    are one model.

    Bell and McCaffrey (2002), Pustejovsky and Tipton (2018): residuals of cluster c are multiplied
    by A_c = D' (D R D')^(-1/2) D, D'D the working covariance of the cluster and R that of its
    residuals, so that the variance is right if the working model is; the df are those of the
    chi-square with the same first two moments.
    """
    labels = np.asarray(study)
    clusters = [np.flatnonzero(labels == name) for name in dict.fromkeys(labels.tolist())]
    sums = np.sum(weights, axis=0)
    bread = 1 / float(np.sum(sums))
    mean = bread * float(sums @ y)
    residuals = y - mean
    left = np.eye(len(y)) - bread * sums
    residual_covariance = left @ working @ left.T
    lines, parts = np.empty((len(clusters), len(y))), np.empty(len(clusters))
    for c, rows in enumerate(clusters):
        own = np.ix_(rows, rows)
        D = np.linalg.cholesky(working[own]).T
        A = D.T @ _inverse_root(D @ residual_covariance[own] @ D.T) @ D
        # What the mean takes from the residuals of this cluster.
        takes = bread * np.sum(weights[own], axis=0) @ A
        parts[c] = takes @ residuals[rows]
        lines[c] = takes @ left[rows]
    se = float(np.sqrt(np.sum(parts**2)))
    if se <= 1e-13 * abs(mean):
        raise NotEstimableError("the clusters do not differ: the robust standard error is 0")
    df = _satterthwaite(lines, working)
    half = t_quantile(0.975, df) * se
    return RobustFit(mean, se, df, mean - half, mean + half, two_sided_p(mean / se, df))


def _inverse_root(B: Array) -> Array:
    """Return the symmetric inverse square root, without the directions that B does not have."""
    values, vectors = np.linalg.eigh((B + B.T) / 2)
    # Relative: an absolute limit would take small units (g/cm2) for missing directions.
    kept = values > 1e-12 * max(float(values[-1]), 0.0)
    return (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T


def _satterthwaite(lines: Array, working: Array) -> float:
    """Return the df of a sum of squares of lines (clusters x k) under the working model."""
    G = lines @ working @ lines.T
    squares = float(np.sum(G**2))
    if squares <= 0:
        raise NotEstimableError("one cluster decides alone: no degrees of freedom")
    return float(np.trace(G)) ** 2 / squares


@dataclass(frozen=True, slots=True)
class CorrelatedModel:
    """Correlated effects by moments (Hedges, Tipton, Johnson 2010), for any effects of one shape.

    Weights are 1 / (n_j (mean v of the study + tau2)), n_j the effects of the study.
    """

    mean_v: Array
    """(k): of the effect's study."""
    number: Array
    """(k): effects of the study."""
    lost: float
    """What the mean takes from the expectation of the weighted sum of squares."""
    slope: float
    """What tau2 is multiplied by in that expectation."""
    studies: int

    @classmethod
    def of(cls, v: Array, study: Labels, rho: float) -> CorrelatedModel:
        """Return the model of effects with variances v and correlation rho within studies."""
        _, place, number = np.unique(study, return_inverse=True, return_counts=True)
        mean_v = np.bincount(place, v) / number
        own, total = float(np.sum(1 / (number * mean_v))), float(np.sum(1 / mean_v))
        lost = (own + rho * (total - own)) / total
        slope = total - float(np.sum(1 / mean_v**2)) / total
        return cls(mean_v[place], number[place].astype(float), lost, slope, len(number))

    def tau2(self, Y: Array) -> Array:
        """Return tau2 (n) of n sets of effects (n, k)."""
        w = 1 / (self.number * self.mean_v)
        mean = Y @ w / np.sum(w)
        q = np.sum(w * (Y - mean[:, None]) ** 2, axis=1)
        return np.maximum(0.0, (q - self.studies + self.lost) / self.slope)

    def weights(self, tau2: Array) -> Array:
        """Return the weights (n, k) at n values of tau2."""
        return 1 / (self.number * (self.mean_v + tau2[:, None]))


LEAST_STUDIES = 10


def sizes_of(yi: Numbers, vi: Numbers, study: Labels, *_: object) -> dict[str, int]:
    """Return the numbers of studies and effects, for the record of a model that is not fitted."""
    return {"k": len(set(study)), "effects": len(yi)}


def names_of(study: Labels) -> NDArray[np.str_]:
    """Return the study of each effect as an array of names."""
    return np.asarray([str(name) for name in study])


def constant_correlation(vi: Numbers, study: Labels, rho: float) -> Array:
    """Return V (k x k) with one correlation of the sampling errors within each study.

    ValueError for a correlation outside [0, 1): above 0 every such V is positive definite.
    """
    if not 0 <= rho < 1:
        raise ValueError(f"the correlation within studies must be in [0, 1) (found {rho})")
    sd = np.sqrt(np.asarray(vi, dtype=float))
    labels = np.asarray(study)
    V = rho * np.outer(sd, sd) * (labels[:, None] == labels[None, :])
    np.fill_diagonal(V, sd**2)
    return V


@estimable(AlternativeModel, sizes_of)
def multilevel(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.0, least: int = LEAST_STUDIES
) -> AlternativeModel:
    """Fit y ~ N(mu, V + tau2 (same study) + omega2 I) by REML with cluster-robust inference.

    `study` are the clusters. `rho` is the correlation of sampling errors within a study: 0 is the
    three-level model, above 0 the correlated-and-hierarchical-effects model (Pustejovsky and Tipton
    2022). The standard error is CR2 with Satterthwaite df. M5: offered for `least` (ten) studies
    and more, one of them with several effects, as with fewer robust inference is not to be trusted;
    df below 4 are marked. Errors are those of `pooling.model.checked` and `constant_correlation`.
    """
    y, v = checked(yi, vi)
    labels = names_of(study)
    V = constant_correlation(v, labels, rho)
    require_nested(labels, least)
    order, starts = study_order(labels)
    model = NestedModel.of(V[np.ix_(order, order)], starts)
    tau2, omega2 = (float(variance) for variance in model.highest(y[None, order])[0])
    total = V + tau2 * (labels[:, None] == labels[None, :]) + omega2 * np.eye(len(y))
    return _with_inference(y, labels, total, np.linalg.inv(total), tau2, omega2)


@estimable(AlternativeModel, sizes_of)
def robust_variance(
    yi: Numbers, vi: Numbers, study: Labels, *, rho: float = 0.8, least: int = LEAST_STUDIES
) -> AlternativeModel:
    """Estimate correlated effects by moments (Hedges, Tipton and Johnson 2010), as `multilevel`.

    CR2 and its df take the covariance behind the weights as the working one (Tipton 2015), as
    robumeta and PyMARE do.
    """
    y, v = checked(yi, vi)
    labels = names_of(study)
    constant_correlation(v, labels, rho)
    require_nested(labels, least)
    model = CorrelatedModel.of(v, labels, rho)
    tau2 = model.tau2(y[None, :])
    w = model.weights(tau2)[0]
    return _with_inference(y, labels, np.diag(1 / w), np.diag(w), float(tau2[0]), None)


def _with_inference(
    y: Array, study: NDArray[np.str_], working: Array, weights: Array, tau2: float,
    omega2: float | None,
) -> AlternativeModel:  # fmt: skip
    found = robust_inference(y, study, working, weights)
    few = f"intercept: {found.df:.1f} degrees of freedom, below 4: not reliable"
    return AlternativeModel(
        k=len(set(study.tolist())), effects=len(study), **found._asdict(), tau2=tau2,
        omega2=omega2, warning="" if found.df >= 4 else few,
    )  # fmt: skip


def require_nested(study: NDArray[np.str_], least: int) -> None:
    """Raise where there are too few studies, or none with several effects."""
    studies = len(set(study.tolist()))
    if studies < least:
        raise NotEstimableError(f"{studies_words(studies)}: the model needs {least}")
    if len(study) == studies:
        raise NotEstimableError(
            "no study has several effects: the model is the random-effects model"
        )
