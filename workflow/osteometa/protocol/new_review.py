"""The files of a new review: a short config.yaml, empty tables, and a page on how to go on."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from osteometa.extraction.tables import ROWS, Arm, Study
from osteometa.extraction.units import QUANTITIES, Quantity, units_of
from osteometa.io.csv_records import csv_text
from osteometa.io.problems import suggestion
from osteometa.protocol.config import Config
from osteometa.wording.choices import COMPARISONS, EXERCISE_TYPES, MODALITIES, ExerciseType

READ_AS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
"""Words that YAML takes for something else."""
IGNORED = """\
# what is derived is not tracked
/data/processed/
/results/
/export/
/archive.zip
/.snakemake/
/osteometa_failure_*
"""
EXPLAINED = """\
# measures: the first is the primary one. r: before-after correlation that is assumed where no paper
# reports or implies one. units: a range of plausible means, as in {ug/L: [5, 300]}, adds a warning.
# haemoconcentration: true where the plasma volume lost in a bout raises the value (not in urine).
outcomes:
"""
BONE = """\
    measures: [ROM, MD, SMD]
    r: 0.95    # nearly the same bone twice; r_grid is tried instead
    r_grid: [0.85, 0.9, 0.95, 0.98, 0.99]
    ratio_as: percent
    decimals: 3
"""
OTHERS = """\
    measures: [{measures}]
    r: 0.5
"""
MARKER = "SMD, ROM, MD"
"""Standardised first, because assays are calibrated differently."""
MEASURES: dict[Quantity, str] = {
    "other": "SMD, MD", "strength": "MD, SMD, ROM", "power": "MD, SMD, ROM",
    "length": "MD, SMD, ROM", "time": "MD, SMD, ROM", "speed": "MD, SMD, ROM",
}  # fmt: skip
"""Measures of kinds of quantity that are no markers."""
WINDOWS: tuple[str, ...] = tuple(Config.model_fields["windows"].default)
"""Windows of time after a single bout."""
IN_BLOOD = ("concentration", "enzyme_activity", "collagen_equivalents")
"""Kinds of quantity that a loss of plasma volume raises, unless measured in urine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutcome:
    """An outcome as a reviewer names it."""

    name: str
    quantity: Quantity
    unit: str
    """Unit of pooling; empty for a quantity that takes any unit."""
    analytes: tuple[str, ...]
    """What exactly is measured, for instance serum; never pooled together."""
    sites: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name in the tables."""
        return _key(self.name)

    def ids(self) -> dict[str, str]:
        """Return the names of the analytes in the tables, with their words."""
        return {_code(f"{self.key} {analyte}"): analyte for analyte in self.analytes}

    def words(self) -> str:
        """Return what was understood, for the reviewer to compare with what was meant."""
        unit = f"unit {self.unit}" if self.unit else "no unit"
        named = ", ".join(f"{name} ({words})" for name, words in self.ids().items())
        analytes = f"{'analytes' if self.analytes[1:] else 'analyte'} {named}"
        sites = f"{'sites' if self.sites[1:] else 'site'} {', '.join(self.sites)}"
        return f"{self.name}: kind {self.quantity}, {unit}, {analytes}, " + (
            sites if self.sites else "no site"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """What is asked of a review at its beginning."""

    title: str
    outcomes: tuple[NewOutcome, ...]
    exercise_types: tuple[ExerciseType, ...] = EXERCISE_TYPES
    subgroups: Mapping[str, tuple[float, ...]]
    """Columns of studies.csv and arms.csv; of numbers with the bounds between bands."""
    comparisons: tuple[str, ...] = COMPARISONS[:1]


def title_of(text: str) -> str:
    """Return a title; ValueError in a sentence for the reviewer if it is empty or has lines."""
    if not text.strip() or len(text.splitlines()) > 1:
        raise ValueError("The title must be one line with words.")
    return text.strip()


def name_of(text: str) -> str:
    """Return a name of an outcome or site; ValueError in a sentence for the reviewer."""
    code = _code(text)
    if not (_key(text)[:1].isalpha() and code[:1].isalpha()) or code in READ_AS:
        raise ValueError(
            f"'{text}' is no name of an outcome or site. Begin with a letter, and use none of: "
            f"{', '.join(sorted(READ_AS))}."
        )
    return text


def quantity_of(text: str) -> Quantity:
    """Return a kind of quantity; ValueError in a sentence for the reviewer."""
    for name in QUANTITIES:
        if name == text:
            return name
    near = suggestion(text, QUANTITIES)
    raise ValueError(f"'{text}' is no kind of quantity. {near}Use one of: {', '.join(QUANTITIES)}.")


def unit_of(text: str, quantity: Quantity) -> str:
    """Return a unit of a kind of quantity; ValueError in a sentence for the reviewer."""
    known = units_of(quantity)
    if text not in known:
        words = f"{suggestion(text, known)}Use one of: {', '.join(known)}"
        raise ValueError(
            f"'{text}' is no unit of {quantity}. {words}; or the kind other, which has no unit."
        )
    return text


def analytes_of(text: str) -> tuple[str, ...]:
    """Return what is measured, from words between commas; ValueError if there are none."""
    found = tuple(part.strip() for part in text.split(",") if _code(part))
    if not found:
        raise ValueError("Say what exactly is measured, for instance serum, or total.")
    _distinct(found)
    return found


def outcome_of(words: Sequence[str]) -> NewOutcome:
    """Return an outcome from name, kind, unit (if any), analytes and sites; else a ValueError."""
    name, kind, *more = (*words, "", "", "")
    quantity = quantity_of(kind)
    unit = unit_of(more.pop(0), quantity) if units_of(quantity) else ""
    sites = tuple(_code(name_of(site)) for site in more[1:] if site)
    _distinct(sites)
    return NewOutcome(
        name=name_of(name), quantity=quantity, unit=unit, analytes=analytes_of(more[0]), sites=sites
    )


def subgroup_of(text: str) -> tuple[str, tuple[float, ...]]:
    """Return a column and the bounds of its bands, from `sex` or `weeks=26,52`."""
    column, _, bounds = text.partition("=")
    model = next((model for model in (Study, Arm) if column in model.subgroups), None)
    if model is None:
        known = [*Study.subgroups, *Arm.subgroups]
        raise ValueError(f"'{column}' forms no subgroups. {suggestion(column, known)}Use one of: "
                         f"{', '.join(known)}.")  # fmt: skip
    if model.is_number(column) != bool(bounds):
        form = f"{column}=26,52" if model.is_number(column) else column
        raise ValueError(f"write {form}: bounds between bands are for numbers only.")
    try:
        return column, tuple(float(bound) for bound in bounds.split(",") if bounds)
    except ValueError:
        raise ValueError(f"'{bounds}' are no numbers. Write {column}=26,52.") from None


def files_of(review: NewReview) -> dict[str, str]:
    """Return the text of each file of a new review by its path in the folder."""
    tables = {f"data/raw/{model.table}.csv": csv_text(model.columns(), []) for model in ROWS}
    page = {"README.md": readme_text(review), ".gitignore": IGNORED}
    return {"config.yaml": config_text(review), **tables, **page}


def config_text(review: NewReview) -> str:
    """Return a config.yaml with what has no default."""
    parts = [
        "# The choices of this review, fixed before numbers are entered. What is not here has its\n"
        "# default: docs/reference/config.md of osteometa lists all with their reasons.\n"
        f"title: {_text(review.title)}\n",
        EXPLAINED + "".join(map(_outcome, review.outcomes)),
    ]
    if set(review.exercise_types) != set(EXERCISE_TYPES):
        parts.append(_modalities(review.exercise_types))
    if review.subgroups:
        by = (f"    {column}: [{', '.join(f'{b:.15g}' for b in bounds)}]\n"
              for column, bounds in review.subgroups.items())  # fmt: skip
        parts.append("subgroups:\n  by:\n" + "".join(by))
    parts.append("# The planned analyses. Results that belong to none are listed in the ledger.\n"
                 "syntheses:\n" + "".join(planned_in(review)))  # fmt: skip
    return "\n".join(parts)


def planned_in(review: NewReview) -> Iterator[str]:
    """Yield the line of each planned analysis; of single bouts one for each window of time."""
    places = [
        (outcome, analyte, site)
        for outcome in review.outcomes for analyte in outcome.ids()
        for site in outcome.sites or ("",)
    ]  # fmt: skip
    for outcome, analyte, site in places:
        for comparison in review.comparisons:
            phase, _, design_class = comparison.partition("_")
            for window in WINDOWS if phase == "acute" else ("",):
                name = "_".join(filter(None, (analyte, site, phase, window, design_class)))
                yield (
                    f"  - {{id: {name}, outcome: {outcome.key}, analyte: {analyte}, "
                    f"{f'site: {site}, ' if site else ''}phase: {phase}, "
                    f"design_class: {design_class}{f', window: {window}' if window else ''}}}\n"
                )


def _outcome(outcome: NewOutcome) -> str:
    bone = outcome.quantity in ("areal_density", "volumetric_density")
    measures = MEASURES.get(outcome.quantity, MARKER)
    lines = [f"  {outcome.key}:\n    label: {_text(outcome.name)}\n"]
    lines.append(BONE if bone else OTHERS.format(measures=measures))
    if outcome.unit:
        lines.append(f"    units: {{{outcome.unit}: }}\n")
    if outcome.sites:
        lines.append(f"    sites: [{', '.join(outcome.sites)}]\n")
    in_blood = any("urin" not in analyte.lower() for analyte in outcome.analytes)
    if outcome.quantity in IN_BLOOD and in_blood:
        lines.append("    haemoconcentration: true\n")
    lines.append("    analytes:\n")
    lines += [f"      {key}: {{label: {_text(words)}, quantity: {outcome.quantity}}}\n"
              for key, words in outcome.ids().items()]  # fmt: skip
    return "".join(lines)


def _modalities(types: Sequence[ExerciseType]) -> str:
    pairs = ", ".join(f"{name}:\xa0{kind}" for name, kind in MODALITIES.items() if kind in types)
    lines = fill(pairs, 98, initial_indent="  ", subsequent_indent="  ").replace("\xa0", " ")
    heading = "# Kinds of training in the review, with their exercise types."
    return f"{heading}\nmodalities: {{\n{lines}\n}}\n"


def readme_text(review: NewReview) -> str:
    """Return the page that says how to go on."""
    names = "\n".join(
        f"| {outcome.name}, {words} | {outcome.key} | {analyte} | "
        f"{', '.join(outcome.sites) or '(empty)'} | {outcome.unit or 'any'} |"
        for outcome in review.outcomes
        for analyte, words in outcome.ids().items()
    )
    tables = "\n".join(
        f"| `{model.table}.csv` | {model.purpose} | "
        f"{', '.join(model.model_json_schema().get('required', ()))} |"
        for model in ROWS
    )
    modalities = "\n".join(
        f"- {kind.replace('_', ' ')}: {', '.join(m for m, of in MODALITIES.items() if of == kind)}"
        for kind in review.exercise_types
    )
    if {*review.exercise_types} == {*EXERCISE_TYPES}:  # as the default of config.yaml
        untyped = ", ".join(name for name, kind in MODALITIES.items() if kind is None)
        modalities += f"\n- with `exercise_type` and `type_reason` in the row: {untyped}"
    return f"""\
# {review.title}

The tables are in `data/raw/`, the choices in `config.yaml`, the results in `results/`.

## Enter a study

Fill in the workbook `tables.xlsx`, which has lists of what is allowed, and bring it back with
`osteometa import tables.xlsx`; or edit the tables themselves and save them as CSV UTF-8. A study
has one row in `studies.csv`, one row per group in `arms.csv` (an exercise arm names its
`comparator` and `comparator_kind`), and in `measurements.csv` one row per group and time of
measurement (`timepoint` baseline before; `kind` level for means). Enter what the paper reports, in
its units; a cell that it does not report stays empty. The names to enter:

| outcome | `outcome` | `analyte` | `site` | pooled in |
|---|---|---|---|---|
{names}

`modality` of an exercise arm, by exercise type:

{modalities}

## Check, look, run

```
osteometa check              # all problems at once, each with file, row, column and remedy
osteometa explain STUDY      # its effects, back to the cells, or why it has none
osteometa run                # the report: results/report.html
osteometa wanted STUDY       # a request to the authors for what is missing
```

All four work in this folder; the first report appears with one study.

## Tables

| Table | Content | Needed columns |
|---|---|---|
{tables}
"""


def _distinct(names: Sequence[str]) -> None:
    codes = Counter(map(_code, names))
    for name in names:
        if codes[_code(name)] > 1:
            raise ValueError(f"'{name}' is named twice. Name each analyte and site once.")


def _key(words: str) -> str:
    return re.sub(r"\W+", "_", words).strip("_")


def _code(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _text(words: str) -> str:
    """Return words as YAML, between quotes where they could be read as something else."""
    plain = re.fullmatch(r"[A-Za-z]([A-Za-z0-9 ()./-]*[A-Za-z0-9)])?", words)
    quoted = not plain or words.lower() in READ_AS
    return json.dumps(words, ensure_ascii=False) if quoted else words
