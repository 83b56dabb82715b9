"""One table each for the codes that records hold: the code, and its words for readers.

A member is its code, so it is written to CSV and read back as it is.
"""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A code with its words."""

    words: str
    """As in the middle of a sentence."""
    analysis: str
    """Name of the sensitivity analysis that leaves it out or adds it; empty without one."""

    def __new__(cls, code: str, words: str, analysis: str = "") -> Self:
        """Take the code as the value."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words, member.analysis = words, analysis
        return member

    @property
    def heading(self) -> str:
        """The words with a capital letter."""
        return self.words[:1].upper() + self.words[1:]


class ExerciseType(Term):
    """What kind of exercise an arm did, in the order of all tables and figures."""

    RESISTANCE = "resistance", "resistance"
    AEROBIC = "aerobic", "aerobic"
    HIGH_INTENSITY = "high_intensity", "high-intensity"
    COMBINED = "combined", "combined"
    OTHER = "other", "other"


OVERALL = "overall"
"""The group of all exercise types together."""
ALL_STUDIES = "All studies"


def group_heading(group: str) -> str:
    """Return the heading of an exercise type, or of all of them together."""
    return ALL_STUDIES if group == OVERALL else ExerciseType(group).heading


class Phase(Term):
    """Whether a programme of training or one bout was studied."""

    TRAINING = "training", "training"
    ACUTE = "acute", "single bout"


class DesignClass(Term):
    """What an effect compares; the classes never share a synthesis."""

    CONTROLLED = "controlled", "against a comparator"
    WITHIN_ARM = "within_arm", "within one arm"


class Design(Term):
    """Design of a study."""

    RCT = "rct", "randomised trial"
    CROSSOVER_RCT = "crossover_rct", "randomised crossover trial"
    NRCT = "nrct", "non-randomised trial"
    UNCONTROLLED = "uncontrolled", "uncontrolled study"

    @property
    def plural(self) -> str:
        """The words for several."""
        return "uncontrolled studies" if self is Design.UNCONTROLLED else f"{self.words}s"


class PlasmaVolume(Term):
    """Whether values after a bout were corrected for the shift of plasma volume."""

    CORRECTED = "corrected", "corrected"
    NOT_CORRECTED = "not_corrected", "not corrected"
    NOT_STATED = "not_stated", "not stated"


class ComparatorKind(Term):
    """What the control arm did."""

    NONE = "none", "no comparator"
    USUAL = "usual", "no intervention or usual activity"
    ATTENTION = "attention", "contact, education or passive treatment"
    LOW_DOSE = "low_dose", "light stretching or a low-intensity programme"
    ACTIVE = "active", "another exercise programme"
    NOT_STATED = "not_stated", "a control of a kind that is not stated"


class Measure(Term):
    """Effect measure; `plural` in running text."""

    SMD = "SMD", "standardised mean difference"
    ROM = "ROM", "ratio of means"
    MD = "MD", "mean difference"

    @property
    def plural(self) -> str:
        """The words for several."""
        return "ratios of means" if self is Measure.ROM else f"{self.words}s"


class Direction(Term):
    """Direction of a study's result: exercise against control, or after against before."""

    UP = "up", "up"
    DOWN = "down", "down"
    MIXED = "mixed", "mixed"
    ZERO = "zero", "no difference"
    UNCHANGED = "unchanged", "unchanged"
    """No significant change or difference, its sign not reported."""
    NOT_TOLD = "not_told", "not reported"

    @property
    def unknown(self) -> bool:
        """Whether the sign is not known, so that it may be either in a sign test."""
        return self in (Direction.UNCHANGED, Direction.NOT_TOLD)


OPPOSITE = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP}


class DirectionBasis(Term):
    """What a reported direction compares."""

    BETWEEN_ARM = "between_arm", "between arms"
    WITHIN_ARM = "within_arm", "within one arm"
    NOT_STATED = "not_stated", "not stated"


class Block(Term):
    """The status of an effect in its synthesis."""

    POOLED = "pooled", "pooled"
    NON_RANDOMISED = "non_randomised", "not randomised", "with non-randomised trials"
    DISPUTED = "disputed", "inconsistently reported data"
    BORROWED = (
        "borrowed", "SD borrowed from other studies",
        "with SDs borrowed from other studies that used the same assay",
    )  # fmt: skip
    PART = (
        "part", "a part of the participants of a trial",
        "with interim reports and strata of trials without a usable number of the whole",
    )  # fmt: skip
    UNIT = "unit", "in another unit"
    ACTIVE = "active", "active comparator", "with active comparators"
    LISTED = "listed", "listed only", "with comparisons that are only listed"
    REDUCED = "reduced", "represented by another effect of the same participants"
    GONE = "gone", "not estimable by an alternative derivation"

    @property
    def apart(self) -> str:
        """The heading of effects that are shown below the pool."""
        return f"{self.heading} (not pooled)"


SHOWN_APART = tuple(b for b in Block if b not in (Block.POOLED, Block.REDUCED, Block.GONE))
"""Blocks of a forest plot below the pool, in their order."""


class Flag(Term):
    """A reservation about an effect."""

    INDIRECT = (
        "INDIRECT", "population with a condition affecting bone",
        "without populations with a condition affecting bone",
    )  # fmt: skip
    PER_PROTOCOL = "PP", "per-protocol analysis", "without per-protocol analyses"
    SECOND_HAND = "2ND", "value from a secondary source", "without values from secondary sources"
    R_IMPUTED = (
        "RIMP", "assumed pre-post correlation", "without effects that rest on an assumed r",
    )  # fmt: skip
    BASELINE_MEAN = "BASE", "assumed baseline mean", "without assumed baseline means"
    PERCENT = "PCT", "derived from percent changes", "without effects derived from percent changes"
    TEST_SD = "TMD", "SD derived from a test", "without SDs derived from a test"
    ADJUSTED_SE = "ADJSE", "SE of an adjusted mean", "without SEs of adjusted means"
    FACTOR_UNKNOWN = (
        "FUNK", "not stated whether the test compared changes or final values",
        "without tests not stated to compare changes or final values",
    )  # fmt: skip
    CLUSTER_ADJUSTED = "CLADJ", "test or SE that accounts for the clusters of a cluster trial"
    ICC_ASSUMED = (
        "ICC", "intracluster correlation assumed from elsewhere",
        "without effects that rest on an assumed intracluster correlation",
    )  # fmt: skip
    SKEWED = "SKEW", "skewed data", "without skewed data"
    FIGURE = "FIG", "read off a figure", "without values read off figures"
    OTHER_REPORT_N = "NREP", "n from another report", "without n from another report"
    RANDOMISED_N = "NRAND", "n as randomised", "without n as randomised"
    MERGED = "MERGED", "arms merged", "without merged arms"
    BORROWED = "BOR", "SD borrowed from other studies"
    DISPUTED = "DISPUTED", "inconsistently reported data"


class DerivationMethod(Term):
    """How an effect is derived from what a paper reports; the order depends on the measure."""

    ADJ = "ADJ", "baseline-adjusted difference"
    PPC = "PPC", "values before and after in both arms"
    CHG = "CHG", "changes"
    POST = "POST", "final values"
    DIF = "DIF", "reported difference"
    TST = "TST", "reported test statistic or p value"
    SMDP = "SMDP", "reported standardised mean difference"
    SMCR = "SMCR", "standardised change"
    MC = "MC", "mean change"
    ROMC = "ROMC", "ratio of means after and before"
    LOG = "LOG", "means of logarithms"
    BASE = "BASE", "difference over a baseline mean"
    BOR = "BOR", "final values with a borrowed SD"


class Provenance(Term):
    """How an SD, SE or test statistic came about: the codes after the derivation method."""

    SD = "SD", "reported SD"
    SE = "SE", "reported SE"
    CI = "CI", "confidence interval"
    Q5 = "Q5", "median, quartiles and range"
    Q3 = "Q3", "median and quartiles"
    R3 = "R3", "median and range"
    TMD = "TMD", "SD derived from a test between arms"
    PAIRED = "PT", "SD derived from a paired test of the arm"
    T = "t", "t statistic"
    F = "F", "F statistic"
    P = "p", "exact p value"
    PCT = "PCT", "percent change"
    BASE = "BASE", "assumed baseline mean"
    BOR = "BOR", "SD borrowed from other studies"
    FIG = "FIG", "read off a figure"
    CHG = "CHG", "standardised by the SD of change"
    LOG = "LOG", "means of logarithms"
    SMDP = "SMDP", "reported standardised change"
    DESIGN_EFFECT = "DE", "design effect of a cluster trial"
    COMPOSITE = "COMPOSITE", "mean of several effects of one study"


class CorrelationSource(Term):
    """Where the correlation behind an effect is from, the best source first."""

    REPORTED = "reported", "reported"
    CHANGE_SD = "change_sd", "derived from SDs of values and changes"
    PAIRED_TEST = "paired_test", "derived from a paired test"
    OTHER_ARMS = "other_arms", "taken from other arms"
    CONFIG = "config", "assumed"
    UNCORRELATED = "uncorrelated", "assumed to be 0"


class MeansKind(Term):
    """What the means beside an effect are."""

    AFTER = "after", "final values"
    CHANGE = "change", "changes"
    PCT_CHANGE = "pct_change", "percent changes"


class SynthesisStatus(Term):
    """How far a planned analysis came."""

    POOLED = "pooled", "pooled"
    LISTED = "listed", "listed, not pooled"
    DIRECTION_ONLY = "direction_only", "direction only"
    EMPTY = "empty", "no study"


class Verdict(Term):
    """How the evidence answers a claim."""

    SUPPORTED = "supported", "supported"
    CONTRADICTED = "contradicted", "contradicted"
    NOT_SETTLED = "not_settled", "not settled"
    ONE_STUDY = "one_study", "not settled (one study)"
    CONFLICTING = "conflicting", "conflicting"
    SUPPORTED_BY_DIRECTIONS = "supported_by_directions", "supported by directions"
    CONTRADICTED_BY_DIRECTIONS = "contradicted_by_directions", "contradicted by directions"
    NOT_SETTLED_BY_DIRECTIONS = "not_settled_by_directions", "not settled by directions"
    NO_EVIDENCE = "no_evidence", "no evidence"


class RowStatus(Term):
    """Status of a raw row for one use."""

    USED = "used", "used in an effect"
    DIRECTION_ONLY = "direction_only", "used as a direction only"
    NOT_USED = "not_used", "not used"
    NOT_PLANNED = "not_planned", "not part of any planned analysis"
