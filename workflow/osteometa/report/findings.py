"""What one planned analysis found, as the report tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteometa.io.csv_records import read_records
from osteometa.protocol.config import Synthesis
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SubgroupTest, SynthesisRow
from osteometa.wording.scale import Scale
from osteometa.wording.vocabulary import ExerciseType


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The records of one synthesis."""

    synthesis: Synthesis
    row: SynthesisRow
    effects: tuple[WeightedEffect, ...]
    votes: tuple[StudyDirection, ...]
    pooled: tuple[PooledRow, ...]
    tests: tuple[SubgroupTest, ...]

    @property
    def sized(self) -> list[WeightedEffect]:
        """Return the effects on the primary measure, pooled or not."""
        return [effect for effect in self.effects if effect.measure == self.row.measure]

    @property
    def pool(self) -> list[WeightedEffect]:
        """Return the pooled effects on the primary measure."""
        return [effect for effect in self.sized if effect.pooled]

    @property
    def told(self) -> list[StudyDirection]:
        """Return the votes of the studies that have no size on the primary measure."""
        sized = {effect.study_id for effect in self.sized}
        return [vote for vote in self.votes if vote.study_id not in sized]

    @property
    def test(self) -> SubgroupTest | None:
        """Return the test of differences between exercise types."""
        return next((test for test in self.tests if test.measure == self.row.measure), None)

    @property
    def types(self) -> list[str]:
        """Return the exercise types of the pool, in the order of the figures."""
        return [kind for kind in ExerciseType if any(e.exercise_type == kind for e in self.pool)]

    def model(self, group: str = "overall", primary: bool = True) -> PooledRow | None:
        """Return the model of a group on the primary measure; not primary: the common effect."""
        return next(
            (
                row
                for row in self.pooled
                if (row.measure, row.group) == (self.row.measure, group)
                and (row.primary if primary else row.model == "common")
            ),
            None,
        )

    def shown(self, group: str = "overall") -> PooledRow | None:
        """Return the model of a group where its numbers may lead: as a figure shows it."""
        row = self.model(group)
        if row is None or row.estimate is None:
            return None
        if group != "overall" and len(self.types) == 1:
            return self.shown()
        return row if row.k == 1 or row.diamond != "none" else None

    def scale(self, measure: str = "") -> Scale:
        """Return how effects are written in running text."""
        measure = measure or self.row.measure
        units = [e.unit for e in self.effects if e.measure == measure and e.unit]
        return Scale(measure, self.row.outcome, units[0] if units else "", "(a to b)")


def read_findings(
    root: Path, syntheses: Sequence[Synthesis], rows: Sequence[SynthesisRow]
) -> list[Findings]:
    """Return what a run found, in the order of config.yaml."""
    return [
        _findings(root / "results" / synthesis.id, synthesis, row)
        for synthesis, row in zip(syntheses, rows, strict=True)
    ]


def _findings(folder: Path, synthesis: Synthesis, row: SynthesisRow) -> Findings:
    return Findings(
        synthesis=synthesis,
        row=row,
        effects=tuple(read_records(folder / "effects.csv", WeightedEffect)),
        votes=tuple(read_records(folder / "directions.csv", StudyDirection)),
        pooled=tuple(read_records(folder / "pooled.csv", PooledRow)),
        tests=tuple(read_records(folder / "subgroup_test.csv", SubgroupTest)),
    )
