"""Mean and SD from reported medians, quartiles and ranges."""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from osteometa.extraction.tables import Measurement
from osteometa.wording.vocabulary import Flag, Provenance

FEWEST = 5
"""Fewest participants whose quantiles are used."""
FIVE = ("min", "q1", "median", "q3", "max")


@dataclass(frozen=True, slots=True)
class Spread:
    """The SD of a row and how it came about."""

    sd: float | None = None
    codes: tuple[Provenance, ...] = ()
    """Of quantiles Q5 (five numbers), Q3 (median and quartiles) or R3 (median and range)."""
    columns: tuple[str, ...] = ()
    mean: float | None = None
    """The mean that quantiles stand for; None where the SD has another source."""
    flags: frozenset[Flag] = frozenset()


def xi(n: float) -> float:
    """Return the expected range of n standard normal values: 2 Phi^-1((n-.375)/(n+.25))."""
    return 2 * float(ndtri((n - 0.375) / (n + 0.25)))


def eta(n: float) -> float:
    """Return the expected distance of their quartiles: 2 Phi^-1((.75n-.125)/(n+.25))."""
    return 2 * float(ndtri((0.75 * n - 0.125) / (n + 0.25)))


def from_quartiles(q1: float, median: float, q3: float, n: int) -> tuple[float, float]:
    """Return mean (Luo 2018) and SD (Wan 2014) from a median and its quartiles."""
    w = 0.7 + 0.39 / n
    return w * (q1 + q3) / 2 + (1 - w) * median, (q3 - q1) / eta(n)


def from_range(low: float, median: float, high: float, n: int) -> tuple[float, float]:
    """Return mean (Luo 2018) and SD (Wan 2014) from a median and the range."""
    w = 4 / (4 + n**0.75)
    return w * (low + high) / 2 + (1 - w) * median, (high - low) / xi(n)


def from_five(
    low: float, q1: float, median: float, q3: float, high: float, n: int
) -> tuple[float, float]:
    """Return mean (Luo 2018) and SD (Shi 2020) from all five numbers."""
    w1 = 2.2 / (2.2 + n**0.75)
    w2 = 0.7 - 0.72 / n**0.55
    mean = w1 * (low + high) / 2 + w2 * (q1 + q3) / 2 + (1 - w1 - w2) * median
    u = 1 / (1 + 0.07 * n**0.6)
    return mean, u * (high - low) / xi(n) + (1 - u) * (q3 - q1) / eta(n)


def is_skewed(code: str, values: tuple[float, ...], n: int) -> bool:
    """Return whether the quantiles are too asymmetric for a normal distribution, at 5 % (Shi 2023).

    The statistic is |upper + lower - 2 median| over upper - lower, of the range (R3), of the
    quartiles (Q3), or the larger of both, that of the range times 2.65 ln(.6n)/sqrt(n) (Q5). Its
    critical values are 1/ln(n+9) + 2.5/(n+1), 2.65/sqrt(n) - 6/n^2 and 2.97/sqrt(n) - 39.1/n^3.
    """

    def asymmetry(low: float, median: float, high: float) -> float:
        return abs(low + high - 2 * median) / (high - low)

    if code == "R3":
        return asymmetry(*values) > 1 / math.log(n + 9) + 2.5 / (n + 1)
    if code == "Q3":
        return asymmetry(*values) > 2.65 / math.sqrt(n) - 6 / n**2
    low, q1, median, q3, high = values
    outer = 2.65 * math.log(0.6 * n) / math.sqrt(n) * asymmetry(low, median, high)
    return max(outer, asymmetry(q1, median, q3)) > 2.97 / math.sqrt(n) - 39.1 / n**3


RULES = {"Q5": from_five, "Q3": from_quartiles, "R3": from_range}
COLUMNS = {"Q5": FIVE, "Q3": FIVE[1:4], "R3": ("min", "median", "max")}


def mean_and_sd(code: str, values: tuple[float, ...], n: int) -> tuple[float, float, bool]:
    """Return mean, SD, and whether data are skewed, from ascending quantiles of n >= 5.

    Where the test for skewness rejects a normal distribution, the rules are applied to the
    logarithms, and mean = exp(a + b^2/2), SD = mean sqrt(exp(b^2) - 1) of a log-normal one with log
    mean a and log SD b (Shi 2020, without the bias correction). Values of 0 or below have no
    logarithm: the normal rules stand. Either way the effect is flagged SKEW.
    """
    skewed = is_skewed(code, values, n)
    if skewed and values[0] > 0:
        a, b = RULES[code](*(math.log(value) for value in values), n)
        mean = math.exp(a + b**2 / 2)
        return mean, mean * math.sqrt(math.expm1(b**2)), True
    return *RULES[code](*values, n), skewed


def from_quantiles(row: Measurement, n: int | None) -> Spread | None:
    """Return mean and SD by the quantiles of a row; None for too few of them, or n below 5."""
    if n is None or n < FEWEST or row.median is None:
        return None
    for code, columns in COLUMNS.items():
        reported = [getattr(row, column) for column in columns]
        values = tuple(float(value) for value in reported if value is not None)
        # Equal quantiles, as of rounded values, have no spread.
        if len(values) < len(columns) or values[0] >= values[-1]:
            continue
        if code == "Q5" and values[1] >= values[3]:
            continue
        mean, sd, skewed = mean_and_sd(code, values, n)
        flags = frozenset({Flag.SKEWED} if skewed else ())
        return Spread(sd, (Provenance(code),), columns, mean, flags)
    return None
