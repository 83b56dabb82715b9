"""Models of the raw tables: every column, its content and its allowed values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from osteometa.extraction.cell_types import (
    Identifier,
    Name,
    NeededNumber,
    Number,
    Remark,
    Row,
    Text,
    Whole,
    cell,
)
from osteometa.extraction.judgements import AcceptedWarning, Claim, Grade, Prisma, RiskOfBias

COUNT = {"least": 1, "most": 10_000_000}
WEEKS = {"least": 0, "most": 2600}
HOURS = {"least": 0, "most": 10_000}
VALUE = {"least": -1e7, "most": 1e7}
"""Larger numbers of a paper are entered in another unit, smaller spreads too."""
SPREAD = {"least": 1e-7, "most": 1e7}
SUM = {"least": 0, "most": 1e7}
LEVEL = {"least": 50, "most": 99.99}
Acceptable = Literal["", "E203", "E204", "E205", "E401", "E402"]
Indirect = Literal[
    "", "cancer or its treatment", "androgen deprivation", "bariatric surgery",
    "inflammatory bowel disease", "organ transplantation", "dialysis", "lactation",
    "spinal cord injury", "growth before 18 years",
]  # fmt: skip
ENTERED_FLAGS = ("NREP", "NRAND", "ADJSE", "2ND", "CLADJ", "ICC")
Phase = Literal["acute", "training"]
YesNo = Literal["", "yes", "no", "not_stated"]
Analysed = Literal["", "itt", "per_protocol", "completers", "part", "not_stated"]
ANALYSED = "Analysis population; part: an interim report, or a stratum of a trial."
Origin = Literal["", "text", "table", "figure", "author", "other_review", "press"]


class Study(Row):
    """One cohort of participants, with all its reports."""

    table: ClassVar[str] = "studies"
    key: ClassVar[tuple[str, ...]] = ("study_id",)
    purpose: ClassVar[str] = "One row per cohort of participants."
    optional: ClassVar[tuple[str, ...]] = ("menopause",)
    subgroups: ClassVar[tuple[str, ...]] = (
        "year", "design", "sex", "menopause", "age_mean", "n_enrolled", "indirect",
    )  # fmt: skip
    study_id: Identifier = cell("Short name of the study, for instance scott_2010.", ...)
    label: Name = cell("Author and year, as shown in figures.", ...)
    year: Whole = cell("Year of publication.", None, least=1900, most=2100)
    title: Text = cell("Title of the paper.")
    journal: Text = cell("Journal, volume and pages as far as known.")
    doi: Text = cell("DOI without address.")
    pmid: Text = cell("PubMed or PMC number.")
    design: Literal["rct", "crossover_rct", "nrct", "uncontrolled"] = cell(
        "Allocation of the participants.", ...
    )
    population: Text = cell("Who took part.")
    sex: Literal["", "female", "male", "mixed"] = cell("Sex of the participants.")
    menopause: Literal["", "pre", "post", "mixed"] = cell(
        "Before or after the menopause, or some of both; empty where not reported. A table without "
        "this column is read as one with empty cells."
    )
    age_mean: Number = cell("Mean age, years.", None, above=0, most=120)
    age_sd: Number = cell("Standard deviation of age, years.", None, above=0, most=60)
    n_enrolled: Whole = cell(
        "Participants enrolled or randomised; arms with more in total are taken as the same "
        "participants.",
        None,
        **COUNT,
    )
    indirect: Indirect = cell("Condition affecting bone.")
    include: Literal["yes", "no"] = cell("Whether the study is in the review.", ...)
    exclude_reason: Text = cell("Why not; needed if include is no.")
    note: Remark = cell("Remarks for a referee.")


class Arm(Row):
    """A group of participants with one intervention; with its comparator it is a comparison."""

    table: ClassVar[str] = "arms"
    key: ClassVar[tuple[str, ...]] = ("study_id", "arm_id")
    purpose: ClassVar[str] = "One row per group of a study."
    optional: ClassVar[tuple[str, ...]] = ("clusters",)
    subgroups: ClassVar[tuple[str, ...]] = (
        "modality", "intensity", "comparator_kind", "weeks", "sessions_per_week", "n_start",
        "plasma_volume",
    )  # fmt: skip
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Short name of the arm.", ...)
    label: Name = cell("Name of the arm in words.", ...)
    role: Literal["exercise", "control"] = cell("What the arm is.", ...)
    modality: Text = cell("Kind of exercise, a modality of config.yaml.")
    intensity: Literal["", "low", "moderate", "high", "not_stated"] = cell(
        "Intensity as the paper states it."
    )
    phase: Phase = cell("A single bout (acute) or a programme (training).", ...)
    exercise_type: Literal["", "resistance", "aerobic", "high_intensity", "combined", "other"] = (
        cell("Overrides the type that config.yaml gives the modality.")
    )
    type_reason: Text = cell("Why; needed with exercise_type.")
    comparator: Text = cell("arm_id it is compared with; empty = its own baseline.")
    comparator_kind: Literal[
        "", "none", "usual", "attention", "low_dose", "active", "not_stated"
    ] = cell("Kind of comparator.")
    dose: Text = cell("Frequency, duration, load in words.")
    weeks: Number = cell(
        "Length of the programme in weeks; empty for a single bout.", None, above=0, most=2600
    )
    sessions_per_week: Number = cell("Sessions per week.", None, above=0, most=100)
    cointervention: Text = cell("Other treatment given, and to which arms.")
    listed: Text = cell(
        "Why the comparison is shown but never pooled, for instance one stratum of a factorial "
        "trial with a claimed interaction; empty otherwise."
    )
    n_start: Whole = cell("Participants at the start.", None, **COUNT)
    n_end: Whole = cell("Participants at the end.", None, **COUNT)
    note: Remark = cell("Remarks for a referee.")
    clusters: Whole = cell(
        "Clusters that the arm was made of (villages, centres); empty where participants were "
        "allocated one by one. A table without this column is read as one with empty cells.",
        None,
        **COUNT,
    )
    plasma_volume: Literal["", "corrected", "not_corrected", "not_stated"] = cell(
        "Single bouts: whether blood values were corrected for the shift of plasma volume."
    )


class Finding(Row):
    """What measurements, contrasts and directions have in common."""

    if TYPE_CHECKING:  # each table has these columns at a place of its own
        study_id: Identifier
        arm_id: Identifier
        outcome: Name
        analyte: Text
        site: Text
        timepoint: Name
        time_h: Number
        time_wk: Number
        report: Text
        population_analysed: Analysed
        flag: Text
        disputed: Text
        accept: Acceptable
        accept_reason: Text

    @property
    def usable(self) -> bool:
        """Return whether the row may be used: an accepted misprint is shown only."""
        return not self.accept


class Measurement(Finding):
    """What the paper reports for one arm at one time."""

    table: ClassVar[str] = "measurements"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "kind", "report",
        "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = "One row per arm, outcome, time and kind: values reported for one arm."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("Exact quantity measured; empty for secondary outcomes.")
    site: Text = cell("Site measured, where config.yaml declares sites for the outcome.")
    assay: Text = cell("Assay or instrument.")
    timepoint: Name = cell("`baseline`, `during` or a name such as 12_months.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None, **HOURS)
    time_wk: Number = cell("Weeks from the start (training).", None, **WEEKS)
    kind: Literal["level", "change", "pct_change", "log_level", "geometric"] = cell(
        "Kind of the numbers; log_level: of natural logarithms; geometric: a geometric mean, whose "
        "only usable spread is its confidence interval.",
        ...,
    )
    report: Text = cell("Which of several reports of one study.")
    population_analysed: Analysed = cell(ANALYSED)
    n: Whole = cell("Participants measured.", None, **COUNT)
    mean: Number = cell("Mean as reported.", None, **VALUE)
    sd: Number = cell("Standard deviation.", None, **SPREAD)
    se: Number = cell("Standard error of the mean.", None, **SPREAD)
    spread: Number = cell("A reported +- of unspecified type.", None, **SPREAD)
    spread_kind: Literal["", "sd", "se", "unknown"] = cell("Type of the spread.")
    ci_low: Number = cell("Lower confidence limit of the mean.", None, **VALUE)
    ci_high: Number = cell("Upper confidence limit of the mean.", None, **VALUE)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None, **LEVEL)
    median: Number = cell("Median.", None, **VALUE)
    q1: Number = cell("First quartile.", None, **VALUE)
    q3: Number = cell("Third quartile.", None, **VALUE)
    min: Number = cell("Smallest value.", None, **VALUE)
    max: Number = cell("Largest value.", None, **VALUE)
    unit: Text = cell("Unit as reported.")
    source: Text = cell("Page, table or abstract.")
    origin: Origin = cell("Where the number was read.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why reported values contradict each other; on every row concerned.")
    accept: Acceptable = cell("Code of a check that the reported value itself violates.")
    accept_reason: Text = cell("Why the row is kept as reported; needed with accept.")
    note: Remark = cell("Remarks for a referee.")


class Contrast(Finding):
    """What the paper reports for a comparison."""

    table: ClassVar[str] = "contrasts"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "statistic", "compares",
        "score", "adjusted", "report", "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = "One row per reported comparison: a difference, a t, F or p."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Exercise arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("Exact quantity measured.")
    site: Text = cell("Site measured, where config.yaml declares sites for the outcome.")
    timepoint: Name = cell("The same name as in measurements.csv.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None, **HOURS)
    time_wk: Number = cell("Weeks from the start (training).", None, **WEEKS)
    statistic: Literal["md", "adj_md", "smd", "rom", "log_rom", "t", "f", "p", "r", "icc"] = cell(
        "Kind of `value`; rom is a ratio of means (or of geometric means) with its limits, "
        "log_rom its natural logarithm with se or limits; p where only a p is reported; r is the "
        "before-after correlation (of a crossover, with compares between: that of its two "
        "conditions); icc the intracluster correlation of a cluster trial.",
        ...,
    )
    compares: Literal["between", "within"] = cell("Arms, or before and after.", ...)
    score: Literal["", "post", "change", "not_stated"] = cell("What was compared.")
    adjusted: YesNo = cell("Whether the baseline is a covariate.")
    covariates: Whole = cell("How many covariates.", None, least=0, most=100)
    test: Literal["", "t_pooled", "t_welch", "paired_t", "ancova", "rm_anova", "rank", "other"] = (
        cell("The test.")
    )
    report: Text = cell("Which of several reports of one study.")
    population_analysed: Analysed = cell(ANALYSED)
    n_exercise: Whole = cell("Participants in the exercise arm of this test.", None, **COUNT)
    n_control: Whole = cell("Participants in the control arm of this test.", None, **COUNT)
    n_total: Whole = cell("Participants of both arms, where only that is reported.", None, **COUNT)
    value: Number = cell("Value of the statistic, exercise minus control.", None, **VALUE)
    se: Number = cell("Standard error of the value.", None, **SPREAD)
    ci_low: Number = cell("Lower confidence limit.", None, **VALUE)
    ci_high: Number = cell("Upper confidence limit.", None, **VALUE)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None, **LEVEL)
    p: Number = cell("p as reported.", None, least=0, most=1)
    p_operator: Literal["", "=", "<", "<=", ">", ">="] = cell("How p is reported.")
    tails: Whole = cell("1 or 2; empty = 2.", None, least=1, most=2)
    df1: Number = cell("Numerator degrees of freedom of F.", None, above=0, most=10_000_000)
    df2: Number = cell("Degrees of freedom of t, denominator of F.", None, above=0, most=10_000_000)
    standardiser: Literal["", "raw", "change", "not_stated"] = cell("SD of a reported smd.")
    unit: Text = cell("Unit of the value; % for percentages.")
    source: Text = cell("Page, table or abstract.")
    origin: Origin = cell("Where the number was read.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why reported values contradict each other; on every row concerned.")
    accept: Acceptable = cell("Code of a check that the reported value itself violates.")
    accept_reason: Text = cell("Why the row is kept as reported; needed with accept.")
    note: Remark = cell("Remarks for a referee.")

    @property
    def difference(self) -> float | None:
        """The value on a scale with 0 for no difference; None where `value` is no difference."""
        if self.statistic == "rom":
            return None if self.value is None else math.log(self.value)
        signed = self.statistic in ("md", "adj_md", "smd", "log_rom", "t")
        return float(self.value) if signed and self.value is not None else None


class Direction(Finding):
    """A direction that is reported as an arrow or in words."""

    table: ClassVar[str] = "directions"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "basis", "report",
        "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = (
        "One row per direction: the claim of the authors, and the sign if it is reported."
    )
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("Exact quantity measured; empty for secondary outcomes.")
    site: Text = cell("Site measured, where config.yaml declares sites for the outcome.")
    timepoint: Name = cell("The same name as in measurements.csv.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None, **HOURS)
    time_wk: Number = cell("Weeks from the start (training).", None, **WEEKS)
    basis: Literal["within_arm", "between_arm", "not_stated"] = cell(
        "Against its own baseline or against the comparator.", ...
    )
    report: Text = cell("Which of several reports of one study.")
    population_analysed: Analysed = cell(ANALYSED)
    arrow: Literal["", "up", "down", "none", "mixed"] = cell("Direction claimed by the authors.")
    significant: YesNo = cell("Whether they call it significant.")
    direction: Literal["", "up", "down", "zero", "unknown"] = cell(
        "Sign of the estimate, if reported."
    )
    source: Text = cell("Page, table or abstract.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why reported values contradict each other; on every row concerned.")
    accept: Acceptable = cell("Code of a check that the reported value itself violates.")
    accept_reason: Text = cell("Why the row is kept as reported; needed with accept.")
    note: Remark = cell("Remarks for a referee.")


class Assay(Row):
    """The molecular mass behind the molar and mass units of an assay."""

    table: ClassVar[str] = "assays"
    key: ClassVar[tuple[str, ...]] = ("assay",)
    purpose: ClassVar[str] = "One row per assay whose mass is known."
    assay: Name = cell("Assay as in measurements.csv.", ...)
    kda: NeededNumber = cell("Molecular mass in kDa that the kit states.", ..., above=0, most=1e4)
    citation: Name = cell("Source of the mass.", ...)


class PublishedPool(Row):
    """A pooled result of another review: for comparison, never data to pool."""

    table: ClassVar[str] = "published_pools"
    key: ClassVar[tuple[str, ...]] = ("citation", "outcome", "site", "subgroup", "measure", "model")
    purpose: ClassVar[str] = (
        "One row per pooled estimate of another review: shown for comparison, never pooled."
    )
    citation: Name = cell("The review, as cited in the report.", ...)
    outcome: Name = cell("Outcome as named by that review; those of config.yaml are shown.", ...)
    analyte: Text = cell("Analyte of config.yaml, where the review says what was measured.")
    site: Text = cell("Site of config.yaml, otherwise as reported.")
    subgroup: Text = cell("Which studies, as described by that review.")
    k: Whole = cell("Studies in this pool.", None, **COUNT)
    studies: Text = cell("Number of studies or groups in words, where only that is reported.")
    n_total: Whole = cell("Participants in this pool.", None, **COUNT)
    people: Text = cell("Number of participants in words, where only that is reported.")
    model: Text = cell("Model as reported.")
    measure: Name = cell("Measure as reported.", ...)
    estimate: NeededNumber = cell("Pooled estimate.", ..., **VALUE)
    ci_low: Number = cell("Lower limit.", None, **VALUE)
    ci_high: Number = cell("Upper limit.", None, **VALUE)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None, **LEVEL)
    p: Number = cell("p as reported.", None, least=0, most=1)
    p_operator: Literal["", "=", "<", "<=", ">", ">="] = cell("How p is reported.")
    i2: Number = cell("I2 in percent.", None, least=0, most=100)
    q: Number = cell("Cochran's Q.", None, **SUM)
    tau2: Number = cell("Between-study variance.", None, **SUM)
    source: Name = cell("Where it was read.", ...)
    note: Remark = cell("Remarks for a referee.")


ROWS: tuple[type[Row], ...] = (
    Study, Arm, Measurement, Contrast, Direction, RiskOfBias, Prisma, Assay, Grade, PublishedPool,
    Claim, AcceptedWarning,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All raw tables of a review."""

    studies: tuple[Study, ...] = ()
    arms: tuple[Arm, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    directions: tuple[Direction, ...] = ()
    risk_of_bias: tuple[RiskOfBias, ...] = ()
    prisma: tuple[Prisma, ...] = ()
    assays: tuple[Assay, ...] = ()
    grade: tuple[Grade, ...] = ()
    published_pools: tuple[PublishedPool, ...] = ()
    claims: tuple[Claim, ...] = ()
    accepted_warnings: tuple[AcceptedWarning, ...] = ()

    @property
    def findings(self) -> tuple[Measurement | Contrast | Direction, ...]:
        """The rows of measurements, contrasts and directions."""
        return (*self.measurements, *self.contrasts, *self.directions)
