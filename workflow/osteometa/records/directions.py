"""The records of directions, of their sign tests and of p values, field by column.

As in `records`, texts are empty, never None, where nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionEntry:
    """What one study says of the direction of one outcome in one arm at one time."""

    study_id: str
    label: str
    year: int | None
    arm_id: str
    arm_label: str
    outcome: str
    analyte: str
    site: str
    phase: str
    window: str
    timepoint: str
    time: float | None
    design: str
    design_class: str
    exercise_type: str
    comparator_kind: str
    plasma_volume: str
    """corrected, not_corrected or not_stated; empty for training."""
    report: str
    population_analysed: str
    direction: str
    """up, down, zero or unknown: exercise against control, or after against before."""
    origin: str
    """Where the direction is from: effect, means, typed, arrow or none."""
    arrow: str
    significant: str
    n: int | None
    """People, both arms of a comparison together; None where not printed."""
    counted: bool
    """False for entries that stay out of direction sets; `reason` says why."""
    conflict: bool
    """True where the sign of the effect contradicts a typed arrow or direction."""
    reason: str
    inputs: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDirection:
    """One study's direction in one set: a row of a set's `directions.csv`."""

    study_id: str
    label: str
    year: int | None
    design: str
    exercise_type: str
    direction: str
    """up, down, mixed, zero or unknown."""
    counted: bool
    """False for a study that stays out of direction sets; `reason` says why."""
    n_up: int
    n_down: int
    n_zero: int
    n_unknown: int
    n: int | None
    arrow: str
    """What the authors claim: up, down, none, mixed; several joined by '/'."""
    has_effect: bool
    """True if a numeric effect of the study stands in the same set."""
    plasma_volume: str
    """corrected, not_corrected or not_stated; several joined by '/'."""
    reason: str
    """Why there is no effect or no vote, or how else the direction is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionSet:
    """Sign test over one outcome, phase and design class: a row of `direction_sets.csv`."""

    outcome: str
    phase: str
    design_class: str
    n_up: int
    n_down: int
    n_mixed: int
    n_zero: int
    n_unknown: int
    p_known: float | None
    p_lowest: float | None
    p_highest: float | None
    share_known: float | None
    share_ci_low: float | None
    share_ci_high: float | None
    share_lowest: float | None
    share_highest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PCombination:
    """Exact p values of one direction set combined: a row of `p_combination.csv`."""

    outcome: str
    phase: str
    design_class: str
    k: int
    """Studies with an exact p, a known direction and a number of people."""
    n_total: int | None
    z: float | None
    """Stouffer's Z, weights sqrt(N); above 0 speaks for higher with exercise."""
    p_stouffer: float | None
    """One-sided: higher with exercise."""
    p_stouffer_lower: float | None
    chi2: float | None
    chi2_lower: float | None
    df: int | None
    p_fisher: float | None
    p_fisher_lower: float | None
    status: str
    """ok or not_applicable."""
    reason: str
    """Why not; empty if ok."""
    studies: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbatrossPoint:
    """One study of a direction set by its N and p: a row of `albatross.csv`."""

    outcome: str
    phase: str
    design_class: str
    study_id: str
    label: str
    n: int
    p: float
    """Two-sided."""
    direction: str
    origin: str
    """effect (p of its z) or printed (an exact p)."""
    effect_id: str
    """The effect that gives the p; empty for a printed one."""
