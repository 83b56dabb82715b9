"""Cluster-robust inference (CR2 with Satterthwaite df) and robust variance estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from osteometa.numerics.arrays import Array, Labels
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.sensitivity.status import NotEstimableError


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
