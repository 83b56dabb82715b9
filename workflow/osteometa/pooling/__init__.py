"""Random-effects pooling: one solver, small-k rules, tests of subgroups."""

from osteometa.pooling.model import Pooled, Regression, pool, regress
from osteometa.pooling.rows import (
    Joint,
    pool_joint,
    pooled_rows,
    primary_fits,
    subgroup_tests,
    weighted,
)

__all__ = [
    "Joint", "Pooled", "Regression", "pool", "pool_joint", "pooled_rows", "primary_fits", "regress",
    "subgroup_tests", "weighted",
]  # fmt: skip
