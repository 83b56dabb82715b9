"""Effects and their covariances, field by column.

A text is empty, and a number or code None, where nothing is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from osteometa.io.csv_records import Joined
from osteometa.wording.vocabulary import (
    Block,
    ComparatorKind,
    CorrelationSource,
    DerivationMethod,
    Design,
    DesignClass,
    ExerciseType,
    Flag,
    MeansKind,
    Phase,
    PlasmaVolume,
    Provenance,
)


class CellName(NamedTuple):
    """One cell of a raw table, written `table:key:column`."""

    table: str
    key: str
    """The row's key columns joined by '/', spaces as '_'."""
    column: str

    def __str__(self) -> str:
        return ":".join(self)

    @classmethod
    def read(cls, text: str) -> CellName:
        """Return the cell of a name; a key may contain ':' itself."""
        table, _, rest = text.partition(":")
        key, _, column = rest.rpartition(":")
        return cls(table, key, column)


Types = Annotated[tuple[ExerciseType, ...], Joined("/")]
Flags = Annotated[frozenset[Flag], Joined(" ")]
Codes = Annotated[tuple[DerivationMethod | Provenance, ...], Joined("+")]
CorrelationSources = Annotated[tuple[CorrelationSource, ...], Joined("+")]
CellNames = Annotated[tuple[CellName, ...], Joined(" ")]
Sources = Annotated[tuple[str, ...], Joined("; ")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One comparison on one measure: a row of `effects.csv`."""

    effect_id: str
    """`study.arm.outcome.analyte.site.timepoint[.report][.population].measure`: independent of
    all other studies."""
    study_id: str
    label: str
    year: int | None
    arm_id: str
    arm_label: str
    comparator: str
    """`arm_id` of the control arm; empty where there is none. Of combined effects these, the
    timepoints, reports and populations are joined by '/'."""
    comparator_kind: ComparatorKind | None
    cointervention: str
    """What else was given to the exercise arm."""
    outcome: str
    analyte: str
    site: str
    phase: Phase
    window: str
    plasma_volume: PlasmaVolume | None
    """Whether corrected for; None for training."""
    design: Design
    design_class: DesignClass
    risk_of_bias: str
    """Overall judgement entered by the reviewers; empty where none was made."""
    exercise_type: ExerciseType
    type_by_paper: Types
    """The type where the paper's own word for the intensity decides: the second mapping."""
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
    """Mean age of the study's participants, years."""
    measure: str
    yi: float
    vi: float
    n_exercise: int | None
    n_control: int | None
    n_total: int | None
    derivation_method: DerivationMethod
    provenance: Codes
    """The derivation method, then how each number came about (for instance PPC+SE)."""
    r: float | None
    r_source: CorrelationSources
    z: float
    """Estimate over its standard error."""
    flags: Flags
    means_kind: MeansKind | None
    """What the means and SDs below are; None where none are reported."""
    means_unit: str
    """Their unit; empty for percent changes and where no means are reported."""
    mean_exercise: float | None
    sd_exercise: float | None
    mean_control: float | None
    sd_control: float | None
    pooled: bool
    block: Block
    reason: str
    """Why it is not pooled; empty if it is."""
    inputs: CellNames
    """Raw cells it is derived from, in alphabetical order."""
    source: Sources
    """Page, table or abstract of the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedEffect(Effect):
    """An effect of a synthesis with its weight: a row of `results/<synthesis>/effects.csv`."""

    weight: float | None
    """Percent of the primary model's pool of its measure; None if not pooled."""
    ci_low: float
    ci_high: float
    """Normal 95 % interval of the effect by itself, yi -/+ 1.96 sqrt(vi)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupValue:
    """A value that studies.csv or arms.csv has for an effect: a row of `subgroup_values.csv`."""

    effect_id: str
    column: str
    value: str
    """As in the table; empty where nothing is reported."""


class Choice(NamedTuple):
    """An alternative derivation: a key of config.yaml and its other value, written `r=0.7`."""

    key: str
    value: str

    def __str__(self) -> str:
        return "=".join(self)

    @classmethod
    def read(cls, text: str) -> Choice:
        """Return the choice of a name."""
        key, _, value = text.partition("=")
        return cls(key, value)


RESOLUTION = "resolution"
"""The key of the resolutions of inconsistently reported data; its value is the provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeEffect(Effect):
    """An effect by an alternative derivation: a row of `sets/<synthesis>/alternatives.csv`."""

    alternative: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Two effects that share participants: a row of `covariance.csv`."""

    effect_id_1: str
    effect_id_2: str
    covariance: float
    """Of their sampling errors, squared scale of the measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeCovariance(Covariance):
    """The same by an alternative derivation: a row of `alternative_covariance.csv`."""

    alternative: Choice
