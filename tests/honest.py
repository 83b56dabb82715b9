"""Data sets of other fields, entered honestly as a review, and the warnings that they raise.

usage: python tests/honest.py      rewrites the section of docs/reliability.md

``honest_data/`` has three data sets of the R package metadat 1.2-0 (White and others 2022) as
`write.csv` writes them: length of hospital stay after specialist stroke care (normand1999), days
off work with asthma self-management (gibson2002), and mass of woody plants under elevated CO2
(curtis1998). Each row is a comparison of two arms, with n, mean and SD of each.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osteometa.extraction.tables import ROWS
from osteometa.io.problems import Problem
from osteometa.protocol.config import Analyte, Config, Outcome, Plausible, load_config
from osteometa.validation.review import check_review

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reliability.md"
START, END = "<!-- honest: begin -->", "<!-- honest: end -->"
Row = dict[str, str]
REMINDERS = ("W08",)
"""Warnings of an empty cell: the data sets do not state the length of a programme."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of metadat and how its columns are entered."""

    name: str
    outcome: str
    unit: str
    limits: tuple[float, float]
    study: str
    """The column that names the study."""


SETS = (
    DataSet("normand1999", "length of stay", "days", (0.5, 365), "source"),
    DataSet("gibson2002", "days off work", "days", (0.01, 365), "author"),
    DataSet("curtis1998", "plant mass", "g", (0.001, 100_000), "paper"),
)


def config_of(data: DataSet) -> Config:
    """Return the shipped settings with the outcome of a data set alone."""
    outcome = Outcome(
        label=data.outcome, measures=("SMD",), r=0.5, axis=("Lower", "Higher"), ratio_as="ratio",
        decimals=1, units={data.unit: data.limits}, haemoconcentration=False,
        plausible=Plausible(r=(-0.2, 0.99), sd_of_change=0),
        analytes={"all": Analyte(label="all", quantity="other")},
    )  # fmt: skip
    shipped = load_config(ROOT / "config.yaml")
    return shipped.model_copy(update={"outcomes": {data.outcome: outcome}, "syntheses": ()})


def tables_of(data: DataSet) -> dict[str, list[Row]]:
    """Return the rows of studies, arms and measurements of a data set."""
    path = ROOT / "tests/honest_data" / f"{data.name}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        given = list(csv.DictReader(lines))
    tables: dict[str, list[Row]] = {"studies": [], "arms": [], "measurements": []}
    known: set[str] = set()
    for number, row in enumerate(given):
        if not row["m1i"]:
            continue
        name = row[data.study]
        study = re.sub(r"[^a-z0-9]+", "_", f"s_{name}".lower())
        if study not in known:
            known.add(study)
            tables["studies"].append(
                {"study_id": study, "label": name, "year": row.get("year", ""), "design": "rct",
                 "include": "yes"}
            )  # fmt: skip
        weeks = f"{float(row['time']) / 7:.0f}" if row.get("time", "").isdigit() else ""
        for side, role in (("1", "exercise"), ("2", "control")):
            arm = {"study_id": study, "arm_id": f"{role}_{number}"}
            first = role == "exercise"
            tables["arms"].append(
                {**arm, "label": role, "role": role, "phase": "training",
                 "weeks": weeks if first else "", "n_start": row[f"n{side}i"],
                 "modality": "not_stated" if first else "",
                 "exercise_type": "other" if first else "",
                 "type_reason": "of another field" if first else "",
                 "comparator": f"control_{number}" if first else "",
                 "comparator_kind": "usual" if first else "none"}
            )  # fmt: skip
            tables["measurements"].append(
                {**arm, "outcome": data.outcome, "analyte": "all", "timepoint": "end",
                 "time_wk": weeks, "kind": "level", "n": row[f"n{side}i"],
                 "mean": row[f"m{side}i"], "sd": row[f"sd{side}i"], "unit": data.unit}
            )  # fmt: skip
    return tables


def problems_of(data: DataSet) -> tuple[int, list[Problem]]:
    """Return the number of studies of a data set and what a check of it finds."""
    tables = tables_of(data)
    with tempfile.TemporaryDirectory() as folder:
        for model in ROWS:
            with Path(folder, f"{model.table}.csv").open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, model.columns())
                writer.writeheader()
                writer.writerows(tables.get(model.table, []))
        outcome = check_review(ROOT, raw=folder, settings=lambda: config_of(data))
    found = [problem for problem in outcome.problems if problem.code not in REMINDERS]
    return len(tables["studies"]), found


def section() -> Iterator[str]:
    """Yield the lines of the section of docs/reliability.md."""
    yield from (
        START, "## False alarms", "",
        "Made by `python tests/honest.py`: three data sets of the R package metadat, of other "
        "fields, entered as a review. Not counted is `W08`, which asks for the length of a "
        "programme, since the data sets do not hold it.", "",
        "| data set | studies | rows of means | problems | warnings | codes |",
        "|---|---:|---:|---:|---:|---|",
    )  # fmt: skip
    studies = warnings = 0
    for data in SETS:
        number, found = problems_of(data)
        alarms = [problem for problem in found if problem.severity == "warning"]
        codes = Counter(problem.code for problem in alarms)
        words = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        rows = len(tables_of(data)["measurements"])
        errors = sum(problem.severity == "error" for problem in found)
        yield f"| {data.name} | {number} | {rows} | {errors} | {len(alarms)} | {words} |"
        studies, warnings = studies + number, warnings + len(alarms)
    yield from ("", f"Together {warnings} warnings in {studies} studies.", "", END)


def written() -> str:
    """Return docs/reliability.md with the section as it is now."""
    old = PAGE.read_text(encoding="utf-8")
    before, _, rest = old.partition(START)
    return before + "\n".join(section()) + (rest.partition(END)[2] or "\n")


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
