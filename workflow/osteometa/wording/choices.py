"""Values that config.yaml, the commands and the model choose between, each set defined once."""

from typing import Literal, get_args

PART = "part"
"""The analysis population of an interim report, or of a stratum of a trial."""
POPULATIONS = ("itt", "", "completers", "per_protocol", PART)
"""Analysis populations, the preferred one first."""
Estimator = Literal["REML", "ML", "DL", "HE", "HS", "SJ", "EB", "PM", "EE"]
ESTIMATORS: dict[Estimator, str] = {
    "REML": "restricted maximum likelihood", "ML": "maximum likelihood",
    "DL": "DerSimonian-Laird", "HE": "Hedges", "HS": "Hunter-Schmidt", "SJ": "Sidik-Jonkman",
    "EB": "empirical Bayes", "PM": "Paule-Mandel", "EE": "common effect",
}  # fmt: skip
"""Estimators of tau2 by metafor's short names; EE takes it for 0."""
METHODS = tuple(ESTIMATORS)
Interval = Literal["wald", "hksj", "hksj-floor"]
INTERVALS: dict[Interval, str] = {
    "wald": "normal (Wald) interval", "hksj": "Hartung-Knapp",
    "hksj-floor": "Hartung-Knapp with floor",
}  # fmt: skip
"""Intervals: normal or t quantiles as metafor has them, Hartung-Knapp, the same never narrower."""
CI_METHODS = tuple(INTERVALS)


def interval_words(ci_method: str) -> str:
    """Return the interval of a fitted model in words."""
    return next(words for name, words in INTERVALS.items() if name == ci_method)


ExerciseType = Literal["resistance", "aerobic", "high_intensity", "combined", "other"]
EXERCISE_TYPES: tuple[ExerciseType, ...] = get_args(ExerciseType)
MODALITIES: dict[str, ExerciseType | None] = {
    "resistance": "resistance", "resistance_impact": "resistance", "walking": "aerobic",
    "nordic_walking": "aerobic", "running": "aerobic", "cycling": "aerobic",
    "treadmill_walking": "aerobic", "aerobics": "aerobic", "walking_aerobics": "aerobic",
    "step_aerobics": "aerobic", "endurance": "aerobic", "race": "high_intensity",
    "exhaustive_running": "high_intensity", "interval_running": "high_intensity",
    "football": "high_intensity", "handball": "high_intensity", "jumping": "high_intensity",
    "aerobic_resistance": "combined", "resistance_balance": "combined", "military": "combined",
    "vibration": "other", "electromyostimulation": "other", "pilates": "other", "yoga": "other",
    "tai_chi": "other", "aquatic": "other", "multicomponent": None, "aerobic_dance": None,
    "step_aerobics_circuit": None, "not_stated": None,
}  # fmt: skip
"""Exercise type by modality, where a review has no map of its own; None: stated in arms.csv."""
Measure = Literal["SMD", "ROM", "MD"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
SmdVariance = Literal["LS", "LS2", "UB", "AV"]
SMD_VARIANCES: tuple[SmdVariance, ...] = get_args(SmdVariance)
SmdPost = Literal["pooled", "separate"]
SMD_POST: tuple[SmdPost, ...] = get_args(SmdPost)
SmdPrePost = Literal["ppc", "becker"]
SMD_PRE_POST: tuple[SmdPrePost, ...] = get_args(SmdPrePost)
TrainingTime = Literal["end", "earliest", "latest"]
ALTERNATIVES = {
    "r": "assumed r {}",
    "baseline_mean": "assumed baseline means × {}",
    "rho": "correlation {} within a study",
    "training_time": "{} time point of training",
    "shared_control": "shared control split",
    "smd_variance=LS": "SMD variance: Hedges (1982)",
    "smd_variance=LS2": "SMD variance: Borenstein (2009)",
    "smd_variance=UB": "SMD variance: unbiased (Hedges 1983)",
    "smd_variance=AV": "SMD variance: average effect",
    "smd_post=pooled": "SMD of levels: one SD of both arms",
    "smd_post=separate": "SMD of levels: SD of each arm",
    "smd_pre_post=ppc": "SMD of changes: one SD of both arms",
    "smd_pre_post=becker": "SMD of changes: SD of each arm",
    "rom_correction=true": "log ratios corrected (small samples)",
    "rom_correction=false": "log ratios not corrected",
}
"""Other derivations of the same effects in words, by their names or by the part before `=`."""


def alternative_words(name: str) -> str:
    """Return another derivation, such as `r=0.9`, in words."""
    key, _, value = name.partition("=")
    return ALTERNATIVES.get(name) or ALTERNATIVES[key].format(value)


Style = Literal["standard", "revman", "jama", "bmj", "metafor", "nature"]
STYLES: tuple[Style, ...] = get_args(Style)
"""Presets of forest plots."""
Width = Literal[89, 183]
WIDTHS: tuple[Width, ...] = get_args(Width)
"""One and two columns of a journal, mm."""


def studies_words(k: int) -> str:
    """Return a number of studies as the reasons of the tables have it."""
    return {0: "no study", 1: "1 study"}.get(k, f"{k} studies")


COMPARISONS = ("training_controlled", "training_within_arm", "acute_controlled", "acute_within_arm")
"""What is compared in planned analyses: phase and design class; acute is a single bout."""
