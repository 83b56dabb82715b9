"""Reported differences and test statistics, converted to a standard error or a t."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from osteometa.comparisons.summaries import Cell, Flags, SampleSize, row_flags, size_in
from osteometa.extraction.tables import Contrast
from osteometa.numerics.distributions import half_width_to_se, p_to_t
from osteometa.wording.vocabulary import Flag, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTest:
    """A reported test, converted to a t."""

    row: Contrast
    t: float
    """Signed where a difference or a t is reported, else absolute."""
    signed: bool
    adjusted: str
    score: str
    code: Provenance
    """What the t (and SE) is derived from: SE, CI, t, F, p."""
    n_exercise: int | None
    n_control: int | None
    cells: tuple[Cell, ...]
    flags: Flags

    @property
    def percent(self) -> bool:
        """Whether its difference is in percent."""
        return self.row.unit == "%"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDifference(ReportedTest):
    """A reported difference with its standard error."""

    difference: float
    """Exercise minus control (within one arm: after minus before) in the unit of the row."""
    se: float


CORRELATIONS = ("r", "icc")
"""Statistics that are no tests."""
RATIOS = ("rom", "log_rom")
"""Ratios of means: no tests in the unit of the levels, for ROM only."""
ORDER = (Provenance.SE, Provenance.CI, Provenance.T, Provenance.F, Provenance.P)


def reported_tests(
    contrasts: Sequence[Contrast], exercise: SampleSize, control: SampleSize, *,
    compares: str = "between", paired: bool = False,
) -> list[ReportedTest]:  # fmt: skip
    """Return the usable reported tests of a comparison, the best first.

    Values from the paper itself come before those from secondary sources, then SE, CI, t, F, exact
    p. A bound of p, and the p of a rank test, are not used. `compares` says what differs: arms, or
    before and after in one arm. Of `paired` sides the same participants count once, and a test has
    n - 1 degrees of freedom.
    """
    tests = [
        test
        for row in contrasts
        if row.compares == compares and row.usable and row.statistic not in (*CORRELATIONS, *RATIOS)
        if not is_omnibus(row)
        for test in _tests_of(row, exercise, control, paired)
    ]
    return sorted(tests, key=lambda test: order(test.flags, test.code))


def order(flags: Flags, code: Provenance) -> tuple[bool, int]:
    """Return the place of a reported test, or ratio, among others: the best is the smallest."""
    return Flag.SECOND_HAND in flags, ORDER.index(code)


def exact_p(row: Contrast) -> float | None:
    """Return the p of a row; None where only a bound is reported."""
    return float(row.p) if row.p is not None and row.p_operator == "=" else None


def is_omnibus(row: Contrast) -> bool:
    """Return whether a test is one of several groups or times together, which has no sign.

    An F with more than one numerator degree of freedom, or of an unknown number; and a p of a
    repeated-measures analysis within one arm that is not stated to compare two times.
    """
    of_times = row.test == "rm_anova" and row.compares == "within" and row.statistic == "p"
    return (row.statistic == "f" or of_times) and row.df1 != 1


def adjustment(row: Contrast) -> str:
    """Return whether the baseline is a covariate: as entered, else by the kind of test."""
    if row.statistic == "adj_md":
        return "yes"
    by_test = {"ancova": "yes", "t_pooled": "no", "t_welch": "no", "rm_anova": "no"}
    return row.adjusted or by_test.get(row.test, "not_stated")


def sizes_of(
    row: Contrast, exercise: SampleSize, control: SampleSize
) -> tuple[SampleSize, SampleSize]:
    """Return the participants of a reported test: its own n before those of the arms.

    Where only the total of both arms is reported, the n of the arms are not known.
    """
    if row.n_exercise is not None and row.n_control is not None:
        return size_in(row, "n_exercise"), size_in(row, "n_control")
    if row.n_total is not None and row.n_total != (exercise.n or 0) + (control.n or 0):
        return SampleSize(), SampleSize()
    return exercise, control


def paired_size(row: Contrast, exercise: SampleSize, control: SampleSize) -> SampleSize:
    """Return the participants of a paired test: those of one side, who are those of the other."""
    for column in ("n_exercise", "n_total"):
        if getattr(row, column) is not None:
            return size_in(row, column)
    if exercise.n is None or (control.n is not None and control.n < exercise.n):
        return control
    return exercise


def _degrees_of_freedom(
    row: Contrast, exercise: SampleSize, control: SampleSize, paired: bool
) -> int | None:
    total = exercise.n if paired else row.n_total
    if exercise.n and control.n:
        total = exercise.n + control.n
    # A test that adjusts for the baseline has at least that covariate.
    covariates = (adjustment(row) == "yes") if row.covariates is None else row.covariates
    return None if total is None else total - (1 if paired else 2) - covariates


def _tests_of(
    row: Contrast, exercise: SampleSize, control: SampleSize, paired: bool
) -> Iterator[ReportedTest]:
    adjusted = adjustment(row)
    if paired:
        exercise, control = paired_size(row, exercise, control), SampleSize()
    else:
        exercise, control = sizes_of(row, exercise, control)
    df = _degrees_of_freedom(row, exercise, control, paired)
    if row.test == "rank" or (df is not None and df < 1):
        return
    known = (*exercise.cells, *control.cells)
    if row.n_total is not None and not known:
        known = (Cell(row, "n_total"),)
    value = () if row.value is None else (Cell(row, "value"),)
    score = row.score or "not_stated"
    if row.unit == "%" and score == "not_stated":
        score = "change"
    flags = row_flags(row) | exercise.flags | control.flags

    def test(
        code: Provenance, t: float, *columns: str, signed: bool = True, **difference: float
    ) -> ReportedTest:
        kind: Any = ReportedDifference if difference else ReportedTest
        return kind(
            row=row, t=t, signed=signed, adjusted=adjusted, score=score, code=code,
            n_exercise=exercise.n, n_control=control.n, flags=flags,
            cells=(*value, *(Cell(row, column) for column in columns), *known), **difference,
        )  # fmt: skip

    d = float(row.value) if row.statistic in ("md", "adj_md") and row.value is not None else None
    if d is not None and row.se is not None:
        se = float(row.se)
        yield test(Provenance.SE, d / se, "se", difference=d, se=se)
    if d is not None and row.ci_low is not None and row.ci_high is not None:
        se = half_width_to_se(float(row.ci_low), float(row.ci_high), float(row.ci_level or 95), df)
        yield test(Provenance.CI, d / se, "ci_low", "ci_high", difference=d, se=se)
    if row.statistic == "t" and row.value is not None:
        yield test(Provenance.T, float(row.value))
    if row.statistic == "f" and row.value is not None:
        yield test(Provenance.F, math.sqrt(row.value), "df1", signed=False)
    p = exact_p(row)
    if p is None or p >= 1 or df is None:
        return
    t = p_to_t(p, df, row.tails or 2)
    if row.statistic in ("smd", "t") and row.value:
        yield test(Provenance.P, math.copysign(t, row.value), "p")
    elif d is None:
        yield test(Provenance.P, t, "p", signed=False)
    elif d != 0 and t > 0:
        t = math.copysign(t, d)
        yield test(Provenance.P, t, "p", difference=d, se=d / t)
