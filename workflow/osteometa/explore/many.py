"""Many models of one shape at once: the one place where explorations call the solver in bulk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteometa.explore.common import Array
from osteometa.pooling.model import regress


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
    n = max(len(Y), len(v), len(designs))

    def row(rows: Array, i: int) -> Array:
        return rows[i if len(rows) > 1 else 0]

    fits = [regress(row(Y, i), row(v, i), row(designs, i), method=method, ci=ci) for i in range(n)]
    return Many(
        np.array([fit.coefficients for fit in fits]),
        np.array([fit.covariance for fit in fits]),
        np.array([fit.tau2 for fit in fits]),
    )
