"""Cluster wild bootstrap: a test of nested effects by changing the signs of whole studies."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.pooling.model import checked
from osteometa.records.sensitivity import AlternativeModel
from osteometa.sensitivity.multilevel import (
    CorrelatedModel,
    constant_correlation,
    names_of,
    require_nested,
    sizes_of,
)
from osteometa.sensitivity.nested import NestedModel, study_order
from osteometa.sensitivity.permutation import all_signs, drawn_signs, squared_statistics
from osteometa.sensitivity.status import NotEstimableError, estimable

LEAST_STUDIES = 3
EXACT_UP_TO = 12
DRAWS = 2_000
LEVEL = 0.05
# Statistics nearer than this are tied: equal in truth, apart by where a search for tau2 stopped.
TIED = 1e-7
STARTS = 1
"""Of 6,328 sign vectors of simulated reviews none had a maximum above that of the best start."""
MODELS = ("three_level", "che", "robust")


@dataclass(frozen=True, slots=True, kw_only=True)
class WildBootstrap(AlternativeModel):
    """A cluster wild bootstrap: `p` is the share of sign vectors with a statistic as far from 0.

    Its interval holds the values of which p is above 0.05; None where no p can be below it.
    """

    statistic: float | None = None
    """t with the CR0 variance."""


@estimable(WildBootstrap, sizes_of)
def wild_bootstrap(
    yi: Numbers, vi: Numbers, study: Labels, *, model: str = "three_level", rho: float = 0.0,
    exact_up_to: int = EXACT_UP_TO, draws: int = DRAWS, seed: int = 1, interval: bool = True,
) -> WildBootstrap:  # fmt: skip
    """Test the mean by changing the signs of whole studies (Joshi, Pustejovsky and Beretvas 2022).

    `model` is the working model: three levels (`rho` must be 0), correlated and hierarchical
    effects, both by REML, or correlated effects by moments (robust); `rho` is the correlation of
    sampling errors within a study. Up to `exact_up_to` studies all sign vectors are taken, else a
    seeded sample of `draws` that includes the observed one. Errors are those of `multilevel`, and a
    ValueError for an unknown model.

    The effects of each study are multiplied by one Rademacher sign; the model, its tau2 and omega2
    included, is fitted anew to every sign vector, and its CR0 Wald statistic is compared. Nothing
    is fitted under the null, so that the residuals are the effects and every adjustment matrix is
    the identity: p is exact where all sign vectors are taken and the errors of each study are
    symmetric around 0. The interval holds the values that the test does not reject (Roodman et al.
    2019).
    """
    if model not in MODELS:
        raise ValueError(f"the model must be one of {', '.join(MODELS)} (found {model})")
    if model == "three_level" and rho:
        raise ValueError(f"sampling errors of three_level do not correlate (found rho {rho})")
    y, v = checked(yi, vi)
    labels = names_of(study)
    V = constant_correlation(v, labels, rho)
    require_nested(labels, LEAST_STUDIES)
    order, starts = study_order(labels)
    y, v, labels = y[order], v[order], labels[order]
    if model == "robust":
        test = _Test(y, np.asarray(starts), CorrelatedModel.of(v, labels, rho))
    else:
        test = _Test(y, np.asarray(starts), NestedModel.of(V[np.ix_(order, order)], starts))
    exact = len(starts) <= exact_up_to
    signs = all_signs(len(starts)) if exact else drawn_signs(len(starts), draws, seed)
    return _answer(test, np.concatenate(list(signs)), exact, interval)


@dataclass(frozen=True, slots=True)
class _Test:
    """What is fitted to every sign vector; rows of one study are adjacent."""

    y: Array
    starts: NDArray[np.intp]
    model: NestedModel | CorrelatedModel

    def fit(self, Y: Array, near: Array | None = None) -> tuple[Array, Array, Array]:
        """Return tau2 and omega2 (n, 2), means (n) and CR0 variances (n) of n data sets."""
        if isinstance(self.model, NestedModel):
            theta = self.model.highest(Y, n_starts=STARTS, near=near)
            found = self.model.weigh(theta, Y @ self.model.rotation.T)
            mean, bread = found.mean, found.variance
            weighted = found.residuals * self.model.ones
        else:
            tau2 = self.model.tau2(Y)
            theta = np.column_stack([tau2, np.zeros(len(Y))])
            w = self.model.weights(tau2)
            bread = 1 / np.sum(w, axis=1)
            mean = bread * np.sum(w * Y, axis=1)
            weighted = w * (Y - mean[:, None])
        scores = np.add.reduceat(weighted, self.starts, axis=1)
        return theta, mean, bread**2 * np.sum(scores**2, axis=1)

    def squares(
        self, signs: Array, value: float = 0.0, near: Array | None = None
    ) -> tuple[Array, Array]:
        """Return t^2 of every sign vector, the data's own first, and tau2 and omega2.

        Under the null the mean is `value`.
        """
        e = self.y - value
        number = np.diff([*self.starts, len(e)])
        theta, mean, variance = self.fit(np.repeat(signs, number, axis=1) * e, near)
        return squared_statistics(e, mean, variance), theta


def _answer(test: _Test, signs: Array, exact: bool, interval: bool) -> WildBootstrap:
    k, (squares, _) = signs.shape[1], test.squares(signs)
    if not math.isfinite(squares[0]):
        raise NotEstimableError("the clusters do not differ: the robust standard error is 0")
    theta, means, _ = test.fit(test.y[None, :])
    total = 2 * len(signs) if exact else len(signs)
    smallest = 2 / total if exact else 1 / total
    estimate, t = float(means[0]), math.sqrt(squares[0])
    low, high = None, None
    if interval and estimate != 0 and t > 0 and smallest <= LEVEL:
        se = abs(estimate) / t
        low, high = (_limit(test, signs, estimate, side * se) for side in (-1, 1))
    nested = isinstance(test.model, NestedModel)
    return WildBootstrap(
        k=k, effects=len(test.y), estimate=estimate, statistic=math.copysign(t, estimate),
        tau2=float(theta[0, 0]), omega2=float(theta[0, 1]) if nested else None,
        sign_vectors=total, exact=exact, p=float(np.mean(squares >= squares[0] * (1 - 2 * TIED))),
        p_smallest=smallest, ci_low=low, ci_high=high,
        warning="" if smallest <= LEVEL else f"{k} studies: no p below {smallest:g} is possible",
    )  # fmt: skip


def _limit(test: _Test, signs: Array, estimate: float, step: float) -> float:
    """Return the limit on the side of the step.

    Each search for the variances begins where the last one ended, which is right as long as the
    likelihood keeps one top: the limit is looked at once more by a search from all starts, and
    found anew by such searches where that differs.
    """
    rank = int(LEVEL * len(signs) * (1 + 1e-12))
    last: Array | None = None

    def gap(value: float, near: Array | None) -> float:
        """Above 0 where the test rejects: fewer than `rank` others are as far from 0."""
        nonlocal last
        squares, last = test.squares(signs, value, near)
        others = np.partition(squares[1:], -rank)[-rank]
        return math.sqrt(squares[0]) - math.sqrt(others)

    limit, here = _crossing(lambda value: gap(value, last), estimate, step)
    if abs(gap(limit, None) - here) <= 1e-6:
        return limit
    return _crossing(lambda value: gap(value, None), estimate, step)[0]


def _crossing(gap: Callable[[float], float], inside: float, step: float) -> tuple[float, float]:
    """Return where the gap rises above 0 on the way from the estimate, and how far."""
    near, far, low = inside, inside + 2 * step, gap(inside)
    for _ in range(60):
        high = gap(far)
        if high > 0:
            break
        near, low, far = far, high, far + 2 * (far - inside)
    else:
        raise NotEstimableError("no value is far enough from the estimate to be rejected")
    # Regula falsi; a side that stays twice counts half (Illinois). Each gap is a refit of all.
    found, stays = high, 0
    while abs(far - near) > 1e-9 * abs(far - inside):
        middle = far - high * (far - near) / (high - low)
        value = gap(middle)
        if abs(value) <= 1e-10:
            return middle, value
        if value > 0:
            far, high, found = middle, value, value
            low, stays = (low / 2, 1) if stays == 1 else (low, 1)
        else:
            near, low = middle, value
            high, stays = (high / 2, -1) if stays == -1 else (high, -1)
    return far, found
