"""The records that flow between the steps; each is a row of a derived table, field by column.

Texts are empty, never None, where nothing is said; numbers are None where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One comparison on one measure: a row of `effects.csv`."""

    effect_id: str
    """`study.arm.outcome.analyte.site.timepoint[.report][.population].measure`; other studies
    change nothing of it."""
    study_id: str
    label: str
    year: int | None
    arm_id: str
    arm_label: str
    comparator: str
    comparator_kind: str
    cointervention: str
    """What else was given to the exercise arm."""
    outcome: str
    analyte: str
    site: str
    phase: str
    window: str
    plasma_volume: str
    """corrected, not_corrected or not_stated; empty for training."""
    design: str
    design_class: str
    """controlled or within_arm."""
    risk_of_bias: str
    """Overall judgement that people entered; empty where nobody judged."""
    exercise_type: str
    type_by_paper: str
    """The type if the paper's own word for the intensity decides: the second mapping."""
    unit: str
    """Unit of MD; empty for measures without one."""
    timepoint: str
    time: float | None
    """Weeks (training) or hours (acute)."""
    report: str
    population_analysed: str
    weeks: float | None
    """Length of the programme."""
    sessions: float | None
    """Per week."""
    age: float | None
    """Mean age of the study's people, years."""
    measure: str
    yi: float
    vi: float
    n_exercise: int | None
    n_control: int | None
    n_total: int | None
    derivation_method: str
    """Which method of derivation gave the effect: ADJ, PPC, CHG, POST, DIF, SMDP, TST, ..."""
    provenance: str
    """How each number came about, codes joined by +, the method first (for instance PPC+SE)."""
    r: float | None
    r_source: str
    z: float
    """Estimate over its standard error."""
    flags: str
    """Flags (docs/results/codes.md), sorted, separated by spaces."""
    means_kind: str
    """What mean and SD below are: after, change, pct_change or empty."""
    means_unit: str
    """Their unit; empty for pct_change and where no means are shown."""
    mean_exercise: float | None
    sd_exercise: float | None
    mean_control: float | None
    sd_control: float | None
    pooled: bool
    block: str
    """pooled, or why not: non_randomised, disputed, active, listed, unit (drawn apart) or reduced
    (the same people stand in another row)."""
    reason: str
    """Why it is not pooled; empty if it is."""
    inputs: str
    """Raw cells it rests on, `table:key:column` separated by spaces."""
    source: str
    """Page, table or abstract of the paper, joined by '; '."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedEffect(Effect):
    """An effect of a synthesis with its weight: a row of `results/<synthesis>/effects.csv`."""

    weight: float | None
    """Percent of the primary model's pool of its measure; None if not pooled."""
    ci_low: float
    ci_high: float
    """Normal 95 % interval of the effect by itself, yi -/+ 1.96 sqrt(vi)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantEffect(Effect):
    """An effect as another choice would have it: a row of `variants/<synthesis>/effects.csv`."""

    variant: str
    """The choice, for instance `r=0.7`, or `reading=TST+p` for one of contradictory prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Two effects that rest on some of the same people: a row of `covariance.csv`."""

    effect_id_1: str
    effect_id_2: str
    covariance: float
    """Of their sampling errors, squared scale of the measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCovariance(Covariance):
    """The same under another choice: a row of `variants/<synthesis>/covariance.csv`."""

    variant: str
