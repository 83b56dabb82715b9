"""Many models of one shape at once: the one place where explorations call the solver in bulk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteometa.pooling.batch import column_batch, intercept_batch
from osteometa.pooling.kernel import CELLS, solve
from osteometa.sensitivity.status import Array


@dataclass(frozen=True, slots=True)
class Many:
    """What n models with p coefficients gave."""

    coefficients: Array
    """(n, p)"""
    covariance: Array
    """(n, p, p), scaled as the interval method asks."""
    tau2: Array
    """(n)"""


def regress_many(Y: Array, v: Array, designs: Array, method: str, ci: str) -> Many:
    """Fit y ~ N(X b, v + tau2) for every row of effects or every design.

    Parameters
    ----------
    Y : array of shape (n, k) or (1, k)
        Effects; one row serves all designs.
    v : array of shape (n, k) or (1, k)
        Sampling variances; one row serves all models.
    designs : array of shape (n, k, p) or (1, k, p)
        Design matrices; one serves all rows of effects.
    method, ci : str
        As for `osteometa.pooling.regress`.
    """
    n, k, p = max(len(Y), len(v), len(designs)), Y.shape[1], designs.shape[2]
    intercept = p == 1 and bool(np.all(designs == 1.0))
    size = max(1, CELLS // (k * p))
    parts = []
    for start in range(0, n, size):
        rows = slice(start, min(n, start + size))
        y, variances = (_cells(table, rows).T for table in (Y, v))
        if intercept:
            batch = intercept_batch(y, variances)
        else:
            batch = column_batch(y, variances, _cells(designs, rows))
        parts.append(solve(batch, method, ci))
    return Many(
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in ("coefficients", "covariance", "tau2"))
    )  # fmt: skip


def _cells(table: Array, rows: slice) -> Array:
    """Return some rows of a table, one row standing for all of them where it is alone."""
    if len(table) > 1:
        return np.array(table[rows])
    return np.array(np.broadcast_to(table, (rows.stop - rows.start, *table.shape[1:])))
