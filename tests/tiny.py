"""Reviews of one or two made-up studies, for traps that a formula test does not reach."""

import csv
import shutil
from pathlib import Path

from osteometa.derivation.derive import derive
from osteometa.extraction.tables import ROWS
from osteometa.validation.review import check_review

ROOT = Path(__file__).parents[1]
SPINE = {"outcome": "BMD", "analyte": "bmd_areal", "site": "lumbar_spine"}
CTX = {"outcome": "CTX", "analyte": "ctx_serum", "site": ""}
OPG = {"outcome": "OPG", "analyte": "opg_serum", "site": ""}


def study(study_id="a_2000", **more):
    return {
        "study_id": study_id, "label": study_id, "year": 2000, "design": "rct", "include": "yes",
        **more,
    }  # fmt: skip


def arms(study_id="a_2000", **more):
    common = {"study_id": study_id, "phase": "training"}
    return [
        {**common, "arm_id": "control", "label": "control", "role": "control",
         "comparator_kind": "none"},
        {**common, "arm_id": "ex", "label": "ex", "role": "exercise", "modality": "resistance",
         "comparator": "control", "comparator_kind": "usual", "weeks": 26, **more},
    ]  # fmt: skip


def measured(arm, timepoint, kind="level", study_id="a_2000", what=SPINE, unit=None, **more):
    unit = unit or ("%" if kind == "pct_change" else "g/cm2")
    weeks = "" if timepoint == "baseline" else 26
    return {
        "study_id": study_id, "arm_id": arm, **what, "timepoint": timepoint, "kind": kind,
        "unit": unit, "source": "table 2", "origin": "table", "time_wk": weeks, **more,
    }  # fmt: skip


def both(timepoint, kind="level", exercise=None, control=None, **more):
    """Rows of both arms: what differs between them in two dicts, the rest in common."""
    return [
        measured("ex", timepoint, kind, **more, **(exercise or {})),
        measured("control", timepoint, kind, **more, **(control or {})),
    ]


def contrast(statistic, study_id="a_2000", what=SPINE, **more):
    return {
        "study_id": study_id, "arm_id": "ex", **what, "timepoint": "6_months", "time_wk": 26,
        "statistic": statistic, "compares": "between", "source": "table 2", "origin": "table",
        **more,
    }  # fmt: skip


def write(folder, **tables):
    """Write a review with the shipped config; tables that are not named are empty."""
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True)
    shutil.copy(ROOT / "config.yaml", folder)
    for model in ROWS:
        with (raw / f"{model.table}.csv").open("w", newline="", encoding="utf-8") as lines:
            header = (ROOT / f"data/raw/{model.table}.csv").read_text("utf-8").splitlines()[0]
            writer = csv.DictWriter(lines, header.split(","))
            writer.writeheader()
            writer.writerows(tables.get(model.table, []))
    return folder


def derived(folder, **tables):
    tables = {"studies": [study()], "arms": arms(), **tables}
    outcome = check_review(write(folder, **tables))
    assert outcome.passed, [problem.message for problem in outcome.problems]
    return derive(outcome.tables, outcome.config)


def effects(folder, measure=None, **tables):
    found = derived(folder, **tables).effects
    return [effect for effect in found if measure in (None, effect.measure)]
