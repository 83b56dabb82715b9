"""Reported differences and test statistics, brought to a standard error or a t."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from osteometa.comparisons.summaries import Cell, People, origin_flags
from osteometa.extraction.tables import Contrast
from osteometa.numerics.distributions import half_width_to_se, p_to_t


@dataclass(frozen=True, slots=True)
class PrintedTest:
    """A printed difference or test, brought to an SE or a t."""

    row: Contrast
    difference: float | None
    """Exercise minus control (within one arm: after minus before) in the unit of the row."""
    se: float | None
    t: float | None
    """Signed where a difference or a t is printed, else absolute."""
    signed: bool
    adjusted: str
    score: str
    code: str
    """What the SE or t rests on: SE, CI, t, F, p."""
    n_exercise: int | None
    n_control: int | None
    cells: tuple[Cell, ...]
    flags: frozenset[str] = field(default_factory=frozenset)


ORDER = ("SE", "CI", "t", "F", "p")


def printed_tests(
    contrasts: tuple[Contrast, ...], exercise: People, control: People, *,
    compares: str = "between", paired: bool = False,
) -> list[PrintedTest]:  # fmt: skip
    """Return the usable printed tests of a comparison, the best first.

    First-hand prints come before second-hand ones, then SE, CI, t, F, exact p. A p that is only a
    bound, and a p of a rank test, give nothing.

    Parameters
    ----------
    contrasts : tuple of Contrast
    exercise, control : People
    compares : {"between", "within"}
        Arms, or before and after in one arm.
    paired : bool
        Whether both sides are the same people: they count once, and a test has n - 1 degrees of
        freedom.
    """
    tests = [
        test
        for row in contrasts
        if row.compares == compares and row.usable and row.statistic != "r"
        if not is_omnibus(row)
        for test in _tests_of(row, exercise, control, paired)
    ]
    return sorted(tests, key=lambda test: ("2ND" in test.flags, ORDER.index(test.code)))


def is_omnibus(row: Contrast) -> bool:
    """Tell whether a test is one of several groups or times together, which has no sign.

    An F with more than one numerator degree of freedom, or of an unknown number; and a p of a
    repeated-measures analysis within one arm that does not say that it compares two times.
    """
    of_times = row.test == "rm_anova" and row.compares == "within" and row.statistic == "p"
    return (row.statistic == "f" or of_times) and row.df1 != 1


def adjustment(row: Contrast) -> str:
    """Return whether the baseline is a covariate: as typed, else as the test says by its nature."""
    if row.statistic == "adj_md":
        return "yes"
    natures = {"ancova": "yes", "t_pooled": "no", "t_welch": "no", "rm_anova": "no"}
    return row.adjusted or natures.get(row.test, "not_stated")


def people_of(row: Contrast, exercise: People, control: People) -> tuple[People, People]:
    """Return the people of a printed test: its own n before those of the arms.

    Where only the total of both arms is printed, the n of the arms are not known.
    """
    if row.n_exercise is not None and row.n_control is not None:
        return (
            People(row.n_exercise, cells=(Cell(row, "n_exercise"),)),
            People(row.n_control, cells=(Cell(row, "n_control"),)),
        )
    if row.n_total is not None and row.n_total != (exercise.n or 0) + (control.n or 0):
        return People(), People()
    return exercise, control


def _once(row: Contrast, exercise: People, control: People) -> People:
    """Return the people of a paired test: those of one side, who are those of the other."""
    for column in ("n_exercise", "n_total"):
        if getattr(row, column) is not None:
            return People(getattr(row, column), cells=(Cell(row, column),))
    if exercise.n is None or (control.n is not None and control.n < exercise.n):
        return control
    return exercise


def _tests_of(row: Contrast, exercise: People, control: People, paired: bool) -> list[PrintedTest]:
    adjusted = adjustment(row)
    if paired:
        exercise, control = _once(row, exercise, control), People()
        total, groups = exercise.n, 1
    else:
        exercise, control = people_of(row, exercise, control)
        total, groups = row.n_total, 2
        if exercise.n and control.n:
            total = exercise.n + control.n
    n_e, n_c = exercise.n, control.n
    # A test that adjusts for the baseline has at least that covariate.
    covariates = (adjusted == "yes") if row.covariates is None else row.covariates
    df = None if total is None else total - groups - covariates
    known = [*exercise.cells, *control.cells]
    known += [Cell(row, "n_total")] if row.n_total is not None and not known else []
    difference = (
        float(row.value) if row.statistic in ("md", "adj_md") and row.value is not None else None
    )
    value = [Cell(row, "value")] if row.value is not None else []
    flags = frozenset(row.flag.split()) | origin_flags(row) | exercise.flags | control.flags
    score = row.score or "not_stated"
    if row.unit == "%" and score == "not_stated":
        score = "change"

    def test(
        code: str, se: float | None, t: float | None, signed: bool, *columns: str
    ) -> PrintedTest:
        cells = (*value, *(Cell(row, column) for column in columns), *known)
        return PrintedTest(
            row, difference, se, t, signed, adjusted, score, code, n_e, n_c, cells, flags
        )

    found: list[PrintedTest] = []
    if row.test == "rank" or (df is not None and df < 1):
        return found
    if difference is not None and row.se is not None:
        found.append(test("SE", float(row.se), difference / row.se, True, "se"))
    if difference is not None and row.ci_low is not None and row.ci_high is not None:
        se = half_width_to_se(row.ci_low, row.ci_high, float(row.ci_level or 95), df)
        found.append(test("CI", se, difference / se, True, "ci_low", "ci_high"))
    if row.statistic == "t" and row.value is not None:
        found.append(test("t", None, float(row.value), True))
    if row.statistic == "f" and row.value is not None:
        found.append(test("F", None, math.sqrt(row.value), False, "df1"))
    if row.p is not None and row.p_operator == "=" and row.p < 1 and df is not None:
        t = p_to_t(float(row.p), df, row.tails or 2)
        if row.statistic in ("smd", "t") and row.value:
            found.append(test("p", None, math.copysign(t, row.value), True, "p"))
        elif difference is None:
            found.append(test("p", None, t, False, "p"))
        elif difference != 0 and t > 0:
            signed_t = math.copysign(t, difference)
            found.append(test("p", difference / signed_t, signed_t, True, "p"))
    return found
