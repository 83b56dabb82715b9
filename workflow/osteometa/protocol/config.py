"""The model of config.yaml: every analysis choice of a review."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from osteometa.extraction.cell_types import IDENTIFIER, LONGEST
from osteometa.extraction.units import Quantity, pooled_unit, units_of
from osteometa.io.problems import ProblemsFound
from osteometa.protocol.config_problems import (
    reference_problems,
    unseen_problems,
    validation_problems,
)
from osteometa.protocol.sources import read_settings
from osteometa.wording.choices import (
    MODALITIES,
    SMD_VARIANCES,
    Estimator,
    ExerciseType,
    Interval,
    Measure,
    SmdPost,
    SmdPrePost,
    SmdVariance,
    Style,
    TrainingTime,
    Width,
)
from osteometa.wording.measure_format import MeasureFormat

MOST = 1_000_000_000
"""No choice needs a larger number."""
Phase = Literal["acute", "training"]
DesignClass = Literal["controlled", "within_arm"]
Identifier = Annotated[str, Field(pattern=IDENTIFIER, max_length=LONGEST)]
Words = Annotated[str, Field(min_length=1, max_length=300)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""Strict: true is no number."""
Whole = Annotated[int, Field(strict=True, le=MOST)]
Correlation = Annotated[Finite, Field(gt=-1, lt=1)]
Positive = Annotated[Finite, Field(gt=0, le=MOST)]
Limit = Annotated[Finite, Field(ge=-MOST, le=MOST)]
Share = Annotated[Finite, Field(gt=0.5, le=1)]
Rho = Annotated[Finite, Field(ge=0, lt=1)]


def _ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        raise ValueError("The first of the two limits must be the smaller. Exchange them")
    return limits


class Closed(BaseModel):
    """A frozen mapping without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Analyte(Closed):
    """What exactly was measured: analytes of one outcome are never pooled together."""

    label: Words
    quantity: Quantity
    baseline_mean: dict[str, Positive] = {}
    directions_counted: bool = True
    unnamed_standardiser: Literal["", "change"] = ""
    """The SD behind an SMD that names none, in resolutions of inconsistently reported data."""

    @property
    def over_baseline_mean(self) -> bool:
        """Whether a change in the unit of the levels may become a ratio (BASE): not of a marker."""
        return bool(self.baseline_mean) or self.quantity in ("areal_density", "volumetric_density")


class Plausible(Closed):
    """Limits beyond which `osteometa check` warns of a mistake."""

    r: Annotated[tuple[Correlation, Correlation], AfterValidator(_ascending)] = (-0.2, 0.99)
    sd_of_change: Annotated[Finite, Field(ge=0, lt=100)] = 0
    largest_change: Positive | None = None
    """Largest mean change, and its largest rate, in percent of the level."""
    largest_change_per_year: Positive | None = None


class Outcome(Closed):
    """What is measured, and how it enters an analysis."""

    label: Words
    measures: tuple[Measure, ...] = Field(min_length=1)
    r: Correlation
    r_grid: tuple[Correlation, ...] = (0.3, 0.5, 0.7, 0.9)
    axis: tuple[Words, Words] = ("Lower with exercise", "Higher with exercise")
    ratio_as: Literal["ratio", "percent"] = "ratio"
    decimals: Annotated[Whole, Field(ge=0, le=6)] = 2
    smallest_effect: dict[Measure, Positive] = {}
    """Smallest effect of interest by measure: SD (SMD), percent (ROM), the pooled unit (MD)."""
    units: dict[str, Annotated[tuple[Limit, Limit], AfterValidator(_ascending)] | None] = {}
    """Units of pooling, each with the range of plausible means, if one is known."""
    sites: tuple[str, ...] = ()
    diurnal: str = ""
    haemoconcentration: bool = False
    plausible: Plausible = Plausible()
    analytes: dict[Identifier, Analyte] = Field(min_length=1)

    @model_validator(mode="after")
    def _ratios_have_a_zero(self) -> Outcome:
        below = [unit for unit in self.units if not self.has_zero(unit)]
        if below and "ROM" in self.measures:
            raise ValueError(
                f"The range of {' and '.join(below)} reaches below 0, where means have no ratio. "
                "Use the measures MD and SMD alone, or correct the range"
            )
        return self

    def has_zero(self, unit: str) -> bool:
        """Return whether no value in a unit is below zero, by the range declared for it."""
        limits = self.units.get(pooled_unit(unit, self.units))
        return limits is None or limits[0] >= 0

    def unit_of(self, analyte: str) -> str:
        """Return the unit in which an analyte is pooled; '' where it may be one of several."""
        known = units_of(self.analytes[analyte].quantity)
        found = [unit for unit in self.units if unit in known]
        return found[0] if len(found) == 1 else ""

    def scale(self, measure: str, unit: str, interval: str = "(a to b)") -> MeasureFormat:
        """Return how effects on a measure are written."""
        return MeasureFormat(measure, unit, interval, self.ratio_as, self.decimals)

    def with_baseline_means(self, factor: float) -> Outcome:
        """Return the outcome with every baseline mean times a factor."""
        analytes = {}
        for name, analyte in self.analytes.items():
            means = {site: mean * factor for site, mean in analyte.baseline_mean.items()}
            analytes[name] = analyte.model_copy(update={"baseline_mean": means})
        return self.model_copy(update={"analytes": analytes})


class Effects(Closed):
    """Form in which an effect and its variance are computed."""

    smd_variance: SmdVariance = "LS"
    smd_post: SmdPost = "pooled"
    smd_pre_post: SmdPrePost = "ppc"
    rom_correction: bool = False


class Derivation(Closed):
    """How an effect is chosen among reported values, and how dependent effects are combined."""

    training_time: TrainingTime = "end"
    type_by: Literal["modality", "paper"] = "modality"
    shared_control: Literal["covariance", "split"] = "covariance"
    rho: Rho = 0.5


class Sensitivity(Closed):
    """Values that are tried one at a time (sensitivity.csv)."""

    rho: tuple[Rho, ...] = (0.3, 0.8)
    baseline_mean: tuple[Annotated[Positive, Field(le=10)], ...] = (0.9, 1.1)
    training_time: tuple[TrainingTime, ...] = ("earliest", "latest")
    smd_variance: tuple[SmdVariance, ...] = SMD_VARIANCES
    methods: tuple[Estimator, ...] = ("REML", "DL", "PM", "EE")
    intervals: tuple[Interval, ...] = ("hksj-floor", "hksj", "wald")
    rob_exclude: tuple[
        Literal["high", "serious", "critical", "poor", "some", "moderate", "no_information"], ...
    ] = ("high", "serious", "critical", "poor")
    permutations: Annotated[Whole, Field(ge=1000, le=10_000_000)] = 32_768


class Multiverse(Closed):
    """The choices whose combinations are all fitted."""

    inclusion: dict[str, tuple[str, ...]] = {
        "all": (),
        "without indirect": ("INDIRECT",),
        "without per protocol and second hand": ("PP", "2ND"),
        "without assumed r": ("RIMP",),
        "without baseline means": ("BASE",),
        "without percent changes": ("PCT",),
        "without SDs from tests": ("TMD", "FUNK"),
        "without high risk of bias": ("ROB",),
    }
    designs: tuple[Literal["randomised", "all designs"], ...] = Field(
        default=("randomised", "all designs"), min_length=1
    )
    inconsistent_data: tuple[Literal["excluded", "most cautious"], ...] = Field(
        default=("excluded", "most cautious"), min_length=1
    )
    methods: tuple[Estimator, ...] = Field(default=("REML", "PM", "DL", "EE"), min_length=1)
    intervals: tuple[Interval, ...] = Field(default=("hksj-floor", "hksj", "wald"), min_length=1)
    cap: Annotated[Whole, Field(ge=2)] = 10_000

    @field_validator("inclusion")
    @classmethod
    def _with_all(cls, inclusion: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if inclusion.get("all") != ():
            raise ValueError("One entry must be `all: []`, which includes every effect")
        return inclusion


class Directions(Closed):
    """Choices of the synthesis of directions."""

    agreement_share: Share = 0.7


class Pooling(Closed):
    """The random-effects model."""

    method: Estimator = "REML"
    ci: Interval = "hksj-floor"
    pi_df: Literal["k-1", "k-2"] = "k-1"


class SmallK(Closed):
    """Fewest studies for a diamond, a prediction interval and a subgroup test."""

    diamond: Annotated[Whole, Field(ge=2)] = 2
    prediction_interval: Annotated[Whole, Field(ge=3)] = 5
    subgroup_test: Annotated[Whole, Field(ge=3)] = 5


class Subgroups(Closed):
    """How exercise types and other subgroups are compared."""

    common_tau2_up_to: Annotated[Whole, Field(ge=0)] = 5
    overall_diamond: bool = True
    by: dict[str, tuple[Finite, ...]] = {}
    """Further columns that form subgroups; of numbers with the bounds between their bands."""

    @field_validator("by")
    @classmethod
    def _ascending(cls, by: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        if any(list(bounds) != sorted(set(bounds)) for bounds in by.values()):
            raise ValueError("The bounds of a column must ascend")
        return by


def _with_svg(formats: list[str]) -> list[str]:
    if "svg" not in formats:
        raise ValueError("svg is needed, because the report shows it. Add svg.")
    return formats


class Figures(Closed):
    """The style of figures."""

    style: Style = "standard"
    width: Width = 183
    interval: Literal["preset", "[a, b]", "(a to b)"] = "preset"
    formats: Annotated[list[Literal["svg", "pdf", "png"]], AfterValidator(_with_svg)] = [
        "svg", "pdf", "png",
    ]  # fmt: skip


def _no_folder_of_figures(name: str) -> str:
    if name == "figures":
        raise ValueError("results/figures is the folder of the figures of the whole review. "
                         "Use another id.")  # fmt: skip
    return name


class Synthesis(Closed):
    """One planned analysis."""

    id: Annotated[Identifier, AfterValidator(_no_folder_of_figures)]
    outcome: str
    analyte: str
    site: str = ""
    phase: Phase
    design_class: DesignClass
    window: str = ""


class Config(Closed):
    """Every analysis choice of a review.

    A choice that a review leaves out is that of the shipped config.yaml, where its reason is.
    Nothing that is evidence or depends on the outcome has a default.
    """

    schema_version: Annotated[Whole, Field(ge=1, le=1)] = 1
    title: Words
    outcomes: dict[str, Outcome]
    effects: Effects = Effects()
    secondary_outcomes: tuple[str, ...] = ()
    modalities: dict[Identifier, ExerciseType | None] = MODALITIES
    comparator_kinds: tuple[
        Literal["usual", "attention", "low_dose", "active", "not_stated"], ...
    ] = ("usual", "attention", "low_dose")
    designs: tuple[Literal["rct", "crossover_rct", "nrct", "uncontrolled"], ...] = (
        "rct", "crossover_rct",
    )  # fmt: skip
    windows: dict[Identifier, Annotated[float, Field(gt=0, strict=True)]] = {
        "immediate": 0.5, "early": 4, "sameday": 12, "day1": 36, "late": math.inf,
    }  # fmt: skip
    derivation: Derivation = Derivation()
    sensitivity: Sensitivity = Sensitivity()
    multiverse: Multiverse = Multiverse()
    seed: Annotated[Whole, Field(ge=0)] = 20120229
    directions: Directions = Directions()
    pooling: Pooling = Pooling()
    small_k: SmallK = SmallK()
    subgroups: Subgroups = Subgroups()
    figures: Figures = Figures()
    syntheses: tuple[Synthesis, ...]

    @field_validator("windows")
    @classmethod
    def _ascending(cls, windows: dict[str, float]) -> dict[str, float]:
        bounds = list(windows.values())
        if bounds != sorted(set(bounds)) or bounds[-1:] != [math.inf]:
            raise ValueError("Upper bounds must ascend, and the last must be .inf")
        return windows

    def window_of(self, time_h: float | None, timepoint: str) -> str:
        """Return the window of a sample: hours after the end of the bout, '' if not known."""
        if timepoint == "during":
            return "during"
        if time_h is None:
            return ""
        return next(name for name, bound in self.windows.items() if time_h <= bound)

    def analyte(self, outcome: str, analyte: str) -> Analyte | None:
        """Return what is declared of an analyte; None for secondary outcomes."""
        declared = self.outcomes.get(outcome)
        return None if declared is None else declared.analytes.get(analyte)


def load_config(
    *files: str | Path, given: Mapping[str, Any] | None = None, giver: str = "--config"
) -> Config:
    """Read config.yaml, further files that extend it, and values that extend both.

    ProblemsFound has every problem: file and line, key, value, and what is allowed.
    """
    raw, places = read_settings(files, given or {}, giver)
    problems = list(unseen_problems(raw, places))
    if problems:
        raise ProblemsFound(problems)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ProblemsFound(validation_problems(error.errors(), places, Config)) from None
    problems = list(reference_problems(config, places))
    if problems:
        raise ProblemsFound(problems)
    return config


def with_outcomes(change: Callable[[Outcome], Outcome], config: Config) -> Config:
    """Return a config with every outcome changed."""
    outcomes = {name: change(outcome) for name, outcome in config.outcomes.items()}
    return config.model_copy(update={"outcomes": outcomes})


def part(config: Config, *keys: str) -> dict[str, Any]:
    """Return some keys of a config as plain values: what a rule of the workflow depends on."""
    return config.model_dump(mode="json", include=set(keys))


def from_part(values: dict[str, Any]) -> Config:
    """Return a config that holds only the keys of `part`; any other is an AttributeError.

    So a rule cannot use a choice that it does not declare, and a change of a choice reruns
    exactly the rules that use it.
    """
    checked = {}
    for key, value in values.items():
        annotation: Any = Config.model_fields[key].annotation
        checked[key] = TypeAdapter(annotation).validate_python(value)
    config = Config.model_construct(**checked)
    for key in set(Config.model_fields) - set(values):
        vars(config).pop(key, None)
    return config
