"""Correlated effects: from a sampling covariance to uncorrelated rows.

With V = U diag(l) U' the model y ~ N(X b, V + tau2 I) is the same as U'y ~ N(U'X b, l + tau2): an
orthogonal rotation of rows changes no likelihood, no generalised Q, no trace and no sum of
squares. So one solver for uncorrelated rows serves both.
"""

from collections.abc import Sequence

import numpy as np

from osteometa.numerics.arrays import Array


def blocks(V: Array) -> list[list[int]]:
    """Return the rows of V (k x k) in blocks that share no covariance, in order of first row."""
    left = list(range(len(V)))
    found = []
    while left:
        block, edge = {left[0]}, [left[0]]
        while edge:
            near = set(np.flatnonzero(V[edge.pop()]).tolist()) - block
            block |= near
            edge += near
        found.append(sorted(block))
        left = [row for row in left if row not in block]
    return found


def checked_covariance(V: Array, k: int) -> Array:
    """Return V as an exactly symmetric array (k x k).

    ValueError for another shape, numbers that are not finite, or V not positive definite.
    """
    V = np.asarray(V, dtype=float)
    if V.shape != (k, k):
        found = " x ".join(map(str, V.shape))
        raise ValueError(f"the covariance of {k} effects must be {k} x {k} (found {found})")
    if not np.all(np.isfinite(V)):
        raise ValueError("a covariance is not a finite number")
    for position, variance in enumerate(np.diagonal(V), start=1):
        if variance <= 0:
            raise ValueError(f"variance {position} must be above 0 (found {variance})")
    sd = np.sqrt(np.diagonal(V))
    # Relative to the variances: what is off by rounding only is no mistake.
    if np.any(np.abs(V - V.T) > 1e-10 * np.outer(sd, sd)):
        raise ValueError("the covariance is not symmetric")
    V = (V + V.T) / 2
    impossible = not_possible(V)
    if impossible:
        raise ValueError(impossible_words([str(row + 1) for row in impossible]))
    return V


def not_possible(V: Array) -> list[int]:
    """Return the rows of the first block of V (k x k, symmetric) that is not positive definite."""
    sd = np.sqrt(np.diagonal(V))
    for block in blocks(V):
        correlation = V[np.ix_(block, block)] / np.outer(sd[block], sd[block])
        if np.linalg.eigvalsh(correlation)[0] <= 1e-12 * len(block):
            return block
    return []


def impossible_words(effects: Sequence[str]) -> str:
    """Return why the covariances of some effects are refused."""
    return (
        f"the covariances of effects {', '.join(effects)} are not possible together "
        "(not positive definite): a covariance is too large for its variances"
    )


def decorrelated(y: Array, V: Array, X: Array) -> tuple[Array, Array, Array]:
    """Return rows y (k), variances (k) and design (k x p) of the same model without covariances.

    Each block is rotated separately, so that the rows of other studies do not change.
    """
    y, v, X = y.copy(), np.diagonal(V).copy(), X.copy()
    for block in blocks(V):
        if len(block) > 1:
            v[block], turn = np.linalg.eigh(V[np.ix_(block, block)])
            y[block], X[block] = turn.T @ y[block], turn.T @ X[block]
    if not np.all(v > 0):
        raise np.linalg.LinAlgError("variances of one block are too unlike to compute with")
    return y, v, X


def row_weights(V: Array, tau2: float) -> Array:
    """Return the shares (k, sum 1) of effects in their mean: the row sums of (V + tau2 I)^-1."""
    w = 1.0 / (np.diagonal(V) + tau2)
    for block in blocks(V):
        if len(block) > 1:
            total = V[np.ix_(block, block)] + tau2 * np.eye(len(block))
            w[block] = np.linalg.solve(total, np.ones(len(block)))
    return w / np.sum(w)
