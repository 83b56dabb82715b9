"""The pools of a review in memory, as a run would write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteometa.derivation.derive import Derived
from osteometa.protocol.config import Config, from_part
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.directions import StudyDirection
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow
from osteometa.records.sensitivity import StepRow
from osteometa.sensitivity.analyses import pooled_effects
from osteometa.sensitivity.influence import leave_one_out
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, split
from osteometa.wording.vocabulary import OVERALL


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledSet:
    """One planned analysis: its effects with weights, its pools, and its pools without a study."""

    synthesis: str
    measure: str
    """The primary measure."""
    effects: tuple[WeightedEffect, ...]
    directions: tuple[StudyDirection, ...]
    pooled: tuple[PooledRow, ...]
    without: tuple[StepRow, ...]
    """Of the primary measure."""

    def row(self, measure: str = "") -> PooledRow | None:
        """Return the primary pool of a measure, by default of the primary one."""
        wanted = (measure or self.measure, OVERALL, True)
        rows = (row for row in self.pooled if (row.measure, row.group, row.primary) == wanted)
        return next(rows, None)

    def without_study(self, study_id: str) -> StepRow | None:
        """Return the pool of the primary measure without a study; None where there is none."""
        rows = (row for row in self.without if row.study_id == study_id and row.status == "ok")
        return next(rows, None)


def pooled_sets(derived: Derived, config: Config, names: Sequence[str]) -> dict[str, PooledSet]:
    """Return planned analyses by id."""
    sets = split(derived.effects, derived.entries, config)
    return {name: _pooled_set(name, sets[name], derived, config) for name in names}


def _pooled_set(
    name: str, found: tuple[list, list[StudyDirection]], derived: Derived, config: Config
) -> PooledSet:
    effects, directions = found
    # As the job of the workflow, which is given no other setting.
    own = from_part(pool_settings(config, name))
    outcome = next(iter(own.outcomes))
    links = covariances_in(effects, derived.covariances)
    data = SynthesisData(
        outcome=outcome, effects=tuple(effects), covariances=tuple(links), alternatives=(),
        alternative_covariances=(), config=own,
    )  # fmt: skip
    return PooledSet(
        synthesis=name, measure=data.measure, effects=tuple(weighted(effects, own, links)),
        directions=tuple(directions), pooled=tuple(pooled_rows(name, effects, own, links)),
        without=tuple(leave_one_out(pooled_effects(data))) if effects else (),
    )  # fmt: skip
