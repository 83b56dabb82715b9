"""How config.yaml classifies a comparison: exercise type, window, time, eligibility and set."""

import math
from collections.abc import Iterator
from typing import Any

from osteometa.comparisons.comparison import Comparison
from osteometa.extraction.tables import Arm
from osteometa.protocol.config import Config
from osteometa.records.directions import SetKey
from osteometa.wording.vocabulary import (
    Block,
    ComparatorKind,
    Design,
    ExerciseType,
    Phase,
    PlasmaVolume,
)


def exercise_type(arm: Arm, config: Config) -> ExerciseType:
    """Return the type of an exercise arm, by the mapping that config.yaml chooses."""
    by_paper = config.derivation.type_by == "paper"
    return (type_by_paper if by_paper else type_by_modality)(arm, config)


def type_by_modality(arm: Arm, config: Config) -> ExerciseType:
    """Return the type as typed with a reason, else by what was done."""
    return ExerciseType(arm.exercise_type or config.modalities.get(arm.modality) or "other")


def type_by_paper(arm: Arm, config: Config) -> ExerciseType:
    """Return the type where the paper's own `high` takes precedence over the modality."""
    if arm.intensity == "high":
        return ExerciseType.HIGH_INTENSITY
    return type_by_modality(arm, config)


def window_of(comparison: Comparison, config: Config) -> str:
    """Return the window of an acute comparison, '' for training."""
    if comparison.arm.phase != "acute":
        return ""
    return config.window_of(comparison.time, comparison.timepoint)


def set_of(comparison: Comparison, config: Config) -> SetKey:
    """Return the set to which an effect of a comparison belongs."""
    return SetKey(
        comparison.outcome, comparison.analyte, comparison.site, comparison.arm.phase,
        window_of(comparison, config), comparison.design_class,
    )  # fmt: skip


def time_distance(comparison: Comparison, config: Config) -> float:
    """Return how far a time is from the one that config.yaml chooses; infinite if not known."""
    weeks, time = comparison.arm.weeks, comparison.time
    if time is None:
        return math.inf
    if comparison.arm.phase == "acute":
        return time
    chosen = config.derivation.training_time
    if chosen == "earliest":
        return time
    return -time if weeks is None or chosen == "latest" else abs(time - weeks)


def listed_only(comparison: Comparison, config: Config) -> tuple[Block, str] | None:
    """Return block and reason of a comparison that is only listed, else None."""
    return next(why_listed(comparison, config), None)


def why_listed(comparison: Comparison, config: Config) -> Iterator[tuple[Block, str]]:
    """Yield block and reason of everything for which a comparison is only listed."""
    arm, control = comparison.arm, comparison.control
    apart = control is not None and arm.comparator_kind not in config.comparator_kinds
    active = apart and arm.comparator_kind != ComparatorKind.NOT_STATED
    block = Block.ACTIVE if active else Block.LISTED
    if arm.listed:
        yield block, arm.listed
    if apart:
        yield block, f"comparator '{arm.comparator_kind}' is not pooled by config.yaml"
    if control is None:
        return
    if arm.cointervention.strip().casefold() != control.cointervention.strip().casefold():
        given = arm.cointervention or control.cointervention
        yield block, f"cointervention in one arm only: {given}"


def shared_columns(comparison: Comparison, config: Config) -> dict[str, Any]:
    """Return the columns that an effect and a direction share: study, arm, outcome and time."""
    study, arm = comparison.study, comparison.arm
    plasma = PlasmaVolume(arm.plasma_volume or "not_stated")
    return {
        "study_id": study.study_id,
        "label": study.label,
        "year": study.year,
        "arm_id": arm.arm_id,
        "arm_label": arm.label,
        "outcome": comparison.outcome,
        "analyte": comparison.analyte,
        "site": comparison.site,
        "phase": Phase(arm.phase),
        "window": window_of(comparison, config),
        "timepoint": comparison.timepoint,
        "time": comparison.time,
        "design": Design(study.design),
        "design_class": comparison.design_class,
        "exercise_type": exercise_type(arm, config),
        "comparator_kind": ComparatorKind(arm.comparator_kind) if arm.comparator_kind else None,
        "plasma_volume": plasma if arm.phase == "acute" else None,
        "report": comparison.report,
        "population_analysed": comparison.population,
    }
