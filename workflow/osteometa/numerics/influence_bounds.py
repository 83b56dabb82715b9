"""The usual bounds of deletion diagnostics (Viechtbauer and Cheung 2010), by names of columns."""

import math
from statistics import NormalDist

COOK_BOUND = 0.4549364231195724
"""Median of chi-square on one degree of freedom."""
NORMAL_95 = NormalDist().inv_cdf(0.975)


def bounds_of(diagnostic: str, k: int) -> tuple[float, ...]:
    """Return the bounds of a diagnostic of k effects, none where it has no usual ones.

    rstudent: the normal 95 % limits. dffits: -/+ 3 sqrt(1 / (k - 1)). Cook's distance: the median
    of chi-square on 1 df. hat: 3 / k.
    """
    if diagnostic == "rstudent":
        return -NORMAL_95, NORMAL_95
    if diagnostic == "dffits":
        bound = 3 * math.sqrt(1 / (k - 1))
        return -bound, bound
    return {"cook_d": (COOK_BOUND,), "hat": (3 / k,)}.get(diagnostic, ())


def is_beyond(diagnostic: str, value: float, k: int) -> bool:
    """Return whether a diagnostic of one of k effects passes its usual bound."""
    if diagnostic == "hat" and k <= 3:
        return False  # 3 / k is 1 then, which no hat value passes
    bounds = bounds_of(diagnostic, k)
    above = bool(bounds) and value > max(bounds)
    return above or (len(bounds) == 2 and value < min(bounds))
