"""Quantiles, p values and small-sample factors as pure functions of numbers."""

import math

from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit


def hedges_j(m: float) -> float:
    """Return Hedges' exact small-sample factor for m degrees of freedom, defined for m > 1.

    J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), Hedges (1981).
    """
    if m <= 1:
        raise ValueError(f"J is not defined for {m} degrees of freedom.")
    return math.exp(gammaln(m / 2) - gammaln((m - 1) / 2) - 0.5 * math.log(m / 2))


def t_quantile(probability: float, df: float | None) -> float:
    """Return a quantile of t, or of the normal distribution where df is None."""
    if df is None:
        return float(ndtri(probability))
    return float(stdtrit(df, probability))


def two_sided_p(statistic: float, df: float | None) -> float:
    """Return the two-sided p of a t statistic, or of a z statistic where df is None."""
    tail = ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))
    return float(2 * tail)


def half_width_to_se(low: float, high: float, level: float, df: float | None) -> float:
    """Return the standard error behind a two-sided interval of `level` percent."""
    return (high - low) / (2 * t_quantile(0.5 + level / 200, df))


def p_to_t(p: float, df: float | None, tails: int = 2) -> float:
    """Return the absolute t of an exact p."""
    return abs(t_quantile(p / tails if tails == 2 else p, df))


def two_tailed(p: float, tails: int | None) -> float:
    """Return the two-tailed p of a symmetric test: twice the smaller tail of a one-tailed p."""
    return 2 * min(p, 1 - p) if tails == 1 else p
