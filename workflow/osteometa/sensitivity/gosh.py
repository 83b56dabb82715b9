"""Pools of all subsets of the studies (GOSH, Olkin, Dahabreh and Trikalinos 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteometa.pooling.kernel import pool_many
from osteometa.records.sensitivity import GoshRow
from osteometa.sensitivity.influence import LEAST_STUDIES, PooledEffects, too_few

ALL_UP_TO = 15
"""Studies up to which all subsets are taken."""
SAMPLED = 100_000


def subsets(k: int, seed: int) -> NDArray[np.bool_]:
    """Return subsets of at least two of k studies, a row each: all of them, or a seeded sample.

    A sample draws its sizes as they occur among all subsets.
    """
    if k <= ALL_UP_TO:
        numbers = np.arange(1, 2**k, dtype=np.int64)
        masks = (numbers[:, None] >> np.arange(k)) & 1 == 1
    else:
        masks = np.random.default_rng(seed).random((SAMPLED, k)) < 0.5
    return masks[masks.sum(axis=1) >= 2]


def gosh(effects: PooledEffects, seed: int) -> list[GoshRow]:
    """Return the pool of each subset, or a row with the reason why there is none."""
    if effects.k < LEAST_STUDIES:
        return [GoshRow(k=effects.k, status="not_applicable", reason=too_few(effects.k))]
    y, v = effects.one_per_study()
    masks = subsets(len(y), seed)
    fits = pool_many(y, v, masks, method=effects.method, ci="wald")
    return [
        GoshRow(
            subset="".join("1" if inside else "0" for inside in mask), k=int(mask.sum()),
            estimate=float(estimate), tau2=float(tau2), i2=float(i2),
        )
        for mask, estimate, tau2, i2 in zip(
            masks, fits.coefficients[:, 0], fits.tau2, fits.i2, strict=True
        )
    ]  # fmt: skip
