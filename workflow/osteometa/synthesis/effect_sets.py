"""Sets of effects that are fitted together, and all that one synthesis is computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osteometa.numerics.arrays import Array
from osteometa.pooling.results import EffectData
from osteometa.protocol.config import Config
from osteometa.records.effects import (
    RESOLUTION,
    AlternativeCovariance,
    AlternativeEffect,
    Choice,
    Covariance,
    Effect,
)
from osteometa.wording.choices import EXERCISE_TYPES

NOT_REPORTED = "not reported"
"""The group of effects without a value of the column that forms the groups."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of effects by one column of studies.csv or arms.csv."""

    by: str
    order: tuple[str, ...]
    groups: Mapping[str, str]
    """By effect_id; an effect that is not in it has no reported value."""


@dataclass(frozen=True, slots=True)
class EffectSet:
    """Effects of one measure that are fitted together, with their covariances."""

    effects: tuple[Effect, ...]
    covariances: tuple[Covariance, ...] = ()
    grouping: Grouping | None = None
    """How subgroups are formed; None: by exercise type."""

    @classmethod
    def of(
        cls, effects: Sequence[Effect], measure: str, covariances: Sequence[Covariance] = ()
    ) -> EffectSet:
        """Take the pooled effects of one measure."""
        pooled = tuple(e for e in effects if e.measure == measure and e.pooled)
        return cls(pooled, tuple(covariances))

    def of_group(self, group: str) -> EffectSet:
        """Return the effects of one group."""
        return replace(self, effects=tuple(e for e in self.effects if self._group(e) == group))

    def _group(self, effect: Effect) -> str:
        if self.grouping is None:
            return effect.exercise_type
        return self.grouping.groups.get(effect.effect_id, NOT_REPORTED)

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups that occur, in their usual order."""
        order = EXERCISE_TYPES if self.grouping is None else self.grouping.order
        found = {self._group(effect) for effect in self.effects}
        return tuple(group for group in order if group in found)

    @property
    def reported(self) -> EffectSet:
        """The effects whose group is reported: those that are compared."""
        kept = tuple(e for e in self.effects if self._group(e) != NOT_REPORTED)
        return replace(self, effects=kept)

    @property
    def measure(self) -> str:
        """The measure of the effects; empty without any."""
        return next((effect.measure for effect in self.effects), "")

    @property
    def by(self) -> str:
        """The column that forms the groups."""
        return "exercise_type" if self.grouping is None else self.grouping.by

    @property
    def word(self) -> str:
        """What the groups are called."""
        return "types" if self.grouping is None else "groups"

    @property
    def group_design(self) -> Array:
        """Design matrix with one mean per group."""
        groups = self.groups
        return np.array([[float(self._group(e) == g) for g in groups] for e in self.effects])

    @property
    def studies(self) -> list[str]:
        """The study of each effect."""
        return [effect.study_id for effect in self.effects]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(set(self.studies))

    @property
    def data(self) -> EffectData:
        """Effects, variances, and the covariance matrix where two effects have a covariance."""
        yi, vi = (tuple(getattr(e, name) for e in self.effects) for name in ("yi", "vi"))
        place = {effect.effect_id: i for i, effect in enumerate(self.effects)}
        ends = ((row, {row.effect_id_1, row.effect_id_2}) for row in self.covariances)
        linked = [row for row, both in ends if both <= place.keys()]
        if not linked:
            return EffectData(yi, vi, studies=self.k)
        V = np.diag(np.array(vi, dtype=float))
        for row in linked:
            i, j = place[row.effect_id_1], place[row.effect_id_2]
            V[i, j] = V[j, i] = row.covariance
        return EffectData(yi, vi, V, self.k)


@dataclass(frozen=True, slots=True)
class SynthesisData:
    """One synthesis: its effects and covariances, and both under alternative derivations."""

    outcome: str
    effects: tuple[Effect, ...]
    covariances: tuple[Covariance, ...]
    alternatives: tuple[AlternativeEffect, ...]
    alternative_covariances: tuple[AlternativeCovariance, ...]
    config: Config

    @property
    def measures(self) -> tuple[str, ...]:
        """Measures of the outcome, the primary one first."""
        return self.config.outcomes[self.outcome].measures

    @property
    def measure(self) -> str:
        """The primary measure."""
        return self.measures[0]

    def primary_set(self, measure: str = "") -> EffectSet:
        """Return the pooled effects of a measure, by default of the primary one."""
        return EffectSet.of(self.effects, measure or self.measure, self.covariances)

    def set_under(self, alternative: Choice, measure: str = "") -> EffectSet:
        """Return the pooled effects of a measure under an alternative derivation.

        What it gives for a study and measure replaces all effects of that study on the measure.
        """
        measure = measure or self.measure
        own = (row for row in self.alternatives if row.alternative == alternative)
        rows = [row for row in own if row.measure == measure]
        changed = {row.study_id for row in rows}
        gone = {e.effect_id for e in self.effects if e.study_id in changed}
        kept = [e for e in self.primary_set(measure).effects if e.study_id not in changed]
        covariances = [row for row in self.covariances if row.effect_id_1 not in gone]
        others = self.alternative_covariances
        covariances += [row for row in others if row.alternative == alternative]
        return EffectSet((*kept, *(row for row in rows if row.pooled)), tuple(covariances))

    @property
    def resolutions(self) -> list[AlternativeEffect]:
        """Resolutions of inconsistently reported data, by measure, year and label."""
        found = [row for row in self.alternatives if row.alternative.key == RESOLUTION]
        order = self.measures.index
        return sorted(found, key=lambda v: (order(v.measure), v.year or 0, v.label, v.effect_id))

    def most_cautious(self, measure: str) -> list[AlternativeEffect]:
        """Return the resolution with the least |z| of each inconsistently reported comparison."""
        weakest: dict[tuple[str, str], AlternativeEffect] = {}
        for row in self.resolutions:
            key = (row.study_id, row.arm_id)
            if row.measure == measure and (key not in weakest or abs(row.z) < abs(weakest[key].z)):
                weakest[key] = row
        return list(weakest.values())
