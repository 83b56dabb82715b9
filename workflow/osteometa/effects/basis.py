"""What the three ladders share: estimates, refusals, and the numbers of both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from osteometa.comparisons.build import Comparison, difference_of_means
from osteometa.comparisons.correlations import Correlation, Correlations
from osteometa.comparisons.reported_tests import PrintedTest
from osteometa.comparisons.summaries import Cell, Summary
from osteometa.effects import formulas
from osteometa.extraction.units import UnitError, convert
from osteometa.numerics.distributions import hedges_j
from osteometa.protocol.config import Config


class RefusalError(Exception):
    """A rung cannot be taken; the text says why, for the ledger."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect, its sampling variance, and all they rest on."""

    yi: float
    vi: float
    method: str
    codes: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    cells: tuple[Cell, ...] = ()
    r: float | None = None
    r_source: str = ""
    means_kind: str = ""
    """after, change, pct_change: which summaries a figure shows beside the effect."""
    sides: tuple[Summary | None, Summary | None] = (None, None)
    n: tuple[int | None, int | None] = (None, None)
    n_total: int | None = None


class Basis:
    """The prints of one comparison, ready for the formulas. Sides: 0 exercise, 1 control."""

    def __init__(self, comparison: Comparison, correlations: Correlations, config: Config):
        self.comparison = comparison
        self.config = config
        self._correlations = correlations

    @property
    def form(self) -> formulas.VarianceForm:
        """The form of the variance of a standardised effect."""
        return self.config.effects.smd_variance

    @property
    def paired(self) -> bool:
        """Tell whether both sides are the same people: conditions of a crossover, or their legs."""
        return self.comparison.controlled and self.comparison.study.design == "crossover_rct"

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides that have people: both, or the exercise arm alone."""
        return (0, 1) if self.comparison.controlled else (0,)

    @cached_property
    def after(self) -> list[Summary | None]:
        """Levels at the timepoint."""
        return self.comparison.pair(self.comparison.levels)

    @cached_property
    def before(self) -> list[Summary | None]:
        """Levels at baseline."""
        return self.comparison.pair(self.comparison.baselines)

    @cached_property
    def change(self) -> list[Summary | None]:
        """Changes in the unit of the levels."""
        return self.comparison.pair(self.comparison.changes)

    @cached_property
    def percent(self) -> list[Summary | None]:
        """Percent changes."""
        return self.comparison.pair(self.comparison.percents)

    @cached_property
    def logs(self) -> list[Summary | None]:
        """Means and SDs of the natural logarithm at the timepoint."""
        return self.comparison.pair_of_logs(self.comparison.logs)

    @cached_property
    def log_baselines(self) -> list[Summary | None]:
        """Means and SDs of the natural logarithm at baseline."""
        return self.comparison.pair_of_logs(self.comparison.log_baselines)

    @cached_property
    def tests(self) -> list[PrintedTest]:
        """Printed tests of the comparison, the best first.

        Between arms; within one arm where there is no other; paired where both are the same people.
        """
        return self.comparison.tests()

    def with_borrowed_sds(self) -> Basis:
        """Return the same prints with an SD of other studies where a level has none (flag BOR).

        Raises
        ------
        RefusalError
            If there is none to borrow, or no mean that needs one.
        """
        other = Basis(self.comparison, self._correlations, self.config)
        wanted = found = False
        for name, rows in (
            ("after", self.comparison.levels), ("before", self.comparison.baselines),
        ):  # fmt: skip
            pair = list(getattr(self, name))
            for side in self.sides:
                held = pair[side]
                if held is None or held.mean is None or held.sd is not None:
                    continue
                wanted = True
                sd = self._correlations.borrowed_sd(self.comparison, rows[side])
                if sd is not None:
                    pair[side] = replace(held, sd=sd, code="BOR", flags=held.flags | {"BOR"})
                    found = True
            other.__dict__[name] = pair
        if not wanted:
            raise RefusalError("BOR: no mean whose SD is missing")
        if not found:
            raise RefusalError("BOR: no two arms of other studies print an SD by the same assay")
        return other

    @cached_property
    def r(self) -> list[Correlation]:
        """Before-after correlation of each side."""
        return [self._correlations.of(self.comparison, side) for side in self.sides]

    @cached_property
    def between(self) -> Correlation:
        """Correlation of two conditions of the same people, printed or assumed."""
        return self._correlations.between(self.comparison)

    @property
    def mean_r(self) -> float:
        """One correlation for both arms: the mean of theirs."""
        return sum(found.r for found in self.r) / len(self.r)

    @property
    def r_notes(self) -> dict[str, object]:
        """The fields of an estimate that say which correlation it rests on."""
        sources = sorted({correlation.source for correlation in self.r})
        return {"r": self.mean_r, "r_source": "+".join(sources)}

    @property
    def r_flags(self) -> frozenset[str]:
        """RIMP if a correlation is not the arm's own."""
        return frozenset({"RIMP"} if any(c.imputed for c in self.r) else ())

    @property
    def r_cells(self) -> tuple[Cell, ...]:
        """Raw cells that give the correlations."""
        return tuple(cell for found in self.r for cell in found.cells)

    def sign(self, test: PrintedTest) -> tuple[int, tuple[Cell, ...]]:
        """Return the sign of what a test compares (within one arm: of the change), and its cells.

        Means tell it first (levels after where an unadjusted test compares those), then a printed
        difference; else a typed direction of the same comparison, or an arrow called significant.
        """
        compares = "between" if self.comparison.controlled else "within"
        bases = ("between_arm",) if self.comparison.controlled else ("within_arm", "not_stated")
        levels = test.score == "post" and test.adjusted != "yes"
        means = difference_of_means(self.comparison, after_first=levels)
        if means is not None and means[0]:
            return (1 if means[0] > 0 else -1), means[1]
        for row in self.comparison.contrasts:
            signed = row.compares == compares and row.statistic in ("md", "adj_md", "smd", "t")
            if signed and row.usable and row.value:
                return (1 if row.value > 0 else -1), (Cell(row, "value"),)
        for row in self.comparison.directions:
            if row.basis not in bases or not row.usable:
                continue
            if row.direction in ("up", "down"):
                return (1 if row.direction == "up" else -1), (Cell(row, "direction"),)
            if row.significant == "yes" and row.arrow in ("up", "down"):
                return (1 if row.arrow == "up" else -1), (Cell(row, "arrow"),)
        raise RefusalError("the direction of the printed test is not told")


def both(pair: list[Summary | None], what: str) -> tuple[Summary, Summary]:
    """Return both summaries if each has mean, SD and n.

    Raises
    ------
    RefusalError
        Naming the side and the number that is not printed.
    """
    sides = zip(("exercise", "control"), pair, strict=True)
    one, other = (complete(summary, f"of the {side} arm", f"{what}: ") for side, summary in sides)
    return one, other


def complete(summary: Summary | None, whose: str, where: str = "") -> Summary:
    """Return a summary if it has mean, SD and n.

    Raises
    ------
    RefusalError
        Naming the number that is not printed.
    """
    if summary is None or summary.mean is None:
        raise RefusalError(f"{where}no mean {whose}")
    if summary.sd is None:
        raise RefusalError(f"{where}no SD {whose}")
    if summary.n is None or summary.n < 2:
        raise RefusalError(f"{where}n {whose} is not printed")
    return summary


def after_scores(basis: Basis) -> tuple[Summary, Summary]:
    """Return the levels after, an SD that is not printed taken from their t test (TMD).

    SD = SE / sqrt(1/nT + 1/nC), Cochrane Handbook 7.7.3.3: only from a pooled-variance test of
    post scores, because any other test rests on another SD.
    """
    try:
        return both(basis.after, "POST")
    except RefusalError:
        one, other = basis.after
        if any(s is None or s.mean is None for s in (one, other)) or one.mean == other.mean:
            raise
        for test in basis.tests:
            n_e, n_c = test.n_exercise, test.n_control
            if test.score == "post" and test.row.test == "t_pooled" and n_e and n_c and test.t:
                sd = tmd_sd((one.mean - other.mean) / test.t, n_e, n_c)
                extra = {"flags": one.flags | other.flags | test.flags | {"TMD"}, "code": "TMD"}
                cells = one.cells + test.cells
                return (
                    replace(one, sd=sd, n=n_e, cells=cells, **extra),
                    replace(other, sd=sd, n=n_c, **extra),
                )
        raise


def tmd_sd(se: float, n_exercise: int, n_control: int) -> float:
    """Return the SD of both arms from the SE of their difference."""
    return abs(se) / math.sqrt(1 / n_exercise + 1 / n_control)


def unit_factor(basis: Basis, test: PrintedTest) -> float:
    """Return the exact factor from the unit of a printed difference to that of the levels.

    Raises
    ------
    RefusalError
        If there is none.
    """
    try:
        return convert(1.0, test.row.unit, basis.comparison.unit)
    except UnitError as error:
        raise RefusalError(str(error)) from None


def small_sample(m: int) -> float:
    """Return Hedges' J of m degrees of freedom.

    Raises
    ------
    RefusalError
        For fewer than 2, of which it is not defined.
    """
    if m < 2:
        raise RefusalError("an SMD needs an SD with two degrees of freedom")
    return hedges_j(m)


def pooled_sd(one: Summary, other: Summary) -> float:
    """Return the pooled SD of two arms."""
    squares = (one.n - 1) * one.sd**2 + (other.n - 1) * other.sd**2
    return math.sqrt(squares / (one.n + other.n - 2))


def arms(one: Summary, other: Summary) -> tuple[float, float, int, float, float, int]:
    """Return mean, SD and n of both arms, as the formulas take them."""
    return one.mean, one.sd, one.n, other.mean, other.sd, other.n


def gathered(
    *summaries: Summary | None,
) -> tuple[tuple[Cell, ...], frozenset[str], tuple[str, ...]]:
    """Return the cells, flags and SD codes of several summaries."""
    present = [summary for summary in summaries if summary is not None]
    cells = tuple(cell for summary in present for cell in summary.cells)
    flags = frozenset().union(*(summary.flags for summary in present))
    return cells, flags, tuple(sorted({summary.code for summary in present if summary.code}))


def mean_change(before: Summary, after: Summary, change: Summary | None) -> float:
    """Return an arm's mean change: as printed with its SD, else after minus before."""
    if change is not None and change.mean is not None and change.sd is not None:
        return change.mean
    return after.mean - before.mean


def change_variance(
    before: Summary, after: Summary | None, change: Summary | None, r: float
) -> float:
    """Return the variance of an arm's mean change, in the squared unit of the levels.

    From the printed SD of change; else from both SDs and r, see `formulas.change_variance`.

    Raises
    ------
    RefusalError
        If the arm prints neither.
    """
    if change is not None and change.sd is not None and change.n:
        return change.sd**2 / change.n
    if after is None or after.sd is None:
        raise RefusalError("no SD of the level after, and none of the change")
    if not after.n:
        raise RefusalError("n after is not printed")
    variance = formulas.change_variance(before.sd, before.n, after.sd, after.n, r)
    if variance <= 0:
        raise RefusalError("SDs, n and the correlation give no positive variance")
    return variance


def with_sd(summary: Summary | None) -> bool:
    """Tell whether a summary has mean and SD."""
    return summary is not None and summary.sd is not None and summary.mean is not None


def means(basis: Basis, first: str = "change") -> dict[str, object]:
    """Return which means and SDs a figure shows beside the effect, the kind it rests on first."""
    pairs = {"change": basis.change, "pct_change": basis.percent, "after": basis.after}
    for word in dict.fromkeys((first, *pairs)):
        pair = [pairs[word][side] for side in basis.sides]
        if all(summary is not None and summary.mean is not None for summary in pair):
            return {"means_kind": word, "sides": (pair[0], pair[1] if len(pair) > 1 else None)}
    return {}
