"""The records that flow between the steps; each is a row of a derived table, field by column.

Texts are empty, never None, where nothing is said; numbers are None where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

# Also importable from here, for those who read records of several kinds.
from osteometa.records_directions import AlbatrossPoint as AlbatrossPoint
from osteometa.records_directions import DirectionEntry as DirectionEntry
from osteometa.records_directions import DirectionSet as DirectionSet
from osteometa.records_directions import PCombination as PCombination
from osteometa.records_directions import Vote as Vote


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
    rung: str
    """Rung of the effect ladder: ADJ, PPC, CHG, POST, DIF, SMDP, TST."""
    provenance: str
    """How each number came about, codes joined by +, the rung first (for instance PPC+SE)."""
    r: float | None
    r_source: str
    z: float
    """Estimate over its standard error."""
    flags: str
    """Flags as `docs/results.md` explains them, sorted, separated by spaces."""
    shown: str
    """What mean and SD below are: after, change, pct_change or empty."""
    shown_unit: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """What became of one raw row for one use."""

    table: str
    row: int
    """As the spreadsheet counts it: the header is row 1."""
    study_id: str
    status: str
    """used, direction_only, not_used or not_asked."""
    synthesis: str
    """Id of the synthesis or direction set, empty if none asks for the row."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledRow:
    """One pooled model: a row of `pooled.csv`. ROM stays on the log scale."""

    synthesis: str
    measure: str
    group: str
    """overall or an exercise type."""
    model: str
    """random or common."""
    method: str
    ci_method: str
    primary: bool
    k: int
    """Studies."""
    k_effects: int
    """Effects: more than k where types of one study share a control."""
    estimate: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    pi_low: float | None
    pi_high: float | None
    tau2: float | None
    tau2_ci_low: float | None
    tau2_ci_high: float | None
    i2: float | None
    h2: float | None
    q: float | None
    q_df: int | None
    q_p: float | None
    statistic: float | None
    df: float | None
    p: float | None
    status: str
    """ok, listed, not_estimable or failed."""
    diamond: str
    """none, hollow or full: what a forest plot draws for this row."""
    pi_shown: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupTest:
    """Test of differences between exercise types: a row of `subgroup_test.csv`."""

    synthesis: str
    measure: str
    tested: bool
    k: int
    groups: int
    tau2_model: str
    """common or separate; empty where not tested."""
    statistic: float | None
    df1: int | None
    df2: float | None
    p: float | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRow:
    """One planned analysis and what became of it: a row of `syntheses.csv`."""

    synthesis: str
    outcome: str
    analyte: str
    site: str
    phase: str
    window: str
    design_class: str
    measure: str
    """The primary measure."""
    k: int
    """Studies pooled on the primary measure."""
    k_directions: int
    """Studies in directions.csv, those of which the direction is not known included."""
    status: str
    """pooled, listed, direction_only or empty."""
    reason: str
    note: str
    """What a reader must keep in mind of such a set, whatever its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """Our number and a witness's for the same set: a row of `agreement.csv`."""

    synthesis: str
    measure: str
    group: str
    method: str
    quantity: str
    library: str
    ours: float | None
    theirs: float | None
    difference: float | None
    """Relative: over max(|theirs|, scale / 1000)."""
    verdict: str
    """agrees, differs or not_comparable."""
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRow:
    """Cells that would make a study poolable: a row of `wanted.csv`."""

    synthesis: str
    study_id: str
    label: str
    arm_id: str
    comparator: str
    outcome: str
    analyte: str
    site: str
    timepoint: str
    alternative: int
    """1 is the smallest set; any one of the alternatives would do."""
    wanted: str
    """The cells in words."""
    unit: str
    """Unit to ask for; empty where no print names one."""
    cells: int
    """How many cells somebody would have to type."""
    people: int | None
    """People that the study would add to the synthesis."""
    people_known: str
    """arms, test, total, enrolled (as randomised, where nothing else is printed) or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure of a folder: a row of `figures.csv`."""

    figure: str
    """Name of its files without their endings."""
    title: str
    pages: int
    """Further pages lie in figure_pages/."""
    alt: str
    """What it shows, for people who do not see it."""
    reason: str
    """Why it is only a small panel; empty where it is drawn."""
