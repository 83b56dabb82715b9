"""Means, SDs and test statistics from what papers print."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy.special import gammaln, ndtri, stdtrit

from osteometa.quantiles import from_quantiles
from osteometa.tables import Contrast, Measurement, Row

SECOND_HAND = ("other_review", "press")


def hedges_j(m: float) -> float:
    """Return Hedges' exact small-sample factor for m degrees of freedom.

    J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), Hedges (1981).

    Raises
    ------
    ValueError
        For m <= 1, where it is not defined.
    """
    if m <= 1:
        raise ValueError(f"J is not defined for {m} degrees of freedom.")
    return math.exp(gammaln(m / 2) - gammaln((m - 1) / 2) - 0.5 * math.log(m / 2))


def t_quantile(probability: float, df: float | None) -> float:
    """Return a quantile of t, or of the normal distribution where df is None."""
    if df is None:
        return float(ndtri(probability))
    return float(stdtrit(df, probability))


def half_width_to_se(low: float, high: float, level: float, df: float | None) -> float:
    """Return the standard error behind a two-sided interval of `level` percent."""
    return (high - low) / (2 * t_quantile(0.5 + level / 200, df))


def merge_arms(arms: list[tuple[int, float, float]]) -> tuple[int, float, float]:
    """Merge arms (n, mean, SD) into one: Cochrane Handbook, table 6.5.a.

    Returns
    -------
    n, mean, SD of all people together.
    """
    n = sum(arm[0] for arm in arms)
    mean = sum(arm[0] * arm[1] for arm in arms) / n
    squares = sum((k - 1) * sd**2 + k * (m - mean) ** 2 for k, m, sd in arms)
    return n, mean, math.sqrt(squares / (n - 1))


def p_to_t(p: float, df: float | None, tails: int = 2) -> float:
    """Return the absolute t of an exact p."""
    return abs(t_quantile(p / tails if tails == 2 else p, df))


def two_tailed(p: float, tails: int | None) -> float:
    """Return the two-tailed p of a symmetric test: twice the smaller tail of a one-tailed p."""
    return 2 * min(p, 1 - p) if tails == 1 else p


@dataclass(frozen=True, slots=True)
class Cell:
    """One raw cell that a number rests on."""

    row: Row
    column: str


@dataclass(frozen=True, slots=True)
class People:
    """How many people stand behind a number, and how that is known."""

    n: int | None = None
    flags: frozenset[str] = frozenset()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, SD and n of one arm at one time."""

    mean: float | None
    sd: float | None
    n: int | None
    code: str
    """How the SD came about: SD, SE, CI, TMD, Q5, Q3, R3, FIG (digitised); empty without an SD."""
    cells: tuple[Cell, ...]
    flags: frozenset[str] = frozenset()


def summary_of(row: Measurement, people: People, factor: float) -> Summary:
    """Return what one row says of an arm, the SD by the first possible rung.

    SD, SE, CI, then quantiles (Q5, Q3, R3), which give the mean too where none is printed.

    Parameters
    ----------
    row : Measurement
    people : People
        People measured, where the row or the arm prints it.
    factor : float
        Exact factor to the unit in which the outcome is pooled.
    """
    cells = [Cell(row, "mean")] if row.mean is not None else []
    n = people.n
    flags = people.flags | frozenset(row.flag.split()) | origin_flags(row)
    mean = None if row.mean is None else float(row.mean)
    sd, code, columns = _sd_of(row, n)
    quantiles = from_quantiles(row, n) if sd is None else None
    if quantiles is not None:
        mean = quantiles.mean if mean is None else mean
        sd, code, columns = quantiles.sd, quantiles.code, quantiles.columns
        flags |= {"SKEW"} if quantiles.skewed else set()
    if code and row.origin == "figure":
        code = "FIG" if code == "SD" else f"{code}+FIG"
    cells += [Cell(row, column) for column in columns]
    cells += people.cells
    return Summary(
        None if mean is None else mean * factor, None if sd is None else sd * factor,
        n, code, tuple(cells), flags,
    )  # fmt: skip


def merge_people(groups: list[People]) -> People:
    """Return the people of several arms together; their number only if all are known."""
    known = all(group.n is not None for group in groups)
    return People(
        sum(group.n for group in groups) if known else None,
        frozenset().union(*(group.flags for group in groups)),
        tuple(cell for group in groups for cell in group.cells),
    )


def merge_summaries(summaries: list[Summary | None]) -> Summary | None:
    """Return several arms as one, flagged MERGED; None unless each has mean, SD and n."""
    if any(s is None or None in (s.mean, s.sd) or not s.n for s in summaries):
        return None
    n, mean, sd = merge_arms([(s.n, s.mean, s.sd) for s in summaries])
    return Summary(
        mean, sd, n, "+".join(sorted({s.code for s in summaries})),
        tuple(cell for s in summaries for cell in s.cells),
        frozenset({"MERGED"}).union(*(s.flags for s in summaries)),
    )  # fmt: skip


def origin_flags(row: Row) -> frozenset[str]:
    """Return 2ND for numbers read in another review or in the press, FIG for digitised ones."""
    origin = getattr(row, "origin", "")
    if origin == "figure":
        return frozenset({"FIG"})
    return frozenset({"2ND"} if origin in SECOND_HAND else ())


def row_flags(row: Row) -> frozenset[str]:
    """Return the flags that a raw row carries into every effect that rests on it."""
    return frozenset(getattr(row, "flag", "").split()) | origin_flags(row)


def _sd_of(row: Measurement, n: int | None) -> tuple[float | None, str, tuple[str, ...]]:
    if row.sd is not None:
        return float(row.sd), "SD", ("sd",)
    if row.spread is not None and row.spread_kind == "sd":
        return float(row.spread), "SD", ("spread",)
    if n is None or n < 2:
        return None, "", ()
    if row.se is not None:
        return float(row.se) * math.sqrt(n), "SE", ("se",)
    if row.spread is not None and row.spread_kind == "se":
        return float(row.spread) * math.sqrt(n), "SE", ("spread",)
    if row.ci_low is not None and row.ci_high is not None:
        se = half_width_to_se(row.ci_low, row.ci_high, float(row.ci_level or 95), n - 1)
        return se * math.sqrt(n), "CI", ("ci_low", "ci_high")
    return None, "", ()


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
