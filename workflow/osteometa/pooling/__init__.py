"""Random-effects pooling: one solver, small-k rules, tests of subgroups."""

from osteometa.pooling.model import Pooled, Regression, pool, regress
from osteometa.pooling.rows import pooled_rows, subgroup_test, weights_of

__all__ = [
    "Pooled", "Regression", "pool", "pooled_rows", "regress", "subgroup_test", "weights_of",
]  # fmt: skip
