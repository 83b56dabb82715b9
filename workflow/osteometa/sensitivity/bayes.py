"""The Bayesian model for few studies: a normal-normal model by deterministic quadrature."""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from osteometa.numerics.arrays import Array, Numbers
from osteometa.pooling.model import checked
from osteometa.records.sensitivity import AlternativeModel
from osteometa.sensitivity.status import NotEstimableError, estimable

PRIOR_SCALE = 0.5
NODES_PER_PANEL = 12
PANELS = 120
# Densities below exp(-45) of the highest do not change the digits of a table.
NEGLIGIBLE = 45.0


@estimable(AlternativeModel)
def posterior(yi: Numbers, vi: Numbers, *, scale: float = PRIOR_SCALE) -> AlternativeModel:
    """Return the posterior of a random-effects model with a half-normal prior on tau.

    `estimate` and `se` are mean and SD of the mean effect mu, `tau2` is the squared median of tau;
    intervals are central 95 % ones. `scale` is that of the prior, in the unit of the effects: 0.5
    puts tau below 0.98 with 95 % probability, which covers small to large heterogeneity of an SMD
    (Roever et al. 2021).

    y_i ~ N(mu, v_i + tau^2), with a flat prior of mu. Given tau, mu is normal, so only tau is
    integrated by quadrature: Gauss-Legendre on panels that cover all of the density that matters;
    mu is a mixture of normals over its nodes (Roever 2020). No random number is drawn. Errors are
    those of `pooling.model.checked`, and a ValueError for a scale not above 0.
    """
    if not scale > 0:
        raise ValueError(f"the scale of the prior must be above 0 (found {scale})")
    y, v = checked(yi, vi)
    if len(y) == 0:
        raise NotEstimableError("no study")
    edges, top = _panels(y, v, scale)
    tau, dtau = _nodes(edges)
    logs = _log_density(tau, y, v, scale) + np.log(dtau)
    highest = float(np.max(logs))
    total = highest + math.log(float(np.sum(np.exp(logs - highest))))
    weights = np.exp(logs - total)
    centre, variance = _given_tau(tau, y, v)
    sd = np.sqrt(variance)
    mean = float(np.sum(weights * centre))
    spread = math.sqrt(float(np.sum(weights * (variance + (centre - mean) ** 2))))

    def quantile(share: float) -> float:
        low, high = float(np.min(centre - 12 * sd)), float(np.max(centre + 12 * sd))
        return _where(lambda x: float(np.sum(weights * ndtr((x - centre) / sd))), share, low, high)

    def tau_share(x: float) -> float:
        nodes, widths = _nodes(np.append(edges[edges < x], x))
        return float(np.sum(np.exp(_log_density(nodes, y, v, scale) - total) * widths))

    tau_low, tau_median, tau_high = (
        _where(tau_share, share, 0.0, top) for share in (0.025, 0.5, 0.975)
    )
    return AlternativeModel(
        k=len(y), prior=f"tau half-normal({scale:g}), mu flat", estimate=mean, se=spread,
        ci_low=quantile(0.025), ci_high=quantile(0.975), tau2=tau_median**2, tau_low=tau_low,
        tau_high=tau_high,
    )  # fmt: skip


def _given_tau(tau: Array, y: Array, v: Array) -> tuple[Array, Array]:
    """Return mean and variance of mu given each tau."""
    w = 1.0 / (v + tau[:, None] ** 2)
    precision = np.sum(w, axis=1)
    return w @ y / precision, 1.0 / precision


def _log_density(tau: Array, y: Array, v: Array, scale: float) -> Array:
    """Return the logarithm of prior times likelihood of each tau, mu integrated out."""
    total = v + tau[:, None] ** 2
    centre, variance = _given_tau(tau, y, v)
    squares = np.sum((y - centre[:, None]) ** 2 / total, axis=1)
    constant = -0.5 * (len(y) - 1) * math.log(2 * math.pi)
    prior = 0.5 * math.log(2 / math.pi) - math.log(scale) - 0.5 * (tau / scale) ** 2
    return constant - 0.5 * (np.sum(np.log(total), axis=1) - np.log(variance) + squares) + prior


def _panels(y: Array, v: Array, scale: float) -> tuple[Array, float]:
    """Return the edges of the panels, and the tau above which the density is negligible."""
    small = 1e-3 * min(scale, math.sqrt(float(np.min(v))))
    large = 100 * max(scale, float(np.ptp(y)), math.sqrt(float(np.max(v))))
    grid = np.concatenate([[0.0], np.geomspace(small, large, 4_000)])
    logs = _log_density(grid, y, v, scale)
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
    """Return where a distribution function reaches a share."""
    from scipy.optimize import root_scalar

    found = root_scalar(
        lambda x: share_below(x) - share, bracket=(low, high), method="brentq", xtol=1e-300
    )
    return float(found.root)
