"""Comparisons from the tables: the rows of one outcome at one place, by arm and comparator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeVar

from osteometa.comparisons.comparison import Comparison, Finding, RowPair
from osteometa.extraction.tables import Arm, Contrast, Direction, Measurement, Study, Tables
from osteometa.protocol.config import Config
from osteometa.records.groups import grouped
from osteometa.wording.choices import PART


class Place(NamedTuple):
    """What a row reports: comparisons gather the rows of one place."""

    outcome: str
    analyte: str
    site: str
    timepoint: str
    report: str
    population: str


def comparisons_of(
    tables: Tables, config: Config, outcomes: Collection[str] | None = None
) -> list[Comparison]:
    """Return every comparison of some outcomes, by default the main ones, in a fixed order."""
    chosen = config.outcomes if outcomes is None else outcomes
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
        for place in sorted(index.places(arm, control)):
            if place.outcome in chosen:
                comparison = index.comparison(study, arm, control, place)
                found[comparison.key] = comparison
    return [found[key] for key in sorted(found)]


Site = tuple[str, str, str, str, str]
"""Study, arm, outcome, analyte and site."""
FindingRow = TypeVar("FindingRow", Measurement, Contrast, Direction)


class _Index:
    """The findings of all arms, by study, arm, outcome, analyte and site."""

    def __init__(self, tables: Tables, config: Config):
        self.units = {name: tuple(outcome.units) for name, outcome in config.outcomes.items()}
        self.measurements = _by_site(tables.measurements)
        self.contrasts = _by_site(tables.contrasts)
        self.directions = _by_site(tables.directions)
        self.measured = _places_by_arm(tables.measurements)
        self.compared = _places_by_arm((*tables.contrasts, *tables.directions))

    def places(self, arm: Arm, control: Arm | None) -> set[Place]:
        """Return where anything but a baseline is reported for an arm or its comparator."""
        key = (arm.study_id, arm.arm_id)
        places = self.measured[key] | self.compared[key]
        if control is not None:
            places |= self.measured[arm.study_id, control.arm_id]
        # A row that names no population joins the one analysis that is named beside it.
        named = {place[:5] for place in places if place.population not in ("", PART)}
        return {place for place in places if place.population or place[:5] not in named}

    def comparison(self, study: Study, arm: Arm, control: Arm | None, place: Place) -> Comparison:
        """Gather what is reported at one place."""
        exercise = (study.study_id, arm.arm_id, *place[:3])
        other = (study.study_id, control.arm_id if control else "", *place[:3])
        baseline = place._replace(timepoint="baseline")

        def pick(kind: str, where: Place) -> RowPair:
            return self._best(exercise, kind, where), self._best(other, kind, where)

        def logs(where: Place) -> RowPair:
            logarithms = pick("log_level", where)
            return logarithms if any(logarithms) else pick("geometric", where)

        return Comparison(
            study, arm, control, *place,
            levels=pick("level", place),
            baselines=pick("level", baseline),
            changes=pick("change", place),
            percents=pick("pct_change", place),
            logs=logs(place),
            log_baselines=logs(baseline),
            contrasts=_here(self.contrasts.get(exercise, []), place),
            directions=_here(self.directions.get(exercise, []), place),
            units=self.units.get(place.outcome, ()),
            controls_own=tuple(row for row in _here(self.contrasts.get(other, []), place)
                               if row.compares == "within"),
        )  # fmt: skip

    def _best(self, arm: Site, kind: str, place: Place) -> Measurement | None:
        rows = [row for row in self.measurements.get(arm, ()) if row.kind == kind]
        exact = [row for row in rows if _joins(row, place)]
        if not exact and place.timepoint == "baseline" and place.population != PART:
            # Baselines are often reported once, for all analyses and reports of the whole trial.
            whole = [row for row in rows if population_of(row) != PART]
            exact = [row for row in whole if _place(row)[:4] == place[:4]]
        exact.sort(key=lambda row: (population_of(row) != place.population, row.report))
        return exact[0] if exact else None


def _by_site(rows: Iterable[FindingRow]) -> dict[Site, list[FindingRow]]:
    return grouped(rows, lambda row: (row.study_id, row.arm_id, row.outcome, row.analyte, row.site))


def _places_by_arm(rows: Iterable[Finding]) -> defaultdict[tuple[str, str], set[Place]]:
    """Return where anything but a baseline is reported, by study and arm."""
    places: defaultdict[tuple[str, str], set[Place]] = defaultdict(set)
    for row in rows:
        if row.timepoint != "baseline":
            places[row.study_id, row.arm_id].add(_place(row))
    return places


def _here(rows: Iterable[FindingRow], place: Place) -> tuple[FindingRow, ...]:
    return tuple(row for row in rows if _joins(row, place))


def population_of(row: Finding) -> str:
    """Return the analysis population of a row; an empty cell and `not_stated` both give ''."""
    return "" if row.population_analysed == "not_stated" else row.population_analysed


def _place(row: Finding) -> Place:
    return Place(row.outcome, row.analyte, row.site, row.timepoint, row.report, population_of(row))


def _joins(row: Finding, place: Place) -> bool:
    own = _place(row)
    unnamed = own.population == "" and place.population != PART
    return own[:5] == place[:5] and (own.population == place.population or unnamed)
