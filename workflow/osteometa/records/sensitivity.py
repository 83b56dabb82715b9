"""Records of what happens when a choice or a study changes: rows of the tables beside `pooled.csv`.

All of one synthesis and, unless a column says otherwise, of its primary measure. ROM stays on the
log scale. `status` is ok, or not_applicable or not_estimable with the reason; a row that is not ok
has no numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityRow:
    """The pool after one choice has changed: a row of `sensitivity.csv`."""

    row: str
    """Short name of the change, for instance `r=0.7` or `without PP`."""
    group: str = "overall"
    """overall or an exercise type."""
    measure: str
    change: str
    """The change in words."""
    k: int | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    delta: float | None = None
    """Estimate minus the primary estimate of the group; empty across measures."""
    sign_changed: bool | None = None
    null_crossed: bool | None = None
    """True if the interval holds the null where the primary one does not, or the reverse."""
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceRow:
    """How one study pulls on the pool: a row of `influence.csv`."""

    effect_id: str = ""
    study_id: str = ""
    label: str = ""
    yi: float | None = None
    vi: float | None = None
    weight: float | None = None
    """Percent of the primary model."""
    hat: float | None = None
    rstudent: float | None = None
    """Studentised deleted residual."""
    dffits: float | None = None
    cook_d: float | None = None
    cov_ratio: float | None = None
    tau2_without: float | None = None
    q_without: float | None = None
    baujat_x: float | None = None
    """Squared standardised residual: what the study adds to Q."""
    baujat_y: float | None = None
    """Squared standardised shift of the pooled estimate without the study."""
    influential: bool | None = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """The pool without a study, or up to one: a row of `leave_one_out.csv`, `cumulative.csv`."""

    sequence: str
    """leave_one_out, or by year, by precision (cumulative)."""
    step: int = 0
    study_id: str = ""
    label: str = ""
    """The study that is left out, or that comes in."""
    k: int
    estimate: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p: float | None = None
    tau2: float | None = None
    i2: float | None = None
    q: float | None = None
    q_p: float | None = None
    sign_changed: bool | None = None
    null_crossed: bool | None = None
    """Both against the pool of all studies."""
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallStudyRow:
    """One analysis of small-study effects: a row of `small_study.csv`."""

    analysis: str = ""
    """egger, egger_mixed, rank, trim_fill, pet, peese, pet_peese or selection."""
    k: int
    predictor: str = ""
    """What Egger's regression regresses on."""
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    estimate: float | None = None
    """Pooled estimate that the analysis gives (an intercept for PET and PEESE)."""
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    slope: float | None = None
    tau2: float | None = None
    filled: int | None = None
    """Studies filled in (trim and fill)."""
    side: str = ""
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelPoint:
    """One mark of a funnel plot: a row of `funnel_points.csv`."""

    effect_id: str
    label: str
    yi: float
    se: float
    filled: bool
    outside: bool
    """Whether it lies beyond the 95 % limits around the pooled effect, without heterogeneity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoshRow:
    """The pool of one subset of the studies: a row of `gosh.csv`."""

    subset: str = ""
    """A letter per study in the order of leave_one_out.csv, 1 = in the subset."""
    k: int
    estimate: float | None = None
    tau2: float | None = None
    i2: float | None = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiverseRow:
    """One specification: a row of `multiverse.csv`, by measure and estimate."""

    specification: int = 0
    measure: str
    derivation: str = ""
    """primary, or one other choice of derivation, for instance `r=0.98`."""
    inclusion: str = ""
    """Which effects are included: all, or without some."""
    designs: str = ""
    inconsistent_data: str = ""
    """excluded, or most cautious: with the resolution that has the smallest absolute z."""
    tau2: str = ""
    ci: str = ""
    merged: int | None = None
    """Specifications that give the same effects and model, this one included."""
    k: int
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    z: float | None = None
    """Estimate over its standard error: comparable across measures."""
    excludes_null: bool | None = None
    primary: bool = False
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiverseShare:
    """How much of the spread one choice explains: a row of `multiverse_shares.csv`."""

    measure: str
    choice: str = "all"
    """A key of config.yaml in the column derivation of multiverse.csv, another column, or
    remainder; all are the rows of the measure as a whole."""
    levels: int = 0
    share: float | None = None
    """Main-effect part of the variance of the estimates, percent."""
    specifications: int = 0
    same_sign: float | None = None
    """Percent of specifications with the sign of the primary estimate (row `all`)."""
    excludes_null: float | None = None
    median: float | None = None
    lowest: float | None = None
    highest: float | None = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRegressionRow:
    """One covariate: a row of `meta_regression.csv`."""

    covariate: str = ""
    """weeks, age, year, sessions or n."""
    k: int
    intercept: float | None = None
    slope: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    tau2: float | None = None
    r2: float | None = None
    """Percent of tau2 that the covariate explains."""
    centre: float | None = None
    """Mean of the covariate: the intercept is the effect there."""
    p_permutation: float | None = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionPoint:
    """One study of a meta-regression: a row of `regression_points.csv`."""

    covariate: str
    effect_id: str
    label: str
    exercise_type: str
    x: float
    yi: float
    vi: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionLine:
    """A meta-regression's effect at one value of the covariate: a row of `regression_line.csv`."""

    covariate: str
    x: float
    fitted: float
    ci_low: float
    """Pointwise 95 % confidence band of the mean effect."""
    ci_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationRow:
    """A permutation test: a row of `permutation.csv`."""

    test: str
    """sign_flip or moderator."""
    k: int
    statistic: float | None = None
    permutations: int | None = None
    exact: bool | None = None
    p: float | None = None
    p_smallest: float | None = None
    """Smallest p that so many studies can give."""
    status: str = "ok"
    reason: str = ""


SATTERTHWAITE, WILD_BOOTSTRAP, POSTERIOR = "satterthwaite", "wild_bootstrap", "posterior"
"""Where p and the interval of an alternative model come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeModel:
    """A further model of the same set: a row of `alternative_models.csv`."""

    model: str = ""
    """three_level, che (correlated and hierarchical effects), robust, or bayesian."""
    inference: str = ""
    """Where p and interval come from: satterthwaite, wild_bootstrap or posterior."""
    k: int
    effects: int = 0
    estimate: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    df: float | None = None
    p: float | None = None
    sign_vectors: int | None = None
    """Of whole studies, behind p of a bootstrap."""
    exact: bool | None = None
    """Whether these are all."""
    p_smallest: float | None = None
    """Smallest p that so many studies can give."""
    tau2: float | None = None
    omega2: float | None = None
    """Variance between effects of one study."""
    tau_low: float | None = None
    tau_high: float | None = None
    prior: str = ""
    warning: str = ""
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityTables:
    """The rows of one synthesis, by the names of the tables of `results/<synthesis>/`."""

    sensitivity: Sequence[SensitivityRow] = ()
    influence: Sequence[InfluenceRow] = ()
    leave_one_out: Sequence[StepRow] = ()
    cumulative: Sequence[StepRow] = ()
    small_study: Sequence[SmallStudyRow] = ()
    funnel_points: Sequence[FunnelPoint] = ()
    gosh: Sequence[GoshRow] = ()
    multiverse: Sequence[MultiverseRow] = ()
    multiverse_shares: Sequence[MultiverseShare] = ()
    meta_regression: Sequence[MetaRegressionRow] = ()
    regression_points: Sequence[RegressionPoint] = ()
    regression_line: Sequence[RegressionLine] = ()
    permutation: Sequence[PermutationRow] = ()
    alternative_models: Sequence[AlternativeModel] = ()


RECORDS: dict[str, type] = {
    name: get_args(hint)[0] for name, hint in get_type_hints(SensitivityTables).items()
}
"""Record of each table, by its name."""
