"""Whether a reported p agrees with the means, spreads and n beside it (M5.5)."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.special import stdtr

from osteometa.comparisons.reported_tests import CORRELATIONS, RATIOS, adjustment, is_omnibus
from osteometa.comparisons.summaries import row_flags
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement, Tables
from osteometa.io.problems import Problem
from osteometa.numerics.distributions import p_to_t, two_tailed
from osteometa.protocol.config import Config
from osteometa.validation.between_rows import find, rows_at, series_of
from osteometa.validation.cells import warning_at
from osteometa.validation.plausibility import least_sd, level_of, sd_of
from osteometa.wording.vocabulary import Flag

SMALLEST_P = 1e-12
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """The mean change of one arm of at least two participants."""

    row: Measurement
    mean: ReportedNumber
    n: int


def p_warnings(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings about exact p values that the changes beside them contradict."""
    comparators = {(arm.study_id, arm.arm_id): arm.comparator for arm in tables.arms}
    crossovers = {s.study_id for s in tables.studies if s.design == "crossover_rct"}
    series = series_of(tables)
    for row in tables.contrasts:
        none = row.test == "rank" or row.statistic in (*CORRELATIONS, *RATIOS)
        # In a crossover the test is paired, and the spreads of both conditions do not imply its p.
        paired = row.compares == "between" and row.study_id in crossovers
        if row.p is None or none or paired or Flag.CLUSTER_ADJUSTED in row_flags(row):
            continue
        rows = rows_at(series, row, row.arm_id)
        others = rows_at(series, row, comparators.get((row.study_id, row.arm_id), ""))
        # A p may be that of the change or of the percent change: one that agrees is enough.
        kinds = ("pct_change",) if row.unit == "%" else ("change", "pct_change")
        found = [_of_kind(row, row.p, rows, others, kind, config) for kind in kinds]
        known = [warnings for warnings in found if warnings is not None]
        if all(known):
            yield from known[-1] if known else ()


def _of_kind(
    row: Contrast, p: ReportedNumber, rows: list[Measurement], others: list[Measurement],
    kind: str, config: Config,
) -> list[Problem] | None:  # fmt: skip
    """Return the warnings about a p beside changes of one kind; None where it has none to fit."""
    own, other = _change_at(row, rows, kind), _change_at(row, others, kind)
    if own is None:
        return None
    disputed = bool(row.disputed or own.row.disputed)
    if row.compares == "within":
        alone = row.statistic != "f" and _of_changes(row, own)
        implied = implied_p_of_change(own) if alone else None
        return None if implied is None else list(_compare_p(row, p, implied, disputed))
    if other is None:
        return None
    implied = implied_p(own, other) if _of_changes(row, own, other) else None
    compared = () if implied is None else _compare_p(row, p, implied, disputed)
    return [*_implied_sd(row, p, own, other, config), *compared]


def _change_at(row: Contrast, rows: list[Measurement], kind: str) -> Change | None:
    """Return the change of an arm at the time of a contrast, of the same participants."""
    found = find([one for one in reversed(rows) if change_of(one)], row, kind)
    return None if found is None else change_of(found)


def change_of(row: Measurement) -> Change | None:
    """Return the mean and n of a row; None where it lacks one of them."""
    return Change(row, row.mean, row.n) if row.mean is not None and row.n and row.n > 1 else None


def _of_changes(row: Contrast, *changes: Change) -> bool:
    """Return whether a test is the one that one or two reported changes imply.

    Not one of levels, nor of several groups or times together; and an adjusted test only where the
    means beside it are adjusted as well (flag ADJSE).
    """
    if row.score == "post" or is_omnibus(row):
        return False
    return adjustment(row) != "yes" or all("ADJSE" in c.row.flag.split() for c in changes)


def _implied_sd(
    row: Contrast, p: ReportedNumber, one: Change, other: Change, config: Config
) -> Iterator[Problem]:
    """Warn where the exact p of two arms' changes implies an SD too small to be measured."""
    least, level = least_sd(row, config), level_of(one.row, config)
    if not least or level is None or one.mean == other.mean or p == 1 or row.p_operator != "=":
        return
    if row.disputed or adjustment(row) == "yes" or row.score == "post":
        return
    t = p_to_t(float(p), one.n + other.n - 2, row.tails or 2)
    if t == 0 or any(sd_of(change.row) is not None for change in (one, other)):
        return
    sd = abs(one.mean - other.mean) / t / math.sqrt(1 / one.n + 1 / other.n)
    if 100 * sd / level < least:
        message = (
            f"With the reported means and n this p implies an SD of change of "
            f"{100 * sd / level:.2g} % of the level, less than the method of measurement allows "
            f"({least:g} %, sd_of_change in config.yaml). Check the paper; if it reports the "
            "values so, enter the reason in `disputed` of the rows of both arms."
        )
        yield warning_at(row, "p", "W02", message, p)


def _compare_p(
    row: Contrast, p: ReportedNumber, implied: Range, disputed: bool
) -> Iterator[Problem]:
    low, high = p - p.half_unit, p + p.half_unit
    if row.p_operator != "=":
        low, high = (p, 1.0) if row.p_operator.startswith(">") else (SMALLEST_P, p)
    if row.tails == 1:  # the p of means and spreads is two-tailed
        both = two_tailed(low, 1), two_tailed(min(high, 1.0), 1)
        low, high = min(both), 1.0 if low <= 0.5 <= high else max(both)
    low = max(low, SMALLEST_P)
    found = f"{p.text} against {implied[0]:.2g} to {implied[1]:.2g}"
    factor = max(low / implied[1], implied[0] / high, 1.0) if implied[1] > 0 else math.inf
    if factor <= 1:
        return
    message = (
        f"The reported p and the p of the reported means and spreads ({implied[0]:.2g} to "
        f"{implied[1]:.2g} over the rounding) differ by a factor of {factor:.2g}. Check the paper."
    )
    if factor > 3 and not disputed:
        message += (
            " Above a factor of 3 the data are inconsistent: if the paper reports them so, enter "
            "the reason in `disputed` of the rows of both arms."
        )
    yield warning_at(row, "p", "W06", message, found)


def implied_p(one: Change, other: Change) -> Range | None:
    """Return the range of the p that two arms' changes imply, over the rounding of every number.

    The pooled-variance t test of the two means.
    """
    sds, other_sds = _sd_range(one), _sd_range(other)
    if sds is None or other_sds is None:
        return None
    df = one.n + other.n - 2
    ps = []
    for gap, a, b in itertools.product(
        _around(one.mean - other.mean, one.mean.half_unit + other.mean.half_unit), sds, other_sds
    ):
        pooled = math.sqrt(((one.n - 1) * a**2 + (other.n - 1) * b**2) / df)
        ps.append(float(2 * stdtr(df, -gap / (pooled * math.sqrt(1 / one.n + 1 / other.n)))))
    return min(ps), max(ps)


def implied_p_of_change(change: Change) -> Range | None:
    """Return the range of the p that an arm's own change implies: the paired t test."""
    sds = _sd_range(change)
    if sds is None:
        return None
    ps = [
        float(2 * stdtr(change.n - 1, -mean / (sd / math.sqrt(change.n))))
        for mean, sd in itertools.product(_around(change.mean, change.mean.half_unit), sds)
    ]
    return min(ps), max(ps)


def _around(value: float, slack: float) -> Range:
    """Return the smallest and the largest absolute value that rounding allows."""
    return max(abs(value) - slack, 0.0), abs(value) + slack


def _sd_range(change: Change) -> Range | None:
    """Return the range of the SD over the rounding of what it is computed from.

    An SD from quantiles is an estimate: no reported p has to agree with it.
    """
    row, sd = change.row, sd_of(change.row)
    reported = next((x for x in (row.sd, row.spread, row.se) if x is not None), None)
    if sd is None:
        return None
    if reported is not None:
        share = reported.half_unit / reported
        return sd * (1 - share), sd * (1 + share)
    if row.ci_low is None or row.ci_high is None:
        return None
    share = (row.ci_low.half_unit + row.ci_high.half_unit) / (row.ci_high - row.ci_low)
    return sd * max(1 - share, 0.05), sd * (1 + share)
