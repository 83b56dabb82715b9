"""An explanation as a record for other programs: the facts of `explain_words`, without layout."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from osteometa.comparisons.summaries import Cell
from osteometa.inspection.explain import Explained, Explainer, OnMeasure, StudyExplained, Tried
from osteometa.inspection.explain_words import headline, status_of, why_not
from osteometa.pooling.results import Estimated
from osteometa.records.effects import Effect
from osteometa.wording.vocabulary import Block

Record = dict[str, Any]


def study_record(found: StudyExplained, explainer: Explainer) -> Record:
    """Return the explanation of a study, or of one of its effects."""
    return {
        "sentence": headline(found, explainer), "study_id": found.study_id, "label": found.label,
        "excluded": found.excluded,
        "comparisons": [_comparison(one, explainer) for one in found.comparisons],
        "combined": [_effect(effect, explainer) for effect in found.combined],
        "other_rows": [asdict(row) for row in found.other_rows],
    }  # fmt: skip


def synthesis_record(name: str, explainer: Explainer) -> Record:
    """Return the explanation of a planned analysis."""
    found = explainer.sets([name])[name]
    status = status_of(found, explainer)
    row = found.row()
    return {
        "synthesis": name, "measure": found.measure, "status": status.status,
        "reason": status.reason, "pool": None if row is None else asdict(row),
        "effects": [
            _effect(effect, explainer) for effect in found.effects
            if effect.measure == found.measure
        ],
        "not_pooled": [
            _place(one) | {"why": why_not(one)} for one in explainer.inside(name) if not one.pooled
        ],
        "different_in_one_point": explainer.beside(name),
    }  # fmt: skip


def _place(one: Explained) -> Record:
    comparison = one.comparison
    return {
        "study_id": comparison.study.study_id, "arm_id": comparison.arm.arm_id,
        "comparator": comparison.control.arm_id if comparison.control else "",
        "timepoint": comparison.timepoint, "report": comparison.report,
        "population_analysed": comparison.population,
    }  # fmt: skip


def _comparison(one: Explained, explainer: Explainer) -> Record:
    entry = one.entry
    return _place(one) | one.key._asdict() | {
        "synthesis": one.synthesis, "pooled": one.pooled,
        "why_not": "" if one.pooled else why_not(one), "needs": one.needs,
        "near": [{"synthesis": name, "different_in": point} for name, point in one.near],
        "direction": None if entry is None else entry.direction,
        "counted": entry is not None and entry.counted and not entry.direction.unknown,
        "measures": [_measure(found, explainer) for found in one.measures],
    }  # fmt: skip


def _measure(found: OnMeasure, explainer: Explainer) -> Record:
    return {
        "measure": found.measure, "methods": [_method(tried) for tried in found.tried],
        "effect": None if found.effect is None else _effect(found.effect, explainer),
        "causes": found.causes,
    }  # fmt: skip


def _method(tried: Tried) -> Record:
    attempt, estimate = tried.attempt, tried.attempt.estimate
    if estimate is None:
        return {"method": attempt.method, "used": False, "reason": attempt.reason,
                "lacks": tried.lacks}  # fmt: skip
    return {
        "method": attempt.method, "used": True, "codes": estimate.codes,
        "formula": list(estimate.worked.texts()), "yi": estimate.yi, "vi": estimate.vi,
        "correlation": None if estimate.correlation is None else asdict(estimate.correlation),
        "flags": sorted(estimate.flags), "cells": [_cell(cell) for cell in estimate.cells],
    }  # fmt: skip


def _cell(cell: Cell) -> Record:
    value = getattr(cell.row, cell.column)
    return {
        "table": cell.row.table, "row": cell.row.row, "column": cell.column,
        "value": getattr(value, "text", value), "source": getattr(cell.row, "source", ""),
    }  # fmt: skip


def _effect(effect: Effect, explainer: Explainer) -> Record:
    """Return an effect with its weight, its pool, and the pool without it or with it."""
    found = explainer.pools_of(effect)
    record = asdict(effect) | {"synthesis": explainer.planned(effect)}
    if found is None:
        return record
    row = found.row(effect.measure)
    record["pool"] = None if row is None else asdict(row)
    if effect.pooled:
        own = next(e for e in found.effects if e.effect_id == effect.effect_id)
        without = found.without_study(effect.study_id) if effect.measure == found.measure else None
        record |= {"weight": own.weight,
                   "without_study": None if without is None else asdict(without)}  # fmt: skip
    elif effect.block != Block.REDUCED:
        with_it = explainer.pool_with(found, effect)
        record["with_it"] = asdict(with_it) if isinstance(with_it, Estimated) else None
    return record
