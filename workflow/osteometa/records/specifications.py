"""Summaries of specifications on disk, field by column."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationSummary:
    """All specifications of one measure: a row of `summary.csv`."""

    measure: str
    """all: of every measure, whose estimates have no common unit."""
    specifications: int
    """Fitted ones, of two studies or more."""
    registered: int
    """Combinations of the registered choices."""
    same_sign: float | None = None
    """Percent with the sign of the primary estimate (of the median where it is not registered)."""
    excludes_null: float | None = None
    """Percent whose 95 % interval excludes the null."""
    primary: float | None = None
    """Estimate of the primary specification; the row all has none of these numbers."""
    lowest: float | None = None
    q025: float | None = None
    q25: float | None = None
    median: float | None = None
    q75: float | None = None
    q975: float | None = None
    highest: float | None = None
    quantile_error: float | None = None
    """Most by which a quantile may be off: the width of a bin of the histogram behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationLevel:
    """One level of a choice: a row of `levels.csv`."""

    measure: str
    choice: str
    level: str
    specifications: int
    mean: float | None
    """Mean estimate."""
    excludes_null: float | None
    """Percent whose 95 % interval excludes the null."""
    share: float | None
    """Percent of the variance of the estimates that the whole choice explains; the row
    interactions has what no choice explains alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationExtreme:
    """One of the lowest or highest estimates: a row of `extremes.csv`."""

    measure: str
    end: str
    """lowest or highest."""
    specification: int
    k: int
    estimate: float
    ci_low: float
    ci_high: float
    choices: str
    """All choices of it, `choice: level`, joined by '; '."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveColumn:
    """Specifications that are neighbours by estimate: a row of `curve.csv`."""

    measure: str
    start: float
    """Share of the specifications with a smaller estimate, percent."""
    stop: float
    estimate: float
    """Mean of the column."""
    low_outer: float
    """Below which 5 % of the lower limits are."""
    low: float
    """Median lower limit."""
    high: float
    high_outer: float
    """Above which 5 % of the upper limits are."""
    excludes_null: float
    """Percent of the column."""
    levels: str
    """Percent of the column with each level, in the order of levels.csv, joined by spaces."""
