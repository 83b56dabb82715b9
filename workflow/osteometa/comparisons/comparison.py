"""A comparison: an exercise arm, its comparator, and all values of one outcome at one time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest, reported_tests
from osteometa.comparisons.summaries import (
    Cell,
    Pair,
    SampleSize,
    Summary,
    means_of,
    merge_sizes,
    merge_summaries,
    size_in,
    summary_of,
)
from osteometa.extraction.tables import Arm, Contrast, Direction, Measurement, Study
from osteometa.extraction.units import NOT_STATED, UNITS, convert, pooled_unit
from osteometa.records.effects import Effect
from osteometa.wording.vocabulary import DesignClass, Flag, Provenance

Finding = Measurement | Contrast | Direction


@dataclass(frozen=True, slots=True)
class MergedRows:
    """The rows of several arms that are merged into one, in the order of the arms."""

    rows: tuple[Measurement, ...]


Reported = Measurement | MergedRows | None
RowPair = tuple[Reported, Reported]
"""What is reported of the exercise and of the control arm."""
NONE: RowPair = (None, None)


@dataclass(frozen=True)
class Comparison:
    """All values reported for one exercise arm on one outcome at one time."""

    study: Study
    arm: Arm
    control: Arm | None
    outcome: str
    analyte: str
    site: str
    timepoint: str
    report: str
    population: str
    levels: RowPair = NONE
    """Levels at the timepoint: exercise, control."""
    baselines: RowPair = NONE
    changes: RowPair = NONE
    percents: RowPair = NONE
    contrasts: tuple[Contrast, ...] = ()
    directions: tuple[Direction, ...] = ()
    controls_own: tuple[Contrast, ...] = ()
    """Reported of the control arm alone: its correlation or its test of before and after."""
    logs: RowPair = NONE
    """Natural logarithms at the timepoint."""
    log_baselines: RowPair = NONE
    units: tuple[str, ...] = ()
    """Units in which config.yaml pools the outcome."""
    parts: tuple[Comparison, ...] = ()
    """The comparisons of single arms that are merged here; empty for one arm."""

    @property
    def key(self) -> tuple[str, ...]:
        """What distinguishes the comparison from all others."""
        return (
            self.study.study_id, self.arm.arm_id, self.outcome, self.analyte, self.site,
            self.timepoint, self.report, self.population,
        )  # fmt: skip

    @property
    def controlled(self) -> bool:
        """Whether the arm has a comparator."""
        return self.control is not None

    @property
    def design_class(self) -> DesignClass:
        """Against another arm, or after against before in one arm."""
        return DesignClass.CONTROLLED if self.controlled else DesignClass.WITHIN_ARM

    @property
    def paired(self) -> bool:
        """Whether both sides are the same participants: conditions of a crossover, or limbs."""
        return self.controlled and self.study.design == "crossover_rct"

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides that have participants: exercise (0) and control (1), or the exercise arm alone."""
        return (0, 1) if self.controlled else (0,)

    @cached_property
    def rows(self) -> tuple[Finding, ...]:
        """All raw rows of the comparison."""
        pairs = (
            self.levels, self.baselines, self.changes, self.percents, self.logs,
            self.log_baselines,
        )  # fmt: skip
        rows = (row for pair in pairs for item in pair for row in rows_of(item))
        return (*rows, *self.contrasts, *self.directions, *self.controls_own)

    @property
    def time(self) -> float | None:
        """Weeks from the start (training) or hours after the bout (acute)."""
        column = "time_h" if self.arm.phase == "acute" else "time_wk"
        rows = [row for row in self.rows if row.timepoint == self.timepoint]
        return next((float(t) for row in rows if (t := getattr(row, column)) is not None), None)

    @cached_property
    def unit(self) -> str:
        """The unit in which the outcome is pooled."""
        units = (getattr(row, "unit", "") for row in self.rows)
        reported = next((unit for unit in units if unit not in ("", "%")), "")
        return pooled_unit(reported, self.units)

    def size(self, side: int, row: Reported) -> SampleSize:
        """Return the participants of one side (0 exercise, 1 control) behind a row."""
        if isinstance(row, MergedRows):
            pairs = zip(self.parts, row.rows, strict=True)
            return merge_sizes([part.size(side, own) for part, own in pairs])
        if row is not None and row.n is not None:
            return size_in(row, "n")
        arm = (self.arm, self.control)[side]
        if arm is not None and arm.n_end is not None:
            return size_in(arm, "n_end")
        if arm is not None and arm.n_start is not None:
            return replace(size_in(arm, "n_start"), flags=frozenset({Flag.RANDOMISED_N}))
        return SampleSize()

    @cached_property
    def after(self) -> Pair:
        """Levels at the timepoint."""
        return self.pair(self.levels)

    @cached_property
    def before(self) -> Pair:
        """Levels at baseline."""
        return self.pair(self.baselines)

    @cached_property
    def change(self) -> Pair:
        """Changes in the unit of the levels."""
        return self.pair(self.changes)

    @cached_property
    def percent(self) -> Pair:
        """Percent changes."""
        return self.pair(self.percents)

    @cached_property
    def log_after(self) -> Pair:
        """Means and SDs of the natural logarithm at the timepoint."""
        return self.pair(self.logs)

    @cached_property
    def log_before(self) -> Pair:
        """Means and SDs of the natural logarithm at baseline."""
        return self.pair(self.log_baselines)

    def pair(self, rows: RowPair) -> Pair:
        """Return the summaries of both sides; None where a side reports nothing usable."""
        return self._summary(0, rows[0]), self._summary(1, rows[1])

    def _summary(self, side: int, row: Reported) -> Summary | None:
        if isinstance(row, MergedRows):
            pairs = zip(self.parts, row.rows, strict=True)
            return merge_summaries([part._summary(side, own) for part, own in pairs])
        if row is None or not row.usable:
            return None
        factor = 1.0
        if row.kind != "pct_change" and (row.unit == NOT_STATED) != (self.unit == NOT_STATED):
            return None
        if row.unit in UNITS and self.unit in UNITS and row.unit != "%":
            if UNITS[row.unit][0] != UNITS[self.unit][0]:
                return None
            factor = convert(1.0, row.unit, self.unit)
        summary = summary_of(row, self.size(side, row), factor)
        if self.controlled and row.kind in ("change", "pct_change") and summary.sd is None:
            return self._with_paired_sd(summary, side, percent=row.kind == "pct_change")
        return summary

    def _with_paired_sd(self, change: Summary, side: int, *, percent: bool) -> Summary:
        """Return a change with the SD of its own paired test: SD = SE sqrt(n), SE = |change|/|t|.

        Cochrane Handbook 5.1, 7.7.3.3. A test without a difference is one of the percent changes
        only where the arm has no other.
        """
        if change.mean is None or not change.n:
            return change
        bare_is_percent = self.changes[side] is None and self.levels[side] is None
        own = (self.contrasts, self.controls_own)[side]
        size = SampleSize(change.n)
        for test in reported_tests(own, size, SampleSize(), compares="within", paired=True):
            is_difference = isinstance(test, ReportedDifference)
            of_percent = test.percent or (not is_difference and bare_is_percent)
            if of_percent != percent or not test.n_exercise:
                continue
            if is_difference and test.row.unit in ("%", self.unit):
                se = test.se
            else:
                se = abs(change.mean / test.t) if test.t else 0.0
            if se:
                sd = se * math.sqrt(test.n_exercise)
                return replace(
                    change, sd=sd, codes=(Provenance.PAIRED, test.code),
                    cells=change.cells + test.cells,
                    flags=change.flags | test.flags | {Flag.TEST_SD},
                )  # fmt: skip
        return change

    @cached_property
    def tests(self) -> list[ReportedTest]:
        """Return the reported tests of the comparison, the best first.

        Of the difference between the arms, or of the change where there is one arm. Paired where
        both conditions are the same participants.
        """
        pairs = (self.changes, self.percents, self.levels, self.logs)
        exercise, control = (
            self.size(side, next((p[side] for p in pairs if p[side] is not None), None))
            for side in (0, 1)
        )
        if not self.controlled:
            return reported_tests(self.contrasts, exercise, control, compares="within", paired=True)
        return reported_tests(self.contrasts, exercise, control, paired=self.paired)


def comparison_key(effect: Effect) -> tuple[str, ...]:
    """Return what distinguishes the comparison of an effect, as `Comparison.key`."""
    return (
        effect.study_id, effect.arm_id, effect.outcome, effect.analyte, effect.site,
        effect.timepoint, effect.report, effect.population_analysed,
    )  # fmt: skip


def rows_of(item: Reported) -> tuple[Measurement, ...]:
    """Return the raw rows of what is reported of one side."""
    if isinstance(item, MergedRows):
        return item.rows
    return () if item is None else (item,)


def difference_of_means(
    comparison: Comparison, score: str = ""
) -> tuple[float, tuple[Cell, ...]] | None:
    """Return the difference of the reported means, with or without a spread, and its cells.

    That of the changes first, then that of the levels after. Of a `score`, post or change, only the
    means that its test compares: arms that differ before can differ the other way in their changes.
    """
    after = _means(comparison, comparison.after)
    before = _means(comparison, comparison.before)
    change = _means(comparison, comparison.change) or _means(comparison, comparison.percent)
    if score == "post" and comparison.controlled and after is not None:
        return _contrast(after[0]), after[1]
    if change is not None:
        return _contrast(change[0]), change[1]
    if after is not None and before is not None:
        gains = [a - b for a, b in zip(after[0], before[0], strict=True)]
        return _contrast(gains), after[1] + before[1]
    if after is not None and comparison.controlled and score != "change":
        return _contrast(after[0]), after[1]
    return None


def _means(comparison: Comparison, pair: Pair) -> tuple[list[float], tuple[Cell, ...]] | None:
    """Return the means of the sides that have participants, with their cells."""
    summaries = [pair[side] for side in comparison.sides]
    means = means_of(summaries)
    if means is None:
        return None
    return means, tuple(s.cells[0] for s in summaries if s is not None)


def _contrast(values: Sequence[float]) -> float:
    return values[0] - values[1] if len(values) == 2 else values[0]
