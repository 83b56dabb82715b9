"""Directions of comparisons and studies, sign tests and p values, field by column.

A text is empty, and a number or code None, where nothing is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from osteometa.io.csv_records import Joined
from osteometa.records.effects import CellNames, Effect, Sources, Types
from osteometa.wording.vocabulary import (
    ComparatorKind,
    Design,
    DesignClass,
    Direction,
    DirectionBasis,
    ExerciseType,
    Phase,
    PlasmaVolume,
)

if TYPE_CHECKING:
    from osteometa.protocol.config import Synthesis

Origin = Literal["effect", "means", "words", "arrow", "none"]
Arrow = Literal["up", "down", "none", "mixed"]
Arrows = Annotated[tuple[Arrow, ...], Joined("/")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionEntry:
    """Direction of one outcome in one arm at one time: a row of `directions.csv`."""

    study_id: str
    label: str
    year: int | None
    arm_id: str
    arm_label: str
    outcome: str
    analyte: str
    site: str
    phase: Phase
    window: str
    timepoint: str
    time: float | None
    design: Design
    design_class: DesignClass
    exercise_type: ExerciseType
    comparator_kind: ComparatorKind | None
    plasma_volume: PlasmaVolume | None
    """Whether corrected for; None for training."""
    report: str
    population_analysed: str
    direction: Direction
    """Exercise against control, or after against before; never mixed."""
    origin: Origin
    """Where the direction is from."""
    arrow: Arrows
    """What the authors claim."""
    significant: Annotated[tuple[Literal["yes", "no", "not_stated"], ...], Joined("/")]
    n: int | None
    """Participants, both arms of a comparison together; None where not reported."""
    counted: bool
    """Whether it counts in the sign test; if not, `reason` has the reason."""
    conflict: bool
    """True where the sign of the effect contradicts a reported arrow or direction."""
    reason: str
    inputs: CellNames
    source: Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResult:
    """What one source reports of one arm or comparison at one time: a row of `reported.csv`.

    The direction is never changed by the rules of sign tests; `counted_as` has their result.
    """

    study_id: str
    label: str
    year: int | None
    design: Design
    arm_id: str
    arm_label: str
    role: Literal["exercise", "control"]
    exercise_type: ExerciseType | None
    """None for a control arm."""
    outcome: str
    analyte: str
    site: str
    phase: Phase
    window: str
    timepoint: str
    time: float | None
    """Weeks from the start (training) or hours after the bout (acute)."""
    report: str
    population_analysed: str
    basis: DirectionBasis
    direction: Direction
    stated: bool
    """Whether the source states it in words or by an arrow; else it is the sign of its numbers."""
    significant: str
    """As stated: yes, no, not_stated; empty where nothing is said."""
    p: str
    """As reported, with its operator; empty where none is."""
    n: int | None
    """Participants, both arms of a comparison together."""
    effect_id: str
    """Effect on the primary measure; empty without one."""
    measure: str
    estimate: float | None
    """Exercise minus control, or after minus before; ROM as a logarithm."""
    ci_low: float | None
    """Normal 95 % interval."""
    ci_high: float | None
    counted_as: Direction | None
    """What it counts as in a sign test; None where it is not counted."""
    reason: str
    """Why it is not counted, or how else its direction is known."""
    inputs: CellNames
    source: Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDirection:
    """One study's direction in one set: a row of a set's `directions.csv`."""

    study_id: str
    label: str
    year: int | None
    design: Design
    exercise_type: Types
    direction: Direction
    counted: bool
    """Whether it counts in the sign test; if not, `reason` has the reason."""
    n_up: int
    n_down: int
    n_zero: int
    n_unchanged: int
    n_not_told: int
    n: int | None
    arrow: Arrows
    has_effect: bool
    """Whether an effect estimate of the study is available in the same set."""
    plasma_volume: Annotated[tuple[PlasmaVolume, ...], Joined("/")]
    reason: str
    """Why there is no effect, why it is not counted, or how else the direction is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionSet:
    """Sign test over one outcome, phase and design class: a row of `direction_sets.csv`."""

    outcome: str
    phase: Phase
    design_class: DesignClass
    n_up: int
    n_down: int
    n_mixed: int
    n_zero: int
    n_unchanged: int
    n_not_told: int
    p_known: float | None = None
    p_lowest: float | None = None
    p_highest: float | None = None
    share_known: float | None = None
    share_ci_low: float | None = None
    share_ci_high: float | None = None
    share_lowest: float | None = None
    share_highest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PCombination:
    """Exact p values of one direction set combined: a row of `p_combination.csv`."""

    outcome: str
    phase: Phase
    design_class: DesignClass
    k: int
    """Studies with an exact p, a known direction and a number of participants."""
    n_total: int | None = None
    z: float | None = None
    """Stouffer's Z, weights sqrt(N); positive: higher with exercise."""
    p_stouffer: float | None = None
    """One-sided: higher with exercise."""
    p_stouffer_lower: float | None = None
    chi2: float | None = None
    chi2_lower: float | None = None
    df: int | None = None
    p_fisher: float | None = None
    p_fisher_lower: float | None = None
    status: str = "ok"
    """ok or not_applicable."""
    reason: str = ""
    """Why not; empty if ok."""
    studies: Annotated[tuple[str, ...], Joined(" ")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbatrossPoint:
    """One study of a direction set by its N and p: a row of `albatross.csv`."""

    outcome: str
    phase: Phase
    design_class: DesignClass
    study_id: str
    label: str
    n: int
    p: float
    """Two-sided."""
    direction: str
    origin: Literal["effect", "reported"]
    """The p of the effect's z, or a reported exact p."""
    effect_id: str
    """The effect that gives the p; empty for a reported one."""


class SetKey(NamedTuple):
    """What defines a planned analysis: records with the same key belong to one set."""

    outcome: str
    analyte: str
    site: str
    phase: str
    window: str
    design_class: str


def set_key(record: Effect | DirectionEntry | Synthesis) -> SetKey:
    """Return the set to which a record belongs, or that an analysis requests."""
    return SetKey(
        record.outcome, record.analyte, record.site, record.phase, record.window,
        record.design_class,
    )  # fmt: skip
