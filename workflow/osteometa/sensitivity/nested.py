"""Effects nested in studies: likelihood of many data sets of one shape, and its maximum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class WeightedFit:
    """What weighting n data sets by the inverse of their covariance gave."""

    columns: Array
    """(n, k, p + 1): W times the columns of X and times y."""
    bread: Array
    """(n, p, p): (X' W X)^-1."""
    coefficients: Array
    """(n, p)"""
    squares: Array
    """(n): weighted sum of squares of the residuals."""

    @property
    def residuals(self) -> Array:
        """Return W (y - X b), (n, k)."""
        p = self.coefficients.shape[1]
        return (
            self.columns[:, :, p]
            - (self.columns[:, :, :p] @ self.coefficients[:, :, None])[:, :, 0]
        )


@dataclass(frozen=True, slots=True)
class NestedModel:
    """y ~ N(X b, V + tau2 (same study) + omega2 I), V without covariance between studies.

    Everything is rotated into the axes of V within each study, where V + omega2 I is diagonal and
    tau2 adds one rank: all that a fit needs are sums over effects, and no matrix of a study is
    inverted again.
    """

    values: Array
    """(k): variances along the axes of V, study by study."""
    ones: Array
    """(k): the vector of ones in these axes."""
    design: Array
    """(k, p): X in these axes."""
    rotation: Array
    """(k, k): takes effects into these axes."""
    starts: NDArray[np.intp]
    """(J): first row of each study."""
    restricted: bool
    within: bool

    @classmethod
    def of(
        cls, V: Array, X: Array, starts: Sequence[int], restricted: bool, within: bool
    ) -> NestedModel:
        """Return the model; rows of one study are adjacent, the first at each of `starts`."""
        k = len(V)
        turn, values = np.zeros((k, k)), np.empty(k)
        for first, end in itertools.pairwise([*starts, k]):
            own = slice(first, end)
            values[own], axes = np.linalg.eigh(V[own, own])
            turn[own, own] = axes.T
        return cls(
            values, turn @ np.ones(k), turn @ X, turn, np.asarray(starts), restricted, within
        )

    def _sums(self, cells: Array) -> Array:
        """Return the sum over the effects of each study, along axis 1."""
        return np.add.reduceat(cells, self.starts, axis=1)

    def _spread(self, studies: Array) -> Array:
        """Return a value per study as one per effect, along axis 1."""
        return np.repeat(studies, np.diff([*self.starts, len(self.values)]), axis=1)

    def _parts(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return 1 / (V + omega2), and by study 1'(V + omega2 I)^-1 1 and 1 + tau2 times that."""
        d = 1 / (self.values + theta[:, 1:])
        r = self._sums(d * self.ones**2)
        return d, r, 1 + theta[:, :1] * r

    def _times(self, theta: Array, parts: tuple[Array, Array, Array], cells: Array) -> Array:
        """Return W times columns, (n, k, m), by the Sherman-Morrison formula."""
        d, _, whole = parts
        once = d[:, :, None] * cells
        drawn = self._sums(self.ones[:, None] * once) * (theta[:, :1] / whole)[:, :, None]
        return once - (d * self.ones)[:, :, None] * self._spread(drawn)

    def weigh(self, theta: Array, Y: Array) -> WeightedFit:
        """Return the generalised least squares of n data sets in these axes."""
        p = self.design.shape[1]
        cells = np.concatenate(
            [np.broadcast_to(self.design, (len(Y), *self.design.shape)), Y[:, :, None]], axis=2
        )
        columns = self._times(theta, self._parts(theta), cells)
        sums = np.swapaxes(cells, 1, 2) @ columns
        bread = np.asarray(np.linalg.inv(sums[:, :p, :p]), dtype=float)
        cross = sums[:, :p, p]
        b = (bread @ cross[:, :, None])[:, :, 0]
        return WeightedFit(columns, bread, b, sums[:, p, p] - np.sum(cross * b, axis=1))

    def value(self, theta: Array, Y: Array) -> Array:
        """Return the (restricted) log-likelihood with all constants (Harville 1977), (n)."""
        (k, p), found = self.design.shape, self.weigh(theta, Y)
        d, _, whole = self._parts(theta)
        logs = np.sum(np.log(d), axis=1) - np.sum(np.log(whole), axis=1)
        value = 0.5 * (logs - found.squares)
        if not self.restricted:
            return value - 0.5 * k * math.log(2 * math.pi)
        plain = np.linalg.slogdet(self.design.T @ self.design)[1]
        bread = np.linalg.slogdet(found.bread)[1]
        return value - 0.5 * (k - p) * math.log(2 * math.pi) + 0.5 * (plain + bread)

    def score(self, theta: Array, Y: Array) -> tuple[Array, Array, Array]:
        """Return the gradient (n, 2) in the variances, and their expected and observed information.

        The observed one is y'PAPBPy - tr(PAPB) / 2, the expected tr(PAPB) / 2, (n, 2, 2) each.
        """
        p, found, parts = self.design.shape[1], self.weigh(theta, Y), self._parts(theta)
        d, r, whole = parts
        h, e, U = self.ones, found.residuals, found.columns[:, :, :p]
        share = theta[:, :1] / whole
        deep = self._sums(d**2 * h**2)
        # Sums of squares of W e by study (tau2) and by effect (omega2), traces of W and W A W B.
        squares = [np.sum(self._sums(h * e) ** 2, axis=1), np.sum(e**2, axis=1)]
        traces = [np.sum(r / whole, axis=1), np.sum(d, axis=1) - np.sum(share * deep, axis=1)]
        across = np.sum(deep / whole**2, axis=1)
        deeper = self._sums(d**3 * h**2)
        last = np.sum(d**2, axis=1) + np.sum(share**2 * deep**2 - 2 * share * deeper, axis=1)
        both = [[np.sum((r / whole) ** 2, axis=1), across], [across, last]]
        if self.restricted:
            # P = W - W X (X'WX)^-1 X'W in place of W.
            lost, twice = self._lost(theta, parts, U)
            turned = [found.bread @ part for part in lost]
            for i in range(2):
                traces[i] = traces[i] - np.trace(turned[i], axis1=1, axis2=2)
                for j in range(2):
                    both[i][j] = (
                        both[i][j]
                        + np.trace(turned[i] @ turned[j], axis1=1, axis2=2)
                        - 2 * np.trace(found.bread @ twice[i][j], axis1=1, axis2=2)
                    )
        gradient = 0.5 * (np.stack(squares, axis=1) - np.stack(traces, axis=1))
        expected = 0.5 * np.stack([np.stack(row, axis=1) for row in both], axis=1)
        # A P y and B P y, as two columns.
        pulls = np.stack([h * self._spread(self._sums(h * e)), e], axis=2)
        turned = self._times(theta, parts, pulls)
        taken = np.swapaxes(U, 1, 2) @ pulls
        quadratic = np.swapaxes(pulls, 1, 2) @ turned
        quadratic -= np.swapaxes(taken, 1, 2) @ found.bread @ taken
        return gradient, expected, quadratic - expected

    def _lost(
        self, theta: Array, parts: tuple[Array, Array, Array], U: Array
    ) -> tuple[list[Array], list[list[Array]]]:
        """Return X'WAWX and X'WAWBWX, A and B what tau2 and omega2 multiply; U is W X."""
        d, r, whole = parts
        ones = self._sums(self.ones[:, None] * U)
        again = self._times(theta, parts, U)
        # 1'W 1 and 1'W W X of each study.
        level = (r / whole)[:, :, None] * ones
        through = self._sums((d * self.ones)[:, :, None] * U) / whole[:, :, None]
        lost = [_product(ones, ones), _product(U, U)]
        crossed = _product(ones, through)
        return lost, [
            [_product(ones, level), crossed],
            [np.swapaxes(crossed, 1, 2), _product(U, again)],
        ]

    def highest(self, Y: Array, *, n_starts: int = STARTS, near: Array | None = None) -> Array:
        """Return the variances (n, 2) at the highest of the maxima that the starts lead to.

        Parameters
        ----------
        Y : array of shape (n, k)
            Data sets, not yet in the axes of V.
        n_starts : int
            From how many of the best starting values the likelihood is maximised.
        near : array of shape (n, 2), optional
            Variances to start from in place of all these.

        Raises
        ------
        NotEstimableError
            Where the search reaches no maximum.
        """
        size = max(1, CELLS // self.design.size)
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
        shares = itertools.product(SHARES, SHARES if self.within else (0.0,))
        grid = scale[:, None, None] * np.array(list(shares))
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
        free = ((theta > 0) | (gradient > 0)) & np.array([True, self.within])
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


def _product(left: Array, right: Array) -> Array:
    """Return the sum over axis 1 of the outer products of rows, (n, p, p)."""
    return np.swapaxes(left, 1, 2) @ right
