"""What a run found, read once: one record per planned analysis, and one for the whole review."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from osteometa.extraction.reading import read_checked
from osteometa.extraction.tables import Tables
from osteometa.io.csv_records import read_records
from osteometa.io.problems import CheckWarning
from osteometa.protocol.config import Config, Outcome, Synthesis
from osteometa.records.claims import ClaimRow
from osteometa.records.directions import DirectionSet, PCombination, ReportedResult, StudyDirection
from osteometa.records.effects import AlternativeEffect, Covariance, WeightedEffect
from osteometa.records.figures import FigureRow
from osteometa.records.ledger import LedgerLine, WantedRow
from osteometa.records.pools import (
    AgreementRow,
    PooledRow,
    SubgroupRow,
    SubgroupTest,
    SynthesisRow,
    TypeContrast,
)
from osteometa.records.sensitivity import RECORDS, SensitivityTables
from osteometa.wording.measure_format import Estimate, MeasureFormat, estimate_of
from osteometa.wording.syntheses import window_words
from osteometa.wording.vocabulary import OVERALL, DesignClass, ExerciseType

Record = TypeVar("Record")
SHOWN_TABLES = (
    "sensitivity", "influence", "leave_one_out", "cumulative", "small_study", "gosh",
    "multiverse_shares", "meta_regression", "permutation", "alternative_models",
)  # fmt: skip
"""Sensitivity analyses that the report puts in words; the others are for figures."""


@dataclass(frozen=True, slots=True)
class Average:
    """A pooled estimate with its interval, or the estimate of a single study."""

    row: PooledRow
    estimate: Estimate

    @property
    def pooled(self) -> bool:
        """Return whether it is of several studies."""
        return self.row.k > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One planned analysis: its declaration and all records of it."""

    synthesis: Synthesis
    outcome: Outcome
    when: str
    """Window after a bout in words, empty for training."""
    row: SynthesisRow
    effects: tuple[WeightedEffect, ...] = ()
    covariances: tuple[Covariance, ...] = ()
    directions: tuple[StudyDirection, ...] = ()
    pooled: tuple[PooledRow, ...] = ()
    tests: tuple[SubgroupTest, ...] = ()
    contrasts: tuple[TypeContrast, ...] = ()
    subgroups: tuple[SubgroupRow, ...] = ()
    figures: tuple[FigureRow, ...] = ()
    alternatives: tuple[AlternativeEffect, ...] = ()
    tables: SensitivityTables = field(default_factory=SensitivityTables)

    @classmethod
    def of(cls, row: SynthesisRow, config: Config, **records: Any) -> Self:
        """Return the analysis of a row, as config.yaml declares it; records by their fields."""
        synthesis = next(one for one in config.syntheses if one.id == row.synthesis)
        when = ", ".join(window_words(synthesis.window, config.windows))
        outcome = config.outcomes[synthesis.outcome]
        return cls(synthesis=synthesis, outcome=outcome, when=when, row=row, **records)

    @property
    def within_arm(self) -> bool:
        """Return whether effects are changes within one arm."""
        return self.row.design_class == DesignClass.WITHIN_ARM

    @property
    def sized(self) -> list[WeightedEffect]:
        """Return the effects on the primary measure, pooled or not."""
        return [effect for effect in self.effects if effect.measure == self.row.measure]

    @property
    def pool(self) -> list[WeightedEffect]:
        """Return the pooled effects on the primary measure."""
        return [effect for effect in self.sized if effect.pooled]

    @property
    def direction_only(self) -> list[StudyDirection]:
        """Return the directions of studies without an effect estimate on the primary measure."""
        sized = {effect.study_id for effect in self.sized}
        return [study for study in self.directions if study.study_id not in sized]

    @property
    def test(self) -> SubgroupTest | None:
        """Return the test of differences between exercise types."""
        return next((test for test in self.tests if test.measure == self.row.measure), None)

    @property
    def types(self) -> list[ExerciseType]:
        """Return the exercise types of the pool, in the order of the figures."""
        return [kind for kind in ExerciseType if any(e.exercise_type == kind for e in self.pool)]

    def model(self, group: str = OVERALL, primary: bool = True) -> PooledRow | None:
        """Return the model of a group on the primary measure; not primary: the common effect."""
        key = (self.row.measure, group)
        rows = [row for row in self.pooled if (row.measure, row.group) == key]
        return next((r for r in rows if (r.primary if primary else r.model == "common")), None)

    def average(self, group: str = OVERALL, primary: bool = True) -> Average | None:
        """Return the estimate of a group; None where there is none."""
        row = self.model(group, primary)
        estimate = None if row is None else estimate_of(row)
        return None if row is None or estimate is None else Average(row, estimate)

    def shown(self, group: str = OVERALL) -> Average | None:
        """Return the estimate of a group where a forest plot shows it too."""
        average = self.average(group)
        if average is None:
            return None
        if group != OVERALL and len(self.types) == 1:
            return self.shown()
        return average if average.row.k == 1 or average.row.diamond != "none" else None

    def scale(self, measure: str = "") -> MeasureFormat:
        """Return how effects are written in running text."""
        measure = measure or self.row.measure
        unit = next((e.unit for e in self.effects if e.measure == measure and e.unit), "")
        return self.outcome.scale(measure, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All that a run found."""

    root: Path
    config: Config
    tables: Tables
    findings: tuple[Findings, ...]
    figures: tuple[FigureRow, ...]
    claims: tuple[ClaimRow, ...]
    reported: tuple[ReportedResult, ...]
    direction_sets: tuple[DirectionSet, ...]
    p_combinations: tuple[PCombination, ...]
    ledger: tuple[LedgerLine, ...]
    missing: tuple[WantedRow, ...]
    agreement: tuple[AgreementRow, ...]
    warnings: tuple[CheckWarning, ...]

    @property
    def effects(self) -> list[WeightedEffect]:
        """Return the effects of all analyses."""
        return [effect for found in self.findings for effect in found.effects]

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the label of each study."""
        return {study.study_id: study.label for study in self.tables.studies}


def read_review(root: Path, config: Config) -> Review:
    """Read each result of a run once."""
    results, processed = root / "results", root / "data" / "processed"
    rows = read_records(results / "syntheses.csv", SynthesisRow)
    planned = [synthesis.id for synthesis in config.syntheses]
    if [row.synthesis for row in rows] != planned:
        raise ValueError("syntheses.csv has other analyses than config.yaml: run again")
    return Review(
        root=root,
        config=config,
        tables=read_checked(processed / "checked"),
        findings=tuple(_findings(root, row, config) for row in rows),
        figures=_read(results / "figures" / "figures.csv", FigureRow),
        claims=_read(results / "claims.csv", ClaimRow),
        reported=_read(processed / "reported.csv", ReportedResult),
        direction_sets=_read(results / "direction_sets.csv", DirectionSet),
        p_combinations=_read(results / "p_combination.csv", PCombination),
        ledger=_read(processed / "ledger.csv", LedgerLine),
        missing=_read(results / "wanted.csv", WantedRow),
        agreement=_read(results / "agreement.csv", AgreementRow),
        warnings=_read(processed / "warnings.csv", CheckWarning),
    )


def _findings(root: Path, row: SynthesisRow, config: Config) -> Findings:
    folder, given = root / "results" / row.synthesis, root / "data/processed/sets" / row.synthesis
    directions = _read(given / "directions.csv", StudyDirection)
    found = Findings.of(row, config, directions=directions)
    if not (given / "effects.csv").exists():
        return found
    found = replace(
        found,
        effects=_read(folder / "effects.csv", WeightedEffect),
        covariances=_read(folder / "covariance.csv", Covariance),
        pooled=_read(folder / "pooled.csv", PooledRow),
        tests=_read(folder / "subgroup_test.csv", SubgroupTest),
        subgroups=_read(folder / "subgroups.csv", SubgroupRow),
        contrasts=_read(folder / "type_contrasts.csv", TypeContrast),
        figures=_read(folder / "figures" / "figures.csv", FigureRow),
    )
    if not found.pool:
        return found  # nothing is pooled, so there are no sensitivity analyses
    tables = {name: _read(folder / f"{name}.csv", RECORDS[name]) for name in SHOWN_TABLES}
    alternatives = _read(given / "alternatives.csv", AlternativeEffect)
    return replace(found, tables=SensitivityTables(**tables), alternatives=alternatives)


def _read(path: Path, record: type[Record]) -> tuple[Record, ...]:
    return tuple(read_records(path, record))
