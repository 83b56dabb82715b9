"""Types of exercise by two mappings: by what was done, and by what the paper calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osteometa.comparisons import exercise_type, type_by_paper
from osteometa.config import Config
from osteometa.figures.forest_rows import TYPE_WORDS
from osteometa.records_explore import SensitivityRow
from osteometa.report.findings import Findings
from osteometa.report.words import counted, interval_words
from osteometa.tables import Arm, Tables

BY_PAPER = "type_by=paper"


def mapping_rows(found: Findings, rows: Sequence[SensitivityRow]) -> list[dict[str, Any]]:
    """Return each type with its studies and average by both mappings; none where they agree."""
    if all(e.exercise_type == e.type_by_paper for e in found.pool):
        return []
    other = {r.group: r for r in rows if r.row == BY_PAPER and r.status == "ok"}
    table = []
    for kind, words in TYPE_WORDS.items():
        first = _labels(found, kind, "exercise_type")
        second = _labels(found, kind, "type_by_paper")
        if not first and not second:
            continue
        shown, row = found.shown(kind), other.get(kind)
        table.append(
            {
                "type": words,
                "studies": _studies(first),
                "effect": _effect(found, shown) if shown is not None and shown.k > 1 else "",
                "studies_by_paper": _studies(second),
                "effect_by_paper": _effect(found, row) if row is not None and row.k > 1 else "",
            }
        )
    return table


def mapping_words(found: Findings) -> str:
    """Return which studies of a pool change room under the second mapping."""
    if len(found.pool) == 0:
        return ""
    moved = dict.fromkeys(
        f"{e.label}, {TYPE_WORDS[e.exercise_type].lower()} by what was done, "
        f"{TYPE_WORDS[e.type_by_paper].lower()} by the paper"
        for e in found.pool
        if e.exercise_type != e.type_by_paper
    )
    if not moved:
        return "Both mappings put every study of this pool into the same type of exercise."
    number = counted(len(moved), "study", "studies").capitalize()
    verb = "changes" if len(moved) == 1 else "change"
    return (
        f"{number} of the pool {verb} room where the paper's own word for the intensity decides: "
        f"{'; '.join(moved)}."
    )


def _labels(found: Findings, kind: str, field: str) -> list[str]:
    return [effect.label for effect in found.pool if getattr(effect, field) == kind]


def _studies(labels: Sequence[str]) -> str:
    return f"{len(labels)}: {'; '.join(labels)}" if labels else "none"


def _effect(found: Findings, row: Any) -> str:
    scale = found.scale()
    value = scale.number(row.estimate) + (" %" if scale.percent else "")
    return f"{value} ({interval_words(row.ci_low, row.ci_high, scale)})"


def moved_arms(tables: Tables, config: Config) -> list[dict[str, str]]:
    """Return the exercise arms of the whole review whose type the two mappings tell apart."""
    labels = {study.study_id: study.label for study in tables.studies if study.include == "yes"}
    return [
        {
            "label": labels[arm.study_id],
            "arm": arm.label,
            "modality": arm.modality.replace("_", " ") or "not stated",
            "intensity": arm.intensity.replace("_", " ") or "not stated",
            "by_modality": TYPE_WORDS[by_modality(arm, config)],
            "by_paper": TYPE_WORDS[type_by_paper(arm, config)],
        }
        for arm in tables.arms
        if arm.role == "exercise"
        and arm.study_id in labels
        and by_modality(arm, config) != type_by_paper(arm, config)
    ]


def by_modality(arm: Arm, config: Config) -> str:
    """Return the type of an arm by what was done, whichever mapping the config chooses."""
    derivation = config.derivation.model_copy(update={"type_by": "modality"})
    return exercise_type(arm, config.model_copy(update={"derivation": derivation}))
