"""The model of config.yaml: every analysis choice, closed, with all problems reported at once."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from osteometa.extraction.units import QUANTITIES, UNITS, units_of
from osteometa.io.problems import Problem, ProblemsFound, suggestion
from osteometa.io.yaml_file import read_yaml
from osteometa.wording.choices import (
    CI_METHODS,
    EXERCISE_TYPES,
    MEASURES,
    METHODS,
    SMD_POST,
    SMD_PRE_POST,
    SMD_VARIANCES,
    STYLES,
    TRAINING_TIMES,
    WIDTHS,
)

ExerciseType = Literal[EXERCISE_TYPES]
Measure = Literal[MEASURES]
Method = Literal[METHODS]
Interval = Literal[CI_METHODS]
SmdVariance = Literal[SMD_VARIANCES]
TrainingTime = Literal[TRAINING_TIMES]
Phase = Literal["acute", "training"]
DesignClass = Literal["controlled", "within_arm"]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Quantity = Literal[tuple(QUANTITIES)]
Correlation = Annotated[float, Field(gt=-1, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0.5, le=1)]
Count = Annotated[int, Field(ge=1)]
FILE = "config.yaml"
RENAMED = {
    ("directions", "vote_share"): "agreement_share",
    ("multiverse", "people"): "inclusion",
    ("multiverse", "prints"): "inconsistent_data",
}
"""Keys of earlier versions, by their place, with the name that each has now."""


class Closed(BaseModel):
    """A frozen mapping without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Analyte(Closed):
    """What exactly was measured: analytes of one outcome are never pooled together."""

    label: str
    quantity: Quantity
    baseline_mean: dict[str, Positive] = {}
    directions_counted: bool = True


class Plausible(Closed):
    """Limits beyond which `osteometa check` warns of a mistake."""

    r: tuple[Correlation, Correlation]
    sd_of_change: Annotated[float, Field(ge=0, lt=100)]


class Outcome(Closed):
    """What is measured, and how it enters an analysis."""

    label: str
    measures: tuple[Measure, ...] = Field(min_length=1)
    r: Correlation
    r_grid: tuple[Correlation, ...] = ()
    axis: tuple[str, str]
    ratio_as: Literal["ratio", "percent"]
    decimals: Annotated[int, Field(ge=0, le=6)]
    units: dict[str, tuple[Positive, Positive]]
    sites: tuple[str, ...] = ()
    diurnal: str = ""
    haemoconcentration: bool
    plausible: Plausible
    analytes: dict[Identifier, Analyte] = Field(min_length=1)

    def unit_of(self, analyte: str) -> str:
        """Return the unit in which an analyte is pooled; '' where it may be one of several."""
        known = units_of(self.analytes[analyte].quantity)
        found = [unit for unit in self.units if unit in known]
        return found[0] if len(found) == 1 else ""

    def with_baseline_means(self, factor: float) -> Outcome:
        """Return the outcome with every baseline mean times a factor."""
        analytes = {
            name: analyte.model_copy(
                update={"baseline_mean": {s: m * factor for s, m in analyte.baseline_mean.items()}}
            )
            for name, analyte in self.analytes.items()
        }
        return self.model_copy(update={"analytes": analytes})


class Effects(Closed):
    """Which of several forms of an effect and its variance is computed."""

    smd_variance: SmdVariance
    smd_post: Literal[SMD_POST]
    smd_pre_post: Literal[SMD_PRE_POST]
    rom_correction: bool


class Derivation(Closed):
    """Choices between what prints allow, and how effects of the same people are reduced."""

    training_time: TrainingTime
    type_by: Literal["modality", "paper"]
    shared_control: Literal["covariance", "split"]
    rho: Annotated[float, Field(ge=0, lt=1)]


class Sensitivity(Closed):
    """Values that the rows of sensitivity.csv try."""

    rho: tuple[Annotated[float, Field(ge=0, lt=1)], ...]
    baseline_mean: tuple[Annotated[float, Field(gt=0)], ...]
    training_time: tuple[TrainingTime, ...]
    smd_variance: tuple[SmdVariance, ...]
    methods: tuple[Method, ...]
    intervals: tuple[Interval, ...]
    rob_exclude: tuple[
        Literal["high", "serious", "critical", "poor", "some", "moderate", "no_information"], ...
    ]


class Multiverse(Closed):
    """The choices whose product is fitted."""

    inclusion: dict[str, tuple[str, ...]]
    designs: tuple[Literal["randomised", "all designs"], ...] = Field(min_length=1)
    inconsistent_data: tuple[Literal["excluded", "most cautious"], ...] = Field(min_length=1)
    methods: tuple[Method, ...] = Field(min_length=1)
    intervals: tuple[Interval, ...] = Field(min_length=1)
    cap: Annotated[int, Field(ge=2)]

    @field_validator("inclusion")
    @classmethod
    def _with_all(cls, inclusion: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if inclusion.get("all") != ():
            raise ValueError("one entry must be `all: []`: every effect")
        return inclusion


class Directions(Closed):
    """Choices of the synthesis of directions."""

    agreement_share: Share


class Pooling(Closed):
    """The random-effects model."""

    method: Method
    ci: Interval
    pi_df: Literal["k-1", "k-2"]


class SmallK(Closed):
    """Fewest studies for what is shown."""

    diamond: Annotated[int, Field(ge=2)]
    prediction_interval: Annotated[int, Field(ge=3)]
    subgroup_test: Annotated[int, Field(ge=3)]


class Subgroups(Closed):
    """How exercise types are compared."""

    common_tau2_up_to: Annotated[int, Field(ge=0)]
    overall_diamond: bool


class Figures(Closed):
    """How figures look."""

    style: Literal[STYLES]
    width: Literal[WIDTHS]
    interval: Literal["preset", "[a, b]", "(a to b)"]


class Synthesis(Closed):
    """One planned analysis."""

    id: Identifier
    outcome: str
    analyte: str
    site: str = ""
    phase: Phase
    design_class: DesignClass
    window: str = ""


class Config(Closed):
    """Every analysis choice of a review."""

    schema_version: Literal[1]
    title: str
    outcomes: dict[str, Outcome]
    effects: Effects
    secondary_outcomes: tuple[str, ...] = ()
    modalities: dict[Identifier, ExerciseType | None]
    comparator_kinds: tuple[Literal["usual", "attention", "low_dose", "active"], ...]
    designs: tuple[Literal["rct", "crossover_rct", "nrct", "uncontrolled"], ...]
    windows: dict[Identifier, Annotated[float, Field(gt=0)]]
    derivation: Derivation
    sensitivity: Sensitivity
    multiverse: Multiverse
    seed: Annotated[int, Field(ge=0)]
    directions: Directions
    pooling: Pooling
    small_k: SmallK
    subgroups: Subgroups
    figures: Figures
    syntheses: tuple[Synthesis, ...]

    @field_validator("windows")
    @classmethod
    def _ascending(cls, windows: dict[str, float]) -> dict[str, float]:
        bounds = list(windows.values())
        if bounds != sorted(set(bounds)) or bounds[-1:] != [math.inf]:
            raise ValueError("upper bounds must ascend and the last must be .inf")
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


def load_config(path: str | Path) -> Config:
    """Read config.yaml.

    Raises
    ------
    ProblemsFound
        With every problem of the file: its line, key, value, and what is allowed.
    """
    raw, lines = read_yaml(Path(path))
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        items = error.errors()
        under_old_name = {
            (*item["loc"][:-1], RENAMED[item["loc"]]) for item in items if item["loc"] in RENAMED
        }
        raise ProblemsFound(
            [_problem_of(item, lines, raw) for item in items if item["loc"] not in under_old_name]
        ) from None
    problems = list(_references(config, lines))
    if problems:
        raise ProblemsFound(problems)
    return config


def _problem_of(item: dict[str, Any], lines: dict[tuple, int], raw: dict[str, Any]) -> Problem:
    location = tuple(item["loc"])
    while location and location not in lines:
        if location[:-1] in lines or len(location) == 1:
            break
        location = location[:-1]
    line = lines.get(location) or lines.get(location[:-1])
    found = "" if isinstance(item["input"], dict) else str(item["input"])
    message = item["msg"].removeprefix("Value error, ")
    code = "E105"
    if item["type"] == "extra_forbidden":
        known = _keys_at(location[:-1])
        near = suggestion(str(location[-1]), known)
        message = f"This key is not known. {near}Allowed: {', '.join(known)}."
        if location in RENAMED:
            message = f"'{location[-1]}' is now called '{RENAMED[location]}'. Rename the key."
        code, found = "E101", str(location[-1])
    elif item["type"] == "missing":
        message, code, found = (
            "This key is missing. Add it as in the project's config.yaml.",
            "E101",
            "",
        )
    elif item["type"] == "literal_error":
        message = f"Use {item['ctx']['expected']}."
        if location[-1:] and location[-1] in ("phase", "design_class"):
            code = "E601" if isinstance(item["input"], list) else code
            message += " A synthesis may not mix phases or design classes: declare two."
    return Problem(
        file=FILE,
        row=line,
        column=".".join(str(part) for part in location),
        code=code,
        found=found,
        message=message if message.endswith(".") else f"{message}.",
    )


def _keys_at(location: tuple) -> list[str]:
    model: Any = Config
    for part in location:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is not None:
            model = field.annotation
        for inner in _models_in(model):
            model = inner
    return list(getattr(model, "model_fields", Config.model_fields))


def _models_in(annotation: Any) -> list[type[Closed]]:
    if isinstance(annotation, type) and issubclass(annotation, Closed):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _references(config: Config, lines: dict[tuple, int]) -> list[Problem]:
    problems: list[Problem] = []

    def check(where: tuple, value: str, allowed: list[str], what: str) -> None:
        if value not in allowed:
            message = f"This {what} is not declared. {suggestion(value, allowed)}"
            problems.append(
                Problem(
                    file=FILE,
                    row=lines.get(where) or lines.get(where[:-1]),
                    column=".".join(map(str, where)),
                    code="E105",
                    found=value,
                    message=f"{message}Use one of: {', '.join(allowed)}.",
                )
            )

    counts = Counter(synthesis.id for synthesis in config.syntheses)
    for index, synthesis in enumerate(config.syntheses):
        where = ("syntheses", index)
        check((*where, "outcome"), synthesis.outcome, list(config.outcomes), "outcome")
        if synthesis.outcome in config.outcomes:
            analytes = list(config.outcomes[synthesis.outcome].analytes)
            check((*where, "analyte"), synthesis.analyte, analytes, "analyte")
        declared = config.outcomes.get(synthesis.outcome)
        sites = list(declared.sites if declared else ()) or [""]
        check((*where, "site"), synthesis.site, sites, "site")
        windows = ["during", *config.windows] if synthesis.phase == "acute" else [""]
        check((*where, "window"), synthesis.window, windows, "window")
        if counts[synthesis.id] > 1:
            problems.append(
                Problem(
                    file=FILE,
                    row=lines.get((*where, "id")),
                    column=f"syntheses.{index}.id",
                    code="E103",
                    found=synthesis.id,
                    message="Two syntheses have this id. Give each its own.",
                )
            )
    for name, outcome in config.outcomes.items():
        for unit in outcome.units:
            check(("outcomes", name, "units", unit), unit, list(UNITS), "unit")
        for key, analyte in outcome.analytes.items():
            for site in analyte.baseline_mean:
                where = ("outcomes", name, "analytes", key, "baseline_mean", site)
                check(where, site, list(outcome.sites), "site")
    return problems


def part(config: Config, *keys: str) -> dict[str, Any]:
    """Return some keys of a config as plain values: what a rule of the workflow depends on."""
    return {key: config.model_dump(mode="json")[key] for key in keys}


def from_part(values: dict[str, Any]) -> Config:
    """Return a config that holds only the keys of `part`; any other is an AttributeError.

    So a rule cannot use a choice that it does not declare, and a change of a choice reruns
    exactly the rules that use it.
    """
    checked = {
        key: TypeAdapter(Config.model_fields[key].annotation).validate_python(value)
        for key, value in values.items()
    }
    config = Config.model_construct(**checked)
    for key in set(Config.model_fields) - set(values):
        config.__dict__.pop(key, None)
    return config
