"""Types of exercise by two classifications: by modality, and by the intensity the paper states."""

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.comparisons.classification import type_by_modality, type_by_paper
from osteometa.extraction.tables import Arm, Tables
from osteometa.protocol.config import Config
from osteometa.records.effects import Choice, Effect
from osteometa.records.sensitivity import SensitivityRow
from osteometa.report.findings import Findings
from osteometa.wording.measure_format import Estimate, estimate_of
from osteometa.wording.numbers import joined, studies
from osteometa.wording.vocabulary import ExerciseType

BY_PAPER = Choice("type_by", "paper")


class TypeRow(NamedTuple):
    """One exercise type by both classifications."""

    type: str
    studies: str
    effect: str
    studies_by_paper: str
    effect_by_paper: str


def pool_by_paper(found: Findings) -> list[Effect]:
    """Return the pool of the primary measure under the second classification.

    What an alternative derivation holds of a study stands for all of that study's effects, as arms
    that one classification merges may be of two types under the other.
    """
    rows = [
        row for row in found.alternatives
        if row.alternative == BY_PAPER and row.measure == found.row.measure
    ]  # fmt: skip
    changed = {row.study_id for row in rows}
    kept: list[Effect] = [effect for effect in found.pool if effect.study_id not in changed]
    return [*kept, *(row for row in rows if row.pooled)]


def type_rows(found: Findings, by_paper: Sequence[Effect]) -> list[TypeRow]:
    """Return each type with its studies and average by both; none where they agree."""
    if not _moved(found, by_paper):
        return []
    other = {row.group: row for row in found.tables.sensitivity if row.row == str(BY_PAPER)}
    rows = []
    for kind in ExerciseType:
        first, second = _labels(found.pool, kind), _labels(by_paper, kind)
        if not first and not second:
            continue
        shown = found.shown(kind)
        rows.append(
            TypeRow(
                type=kind.heading,
                studies=_listed(first),
                effect=_effect(found, shown.estimate) if shown and shown.pooled else "",
                studies_by_paper=_listed(second),
                effect_by_paper=_other(found, other.get(kind)),
            )
        )
    return rows


def _other(found: Findings, row: SensitivityRow | None) -> str:
    estimate = None if row is None else estimate_of(row)
    if row is None or estimate is None or row.k is None or row.k < 2:
        return ""
    return _effect(found, estimate)


def type_words(found: Findings, by_paper: Sequence[Effect]) -> str:
    """Return which studies of a pool are of another type under the second classification."""
    if not found.pool:
        return ""
    moved = _moved(found, by_paper)
    if not moved:
        return "Both classifications assign every study of this pool to the same type of exercise."
    verb = "changes" if len(moved) == 1 else "change"
    return (
        f"{studies(len(moved)).capitalize()} of the pool {verb} type if classified by the "
        f"intensity stated in the paper: {'; '.join(moved)}."
    )


def _moved(found: Findings, by_paper: Sequence[Effect]) -> list[str]:
    """Return the studies whose types differ, with both."""
    words = []
    for study, label in {effect.study_id: effect.label for effect in found.pool}.items():
        first, second = (_types(effects, study) for effects in (found.pool, by_paper))
        if first != second:
            words.append(f"{label} ({_named(first)} by modality, {_named(second)} by the paper)")
    return words


def _types(effects: Sequence[Effect], study: str) -> list[ExerciseType]:
    own = {effect.exercise_type for effect in effects if effect.study_id == study}
    return [kind for kind in ExerciseType if kind in own]


def _named(kinds: Sequence[ExerciseType]) -> str:
    return joined([kind.words for kind in kinds]) or "not pooled"


def _labels(effects: Sequence[Effect], kind: str) -> list[str]:
    return list(dict.fromkeys(e.label for e in effects if e.exercise_type == kind))


def _listed(labels: Sequence[str]) -> str:
    return f"{len(labels)}: {'; '.join(labels)}" if labels else "none"


def _effect(found: Findings, estimate: Estimate) -> str:
    return found.scale().in_text(estimate, "")


class ArmRow(NamedTuple):
    """An exercise arm whose type depends on the classification."""

    label: str
    arm: Arm
    by_modality: str
    by_paper: str


def moved_arms(tables: Tables, config: Config) -> list[ArmRow]:
    """Return the exercise arms of the review whose type depends on the classification."""
    labels = {study.study_id: study.label for study in tables.studies if study.include == "yes"}
    rows = []
    for arm in tables.arms:
        if arm.role != "exercise" or arm.study_id not in labels:
            continue
        first, second = type_by_modality(arm, config), type_by_paper(arm, config)
        if first != second:
            rows.append(ArmRow(labels[arm.study_id], arm, first.heading, second.heading))
    return rows
