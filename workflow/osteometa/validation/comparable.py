"""Values that can be compared between studies: spreads and changes in percent of the level."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from osteometa.comparisons.comparison import Comparison, rows_of
from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest
from osteometa.extraction.tables import Arm, Contrast, Measurement, Tables
from osteometa.protocol.config import Config
from osteometa.validation.plausibility import level_of, sd_of, spread_column

WEEKS_PER_YEAR = 52
ENTERED = ("se", "ci_low", "p", "value")
"""Columns of a test, the one that gave its standard error first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A value of one row that is comparable between studies."""

    row: Measurement | Contrast
    column: str
    group: tuple[str, ...]
    """Outcome, analyte, phase, and what the value is."""
    value: float
    n: int | None = None
    """Participants, of the smaller arm where two are compared."""

    def found(self, derived: str) -> str:
        """Return the cell with the value derived from it and others of the study.

        An acceptance of the warning ends where one of them changes.
        """
        return f"{getattr(getattr(self.row, self.column), 'text', '')} ({derived})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Compared):
    """The logarithm of an SD in percent of its mean, or of a change in percent of the level."""

    unlabelled: bool = False
    """Whether it may be a standard error."""
    test: bool = False
    """Whether it is implied by a reported test or interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Compared):
    """A mean change in percent of the level, of one arm or as the difference of two."""

    years: float | None
    """Since the start of training; None after a single bout, or where it is not known."""
    sd: float | None = None
    """Of the changes, in percent of the level."""


def spreads(tables: Tables, comparisons: Sequence[Comparison], config: Config) -> Iterator[Spread]:
    """Yield the spreads that rows report, and those that tests of changes imply."""
    phases = {(arm.study_id, arm.arm_id): arm.phase for arm in tables.arms}
    for row in tables.measurements:
        sd, unlabelled = sd_of(row), row.spread_kind == "unknown" and row.usable
        unlabelled = unlabelled and sd is None and row.spread is not None
        sd = row.spread if unlabelled else sd
        if row.outcome not in config.outcomes or not sd or row.kind == "log_level":
            continue
        level = row.mean if row.kind == "level" else level_of(row, config)
        if level and config.outcomes[row.outcome].has_zero(row.unit):
            phase = phases[row.study_id, row.arm_id]
            kind = "level" if row.kind == "level" else "change"
            yield Spread(
                row=row, column=spread_column(row), group=(row.outcome, row.analyte, phase, kind),
                value=math.log(100 * sd / level), n=row.n, unlabelled=unlabelled,
            )  # fmt: skip
    for comparison in comparisons:
        for test in comparison.tests:
            sd = _sd_of_test(comparison, test, config)
            if sd and sd > 0 and test.score != "post":
                group = (comparison.outcome, comparison.analyte, comparison.arm.phase, "change")
                column = next(c for c in ENTERED if getattr(test.row, c) is not None)
                yield Spread(
                    row=test.row, column=column, group=group, value=math.log(sd),
                    n=test.n_exercise, test=True,
                )  # fmt: skip


def _sd_of_test(comparison: Comparison, test: ReportedTest, config: Config) -> float | None:
    """Return the SD of change, in percent of the level, that a test implies; None if none."""
    root = _root(comparison, test)
    if root is None:
        return None
    if isinstance(test, ReportedDifference):
        level = level_of(test.row, config)
        return None if level is None else 100 * test.se / level / root
    known = next((percent for _, percent, _ in _mean_changes(comparison, config)), None)
    return abs(known / test.t) / root if known and test.t else None


def _root(comparison: Comparison, test: ReportedTest) -> float | None:
    """Return SE over SD of a test; of equal arms, the least, where only their total is known."""
    n, m, total = test.n_exercise, test.n_control, test.row.n_total
    if comparison.paired or not comparison.controlled:
        return None if n is None else math.sqrt(1 / n)
    if n is None or m is None:
        return None if total is None else 2 / math.sqrt(total)
    return math.sqrt(1 / n + 1 / m)


def changes(tables: Tables, comparisons: Sequence[Comparison], config: Config) -> Iterator[Change]:
    """Yield the changes of arms, and the differences between arms."""
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    yield from _of_arms(tables, arms, config)
    for comparison in comparisons:
        arm = comparison.arm
        group = (comparison.outcome, comparison.analyte, arm.phase)
        kind = "difference" if comparison.controlled else "change"
        if comparison.controlled:
            if config.outcomes[comparison.outcome].has_zero(comparison.unit):
                yield from _of_levels(comparison)
            for row, percent, sd in _mean_changes(comparison, config):
                yield Change(
                    row=row, column="mean", group=(*group, kind), value=percent, n=row.n,
                    years=_years(row, arm), sd=sd,
                )  # fmt: skip
        for row in comparison.contrasts:
            level = level_of(row, config)
            own = (row.compares == "between") == comparison.controlled
            if own and row.statistic in ("md", "adj_md") and row.value is not None and level:
                yield Change(
                    row=row, column="value", group=(*group, kind), value=100 * row.value / level,
                    years=_years(row, arm),
                )  # fmt: skip


def _of_arms(tables: Tables, arms: dict[tuple[str, str], Arm], config: Config) -> Iterator[Change]:
    """Yield the change of each arm: reported, or of its levels before and after."""
    place = attrgetter("study_id", "arm_id", "outcome", "analyte", "site", "report", "unit")
    baselines = {
        place(row): row.mean
        for row in tables.measurements
        if row.kind == "level" and row.timepoint == "baseline"
    }
    for row in tables.measurements:
        if row.outcome not in config.outcomes or row.mean is None:
            continue
        if row.kind in ("change", "pct_change"):
            level, mean, sd = level_of(row, config), float(row.mean), sd_of(row)
        elif row.kind == "level" and row.timepoint != "baseline":
            level, sd = baselines.get(place(row)), None
            mean = row.mean - (level or 0)
        else:
            continue
        if level and config.outcomes[row.outcome].has_zero(row.unit):
            arm = arms[row.study_id, row.arm_id]
            yield Change(
                row=row, column="mean", group=(row.outcome, row.analyte, arm.phase, "change"),
                value=100 * mean / level, n=row.n, years=_years(row, arm),
                sd=None if sd is None else 100 * sd / level,
            )  # fmt: skip


def _mean_changes(
    comparison: Comparison, config: Config
) -> Iterator[tuple[Measurement, float, float | None]]:
    """Yield the difference of the mean changes of two arms, or the change of one, and its SD.

    Each with the row of the exercise arm, in percent of the level.
    """
    for pair in (comparison.percents, comparison.changes):
        rows = [rows_of(pair[side]) for side in comparison.sides]
        if any(len(own) != 1 for own in rows):
            continue
        one = rows[0][0]
        level = level_of(one, config)
        found = [(own.mean, sd_of(own), own.unit) for (own,) in rows]
        means = [float(mean) for mean, _, unit in found if mean is not None and unit == one.unit]
        if level is None or len(means) < len(found):
            continue
        sds = [sd for _, sd, _ in found if sd is not None]
        sd = math.hypot(*sds) / math.sqrt(len(sds)) if len(sds) == len(found) else None
        change = means[0] - (means[1] if len(means) == 2 else 0)
        yield one, 100 * change / level, None if sd is None else 100 * sd / level


def _of_levels(comparison: Comparison) -> Iterator[Change]:
    """Yield the difference of the levels of two arms, in percent of the comparator."""
    one, other = (side and side.complete() for side in comparison.after)
    row = comparison.levels[0]
    if isinstance(row, Measurement) and row.mean is not None and one and other and other.mean:
        ratio = 100 / other.mean
        yield Change(
            row=row, column="mean", years=None, n=min(one.n, other.n),
            group=(comparison.outcome, comparison.analyte, comparison.arm.phase, "levels"),
            value=ratio * (one.mean - other.mean),
            sd=ratio * math.hypot(one.sd, other.sd) / math.sqrt(2),
        )  # fmt: skip


def _years(row: Measurement | Contrast, arm: Arm) -> float | None:
    weeks = row.time_wk if row.time_wk is not None else arm.weeks
    return None if arm.phase == "acute" or weeks is None else weeks / WEEKS_PER_YEAR
