"""Between-study variance of very many models at once: estimators and Q-profile.

All are scale-equivariant: effects in g/cm2 or in ug/cm2 give the same answer, whatever its size.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from osteometa.numerics.arrays import Array
from osteometa.pooling.batch import (
    Batch,
    ColumnBatch,
    Moments,
    SlopeMoments,
    TraceMoments,
    dot,
    log_likelihood,
    moments,
    one_model,
    orthonormal,
    q_moments,
    slope_moments,
)
from osteometa.pooling.likelihood import CLOSE, STEPS, highest_maximum, last_root_bound


def start_sj(y: Array, present: NDArray[np.bool_]) -> Array:
    """Return the variance (m) of effects about their plain mean, divided by n: where SJ starts."""
    n = np.sum(present, axis=0)
    mean = np.sum(np.where(present, y, 0.0), axis=0) / n
    return np.sum(np.where(present, y - mean, 0.0) ** 2, axis=0) / n


def estimate(batch: Batch, method: str, at0: TraceMoments, sj: Array | None = None) -> Array:
    """Return tau2 (m) by one of METHODS; 0 where there is no degree of freedom.

    EB is the same number as PM (Morris 1983; Paule and Mandel 1982). `at0` are the moments at tau2
    = 0, for ML and REML with slopes; `sj` (m) starts SJ where the rows are not the effects
    themselves.
    """
    if method == "EE":
        return np.zeros(len(batch.n))
    free = batch.n > batch.p
    if not np.all(free):
        tau2, chosen = np.zeros(len(free)), np.flatnonzero(free)
        if len(chosen):
            start = None if sj is None else sj[chosen]
            tau2[chosen] = estimate(batch.take(chosen), method, at0.take(chosen), start)
        return tau2
    if method == "SJ":
        return _sj(batch, start_sj(batch.y, np.isfinite(batch.v)) if sj is None else sj)
    if method in ("ML", "REML"):
        slopes = at0 if isinstance(at0, SlopeMoments) else slope_moments(batch, 0.0)
        return highest_maximum(batch, method == "REML", slopes)
    return MOMENT_ESTIMATORS[method](batch, at0)


def _dl(batch: Batch, at0: TraceMoments) -> Array:
    """DerSimonian and Laird (1986): Q at its expectation."""
    return np.maximum(0.0, (at0.q - (batch.n - batch.p)) / at0.trace)


def _hs(batch: Batch, at0: TraceMoments) -> Array:
    """Hunter and Schmidt, as in Viechtbauer (2005): (Q - k) / sum of the weights."""
    return np.maximum(0.0, (at0.q - batch.n) / at0.w1)


def _he(batch: Batch, at0: TraceMoments) -> Array:
    """Hedges and Olkin (1985): the unweighted residual variance minus its sampling part."""
    present = np.isfinite(batch.v)
    X = batch.X if isinstance(batch, ColumnBatch) else present[None].astype(float)
    U, _ = orthonormal(X, present.astype(float))
    residuals = batch.y.copy()
    for u in [*U, *U]:
        residuals -= u * dot(u, residuals)
    left = 1 - np.einsum("aij,aij->ij", U, U)
    sampling = np.sum(np.where(present, batch.v, 0.0) * left, axis=0)
    return np.maximum(0.0, (dot(residuals, residuals * present) - sampling) / (batch.n - batch.p))


def _sj(batch: Batch, start: Array) -> Array:
    """Sidik and Jonkman (2005): one step from the variance of the effects."""
    tau2 = np.zeros(len(start))
    some = np.flatnonzero(start > 0)
    if len(some):
        part = batch.take(some)
        tau2[some] = start[some] * q_moments(part, start[some]).q / (part.n - part.p)
    return tau2


def _pm(batch: Batch, at0: TraceMoments) -> Array:
    """Paule and Mandel (1982): where the generalised Q is at its expectation."""
    known = at0 if isinstance(at0, Moments) else moments(batch, 0.0)
    return where_q_is(batch, batch.n - batch.p, known)


def where_q_is(batch: Batch, target: Array, at0: Moments) -> Array:
    """Return where the generalised Q of each model falls to its target (m); 0 where it is below.

    Q is a sum of c / (l + tau2) with c, l > 0, so 1 / Q rises and bends down: Newton's method on
    it comes up to the root from the left and needs no bracket, whatever the scale.
    """
    tau2 = np.zeros(len(target))
    active = np.flatnonzero(at0.q > target)
    lowest = np.min(batch.v, axis=0)[active]
    part, goal, now = batch.take(active), target[active], at0.take(active)
    for _ in range(STEPS):
        # Rounding may put Q just below the target: then this is the root.
        step = np.maximum(0.0, now.q * (now.q - goal) / (goal * now.q2))
        tau2[active] += step
        more = np.flatnonzero(step > CLOSE * (lowest + tau2[active]))
        if not len(more):
            break
        active, lowest, goal, part = active[more], lowest[more], goal[more], part.take(more)
        now = moments(part, tau2[active])
    return tau2


MOMENT_ESTIMATORS: dict[str, Callable[[Batch, TraceMoments], Array]] = {
    "DL": _dl, "HE": _he, "HS": _hs, "EB": _pm, "PM": _pm,
}  # fmt: skip


def q_profile(
    y: Array, v: Array, X: Array, level: float = 0.95, V: Array | None = None
) -> tuple[float, float]:
    """Return the Q-profile interval of tau2 (Viechtbauer 2007).

    The limits are where the generalised Q, which falls in tau2, meets the chi-square quantiles;
    a limit below 0 is 0. With a covariance V (k x k), in place of v (k), Q is that of generalised
    least squares (Jackson, Turner, Rhodes and Viechtbauer 2014).
    """
    batch = one_model(y, v, X, V)
    tail = (1 - level) / 2
    targets = chdtri(batch.n - batch.p, np.array([tail, 1 - tail]))
    both = batch.take(np.zeros(len(targets), dtype=int))
    low, high = where_q_is(both, targets, moments(both, 0.0))
    return float(low), float(high)


def profile_likelihood(
    y: Array, v: Array, X: Array, method: str = "REML", level: float = 0.95,
    V: Array | None = None,
) -> tuple[float, float]:  # fmt: skip
    """Return the lowest and highest tau2 that a likelihood-ratio test does not reject.

    Hardy and Thompson (1996) for ML; the restricted likelihood for REML. Where the likelihood has
    two maxima, what lies between may be rejected; the interval spans both parts.
    """
    restricted = method == "REML"
    batch = one_model(y, v, X, V)
    if batch.n.item() <= batch.p:
        return 0.0, np.inf
    peak = highest_maximum(batch, restricted, slope_moments(batch, 0.0))
    allowed = 0.5 * float(chdtri(1, 1 - level))

    def height(tau2: Array) -> Array:
        models = batch.take(np.zeros(len(tau2), dtype=int))
        return log_likelihood(models, tau2, restricted) - cut

    cut = log_likelihood(batch, peak, restricted) - allowed
    lowest, top = (number.item() for number in last_root_bound(batch, restricted))
    u = np.geomspace(lowest, lowest + max(top, lowest), 400)
    while height(u[-1:] - lowest).item() >= 0:
        u = np.append(u, u[-1] * 2)
    grid = np.unique(np.concatenate([[0.0], u[1:] - lowest, peak]))
    inside = np.flatnonzero(height(grid) >= 0)
    first, last = inside[0], inside[-1]
    at = grid.tolist()
    low = 0.0 if first == 0 else _crossing(height, at[first - 1], at[first], lowest)
    return low, _crossing(height, at[last + 1], at[last], lowest)


def _crossing(
    height: Callable[[Array], Array], outside: float, inside: float, lowest: float
) -> float:
    """Return where a function changes sign, to the last bits."""
    from scipy.optimize import root_scalar

    return root_scalar(
        lambda tau2: height(np.array([tau2])).item(), bracket=(outside, inside), method="brentq",
        xtol=1e-15 * lowest,
    ).root  # fmt: skip


def typical_variance(v: Array, X: Array, V: Array | None = None) -> float:
    """Return the typical within-study variance behind I2: (k - p) / tr(P) at tau2 = 0."""
    batch = one_model(np.zeros(len(v)), v, X, V)
    return ((batch.n - batch.p) / moments(batch, 0.0).trace).item()
