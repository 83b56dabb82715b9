"""Variance of estimates explained by choices: averages over orders of the increase of R2."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from osteometa.numerics.arrays import Array
from osteometa.pooling.correlated import blocks

MOST_TOGETHER = 12
ORDERS = 500


def r2_parts(rows: Sequence[tuple[str, ...]], y: Array) -> list[float]:
    """Return the average increase of R2 by each choice (rows: levels of the choices)."""
    n, scale = len(rows[0]), float(np.max(np.abs(y)))
    y = y - np.mean(y)
    total = float(y @ y)
    # Equal estimates differ by rounding, which no choice explains.
    if total <= len(y) * (1e-12 * scale) ** 2:
        return [0.0] * n
    X, owner, _ = _columns(rows)
    return averaged_parts(X.T @ X, X.T @ y, total, owner, n)


def averaged_parts(
    gram: Array, cross: Array, total: float, owner: NDArray[np.int_], n: int
) -> list[float]:
    """Return the average increase of R2 by each of n choices from sums over centred columns.

    `gram` (c, c) and `cross` (c) are sums of products of the columns, and of the columns and the
    centred estimates, whose sum of squares is `total`; `owner` (c) is the choice of each column.
    Choices without a common missing combination are orthogonal: R2 is the sum of theirs, so only
    those that depend on each other enter in all orders. Of more than MOST_TOGETHER of these, ORDERS
    orders with a fixed seed are averaged instead of all.
    """
    parts = [0.0] * n
    for together in _together(gram, owner, n):
        for place, part in zip(together, _averaged(gram, cross, owner, together), strict=True):
            parts[place] = part / total
    return [min(1.0, part) if part > 1e-12 else 0.0 for part in parts]


def _together(gram: Array, owner: NDArray[np.int_], n: int) -> list[list[int]]:
    """Return the choices in groups between which no columns are correlated."""
    size = np.sqrt(np.diagonal(gram))
    linked = np.abs(gram) > 1e-9 * np.outer(size, size)
    joint = np.eye(n)
    for i, j in np.argwhere(linked):
        joint[owner[i], owner[j]] = 1.0
    return blocks(joint)


def _averaged(
    gram: Array, cross: Array, owner: NDArray[np.int_], together: Sequence[int]
) -> list[float]:
    """Return the sum of squares that each of some choices adds, averaged over their orders."""
    n = len(together)

    @cache
    def explained(chosen: frozenset[int]) -> float:
        own = np.flatnonzero(np.isin(owner, list(chosen)))
        return float(cross[own] @ _solved(gram[np.ix_(own, own)], cross[own]))

    parts = dict.fromkeys(together, 0.0)
    if n <= MOST_TOGETHER:
        for size, place in itertools.product(range(n), together):
            others = [one for one in together if one != place]
            for before in map(frozenset, itertools.combinations(others, size)):
                added = explained(before | {place}) - explained(before)
                parts[place] += added / (n * math.comb(n - 1, size))
        return list(parts.values())
    random = np.random.default_rng(0)
    for _ in range(ORDERS):
        before: frozenset[int] = frozenset()
        for place in random.permutation(together).tolist():
            parts[place] += (explained(before | {place}) - explained(before)) / ORDERS
            before |= {place}
    return list(parts.values())


def _columns(rows: Sequence[tuple[str, ...]]) -> tuple[Array, NDArray[np.int_], list[str]]:
    """Return centred dummies of the levels but the first of each choice, their choice and level."""
    columns, owner, levels = [], [], []
    for place in range(len(rows[0])):
        values = [row[place] for row in rows]
        for level in list(dict.fromkeys(values))[1:]:
            column = np.array([float(value == level) for value in values])
            columns.append(column - np.mean(column))
            owner.append(place)
            levels.append(level)
    X = np.array(columns).reshape(len(columns), len(rows)).T
    return X, np.array(owner, dtype=int), levels


def _solved(gram: Array, cross: Array) -> Array:
    return np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ cross


def parts_by_key(
    rows: Sequence[tuple[str, ...]], y: Array, part: float, primary: str
) -> dict[str, tuple[int, float]]:
    """Return levels (primary included) and share of each key of config.yaml behind the derivations.

    Derivations enter one at a time, so the main effect of each is its move away from the primary
    derivation. The part of derivation is divided in proportion to the squared moves, summed over
    the combinations: a key that changes no estimate has a share of 0, and the shares add up.
    """
    counts = Counter(row[0] for row in rows)
    X, owner, levels = _columns(rows)
    slopes = _solved(X.T @ X, X.T @ (y - np.mean(y)))
    effect = dict.fromkeys(counts, 0.0) | {
        level: float(b) for level, b, place in zip(levels, slopes, owner, strict=True) if place == 0
    }
    # A sample may lack the primary derivation of a measure that is not the primary one.
    mean = sum(counts[level] * effect[level] for level in counts) / len(rows)
    origin = effect.get(primary, mean)
    moved: dict[str, float] = {}
    found: dict[str, int] = {}
    for level in (level for level in counts if level != primary):
        key = level.partition("=")[0]
        found[key] = found.get(key, 1) + 1
        moved[key] = moved.get(key, 0.0) + counts[level] * (effect[level] - origin) ** 2
    total = sum(moved.values())
    return {
        key: (found[key], part * (moved[key] / total if total > 0 else 1 / len(moved)))
        for key in moved
    }
