"""Three-parameter selection model: publication probability of studies without significance."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr

from osteometa.numerics.arrays import Array, Numbers
from osteometa.numerics.distributions import t_quantile, two_sided_p
from osteometa.pooling.model import checked, pool
from osteometa.sensitivity.status import NotEstimableError, SmallStudy, estimable, estimated
from osteometa.wording.choices import studies_words

STEP = 0.025
ROUNDS = 200
# tau2 over the mean variance, and logarithms of the chance, from which the search starts.
STARTS = [(t, c) for t in (0.0, 0.03, 0.3, 1.0, 3.0, 30.0) for c in (-4.0, -1.5, 0.0, 1.5, 4.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(SmallStudy):
    """A selection model; `side` is the direction that publication is thought to favour.

    `statistic` is the likelihood ratio against no selection, `slope` the publication probability
    of a study with one-sided p above .025, relative to one below.
    """

    log_likelihood: float | None = None


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """The likelihood of effects that are published by a step function of their one-sided p.

    A study is published with relative probability d = exp(c) if y is not above z.975 sqrt(v), so
    its density is that of N(mu, v + t), times that probability, over A = 1 + (d - 1) P(not above).
    """

    y: Array
    v: Array

    @property
    def limits(self) -> Array:
        return t_quantile(1 - STEP, None) * np.sqrt(self.v)

    def value(self, mu: float, t: float, c: float) -> float:
        s2 = self.v + t
        seen = 1 + math.expm1(c) * ndtr((self.limits - mu) / np.sqrt(s2))
        density = -0.5 * np.log(2 * math.pi * s2) - 0.5 * (self.y - mu) ** 2 / s2
        return float(np.sum(density - np.log(seen)) + c * np.sum(self.y < self.limits))

    def derivatives(self, mu: float, t: float, c: float) -> tuple[Array, Array]:
        """Return the gradient (3) and the Hessian (3 x 3) in mu, t and c."""
        s2, e, d = self.v + t, self.y - mu, math.exp(c)
        s = np.sqrt(s2)
        u = (self.limits - mu) / s
        f = np.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)
        B = ndtr(u)
        A = 1 + (d - 1) * B
        first = {"m": (d - 1) * -f / s, "t": (d - 1) * -f * u / (2 * s2), "c": d * B}
        second = {
            "mm": (d - 1) * -f * u / s2,
            "mt": (d - 1) * -f * (u**2 - 1) / (2 * s2 * s),
            "tt": (d - 1) * -f * (u**3 - 3 * u) / (4 * s2**2),
            "mc": d * -f / s, "tc": d * -f * u / (2 * s2), "cc": d * B,
        }  # fmt: skip
        normal = {"mm": -1 / s2, "mt": -e / s2**2, "tt": 1 / (2 * s2**2) - e**2 / s2**3}
        gradient = np.array([
            np.sum(e / s2 - first["m"] / A),
            np.sum((e**2 / s2 - 1) / (2 * s2) - first["t"] / A),
            np.sum(self.y < self.limits) - np.sum(first["c"] / A),
        ])  # fmt: skip
        hessian = np.empty((3, 3))
        for i, a in enumerate("mtc"):
            for j, b in enumerate("mtc"):
                pair = a + b if a + b in second else b + a
                of_chance = first[a] * first[b] / A**2 - second[pair] / A
                hessian[i, j] = np.sum(normal.get(pair, 0.0) + of_chance)
        return gradient, hessian


def _maximise(likelihood: _Likelihood, start: Array, fixed_chance: bool) -> tuple[Array, bool]:
    """Return a maximum over mu, t >= 0 and c from a start, and whether it was reached.

    Newton's method with a step that is damped until the likelihood rises; t stays at 0 while the
    likelihood falls there.
    """
    point = start.copy()
    value = likelihood.value(*point)
    for _ in range(ROUNDS):
        gradient, hessian = likelihood.derivatives(*point)
        free = np.array([True, point[1] > 0 or gradient[1] > 0, not fixed_chance])
        step = np.zeros(3)
        curvature = -hessian[np.ix_(free, free)]
        lowest = float(np.linalg.eigvalsh(curvature)[0])
        size = float(np.max(np.abs(curvature)))
        if lowest <= 1e-10 * size:
            curvature = curvature + np.eye(len(curvature)) * (1e-3 * size - lowest)
        step[free] = np.linalg.solve(curvature, gradient[free])
        step[2] = min(2.0, max(-2.0, step[2]))
        point, value, moved = _damped(likelihood, point, value, step)
        if abs(point[2]) > 25:
            return point, False
        if moved <= 1e-13 * (1 + abs(value)):
            return point, True
    return point, False


def _damped(
    likelihood: _Likelihood, point: Array, value: float, step: Array
) -> tuple[Array, float, float]:
    """Return the point, its likelihood, and the largest relative move of a step that does rise."""
    scale = 1.0
    for _ in range(60):
        trial = point + scale * step
        trial[1] = max(0.0, trial[1])
        new = likelihood.value(*trial)
        if new > value:
            return trial, new, float(np.max(np.abs(trial - point)))
        scale /= 2
    return point, value, 0.0


@estimable(Selection)
def selection_model(yi: Numbers, vi: Numbers, *, favoured: str = "auto") -> Selection:
    """Fit the selection model with one step at one-sided p = .025 by maximum likelihood.

    `favoured` is the direction in which significance is rewarded; auto is the sign of the REML
    pool. Hedges and Vevea (1996), Vevea and Hedges (1995). Where all studies are on one side of the
    step, the chance has its maximum at 0 or at infinity: not estimable. Of several maxima of the
    likelihood the highest is taken. The standard errors come from the observed information, without
    tau2 where it is 0. Errors are those of `pooling.model.checked`.
    """
    y, v = checked(yi, vi)
    k = len(y)
    if k < 4:
        raise NotEstimableError(f"{studies_words(k)}: three parameters need four")
    if favoured == "auto":
        favoured = "greater" if estimated(pool(y, v, ci="wald")).estimate >= 0 else "less"
    sign = 1.0 if favoured == "greater" else -1.0
    scale = math.sqrt(float(np.mean(v)))
    likelihood = _Likelihood(sign * y / scale, v / scale**2)
    significant = int(np.sum(likelihood.y >= likelihood.limits))
    if significant in (0, k):
        which = "no study" if significant == 0 else "every study"
        raise NotEstimableError(
            f"{which} is significant in the direction {favoured}: the chance of the others to be "
            "seen cannot be estimated"
        )
    best = _highest(likelihood, fixed_chance=False)
    none = _highest(likelihood, fixed_chance=True)
    hessian = likelihood.derivatives(*best)[1]
    free = np.array([True, best[1] > 0, True])
    covariance = np.zeros((3, 3))
    covariance[np.ix_(free, free)] = np.linalg.inv(-hessian[np.ix_(free, free)])
    if np.any(np.diagonal(covariance) < 0):
        raise NotEstimableError("the likelihood is flat: no standard errors")
    chance = math.exp(best[2])
    estimate, se = sign * scale * float(best[0]), scale * math.sqrt(float(covariance[0, 0]))
    half = t_quantile(0.975, None) * se
    lrt = max(0.0, 2 * (likelihood.value(*best) - likelihood.value(*none)))
    return Selection(
        k=k, side=favoured, estimate=estimate, se=se, ci_low=estimate - half,
        ci_high=estimate + half, estimate_p=two_sided_p(estimate / se, None),
        tau2=float(best[1]) * scale**2, slope=chance,
        slope_se=chance * math.sqrt(float(covariance[2, 2])), statistic=lrt, df=1,
        p=float(chdtrc(1, lrt)), log_likelihood=likelihood.value(*best) - k * math.log(scale),
    )  # fmt: skip


def _highest(likelihood: _Likelihood, fixed_chance: bool) -> Array:
    """Return the highest maximum reached from any start."""
    found = []
    for t, c in STARTS:
        if fixed_chance and c != 0:
            continue
        w = 1 / (likelihood.v + t)
        start = np.array([float(np.sum(w * likelihood.y) / np.sum(w)), t, c])
        point, reached = _maximise(likelihood, start, fixed_chance)
        found.append((likelihood.value(*point), reached, point))
    value, reached, point = max(found, key=lambda one: one[0])
    # A start that stopped early on the way to the same height does no harm.
    near = [p for v, r, p in found if r and v >= value - 1e-9 * (1 + abs(value))]
    if not near:
        raise NotEstimableError("the likelihood of the selection model has no maximum")
    return near[0]
