"""Random-effects pooling: one solver, small-k rules, tests of subgroups."""

from osteometa.pooling.model import Pooled, Regression, pool, regress
from osteometa.pooling.rows import pooled_rows, subgroup_tests, weighted

__all__ = [
    "Pooled", "Regression", "pool", "pooled_rows", "regress", "subgroup_tests", "weighted",
]  # fmt: skip
