"""The Bayesian model for few studies: a normal-normal model by deterministic quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from osteometa.numerics.arrays import Array, Numbers
from osteometa.pooling.model import checked
from osteometa.sensitivity.status import NotEstimableError, estimable

PRIOR_SCALE = 0.5
NODES_PER_PANEL = 12
PANELS = 120
# Densities below exp(-45) of the highest do not change the digits of a table.
NEGLIGIBLE = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Posterior of the mean effect and of tau; None where a quantity does not exist."""

    k: int
    prior: str = ""
    mean: float | None = None
    """Of the mean effect mu, as are sd, median, low and high (central 95 % interval)."""
    sd: float | None = None
    median: float | None = None
    low: float | None = None
    high: float | None = None
    above_zero: float | None = None
    """Posterior probability that mu is above 0."""
    pi_low: float | None = None
    """Central 95 % interval of the effect of a new study."""
    pi_high: float | None = None
    tau_mean: float | None = None
    tau_median: float | None = None
    tau_low: float | None = None
    tau_high: float | None = None
    status: str = "ok"
    reason: str = ""


@estimable(Posterior)
def posterior(
    yi: Numbers, vi: Numbers, *, scale: float = PRIOR_SCALE,
    mu_prior: tuple[float, float] | None = None,
) -> Posterior:  # fmt: skip
    """Return the posterior of a random-effects model with a half-normal prior on tau.

    Parameters
    ----------
    yi, vi : sequences of length k
        Standardised mean differences, or effects on another scale with a `scale` to match.
    scale : float
        Of the half-normal prior of tau, in the unit of the effects: 0.5 puts tau below 0.98 with
        95 % probability, which covers small to large heterogeneity of an SMD (Roever et al. 2021).
    mu_prior : (mean, sd), optional
        Normal prior of mu; flat by default.

    Raises
    ------
    ValueError
        For variances that are not positive, effects that are not finite, a scale not above 0.

    Notes
    -----
    y_i ~ N(mu, v_i + tau^2). Given tau, mu is normal, so only tau is integrated by quadrature:
    Gauss-Legendre on panels that cover all of the density that matters; mu is a mixture of normals
    over its nodes (Roever 2020). No random number is drawn.
    """
    if not scale > 0:
        raise ValueError(f"the scale of the prior must be above 0 (found {scale})")
    y, v = checked(yi, vi)
    if len(y) == 0:
        raise NotEstimableError("no study")
    edges, top = _panels(y, v, scale, mu_prior)
    tau, dtau = _nodes(edges)
    logs = _log_density(tau, y, v, scale, mu_prior) + np.log(dtau)
    highest = float(np.max(logs))
    total = highest + math.log(float(np.sum(np.exp(logs - highest))))
    weights = np.exp(logs - total)
    centre, variance = _given_tau(tau, y, v, mu_prior)
    sd = np.sqrt(variance)
    mean = float(np.sum(weights * centre))
    spread = math.sqrt(float(np.sum(weights * (variance + (centre - mean) ** 2))))

    def quantile(share: float, sds: Array) -> float:
        low, high = float(np.min(centre - 12 * sds)), float(np.max(centre + 12 * sds))
        return _where(lambda x: float(np.sum(weights * ndtr((x - centre) / sds))), share, low, high)

    def tau_share(x: float) -> float:
        nodes, widths = _nodes(np.append(edges[edges < x], x))
        return float(np.sum(np.exp(_log_density(nodes, y, v, scale, mu_prior) - total) * widths))

    new = np.sqrt(variance + tau**2)
    prior_of_mu = "flat" if mu_prior is None else f"normal({mu_prior[0]:g}, {mu_prior[1]:g})"
    return Posterior(
        k=len(y), prior=f"tau half-normal({scale:g}), mu {prior_of_mu}",
        mean=mean, sd=spread, median=quantile(0.5, sd), low=quantile(0.025, sd),
        high=quantile(0.975, sd), above_zero=float(np.sum(weights * ndtr(centre / sd))),
        pi_low=quantile(0.025, new), pi_high=quantile(0.975, new),
        tau_mean=float(np.sum(weights * tau)),
        tau_median=_where(tau_share, 0.5, 0.0, top), tau_low=_where(tau_share, 0.025, 0.0, top),
        tau_high=_where(tau_share, 0.975, 0.0, top),
    )  # fmt: skip


def _given_tau(
    tau: Array, y: Array, v: Array, mu_prior: tuple[float, float] | None
) -> tuple[Array, Array]:
    """Return mean and variance of mu given each tau."""
    w = 1.0 / (v + tau[:, None] ** 2)
    precision, sums = np.sum(w, axis=1), w @ y
    if mu_prior is not None:
        precision = precision + 1 / mu_prior[1] ** 2
        sums = sums + mu_prior[0] / mu_prior[1] ** 2
    return sums / precision, 1.0 / precision


def _log_density(
    tau: Array, y: Array, v: Array, scale: float, mu_prior: tuple[float, float] | None
) -> Array:
    """Return the logarithm of prior times likelihood of each tau, mu integrated out.

    Without constants, which the posterior does not depend on.
    """
    total = v + tau[:, None] ** 2
    centre, variance = _given_tau(tau, y, v, mu_prior)
    squares = np.sum((y - centre[:, None]) ** 2 / total, axis=1)
    if mu_prior is not None:
        squares = squares + ((centre - mu_prior[0]) / mu_prior[1]) ** 2
    return -0.5 * (np.sum(np.log(total), axis=1) - np.log(variance) + squares + (tau / scale) ** 2)


def _panels(
    y: Array, v: Array, scale: float, mu_prior: tuple[float, float] | None
) -> tuple[Array, float]:
    """Return the edges of the panels, and the tau above which the density is negligible."""
    small = 1e-3 * min(scale, math.sqrt(float(np.min(v))))
    large = 100 * max(scale, float(np.ptp(y)), math.sqrt(float(np.max(v))))
    grid = np.concatenate([[0.0], np.geomspace(small, large, 4_000)])
    logs = _log_density(grid, y, v, scale, mu_prior)
    matters = np.flatnonzero(logs > np.max(logs) - NEGLIGIBLE)
    top = float(grid[min(matters[-1] + 1, len(grid) - 1)])
    low = float(grid[max(matters[0] - 1, 0)])
    if low > 0:
        return np.linspace(low, top, PANELS + 1), top
    # Narrow panels near 0, where the density turns at the scale of the smallest standard error.
    return np.concatenate([[0.0], np.geomspace(min(small, top / 2), top, PANELS)]), top


def _nodes(edges: Array) -> tuple[Array, Array]:
    """Return the nodes and weights of Gauss-Legendre quadrature on each panel."""
    x, w = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def _where(share_below: Callable[[float], float], share: float, low: float, high: float) -> float:
    """Return where a distribution function reaches a share, by bisection."""
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle in (low, high) or high - low <= 1e-14 * max(abs(low), abs(high)):
            break
        if share_below(middle) < share:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
