"""Records of pooled models and of the status of each planned analysis, field by column."""

from dataclasses import dataclass

from osteometa.wording.vocabulary import DesignClass, Phase, SynthesisStatus


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
    tau2_model: str
    """common (one tau2 for all exercise types) or separate (of the studies of this row alone)."""
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
class SubgroupRow:
    """The pool of one subgroup, and the test of all of its kind: a row of `subgroups.csv`."""

    by: str
    """What forms the groups: exercise_type, or a column of studies.csv or arms.csv."""
    measure: str
    group: str
    k: int
    k_effects: int
    estimate: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    tau2: float | None
    tau2_model: str
    """common (one tau2 for all groups) or separate."""
    statistic: float | None
    df: float | None
    p: float | None
    method: str
    ci_method: str
    status: str
    """ok, listed, not_estimable or failed, as in pooled.csv."""
    note: str
    tested: bool
    """Of the test of differences between the groups, the same for all rows of a column."""
    test_statistic: float | None
    test_df1: int | None
    test_df2: float | None
    test_p: float | None
    test_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeContrast:
    """Difference between two exercise types or other groups: a row of `type_contrasts.csv`."""

    by: str
    """What the groups are: exercise_type, or a column of studies.csv or arms.csv."""
    measure: str
    type_a: str
    """An exercise type, or another group."""
    type_b: str
    k_a: int
    k_b: int
    estimate: float | None
    """First minus second; ROM stays on the log scale."""
    se: float | None
    ci_low: float | None
    ci_high: float | None
    df: float | None
    """Degrees of freedom of t; None for the normal distribution."""
    statistic: float | None
    p: float | None
    p_holm: float | None
    """Adjusted for all pairs of the column and measure."""
    tau2_model: str
    """common or separate, as in the subgroup test."""
    method: str
    ci_method: str
    status: str
    """ok, single_study (one group has a single study) or not_estimated."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRow:
    """One planned analysis and its status: a row of `syntheses.csv`."""

    synthesis: str
    outcome: str
    analyte: str
    site: str
    phase: Phase
    window: str
    design_class: DesignClass
    measure: str
    """The primary measure."""
    k: int
    """Studies pooled on the primary measure."""
    k_directions: int
    """Studies in directions.csv, those of which the direction is not known included."""
    status: SynthesisStatus
    reason: str
    note: str
    """Limitations of such a set, independent of its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """A number of this package and of another implementation: a row of `agreement.csv`."""

    synthesis: str
    measure: str
    group: str
    method: str
    ci_method: str
    quantity: str
    library: str
    osteometa: float | None
    reference: float | None
    difference: float | None
    """Relative: over max(|reference|, scale / 1000)."""
    verdict: str
    """agrees, differs or not_comparable."""
    cause: str

    @property
    def settings(self) -> str:
        """Return the estimator and the interval."""
        return f"{self.method} {self.ci_method}"
