"""Random-effects pooling: one solver for all models."""

from osteometa.pooling.model import pool, regress
from osteometa.pooling.results import EffectData, Estimated, Fitted, Pooled, Regression

__all__ = ["EffectData", "Estimated", "Fitted", "Pooled", "Regression", "pool", "regress"]
