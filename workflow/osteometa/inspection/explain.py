"""Why a study, an effect or an analysis is as it is: the facts, before they are put in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from osteometa.comparisons.classification import set_of, why_listed
from osteometa.comparisons.comparison import Comparison, comparison_key
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.assess import why_not_by_design, why_not_pooled
from osteometa.derivation.derive import Derived, derive
from osteometa.derivation.estimate import Estimated
from osteometa.derivation.ledger import ledger_of
from osteometa.derivation.missing_data import lacking, smallest, words_of
from osteometa.derivation.select import Selected, select, why_represented
from osteometa.effects.hierarchy import Attempt, attempts_at
from osteometa.extraction.tables import Tables
from osteometa.inspection.pools import PooledSet, pooled_sets
from osteometa.pooling.results import Pooled
from osteometa.protocol.config import Config
from osteometa.records.directions import DirectionEntry, SetKey, set_key
from osteometa.records.effects import Effect
from osteometa.records.ledger import LedgerLine
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import pool_set
from osteometa.wording.vocabulary import Block

UNSTATED = "not reported whether the test compares changes or adjusts for the baseline"
"""In the reason for which a reported test is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A derivation method that was tried, and what it lacks if it cannot be used."""

    attempt: Attempt
    lacks: str
    """The missing cells in words; empty where it was used, or no reported cell would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMeasure:
    """A comparison on one measure: the methods tried, and the effect of the one that was used."""

    measure: str
    tried: tuple[Tried, ...]
    effect: Effect | None
    causes: tuple[str, ...]
    """Everything for which it is not pooled; empty if it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A comparison with all that is derived from it."""

    comparison: Comparison
    key: SetKey
    synthesis: str
    """Id of the planned analysis that includes it; empty without one."""
    near: tuple[tuple[str, str], ...]
    """Planned analyses that differ in one point, each with that point; where none includes it."""
    measures: tuple[OnMeasure, ...]
    """The primary one first."""
    not_tried: str
    needs: tuple[str, ...]
    """Smallest sets of cells in words, any one of which would give the primary measure."""
    entry: DirectionEntry | None

    @property
    def pooled(self) -> bool:
        """Whether its effect on the primary measure is in a planned pool."""
        effect = self.measures[0].effect if self.measures else None
        return bool(self.synthesis) and effect is not None and effect.pooled


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyExplained:
    """A study with all its comparisons, and the rows that are in none of them."""

    study_id: str
    label: str
    excluded: str
    """Why it is not in the review; empty if it is."""
    comparisons: tuple[Explained, ...]
    combined: tuple[Effect, ...]
    """Effects made of several comparisons."""
    other_rows: tuple[LedgerLine, ...]


class Explainer:
    """Everything that is asked of one review, derived once."""

    def __init__(self, tables: Tables, config: Config):
        self.tables, self.config = tables, config
        self.derived: Derived = derive(tables, config)
        self._selected = select(self.derived.estimated, config)
        self._correlations = Correlations((i.comparison for i in self.derived.estimated), config)
        self._planned = {set_key(synthesis): synthesis.id for synthesis in config.syntheses}
        self._sets: dict[str, PooledSet] = {}

    def sets(self, names: Sequence[str]) -> dict[str, PooledSet]:
        """Return planned analyses with their pools, each pooled once."""
        new = [name for name in names if name not in self._sets]
        self._sets |= pooled_sets(self.derived, self.config, new) if new else {}
        return {name: self._sets[name] for name in names}

    def planned(self, effect: Effect) -> str:
        """Return the planned analysis that includes an effect; '' if none does."""
        return self._planned.get(set_key(effect), "")

    def pools_of(self, effect: Effect) -> PooledSet | None:
        """Return the planned analysis that includes an effect, with its pools; None without one."""
        name = self.planned(effect)
        return self.sets([name])[name] if name else None

    def pooled_studies(self, synthesis: str) -> set[str]:
        """Return the studies whose effects on the primary measure a planned analysis pools."""
        return {
            e.study_id for e in self.derived.effects
            if e.pooled and self.planned(e) == synthesis
            and e.measure == self.config.outcomes[e.outcome].measures[0]
        }  # fmt: skip

    def study(self, study_id: str) -> StudyExplained:
        """Return a study with everything that is derived from it, and every cause."""
        row = next(study for study in self.tables.studies if study.study_id == study_id)
        pairs = [
            (item, entry)
            for item, entry in zip(self._selected, self.derived.entries, strict=True)
            if item.comparison.study.study_id == study_id
        ]
        found = [self._explained(item, entry) for item, entry in pairs]
        merged = [e for e in self.derived.merged if e.comparison.study.study_id == study_id]
        found += [self._explained(Selected(item, item), None) for item in merged]
        own = {e.effect_id for one in found for m in one.measures if (e := m.effect) is not None}
        combined = [
            e for e in self.derived.effects if e.study_id == study_id and e.effect_id not in own
        ]
        return StudyExplained(
            study_id=study_id, label=row.label,
            excluded=row.exclude_reason if row.include == "no" else "",
            comparisons=tuple(found), combined=tuple(combined),
            other_rows=tuple(self._other_rows(study_id, [item for item, _ in pairs])),
        )  # fmt: skip

    def of_effect(self, effect_id: str) -> StudyExplained | None:
        """Return the study of an effect with this effect alone; None if there is none."""
        effect = next((e for e in self.derived.effects if e.effect_id == effect_id), None)
        if effect is None:
            return None
        whole = self.study(effect.study_id)
        found = [
            replace(one, measures=kept) for one in whole.comparisons
            if (kept := tuple(m for m in one.measures if _is_of(m, effect)))
        ]  # fmt: skip
        combined = [effect] if effect in whole.combined else []
        return replace(
            whole, excluded="", comparisons=tuple(found), combined=tuple(combined), other_rows=()
        )

    def inside(self, synthesis: str) -> list[Explained]:
        """Return the comparisons that belong to a planned analysis."""
        return [
            self._explained(item, entry, every_method=False)
            for item, entry in zip(self._selected, self.derived.entries, strict=True)
            if self._planned.get(set_of(item.comparison, self.config)) == synthesis
        ]

    def beside(self, synthesis: str) -> dict[str, list[str]]:
        """Return the studies that differ from an analysis in one point, by that point's value.

        Only with comparisons that no planned analysis includes.
        """
        wanted = next(key for key, name in self._planned.items() if name == synthesis)
        found: dict[str, list[str]] = {}
        for item in self._selected:
            key, label = set_of(item.comparison, self.config), item.comparison.study.label
            point = "" if key in self._planned else _one_difference(key, wanted)
            if point:
                labels = found.setdefault(f"{point} {getattr(key, point) or 'none'}", [])
                labels += [label] if label not in labels else []
        return found

    def pool_with(self, found: PooledSet, effect: Effect) -> Pooled:
        """Return the pool of an analysis with an effect that is not in it."""
        held = EffectSet.of(found.effects, effect.measure, self.derived.covariances)
        return pool_set(EffectSet((*held.effects, effect), held.covariances), self.config)

    def _explained(
        self, item: Selected, entry: DirectionEntry | None, *, every_method: bool = True
    ) -> Explained:
        """Return a comparison; what each method lacks takes most of the time."""
        comparison = item.comparison
        key = set_of(comparison, self.config)
        planned = self._planned.get(key, "")
        near = [(name, point) for other, name in self._planned.items()
                if (point := _one_difference(key, other))]  # fmt: skip
        measures = self.config.outcomes[comparison.outcome].measures
        needs: list[str] = []
        if item.estimated.attempts and item.estimated.estimate(measures[0]) is None:
            tried = item.estimated.attempts.get(measures[0], ())
            cells = filter(None, (self._empty_cell(comparison, attempt) for attempt in tried))
            sets = smallest(comparison, measures[0], self._correlations, self.config)
            needs = [*cells, *(words_of(comparison, chosen) for chosen in sets)]
        return Explained(
            comparison=comparison, key=key, synthesis=planned,
            near=() if planned else tuple(near),
            measures=tuple(
                self._on_measure(item, measure, every_method=every_method) for measure in measures
                if measure in item.estimated.attempts
            ),
            not_tried=item.estimated.not_tried,
            needs=tuple(needs), entry=entry,
        )  # fmt: skip

    def _on_measure(self, item: Selected, measure: str, *, every_method: bool) -> OnMeasure:
        comparison, estimate = item.comparison, item.estimated.estimate(measure)
        tried = tuple(
            Tried(attempt=attempt, lacks=self._lacks(comparison, attempt))
            for attempt in (item.estimated.attempts[measure] if every_method else ())
        )
        effect = self._effect_of(item.estimated, measure)
        if estimate is None:
            causes = [reason for _, reason in why_listed(comparison, self.config)]
            if not item.chosen:
                causes.append(why_represented(item, self.config))
            causes += [reason for _, reason in why_not_by_design(comparison, self.config)]
        else:
            found = why_not_pooled(item, measure, estimate, self.config)
            causes = [reason for _, reason in found]
            # What later passes decide, such as that arms are merged or units differ.
            if effect is not None and effect.reason and effect.reason not in causes:
                causes.insert(0, effect.reason)
        return OnMeasure(measure=measure, tried=tried, effect=effect, causes=tuple(causes))

    def _empty_cell(self, comparison: Comparison, attempt: Attempt) -> str:
        """Return the one empty cell that keeps a reported test from being used; '' if none does."""
        if attempt.estimate is not None or UNSTATED not in attempt.reason:
            return ""
        for row in comparison.contrasts:
            for column, answers in (("adjusted", "yes or no"), ("score", "post or change")):
                # The last answer is the one that needs the other cell too.
                changed = row.model_copy(update={column: answers.split()[-1]})
                rows = tuple(changed if one is row else one for one in comparison.contrasts)
                tried = attempts_at(
                    replace(comparison, contrasts=rows), attempt.measure, self._correlations,
                    self.config, only=attempt.method,
                )  # fmt: skip
                if not getattr(row, column) and tried and tried[-1].estimate is not None:
                    place = f"{row.table}.csv row {row.row}"
                    return f"`{column}`, which is empty in {place}: enter {answers}"
        return ""

    def _lacks(self, comparison: Comparison, attempt: Attempt) -> str:
        if attempt.estimate is not None:
            return ""
        cell = self._empty_cell(comparison, attempt)
        if cell:
            return cell
        atoms = lacking(
            comparison, attempt.measure, attempt.method, self._correlations, self.config
        )
        return words_of(comparison, atoms)

    def _effect_of(self, item: Estimated, measure: str) -> Effect | None:
        found = (e for e in self.derived.effects if e.measure == measure)
        return next((e for e in found if comparison_key(e) == item.comparison.key), None)

    def _other_rows(self, study_id: str, items: Iterable[Selected]) -> list[LedgerLine]:
        used = {(row.table, row.row) for item in items for row in item.comparison.rows}
        findings = ("measurements", "contrasts", "directions")
        return [
            line for line in ledger_of(self.tables, self.derived, self.config)
            if line.study_id == study_id and line.table in findings
            and (line.table, line.row) not in used
        ]  # fmt: skip


def _one_difference(key: SetKey, other: SetKey) -> str:
    """Return the name of the one point in which two sets differ; '' if it is none or several."""
    points = [name for name, a, b in zip(SetKey._fields, key, other, strict=True) if a != b]
    # Analytes and sites are those of an outcome.
    return points[0] if len(points) == 1 and points[0] != "outcome" else ""


def _is_of(found: OnMeasure, whole: Effect) -> bool:
    """Return whether an effect is another one, or one of those that are combined into it."""
    own = found.effect
    if own is None or own.measure != whole.measure:
        return False
    parts = own.block == Block.REDUCED and set(own.inputs) < set(whole.inputs)
    return own.effect_id == whole.effect_id or (parts and set_key(own) == set_key(whole))
