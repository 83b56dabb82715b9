"""Cluster-robust inference (CR2 with Satterthwaite df) and robust variance estimation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteometa.numerics.arrays import Array, Labels
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.sensitivity.status import NotEstimableError


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustFit:
    """Cluster-robust coefficients; a value per coefficient."""

    estimate: tuple[float, ...]
    se: tuple[float, ...]
    df: tuple[float, ...]
    ci_low: tuple[float, ...]
    ci_high: tuple[float, ...]
    p: tuple[float, ...]
    model_se: tuple[float, ...]


def robust_inference(
    y: Array, X: Array, study: Labels, working: Array, weights: Array
) -> RobustFit:
    """Return coefficients with CR2 variances and Satterthwaite degrees of freedom.

    Parameters
    ----------
    y : array of length k
    X : array of shape (k, p)
    study : sequence of k ids
        The clusters, which are independent of each other.
    working : array of shape (k, k)
        Covariance that the adjustment and the df take as true, block-diagonal over clusters.
    weights : array of shape (k, k)
        Weights of the estimate; its inverse is the working covariance where both are one model.

    Notes
    -----
    Bell and McCaffrey (2002), Pustejovsky and Tipton (2018): residuals of cluster c are multiplied
    by A_c = D' (D R D')^(-1/2) D, D'D the working covariance of the cluster and R that of its
    residuals, so that the variance is right if the working model is; the df are those of the
    chi-square with the same first two moments.
    """
    labels = np.asarray(study)
    clusters = [np.flatnonzero(labels == name) for name in dict.fromkeys(labels.tolist())]
    bread = np.linalg.inv(X.T @ weights @ X)
    hat = X @ bread @ X.T @ weights
    b = bread @ X.T @ weights @ y
    residuals = y - X @ b
    left = np.eye(len(y)) - hat
    residual_covariance = left @ working @ left.T
    lines = np.empty((len(clusters), len(y), X.shape[1]))
    parts = np.empty((len(clusters), X.shape[1]))
    for c, rows in enumerate(clusters):
        own = np.ix_(rows, rows)
        D = np.linalg.cholesky(working[own]).T
        A = D.T @ _inverse_root(D @ residual_covariance[own] @ D.T) @ D
        # Row j: what the coefficient j takes from the residuals of this cluster.
        takes = bread @ X[rows].T @ weights[own] @ A
        parts[c] = takes @ residuals[rows]
        lines[c] = (takes @ left[rows]).T
    variance = np.sum(parts**2, axis=0)
    df = [_satterthwaite(lines[:, :, j], working) for j in range(X.shape[1])]
    model = np.sqrt(np.diagonal(bread @ X.T @ weights @ working @ weights @ X @ bread))
    return _robust(b, np.sqrt(variance), df, model)


def _robust(b: Array, se: Array, df: list[float], model: Array) -> RobustFit:
    scale = float(np.max(np.abs(b)))
    if np.any(se <= 1e-13 * scale):
        raise NotEstimableError("the clusters do not differ: the robust standard error is 0")
    half = [t_quantile(0.975, d) * s for d, s in zip(df, se, strict=True)]
    return RobustFit(
        estimate=tuple(b.tolist()), se=tuple(se.tolist()), df=tuple(df),
        ci_low=tuple(float(x - h) for x, h in zip(b, half, strict=True)),
        ci_high=tuple(float(x + h) for x, h in zip(b, half, strict=True)),
        p=tuple(two_sided_p(x / s, d) for x, s, d in zip(b, se, df, strict=True)),
        model_se=tuple(model.tolist()),
    )  # fmt: skip


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
    """(k): of the effect's study, as are all of length k."""
    number: Array
    """(k): effects of the study."""
    lost: float
    """What the coefficients take from the expectation of the weighted sum of squares."""
    slope: float
    """What tau2 is multiplied by in that expectation."""
    design: Array
    """(k, p)"""
    studies: int

    @classmethod
    def of(cls, v: Array, X: Array, study: Labels, rho: float) -> CorrelatedModel:
        """Return the model of effects with variances v and correlation rho within studies."""
        labels = np.asarray(study)
        clusters = [np.flatnonzero(labels == name) for name in dict.fromkeys(labels.tolist())]
        mean_v, number = np.empty(len(v)), np.empty(len(v))
        for rows in clusters:
            mean_v[rows], number[rows] = np.mean(v[rows]), len(rows)
        w = 1 / (number * mean_v)
        M = np.linalg.inv((X.T * w) @ X)
        own, together, squared = (np.zeros_like(M) for _ in range(3))
        for rows in clusters:
            one, sums = w[rows[0]], np.sum(X[rows], axis=0)
            own += one / len(rows) * X[rows].T @ X[rows]
            together += one / len(rows) * np.outer(sums, sums)
            squared += one**2 * np.outer(sums, sums)
        lost = float(np.trace(M @ own)) + rho * float(np.trace(M @ (together - own)))
        slope = float(np.sum(w)) - float(np.trace(M @ squared))
        return cls(mean_v, number, lost, slope, X, len(clusters))

    def tau2(self, Y: Array) -> Array:
        """Return tau2 (n) of n sets of effects (n, k)."""
        w, X = 1 / (self.number * self.mean_v), self.design
        b = np.linalg.solve((X.T * w) @ X, (X.T * w) @ Y.T)
        q = np.sum(w * (Y - (X @ b).T) ** 2, axis=1)
        return np.maximum(0.0, (q - self.studies + self.lost) / self.slope)

    def weights(self, tau2: Array) -> Array:
        """Return the weights (n, k) at n values of tau2."""
        return 1 / (self.number * (self.mean_v + tau2[:, None]))


def hierarchical_weights(y: Array, v: Array, X: Array, study: Labels) -> tuple[float, float, Array]:
    """Return tau2, omega2 and weights (k) of hierarchical effects by moments.

    Two sums of squares of the residuals of the common-effect fit, the weighted one and that of
    the studies' sums, are set equal to their expectations (Hedges, Tipton, Johnson 2010,
    section 4). Weights are 1 / (v + tau2 + omega2). A negative omega2 is 0, tau2 then follows
    from the weighted sum.
    """
    labels = np.asarray(study)
    same = (labels[:, None] == labels[None, :]).astype(float)
    W = np.diag(1 / v)
    left = np.eye(len(y)) - X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    e = left @ y
    sums, by_tau2, by_omega2 = np.empty(2), np.empty(2), np.empty(2)
    for i, form in enumerate((W, same)):
        turned = left.T @ form @ left
        sums[i] = e @ form @ e - np.sum(np.diagonal(turned) * v)
        by_tau2[i], by_omega2[i] = np.sum(turned * same), np.trace(turned)
    determinant = by_omega2[1] * by_tau2[0] - by_omega2[0] * by_tau2[1]
    if abs(determinant) <= 1e-12 * abs(by_omega2[1] * by_tau2[0]):
        raise NotEstimableError("variances between and within studies cannot be told apart")
    omega2 = max(0.0, float((by_tau2[0] * sums[1] - by_tau2[1] * sums[0]) / determinant))
    tau2 = max(0.0, float((sums[0] - omega2 * by_omega2[0]) / by_tau2[0]))
    return tau2, omega2, 1 / (v + tau2 + omega2)
