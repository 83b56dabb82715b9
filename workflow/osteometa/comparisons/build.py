"""Comparisons: an exercise arm, its comparator, and what is printed for one outcome and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from osteometa.comparisons.reported_tests import PrintedTest, printed_tests
from osteometa.comparisons.summaries import (
    Cell,
    People,
    Summary,
    merge_people,
    merge_summaries,
    summary_of,
)
from osteometa.extraction.tables import Arm, Contrast, Direction, Measurement, Study, Tables
from osteometa.extraction.units import UNITS, convert, pooled_unit
from osteometa.protocol.config import Config

# Whom the numbers speak of, the better analysis first.
POPULATIONS = ("itt", "", "completers", "per_protocol")


@dataclass(frozen=True, slots=True)
class Together:
    """The same print of several arms that are merged into one, in the order of the parts."""

    rows: tuple[Measurement, ...]


Print = Measurement | Together | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is printed for one exercise arm on one outcome at one time."""

    study: Study
    arm: Arm
    control: Arm | None
    outcome: str
    analyte: str
    site: str
    timepoint: str
    report: str
    population: str
    levels: tuple[Print, Print]
    """Levels at the timepoint: exercise, control."""
    baselines: tuple[Print, Print]
    changes: tuple[Print, Print]
    percents: tuple[Print, Print]
    contrasts: tuple[Contrast, ...]
    directions: tuple[Direction, ...]
    controls_own: tuple[Contrast, ...] = ()
    """What is printed of the control arm alone: its correlation or its test of before and after."""
    logs: tuple[Measurement | None, Measurement | None] = (None, None)
    """Natural logarithms at the timepoint."""
    log_baselines: tuple[Measurement | None, Measurement | None] = (None, None)
    units: tuple[str, ...] = ()
    """Units in which config.yaml pools the outcome."""
    parts: tuple[Comparison, ...] = ()
    """The comparisons of single arms that are merged here; empty for one arm as printed."""

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the comparison apart."""
        return (
            self.study.study_id, self.arm.arm_id, self.outcome, self.analyte, self.site,
            self.timepoint, self.report, self.population,
        )  # fmt: skip

    @property
    def controlled(self) -> bool:
        """Tell whether the arm has a comparator."""
        return self.control is not None

    @property
    def rows(self) -> tuple[Measurement | Contrast | Direction, ...]:
        """All raw rows of the comparison."""
        prints = (
            *self.levels, *self.baselines, *self.changes, *self.percents, *self.logs,
            *self.log_baselines,
        )  # fmt: skip
        rows = [
            row
            for item in prints
            if item is not None
            for row in (item.rows if isinstance(item, Together) else (item,))
        ]
        return (*rows, *self.contrasts, *self.directions, *self.controls_own)

    @property
    def time(self) -> float | None:
        """Weeks from the start (training) or hours after the bout (acute)."""
        column = "time_h" if self.arm.phase == "acute" else "time_wk"
        rows = [row for row in self.rows if row.timepoint == self.timepoint]
        return next((float(t) for row in rows if (t := getattr(row, column)) is not None), None)

    @property
    def unit(self) -> str:
        """The unit in which the outcome is pooled."""
        rows = [row for row in self.rows if getattr(row, "unit", "") not in ("", "%")]
        return pooled_unit(rows[0].unit, self.units) if rows else ""

    def people(self, side: int, row: Print) -> People:
        """Return the people of one side (0 exercise, 1 control) behind a row."""
        if isinstance(row, Together):
            pairs = zip(self.parts, row.rows, strict=True)
            return merge_people([part.people(side, own) for part, own in pairs])
        if row is not None and row.n is not None:
            return People(row.n, cells=(Cell(row, "n"),))
        arm = (self.arm, self.control)[side]
        if arm is None:
            return People()
        if arm.n_end is not None:
            return People(arm.n_end, cells=(Cell(arm, "n_end"),))
        if arm.n_start is not None:
            return People(arm.n_start, frozenset({"NRAND"}), (Cell(arm, "n_start"),))
        return People()

    def pair(self, rows: tuple[Print, Print]) -> list[Summary | None]:
        """Return the summaries of both sides; None where a side prints nothing usable."""
        return [self._summary(side, row) for side, row in enumerate(rows)]

    def _summary(self, side: int, row: Print) -> Summary | None:
        if isinstance(row, Together):
            pairs = zip(self.parts, row.rows, strict=True)
            return merge_summaries([part._summary(side, own) for part, own in pairs])
        if row is None or not row.usable or row.kind == "log_level":
            return None
        factor = 1.0
        if row.unit in UNITS and self.unit in UNITS and row.unit != "%":
            if UNITS[row.unit][0] != UNITS[self.unit][0]:
                return None
            factor = convert(1.0, row.unit, self.unit)
        return summary_of(row, self.people(side, row), factor)

    def pair_of_logs(
        self, rows: tuple[Measurement | None, Measurement | None]
    ) -> list[Summary | None]:
        """Return the summaries of both sides' logarithms, which have no unit to convert."""
        return [
            summary_of(row, self.people(side, row), 1.0) if row is not None and row.usable else None
            for side, row in enumerate(rows)
        ]

    def tests(self) -> list[PrintedTest]:
        """Return the printed tests of the comparison, the best first.

        Of the difference between the arms, or of the change where there is one arm. Paired where
        both conditions are the same people.
        """
        pairs = (self.changes, self.percents, self.levels, self.logs)
        sides = [next((p[side] for p in pairs if p[side] is not None), None) for side in (0, 1)]
        people = [self.people(side, sides[side]) for side in (0, 1)]
        if not self.controlled:
            return printed_tests(self.contrasts, *people, compares="within", paired=True)
        return printed_tests(self.contrasts, *people, paired=self.study.design == "crossover_rct")


def exercise_type(arm: Arm, config: Config) -> str:
    """Return the type of an exercise arm, by the mapping that config.yaml chooses.

    By modality: as typed with a reason, else by what was done.
    """
    if config.derivation.type_by == "paper":
        return type_by_paper(arm, config)
    return arm.exercise_type or config.modalities.get(arm.modality) or "other"


def type_by_paper(arm: Arm, config: Config) -> str:
    """Return the type where the paper's own `high` goes before the modality."""
    if arm.intensity == "high":
        return "high_intensity"
    return arm.exercise_type or config.modalities.get(arm.modality) or "other"


def comparisons_of(tables: Tables, config: Config) -> list[Comparison]:
    """Return every comparison of the main outcomes, in a fixed order."""
    studies = {study.study_id: study for study in tables.studies}
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    found: dict[tuple[str, ...], Comparison] = {}
    index = _Index(tables, config)
    for arm in tables.arms:
        study = studies.get(arm.study_id)
        if arm.role != "exercise" or study is None or study.include == "no":
            continue
        control = arms.get((arm.study_id, arm.comparator)) if arm.comparator else None
        if control is not None and control.comparator == arm.arm_id and control.row < arm.row:
            continue  # each other's active comparator: made once, for the arm that comes first
        for where in sorted(index.places(arm, control)):
            if where[0] in config.outcomes:
                comparison = index.comparison(study, arm, control, where)
                found[comparison.key] = comparison
    return [found[key] for key in sorted(found)]


def difference_of_means(
    comparison: Comparison, *, after_first: bool = False
) -> tuple[float, tuple[Cell, ...]] | None:
    """Return the difference that printed means tell, whatever their spread, and its cells.

    That of the changes first; with `after_first` that of the levels after, which a test of those
    compares: arms that differ before can differ the other way in their changes.
    """
    sides = (0, 1) if comparison.controlled else (0,)
    pairs = {
        name: comparison.pair(rows)
        for name, rows in (
            ("change", comparison.changes), ("percent", comparison.percents),
            ("after", comparison.levels), ("before", comparison.baselines),
        )
    }  # fmt: skip

    def means(name: str) -> list[float] | None:
        found = [pairs[name][side] for side in sides]
        if any(s is None or s.mean is None for s in found):
            return None
        return [s.mean for s in found]

    def cells(*names: str) -> tuple[Cell, ...]:
        return tuple(pairs[name][side].cells[0] for name in names for side in sides)

    def contrast(values: list[float]) -> float:
        return values[0] - values[1] if comparison.controlled else values[0]

    levels = ("after",) if after_first and comparison.controlled else ()
    for name in (*levels, "change", "percent"):
        values = means(name)
        if values is not None:
            return contrast(values), cells(name)
    after, before = means("after"), means("before")
    if after is not None and before is not None:
        gains = [a - b for a, b in zip(after, before, strict=True)]
        return contrast(gains), cells("after", "before")
    if after is not None and comparison.controlled:
        return contrast(after), cells("after")
    return None


class _Index:
    """The findings of all arms, by place: outcome, analyte, site, timepoint, report, population."""

    def __init__(self, tables: Tables, config: Config):
        self.units = {name: tuple(outcome.units) for name, outcome in config.outcomes.items()}
        self.measurements = self._by_arm(tables.measurements)
        self.contrasts = self._by_arm(tables.contrasts)
        self.directions = self._by_arm(tables.directions)

    @staticmethod
    def _by_arm(rows: Iterable) -> dict[tuple[str, str], list]:
        by_arm: dict[tuple[str, str], list] = defaultdict(list)
        for row in rows:
            by_arm[(row.study_id, row.arm_id)].append(row)
        return by_arm

    def places(self, arm: Arm, control: Arm | None) -> set[tuple[str, ...]]:
        """Return where anything but a baseline is printed for an arm or its comparator."""
        key = (arm.study_id, arm.arm_id)
        rows = [*self.measurements[key], *self.contrasts[key], *self.directions[key]]
        if control is not None:
            rows += self.measurements[(arm.study_id, control.arm_id)]
        places = {_place(row) for row in rows if row.timepoint != "baseline"}
        # A print of nobody in particular joins the one analysis that is named beside it.
        return {
            place
            for place in places
            if place[5] or not any(other[:5] == place[:5] and other != place for other in places)
        }

    def comparison(
        self, study: Study, arm: Arm, control: Arm | None, where: tuple[str, ...]
    ) -> Comparison:
        """Gather what is printed at one place."""
        sides = [(study.study_id, arm.arm_id)]
        sides.append((study.study_id, control.arm_id) if control else ("", ""))
        outcome, analyte, site, timepoint, report, population = where

        def pick(kind: str, time: str) -> tuple[Measurement | None, Measurement | None]:
            wanted = (outcome, analyte, site, time, report, population)
            return tuple(self._best(side, kind, wanted) for side in sides)

        return Comparison(
            study, arm, control, outcome, analyte, site, timepoint, report, population,
            levels=pick("level", timepoint),
            baselines=pick("level", "baseline"),
            changes=pick("change", timepoint),
            percents=pick("pct_change", timepoint),
            logs=pick("log_level", timepoint),
            log_baselines=pick("log_level", "baseline"),
            contrasts=tuple(self._here(self.contrasts[sides[0]], where)),
            directions=tuple(self._here(self.directions[sides[0]], where)),
            units=self.units[outcome],
            controls_own=tuple(
                row
                for row in self._here(self.contrasts.get(sides[1], []), where)
                if row.compares == "within"
            ),
        )  # fmt: skip

    @staticmethod
    def _here(rows: list, where: tuple[str, ...]) -> list:
        return [row for row in rows if _joins(_place(row), where)]

    def _best(self, side: tuple[str, str], kind: str, where: tuple[str, ...]) -> Measurement | None:
        rows = [row for row in self.measurements.get(side, ()) if row.kind == kind]
        exact = [row for row in rows if _joins(_place(row), where)]
        if not exact and where[3] == "baseline":
            # Baselines are often printed once, for all analyses and reports.
            exact = [row for row in rows if _place(row)[:4] == where[:4]]
        exact.sort(key=lambda row: (population_of(row) != where[5], row.report))
        return exact[0] if exact else None


def population_of(row: Measurement | Contrast | Direction) -> str:
    """Return whom a row speaks of; an empty cell and `not_stated` say the same: nothing."""
    return "" if row.population_analysed == "not_stated" else row.population_analysed


def _place(row: Measurement | Contrast | Direction) -> tuple[str, ...]:
    return (row.outcome, row.analyte, row.site, row.timepoint, row.report, population_of(row))


def _joins(place: tuple[str, ...], where: tuple[str, ...]) -> bool:
    return place[:5] == where[:5] and place[5] in (where[5], "")
