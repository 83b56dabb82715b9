"""What happens when a choice or a study changes: the tables, and what the report says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteometa.io.csv_records import read_records
from osteometa.records.sensitivity import (
    AlternativeModel,
    GoshRow,
    InfluenceRow,
    MetaRegressionRow,
    MultiverseShare,
    PermutationRow,
    SensitivityRow,
    SmallStudyRow,
    StepRow,
)
from osteometa.report import sensitivity_choices, sensitivity_models, sensitivity_studies
from osteometa.report.findings import Findings
from osteometa.wording.numbers import unbroken

RECORDS = {
    "sensitivity": SensitivityRow, "influence": InfluenceRow, "leave_one_out": StepRow,
    "cumulative": StepRow, "small_study": SmallStudyRow, "gosh": GoshRow,
    "multiverse_shares": MultiverseShare, "meta_regression": MetaRegressionRow,
    "permutation": PermutationRow, "alternative_models": AlternativeModel,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The what-if tables of one synthesis that the report reads."""

    sensitivity: tuple[SensitivityRow, ...] = ()
    influence: tuple[InfluenceRow, ...] = ()
    leave_one_out: tuple[StepRow, ...] = ()
    cumulative: tuple[StepRow, ...] = ()
    small_study: tuple[SmallStudyRow, ...] = ()
    gosh: tuple[GoshRow, ...] = ()
    multiverse_shares: tuple[MultiverseShare, ...] = ()
    meta_regression: tuple[MetaRegressionRow, ...] = ()
    permutation: tuple[PermutationRow, ...] = ()
    alternative_models: tuple[AlternativeModel, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One what-if table in words."""

    name: str
    file: str
    """Name of the table with the rows behind the words."""
    text: str


SENTENCES: tuple[tuple[str, str, str, Callable], ...] = (
    ("One choice changed", "sensitivity", "sensitivity", sensitivity_choices.sensitivity),
    ("One study left out", "leave_one_out", "leave-one-out", sensitivity_studies.leave_one_out),
    ("Influential studies", "influence", "influence", sensitivity_studies.influence),
    ("Studies added one by one", "cumulative", "cumulative", sensitivity_studies.cumulative),
    ("Any subset of studies", "gosh", "GOSH", sensitivity_studies.gosh),
    ("All choices combined", "multiverse_shares", "multiverse", sensitivity_choices.multiverse),
    ("Small-study effects", "small_study", "small-study effects", sensitivity_models.small_study),
    ("Covariates", "meta_regression", "meta-regression", sensitivity_models.meta_regression),
    ("Chance alone", "permutation", "permutation", sensitivity_models.permutation),
    (
        "Alternative models",
        "alternative_models",
        "alternative models",
        sensitivity_models.alternative_models,
    ),
)
"""Heading, table, its name in a list of what is not done, and the function that puts its rows into
words; in the order of the report."""


def read_what_if(folder: Path) -> WhatIf:
    """Return the what-if tables in the folder of a synthesis."""
    return WhatIf(
        **{
            name: tuple(read_records(folder / f"{name}.csv", record))
            for name, record in RECORDS.items()
        }
    )


def what_if_lines(found: Findings, tables: WhatIf) -> tuple[list[Line], str]:
    """Return what the tables say, a line each, and why the others do not apply.

    Each function gives its words, and a reason where the whole table or a part does not apply.
    """
    main = found.model()
    if main is None or main.estimate is None:
        return [], "nothing can be varied, because no study has a size of effect in the pool."
    lines, missing = [], {}
    for name, file, short, tell in SENTENCES:
        text, reasons = tell(found, getattr(tables, file))
        if text:
            lines.append(Line(name, file, unbroken(text)))
        for what, reason in reasons:
            missing.setdefault(reason, []).append(what or short)
    return lines, unbroken(_missing_words(missing))


def _missing_words(missing: dict[str, Sequence[str]]) -> str:
    parts = [f"{', '.join(names)} ({reason})" for reason, names in missing.items()]
    return f"Not done: {'; '.join(parts)}." if parts else ""
