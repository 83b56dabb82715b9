"""Effects nested in studies: likelihood of many data sets of one shape, and its maximum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.sensitivity.status import NotEstimableError

ROUNDS = 500
# Starts of the search, in parts of the variance of the effects.
SHARES = (0.0, 0.02, 0.2, 1.0)
STARTS = 4
"""From so many of the best starting values of one data set the likelihood is maximised."""
# Largest number of elements in one array: more data sets are computed in parts.
CELLS = 2_000_000


def study_order(study: NDArray[np.str_]) -> tuple[NDArray[np.intp], list[int]]:
    """Return the order that puts the rows of one study together, and the first row of each.

    Studies go by the order of their names: what is drawn for them then does not depend on the
    order of the rows.
    """
    order = np.argsort(study, kind="stable")
    names = study[order]
    return order, [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist()]


class WeightedFit(NamedTuple):
    """What weighting n data sets by the inverse W of their covariance gave."""

    ones: Array
    """(n, k): W times the vector of ones."""
    mean: Array
    variance: Array
    """(n): 1 / (1' W 1)."""
    squares: Array
    """(n): weighted sum of squares of the residuals."""
    residuals: Array
    """(n, k): W (y - mean)."""


@dataclass(frozen=True, slots=True)
class NestedModel:
    """y ~ N(mu, V + tau2 (same study) + omega2 I), V without covariance between studies.

    Everything is rotated into the axes of V within each study, where V + omega2 I is diagonal and
    tau2 adds one rank: all that a fit needs are sums over effects, and no matrix of a study is
    inverted again.
    """

    values: Array
    """(k): variances along the axes of V, study by study."""
    ones: Array
    """(k): the vector of ones in these axes."""
    rotation: Array
    """(k, k): takes effects into these axes."""
    starts: NDArray[np.intp]
    """(J): first row of each study."""

    @classmethod
    def of(cls, V: Array, starts: Sequence[int]) -> NestedModel:
        """Return the model; rows of one study are adjacent, the first at each of `starts`."""
        k = len(V)
        turn, values = np.zeros((k, k)), np.empty(k)
        for first, end in itertools.pairwise([*starts, k]):
            own = slice(first, end)
            values[own], axes = np.linalg.eigh(V[own, own])
            turn[own, own] = axes.T
        return cls(values, turn @ np.ones(k), turn, np.asarray(starts))

    def _sums(self, cells: Array) -> Array:
        """Return the sum over the effects of each study (n, J)."""
        return np.add.reduceat(cells, self.starts, axis=1)

    def _spread(self, studies: Array) -> Array:
        """Return a value per study as one per effect (n, k)."""
        return np.repeat(studies, np.diff([*self.starts, len(self.values)]), axis=1)

    def _parts(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return 1 / (V + omega2), and by study 1'(V + omega2 I)^-1 1 and 1 + tau2 times that."""
        d = 1 / (self.values + theta[:, 1:])
        r = self._sums(d * self.ones**2)
        return d, r, 1 + theta[:, :1] * r

    def _times(self, theta: Array, parts: tuple[Array, Array, Array], cells: Array) -> Array:
        """Return W times vectors (n, k), by the Sherman-Morrison formula."""
        d, _, whole = parts
        once = d * cells
        drawn = self._sums(self.ones * once) * theta[:, :1] / whole
        return once - d * self.ones * self._spread(drawn)

    def weigh(self, theta: Array, Y: Array) -> WeightedFit:
        """Return the generalised least squares of n data sets in these axes."""
        parts = self._parts(theta)
        ones = self._times(theta, parts, np.broadcast_to(self.ones, Y.shape))
        weighted = self._times(theta, parts, Y)
        variance, cross = 1 / (ones @ self.ones), np.sum(ones * Y, axis=1)
        mean = variance * cross
        squares = np.sum(Y * weighted, axis=1) - cross * mean
        return WeightedFit(ones, mean, variance, squares, weighted - mean[:, None] * ones)

    def value(self, theta: Array, Y: Array) -> Array:
        """Return the restricted log-likelihood with all constants (Harville 1977), (n)."""
        k, found = len(self.values), self.weigh(theta, Y)
        d, _, whole = self._parts(theta)
        logs = np.sum(np.log(d), axis=1) - np.sum(np.log(whole), axis=1)
        constant = math.log(k) - (k - 1) * math.log(2 * math.pi)
        return 0.5 * (logs - found.squares + np.log(found.variance) + constant)

    def score(self, theta: Array, Y: Array) -> tuple[Array, Array, Array]:
        """Return the gradient (n, 2) in the variances, and their expected and observed information.

        The observed one is y'PAPBPy - tr(PAPB) / 2, the expected tr(PAPB) / 2, (n, 2, 2) each, with
        P = W - W 1 1'W / (1'W 1), A and B what tau2 and omega2 multiply.
        """
        found, parts = self.weigh(theta, Y), self._parts(theta)
        d, r, whole = parts
        h, e, u = self.ones, found.residuals, found.ones
        share, level, deep = theta[:, :1] / whole, r / whole, self._sums(d**2 * h**2)
        # Sums of squares of W e by study (tau2) and by effect (omega2), traces of W and W A W B.
        squares = _pair(self._sums(h * e) ** 2, e**2)
        traces = _pair(level, d)
        traces[:, 1] -= np.sum(share * deep, axis=1)
        across = np.sum(deep / whole**2, axis=1)
        last = np.sum(d**2, axis=1) + np.sum(
            share**2 * deep**2 - 2 * share * self._sums(d**3 * h**2), axis=1
        )
        both = _matrices(np.sum(level**2, axis=1), across, last)
        # 1'WAW1 and 1'WAWBW1: what P has less than W.
        ones, through = self._sums(h * u), self._sums(d * h * u) / whole
        lost = found.variance[:, None] * _pair(ones**2, u**2)
        twice = _matrices(
            np.sum(ones**2 * level, axis=1), np.sum(ones * through, axis=1),
            np.sum(u * self._times(theta, parts, u), axis=1),
        )  # fmt: skip
        expected = 0.5 * (
            both + lost[:, :, None] * lost[:, None, :] - 2 * found.variance[:, None, None] * twice
        )
        # A P y and B P y.
        pulls = (h * self._spread(self._sums(h * e)), e)
        turned = [self._times(theta, parts, pull) for pull in pulls]
        taken = np.stack([np.sum(u * pull, axis=1) for pull in pulls], axis=1)
        quadratic = _matrices(
            *(np.sum(pulls[i] * turned[j], axis=1) for i, j in ((0, 0), (0, 1), (1, 1)))
        ) - found.variance[:, None, None] * taken[:, :, None] * taken[:, None, :]  # fmt: skip
        return 0.5 * (squares - traces + lost), expected, quadratic - expected

    def highest(self, Y: Array, *, n_starts: int = STARTS, near: Array | None = None) -> Array:
        """Return the variances (n, 2) at the highest of the maxima that the starts lead to.

        Y (n, k) are data sets not yet in the axes of V. The likelihood is maximised from `n_starts`
        of the best starting values, or from `near` (n, 2). NotEstimableError where no maximum is
        reached.
        """
        size = max(1, CELLS // len(self.values))
        turned, found = Y @ self.rotation.T, np.empty((len(Y), 2))
        for rows in (slice(i, i + size) for i in range(0, len(Y), size)):
            part = turned[rows]
            starts = self._starts(part, n_starts) if near is None else [near[rows]]
            found[rows] = self._best(part, starts)
        return found

    def _starts(self, Y: Array, number: int) -> list[Array]:
        """Return the best starts, (n, 2) each."""
        k = Y.shape[1]
        # Rotation changes neither the sum of squares nor, by the vector of ones, the sum.
        spread = (np.sum(Y**2, axis=1) - (Y @ self.ones) ** 2 / k) / k
        scale = np.maximum(spread, np.min(self.values))
        grid = scale[:, None, None] * np.array(list(itertools.product(SHARES, SHARES)))
        heights = np.stack([self.value(grid[:, g], Y) for g in range(grid.shape[1])], axis=1)
        order = np.argsort(-heights, axis=1, kind="stable")
        return [grid[np.arange(len(Y)), best] for best in order.T[:number]]

    def _best(self, Y: Array, starts: Sequence[Array]) -> Array:
        best, top = np.zeros((len(Y), 2)), np.full(len(Y), -np.inf)
        for start in starts:
            ends, heights, reached = self.maximise(start, Y)
            better = reached & (heights > top)
            best[better], top[better] = ends[better], heights[better]
        if np.any(np.isneginf(top)):
            raise NotEstimableError("the likelihood has no maximum that the search reaches")
        return best

    def maximise(self, start: Array, Y: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return maxima over variances not below 0, their heights, and which were reached."""
        theta, values = start.copy(), self.value(start, Y)
        on = np.arange(len(Y))
        for _ in range(ROUNDS):
            step = self._step(theta[on], *self.score(theta[on], Y[on]))
            theta[on], values[on], moved = self._damped(theta[on], values[on], step, Y[on])
            on = on[moved]
            if not len(on):
                break
        reached = np.ones(len(Y), dtype=bool)
        reached[on] = False
        return theta, values, reached

    def _step(self, theta: Array, gradient: Array, expected: Array, observed: Array) -> Array:
        """Return the step of the variances that are free: above 0, or rising from it.

        Newton's where the likelihood is concave, else Fisher's, which can oscillate around the
        maximum without end where the two informations differ much, as they do in few studies.
        """
        free = (theta > 0) | (gradient > 0)
        pairs = free[:, :, None] & free[:, None, :]
        # A variance that stays gets a row of its own, so that it does not affect the others.
        alone = np.where(np.eye(2, dtype=bool), np.where(free, 0.0, 1.0)[:, :, None], 0.0)
        expected, observed = (np.where(pairs, matrix, alone) for matrix in (expected, observed))
        diagonal = observed[:, 0, 0] * observed[:, 1, 1]
        concave = (observed[:, 0, 0] > 0) & (diagonal > observed[:, 0, 1] ** 2)
        solved = np.where(concave[:, None, None], observed, expected)
        return np.linalg.solve(solved, np.where(free, gradient, 0.0)[:, :, None])[:, :, 0]

    def _damped(
        self, theta: Array, values: Array, step: Array, Y: Array
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return each step as far as it does not lead down, and whether it moved at all."""
        theta, values, size = theta.copy(), values.copy(), 1.0
        moved, on = np.zeros(len(Y), dtype=bool), np.arange(len(Y))
        for _ in range(40):
            trial = np.maximum(0.0, theta[on] + size * step[on])
            largest = np.max(trial, axis=1)
            still = np.all(np.abs(trial - theta[on]) <= 1e-10 * largest[:, None], axis=1)
            theta[on[still]] = trial[still]
            on, trial = on[~still], trial[~still]
            if not len(on):
                break
            new = self.value(trial, Y[on])
            # Near the top the likelihood cannot show a rise any more, but the score still can.
            rises = new >= values[on] - 1e-13 * np.abs(values[on])
            kept = on[rises]
            theta[kept], moved[kept] = trial[rises], True
            values[kept] = np.maximum(new[rises], values[kept])
            on, size = on[~rises], size / 2
            if not len(on):
                break
        return theta, values, moved


def _pair(by_study: Array, by_effect: Array) -> Array:
    """Return two sums over axis 1, (n, 2)."""
    return np.stack([np.sum(by_study, axis=1), np.sum(by_effect, axis=1)], axis=1)


def _matrices(first: Array, across: Array, last: Array) -> Array:
    """Return symmetric matrices (n, 2, 2) from their elements (n)."""
    return np.stack([first, across, across, last], axis=1).reshape(-1, 2, 2)
