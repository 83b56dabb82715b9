"""Types of exercise by two mappings: by what was done, and by what the paper calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osteometa.comparisons.build import exercise_type, type_by_paper
from osteometa.extraction.tables import Arm, Tables
from osteometa.protocol.config import Config
from osteometa.records.effects import Effect, VariantEffect
from osteometa.records.sensitivity import SensitivityRow
from osteometa.report.findings import Findings
from osteometa.wording.numbers import counted, joined
from osteometa.wording.vocabulary import ExerciseType

BY_PAPER = "type_by=paper"


def pool_by_paper(found: Findings, variants: Sequence[VariantEffect]) -> list[Effect]:
    """Return the pool of the primary measure under the second mapping.

    What a variant holds of a study stands for all of that study's effects, as arms that one type
    merges may be of two types under the other.
    """
    rows = [v for v in variants if v.variant == BY_PAPER and v.measure == found.row.measure]
    changed = {row.study_id for row in rows}
    kept: list[Effect] = [effect for effect in found.pool if effect.study_id not in changed]
    return [*kept, *(row for row in rows if row.pooled)]


def mapping_rows(
    found: Findings, by_paper: Sequence[Effect], rows: Sequence[SensitivityRow]
) -> list[dict[str, Any]]:
    """Return each type with its studies and average by both mappings; none where they agree."""
    if not _moved(found, by_paper):
        return []
    other = {r.group: r for r in rows if r.row == BY_PAPER and r.status == "ok"}
    table = []
    for kind in ExerciseType:
        first, second = _labels(found.pool, kind), _labels(by_paper, kind)
        if not first and not second:
            continue
        shown, row = found.shown(kind), other.get(kind)
        table.append(
            {
                "type": kind.heading,
                "studies": _studies(first),
                "effect": _effect(found, shown) if shown is not None and shown.k > 1 else "",
                "studies_by_paper": _studies(second),
                "effect_by_paper": _effect(found, row) if row is not None and row.k > 1 else "",
            }
        )
    return table


def mapping_words(found: Findings, by_paper: Sequence[Effect]) -> str:
    """Return which studies of a pool change room under the second mapping."""
    if not found.pool:
        return ""
    moved = _moved(found, by_paper)
    if not moved:
        return "Both mappings put every study of this pool into the same type of exercise."
    number = counted(len(moved), "study", "studies").capitalize()
    verb = "changes" if len(moved) == 1 else "change"
    return (
        f"{number} of the pool {verb} room where the paper's own word for the intensity decides: "
        f"{'; '.join(moved)}."
    )


def _moved(found: Findings, by_paper: Sequence[Effect]) -> list[str]:
    """Return the studies whose types differ, with both."""
    words = []
    for study, label in {effect.study_id: effect.label for effect in found.pool}.items():
        first, second = (
            [kind for kind in ExerciseType
             if any(e.study_id == study and e.exercise_type == kind for e in effects)]
            for effects in (found.pool, by_paper)
        )  # fmt: skip
        if first != second:
            words.append(
                f"{label}, {_types(first)} by what was done, {_types(second)} by the paper"
            )
    return words


def _types(kinds: Sequence[str]) -> str:
    return joined([kind.words for kind in kinds]) or "not pooled"


def _labels(effects: Sequence[Effect], kind: str) -> list[str]:
    return list(dict.fromkeys(e.label for e in effects if e.exercise_type == kind))


def _studies(labels: Sequence[str]) -> str:
    return f"{len(labels)}: {'; '.join(labels)}" if labels else "none"


def _effect(found: Findings, row: Any) -> str:
    scale = found.scale()
    value = scale.number(row.estimate) + (" %" if scale.percent else "")
    return f"{value} ({scale.limits(row.ci_low, row.ci_high)})"


def moved_arms(tables: Tables, config: Config) -> list[dict[str, str]]:
    """Return the exercise arms of the whole review whose type the two mappings tell apart."""
    labels = {study.study_id: study.label for study in tables.studies if study.include == "yes"}
    return [
        {
            "label": labels[arm.study_id],
            "arm": arm.label,
            "modality": arm.modality.replace("_", " ") or "not stated",
            "intensity": arm.intensity.replace("_", " ") or "not stated",
            "by_modality": ExerciseType(by_modality(arm, config)).heading,
            "by_paper": ExerciseType(type_by_paper(arm, config)).heading,
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
