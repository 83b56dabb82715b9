"""Random-effects pooling: one solver for all models."""

from osteometa.pooling.model import Pooled, Regression, pool, regress

__all__ = ["Pooled", "Regression", "pool", "regress"]
