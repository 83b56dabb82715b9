"""Cluster wild bootstrap: a test of nested effects by changing the signs of whole studies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array, Labels, Numbers
from osteometa.pooling.model import checked
from osteometa.sensitivity.multilevel import constant_correlation, design_of, names_of
from osteometa.sensitivity.nested import NestedModel, study_order
from osteometa.sensitivity.permutation import squared_statistics
from osteometa.sensitivity.robust import CorrelatedModel
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
class WildBootstrap:
    """A cluster wild bootstrap; None where a quantity does not exist."""

    model: str = ""
    """three_level, che (correlated and hierarchical effects) or robust (by moments)."""
    k: int
    """Studies (clusters)."""
    effects: int = 0
    estimate: float | None = None
    """The tested contrast (one row of C): the pooled effect where there are no moderators."""
    statistic: float | None = None
    """t of one contrast, F of several, with the CR0 covariance."""
    tau2: float | None = None
    omega2: float | None = None
    sign_vectors: int | None = None
    """Behind p, that of the data included."""
    exact: bool | None = None
    """All 2^k of them, or a seeded sample."""
    p: float | None = None
    """Share of sign vectors with a statistic at least as far from 0 (two-sided)."""
    p_smallest: float | None = None
    """The smallest p that so many studies or draws could have given."""
    ci_low: float | None = None
    ci_high: float | None = None
    """The values between which p is above 0.05; None where no p can be below it."""
    warning: str = ""
    status: str = "ok"
    reason: str = ""


def _sizes(yi: Numbers, vi: Numbers, study: Labels, *_: object) -> dict[str, int]:
    return {"k": len(set(study)), "effects": len(yi)}


@estimable(WildBootstrap, _sizes)
def wild_bootstrap(
    yi: Numbers, vi: Numbers, study: Labels, *, model: str = "three_level",
    rho: float = 0.0, X: Array | None = None, C: Array | None = None,
    exact_up_to: int = EXACT_UP_TO, draws: int = DRAWS, seed: int = 1, interval: bool = True,
) -> WildBootstrap:  # fmt: skip
    """Test C b = 0 by changing the signs of whole studies (Joshi, Pustejovsky and Beretvas 2022).

    Parameters
    ----------
    yi, vi, study : sequences of length k
    model : {"three_level", "che", "robust"}
        Working model: three levels (rho must be 0), correlated and hierarchical effects, both by
        REML, or correlated effects by moments.
    rho : float
        Correlation of sampling errors within a study.
    X : array of shape (k, p), optional
        Design matrix; an intercept by default.
    C : array of shape (q, p), optional
        Contrasts that are 0 under the null; by default the first coefficient.
    exact_up_to : int
        Up to so many studies all sign vectors are taken, else a seeded sample that includes the
        observed one.
    draws, seed : int
        Of the sample.
    interval : bool
        Whether to compute the interval as well (one contrast only).

    Raises
    ------
    ValueError
        For variances that are not positive, effects that are not finite, a correlation outside
        [0, 1), an unknown model.

    Notes
    -----
    The model without the contrast is fitted; the residuals of each study are multiplied by one
    Rademacher sign; the full model, its tau2 and omega2 included, is fitted anew to every sign
    vector, and its CR0 Wald statistic is compared. Residuals are not adjusted: it made no
    difference in the authors' simulations, and for an intercept alone nothing is fitted under the
    null, so that the residuals are the effects and every adjustment matrix is the identity. Then
    p is exact where all sign vectors are taken and the errors of each study are symmetric around
    0. The interval holds the values that the test does not reject (Roodman et al. 2019).
    """
    if model not in MODELS:
        raise ValueError(f"the model must be one of {', '.join(MODELS)} (found {model})")
    if model == "three_level" and rho:
        raise ValueError(f"sampling errors of three_level do not correlate (found rho {rho})")
    test = _test_of(*checked(yi, vi), names_of(study), model, rho, X, C)
    studies = len(test.starts)
    exact = studies <= exact_up_to
    signs = _all_signs(studies) if exact else _drawn_signs(studies, draws, seed)
    return _answer(test, signs, model, exact, interval)


def _test_of(
    y: Array,
    v: Array,
    labels: NDArray[np.str_],
    model: str,
    rho: float,
    X: Array | None,
    C: Array | None,
) -> _Test:
    V = constant_correlation(v, labels, rho)
    design = design_of(y, labels, X, LEAST_STUDIES)
    order, starts = study_order(labels)
    y, v, labels, design = y[order], v[order], labels[order], design[order]
    V = V[np.ix_(order, order)]

    def model_of(columns: Array) -> NestedModel | CorrelatedModel:
        if model == "robust":
            return CorrelatedModel.of(v, columns, labels, rho)
        return NestedModel.of(V, columns, starts, restricted=True, within=True)

    contrasts = _contrasts(C, design.shape[1])
    kept = design @ _null_space(contrasts)
    return _Test(
        y, design, np.asarray(starts), contrasts, model_of(design),
        model_of(kept) if kept.shape[1] else None, kept,
    )  # fmt: skip


def _contrasts(C: Array | None, p: int) -> Array:
    if C is None:
        return np.eye(1, p)
    contrasts = np.atleast_2d(np.asarray(C, dtype=float))
    if contrasts.shape[1] != p or np.linalg.matrix_rank(contrasts) < len(contrasts):
        raise ValueError(f"contrasts need {p} columns and rows that do not depend on each other")
    return contrasts


def _null_space(C: Array) -> Array:
    """Return columns (p, p - q) that span the coefficients with C b = 0."""
    return np.asarray(np.linalg.svd(C)[2], dtype=float)[len(C) :].T


def _all_signs(studies: int) -> Array:
    """Return half of all sign vectors: one and its mirror image have the same statistic."""
    rest = itertools.product((1.0, -1.0), repeat=studies - 1)
    return np.array([(1.0, *signs) for signs in rest])


def _drawn_signs(studies: int, draws: int, seed: int) -> Array:
    random = np.random.default_rng(seed)
    drawn = 1.0 - 2.0 * random.integers(0, 2, size=(draws - 1, studies))
    return np.concatenate([np.ones((1, studies)), np.asarray(drawn, dtype=float)])


@dataclass(frozen=True, slots=True)
class _Test:
    """What is fitted to every sign vector; rows of one study are adjacent."""

    y: Array
    design: Array
    starts: NDArray[np.intp]
    contrasts: Array
    full: NestedModel | CorrelatedModel
    null: NestedModel | CorrelatedModel | None
    """The model under the null, None where it has no coefficient left."""
    kept: Array
    """(k, p - q): its design."""

    def residuals(self, value: float) -> Array:
        """Return what the null model leaves (k), the contrast being `value` under the null."""
        shift = np.linalg.pinv(self.contrasts)[:, 0] * value
        y = self.y - self.design @ shift
        if self.null is None:
            return y
        return y - self.kept @ self.refit(self.null, y[None, :])[1][0]

    def refit(
        self, model: NestedModel | CorrelatedModel, Y: Array, near: Array | None = None
    ) -> tuple[Array, Array, Array]:
        """Return tau2 and omega2 (n, 2), coefficients and CR0 covariances of n data sets."""
        X = model.design
        if isinstance(model, NestedModel):
            theta = model.highest(Y, n_starts=STARTS, near=near)
            found = model.weigh(theta, Y @ model.rotation.T)
            b, bread, weighted = found.coefficients, found.bread, found.residuals
        else:
            tau2 = model.tau2(Y)
            theta = np.column_stack([tau2, np.zeros(len(Y))])
            w = model.weights(tau2)
            bread = np.linalg.inv((X.T * w[:, None, :]) @ X)
            b = (bread @ ((w * Y) @ X)[:, :, None])[:, :, 0]
            weighted = w * (Y - b @ X.T)
        scores = np.add.reduceat(weighted[:, :, None] * X, self.starts, axis=1)
        covariance = bread @ np.swapaxes(scores, 1, 2) @ scores @ bread
        return theta, b, covariance

    def squares(
        self, signs: Array, value: float = 0.0, near: Array | None = None
    ) -> tuple[Array, Array]:
        """Return t^2 (or F) of every sign vector, the data's own first, and the variances.

        What the null model fits is not added back: it changes neither the contrast nor residuals.
        """
        e = self.residuals(value)
        number = np.diff([*self.starts, len(e)])
        theta, b, covariance = self.refit(self.full, np.repeat(signs, number, axis=1) * e, near)
        C = self.contrasts
        return squared_statistics(e, b @ C.T, C @ covariance @ C.T), theta


def _answer(test: _Test, signs: Array, model: str, exact: bool, interval: bool) -> WildBootstrap:
    k, (squares, _) = signs.shape[1], test.squares(signs)
    if not math.isfinite(squares[0]):
        raise NotEstimableError("the clusters do not differ: the robust standard error is 0")
    theta, coefficients, _ = test.refit(test.full, test.y[None, :])
    total = 2 * len(signs) if exact else len(signs)
    smallest = 2 / total if exact else 1 / total
    statistic, estimate, low, high = float(squares[0]), None, None, None
    if len(test.contrasts) == 1:
        estimate = float(test.contrasts[0] @ coefficients[0])
        t = math.sqrt(squares[0])
        statistic = math.copysign(t, estimate)
        if interval and estimate != 0 and t > 0 and smallest <= LEVEL:
            se = abs(estimate) / t
            low, high = (_limit(test, signs, estimate, side * se) for side in (-1, 1))
    return WildBootstrap(
        model=model, k=k, effects=len(test.y), estimate=estimate,
        statistic=statistic, tau2=float(theta[0, 0]),
        omega2=None if model == "robust" else float(theta[0, 1]),
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
