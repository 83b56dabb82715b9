"""Models of the raw tables: every column, what it holds and what is allowed in it.

The codebook is made from these models; `cell_types` says what a cell can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from osteometa.extraction.cell_types import (
    Identifier,
    Name,
    Number,
    Row,
    Text,
    Whole,
    cell,
    choice,
)

ACCEPTABLE = ("E203", "E204", "E205", "E401", "E402")
INDIRECT = (
    "cancer or its treatment",
    "androgen deprivation",
    "bariatric surgery",
    "inflammatory bowel disease",
    "organ transplantation",
    "dialysis",
    "lactation",
    "spinal cord injury",
    "growth before 18 years",
)
ENTERED_FLAGS = ("NREP", "NRAND", "ADJSE", "2ND")
PRISMA_BOXES = (
    "identified_databases",
    "identified_registers",
    "removed_duplicates",
    "removed_automation",
    "removed_other",
    "screened",
    "excluded",
    "sought",
    "not_retrieved",
    "assessed",
    "excluded_reports",
    "included_studies",
    "included_reports",
)
Phase = choice("acute", "training", empty=False)
YesNo = choice("yes", "no", "not_stated")
Analysed = choice("itt", "per_protocol", "completers", "not_stated")
Origin = choice("text", "table", "figure", "author", "other_review", "press")


class Study(Row):
    """One cohort of people, whatever the number of its reports."""

    table: ClassVar[str] = "studies"
    key: ClassVar[tuple[str, ...]] = ("study_id",)
    purpose: ClassVar[str] = "One row per cohort of people."
    study_id: Identifier = cell("Short name of the study, for instance scott_2010.", ...)
    label: Name = cell("Author and year, as figures print it.", ...)
    year: Whole = cell("Year of publication.", None)
    title: Text = cell("Title of the paper.")
    journal: Text = cell("Journal, volume and pages as far as known.")
    doi: Text = cell("DOI without address.")
    pmid: Text = cell("PubMed or PMC number.")
    design: choice("rct", "crossover_rct", "nrct", "uncontrolled", empty=False) = cell(
        "How people came into the arms.", ...
    )
    population: Text = cell("Who took part.")
    sex: choice("female", "male", "mixed") = cell("Sex of the people.")
    age_mean: Number = cell("Mean age, years.", None)
    age_sd: Number = cell("Standard deviation of age, years.", None)
    n_enrolled: Whole = cell(
        "People enrolled or randomised; arms that together measure more are the same people.", None
    )
    indirect: choice(*INDIRECT) = cell("A state of the people that itself acts on bone.")
    include: choice("yes", "no", empty=False) = cell("Whether the study is in the review.", ...)
    exclude_reason: Text = cell("Why not; needed if include is no.")
    note: Text = cell("Anything a referee should know.")


class Arm(Row):
    """A group of people who do the same; with its comparator it is a comparison."""

    table: ClassVar[str] = "arms"
    key: ClassVar[tuple[str, ...]] = ("study_id", "arm_id")
    purpose: ClassVar[str] = "One row per group of a study."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Short name of the arm.", ...)
    label: Name = cell("Name of the arm in words.", ...)
    role: choice("exercise", "control", empty=False) = cell("What the arm is.", ...)
    modality: Text = cell("What was done, a modality of config.yaml.")
    intensity: choice("low", "moderate", "high", "not_stated") = cell("What the paper calls it.")
    phase: Phase = cell("A single bout (acute) or a programme (training).", ...)
    exercise_type: choice("resistance", "aerobic", "high_intensity", "combined", "other") = cell(
        "Overrides the type that config.yaml gives the modality."
    )
    type_reason: Text = cell("Why; needed with exercise_type.")
    comparator: Text = cell("arm_id it is compared with; empty = its own baseline.")
    comparator_kind: choice("none", "usual", "attention", "low_dose", "active") = cell(
        "What the comparator arm does."
    )
    dose: Text = cell("Frequency, duration, load in words.")
    weeks: Number = cell("Length of the programme in weeks; empty for a single bout.", None)
    sessions_per_week: Number = cell("Sessions per week.", None)
    cointervention: Text = cell("What else was given, and to which arms.")
    listed: Text = cell(
        "Why the comparison is shown but never pooled, for instance one stratum of a factorial "
        "trial with a claimed interaction; empty otherwise."
    )
    n_start: Whole = cell("People at the start.", None)
    n_end: Whole = cell("People at the end.", None)
    note: Text = cell("Anything a referee should know.")
    plasma_volume: choice("corrected", "not_corrected", "not_stated") = cell(
        "Acute bouts: whether blood values were corrected for the shift of plasma volume."
    )


class Finding(Row):
    """What measurements, contrasts and directions share."""

    @property
    def usable(self) -> bool:
        """Tell whether the row may be computed with: an accepted misprint is shown, not used."""
        return not getattr(self, "accept", "")


class Measurement(Finding):
    """What the paper prints for one arm at one time."""

    table: ClassVar[str] = "measurements"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "kind", "report",
        "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = "One row per arm, outcome, time and kind: what is printed for one arm."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("What exactly was measured; empty for secondary outcomes.")
    site: Text = cell("Site of BMD; empty for blood.")
    assay: Text = cell("Assay or instrument.")
    timepoint: Name = cell("`baseline`, `during` or a name such as 12_months.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None)
    time_wk: Number = cell("Weeks from the start (training).", None)
    kind: choice("level", "change", "pct_change", "log_level", empty=False) = cell(
        "What the numbers are; log_level: of natural logarithms.", ...
    )
    report: Text = cell("Which of several prints of one study.")
    population_analysed: Analysed = cell("Whom the numbers speak of.")
    n: Whole = cell("People measured.", None)
    mean: Number = cell("Mean as printed.", None)
    sd: Number = cell("Standard deviation.", None)
    se: Number = cell("Standard error of the mean.", None)
    spread: Number = cell("A printed +- that does not say which it is.", None)
    spread_kind: choice("sd", "se", "unknown") = cell("What the spread is.")
    ci_low: Number = cell("Lower confidence limit of the mean.", None)
    ci_high: Number = cell("Upper confidence limit of the mean.", None)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None)
    median: Number = cell("Median.", None)
    q1: Number = cell("First quartile.", None)
    q3: Number = cell("Third quartile.", None)
    min: Number = cell("Smallest value.", None)
    max: Number = cell("Largest value.", None)
    unit: Text = cell("Unit as printed.")
    source: Text = cell("Page, table or abstract.")
    origin: Origin = cell("Where the number was read.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why two prints contradict each other; on every row of it.")
    accept: choice(*ACCEPTABLE) = cell("Code of a check that the print itself breaks.")
    accept_reason: Text = cell("Why the row stays as printed; needed with accept.")
    note: Text = cell("Anything a referee should know.")


class Contrast(Finding):
    """What the paper prints for a comparison."""

    table: ClassVar[str] = "contrasts"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "statistic", "compares",
        "score", "adjusted", "report", "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = "One row per printed comparison: a difference, a t, F or p."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Exercise arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("What exactly was measured.")
    site: Text = cell("Site of BMD; empty for blood.")
    timepoint: Name = cell("The same name as in measurements.csv.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None)
    time_wk: Number = cell("Weeks from the start (training).", None)
    statistic: choice("md", "adj_md", "smd", "t", "f", "p", "r", empty=False) = cell(
        "What `value` is; p where only a p is printed; r is the before-after correlation (of a "
        "crossover, with compares between: that of its two conditions).",
        ...,
    )
    compares: choice("between", "within", empty=False) = cell("Arms, or before and after.", ...)
    score: choice("post", "change", "not_stated") = cell("What was compared.")
    adjusted: YesNo = cell("Whether the baseline is a covariate.")
    covariates: Whole = cell("How many covariates.", None)
    test: choice("t_pooled", "t_welch", "paired_t", "ancova", "rm_anova", "rank", "other") = cell(
        "The test."
    )
    report: Text = cell("Which of several prints of one study.")
    population_analysed: Analysed = cell("Whom the numbers speak of.")
    n_exercise: Whole = cell("People in the exercise arm of this test.", None)
    n_control: Whole = cell("People in the control arm of this test.", None)
    n_total: Whole = cell("People of both arms, where only that is printed.", None)
    value: Number = cell("Value of the statistic, exercise minus control.", None)
    se: Number = cell("Standard error of the value.", None)
    ci_low: Number = cell("Lower confidence limit.", None)
    ci_high: Number = cell("Upper confidence limit.", None)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None)
    p: Number = cell("p as printed.", None)
    p_operator: choice("=", "<", "<=", ">", ">=") = cell("How p is printed.")
    tails: Whole = cell("1 or 2; empty = 2.", None)
    df1: Number = cell("Numerator degrees of freedom of F.", None)
    df2: Number = cell("Degrees of freedom of t, denominator of F.", None)
    standardiser: choice("raw", "change", "not_stated") = cell("SD of a printed smd.")
    unit: Text = cell("Unit of the value; % for percentages.")
    source: Text = cell("Page, table or abstract.")
    origin: Origin = cell("Where the number was read.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why two prints contradict each other; on every row of it.")
    accept: choice(*ACCEPTABLE) = cell("Code of a check that the print itself breaks.")
    accept_reason: Text = cell("Why the row stays as printed; needed with accept.")
    note: Text = cell("Anything a referee should know.")


class Direction(Finding):
    """An arrow, or a sign that is told in words."""

    table: ClassVar[str] = "directions"
    key: ClassVar[tuple[str, ...]] = (
        "study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "basis", "report",
        "population_analysed",
    )  # fmt: skip
    purpose: ClassVar[str] = (
        "One row per arrow: what the authors claim, and the sign if it is told."
    )
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    arm_id: Identifier = cell("Arm, from arms.csv.", ...)
    outcome: Name = cell("Outcome of config.yaml.", ...)
    analyte: Text = cell("What exactly was measured; empty for secondary outcomes.")
    site: Text = cell("Site of BMD; empty for blood.")
    timepoint: Name = cell("The same name as in measurements.csv.", ...)
    time_h: Number = cell("Hours after the end of the bout (acute).", None)
    time_wk: Number = cell("Weeks from the start (training).", None)
    basis: choice("within_arm", "between_arm", "not_stated", empty=False) = cell(
        "Against its own baseline or against the comparator.", ...
    )
    report: Text = cell("Which of several prints of one study.")
    population_analysed: Analysed = cell("Whom the arrow speaks of.")
    arrow: choice("up", "down", "none", "mixed") = cell("What the authors claim.")
    significant: YesNo = cell("Whether they call it significant.")
    direction: choice("up", "down", "zero", "unknown") = cell("Sign of the estimate, if told.")
    source: Text = cell("Page, table or abstract.")
    flag: Text = cell(f"One or more of {', '.join(ENTERED_FLAGS)}, separated by spaces.")
    disputed: Text = cell("Why two prints contradict each other; on every row of it.")
    accept: choice(*ACCEPTABLE) = cell("Code of a check that the print itself breaks.")
    accept_reason: Text = cell("Why the row stays as printed; needed with accept.")
    note: Text = cell("Anything a referee should know.")


class RiskOfBias(Row):
    """One judgement of one domain, made by people."""

    table: ClassVar[str] = "risk_of_bias"
    key: ClassVar[tuple[str, ...]] = ("study_id", "tool", "outcome", "domain")
    purpose: ClassVar[str] = "One row per study, tool and domain; entered by people."
    study_id: Identifier = cell("Study, from studies.csv.", ...)
    tool: choice("rob2", "robins_i", "nhlbi_prepost", empty=False) = cell("Tool.", ...)
    outcome: Text = cell("Outcome judged; empty = all.")
    domain: Name = cell("rob2 d1-d5, robins_i d1-d7, nhlbi_prepost q1-q12, or overall.", ...)
    judgement: Name = cell("Level of the tool.", ...)
    support: Text = cell("Why.")


class Prisma(Row):
    """A count of the PRISMA 2020 flow."""

    table: ClassVar[str] = "prisma"
    key: ClassVar[tuple[str, ...]] = ("box",)
    purpose: ClassVar[str] = "One row per box of the PRISMA 2020 flow; entered by people."
    box: choice(*PRISMA_BOXES, empty=False) = cell("Box of the flow.", ...)
    n: Whole = cell("How many.", ...)


class Assay(Row):
    """What a kit's molar and mass units have to do with each other."""

    table: ClassVar[str] = "assays"
    key: ClassVar[tuple[str, ...]] = ("assay",)
    purpose: ClassVar[str] = "One row per assay whose mass is known."
    assay: Name = cell("Assay as in measurements.csv.", ...)
    kda: Number = cell("Molecular mass in kDa that the kit states.", ...)
    citation: Name = cell("Where that stands.", ...)


class Grade(Row):
    """Certainty of one synthesis, judged by people."""

    table: ClassVar[str] = "grade"
    key: ClassVar[tuple[str, ...]] = ("synthesis",)
    purpose: ClassVar[str] = "One row per synthesis; entered by people."
    synthesis: Identifier = cell("Synthesis of config.yaml.", ...)
    certainty: choice("high", "moderate", "low", "very_low", empty=False) = cell("GRADE.", ...)
    reasons: Text = cell("Why.")


class PublishedPool(Row):
    """What another review pooled: a range to compare with, never data to pool."""

    table: ClassVar[str] = "published_pools"
    key: ClassVar[tuple[str, ...]] = ("citation", "outcome", "site", "subgroup", "measure", "model")
    purpose: ClassVar[str] = (
        "One row per pooled estimate of another review: shown beside ours, never pooled."
    )
    citation: Name = cell("The review, as the report names it.", ...)
    outcome: Name = cell("Outcome as that review names it; those of config.yaml are shown.", ...)
    analyte: Text = cell("Analyte of config.yaml, where the review says what was measured.")
    site: Text = cell("Site of config.yaml, else as printed.")
    subgroup: Text = cell("Which studies, in the words of that review.")
    k: Whole = cell("Studies in this pool.", None)
    studies: Text = cell("How studies or groups are counted, where that is all that is printed.")
    n_total: Whole = cell("People in this pool.", None)
    people: Text = cell("How people are counted, where that is all that is printed.")
    model: Text = cell("Model as printed.")
    measure: Name = cell("Measure as printed.", ...)
    estimate: Number = cell("Pooled estimate.", ...)
    ci_low: Number = cell("Lower limit.", None)
    ci_high: Number = cell("Upper limit.", None)
    ci_level: Number = cell("Level of the interval in percent; empty = 95.", None)
    p: Number = cell("p as printed.", None)
    p_operator: choice("=", "<", "<=", ">", ">=") = cell("How p is printed.")
    i2: Number = cell("I2 in percent.", None)
    q: Number = cell("Cochran's Q.", None)
    tau2: Number = cell("Between-study variance.", None)
    source: Name = cell("Where it was read.", ...)
    note: Text = cell("Anything a referee should know.")


ROWS: tuple[type[Row], ...] = (
    Study, Arm, Measurement, Contrast, Direction, RiskOfBias, Prisma, Assay, Grade, PublishedPool,
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
