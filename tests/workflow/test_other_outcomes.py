"""Outcomes that the shipped review does not have, by config and tables alone.

The review of invented numbers pools sclerostin, P1NP and grip strength; osteocalcin, a secondary
outcome there, is then pooled as well.
"""

import csv
import html
import os
import re
import subprocess
import sys

import pytest
from builders import ROOT, copied

OSTEOCALCIN = """\
  osteocalcin:
    label: Osteocalcin
    measures: [SMD, ROM, MD]
    r: 0.5
    axis: [Lower with exercise, Higher with exercise]
    ratio_as: ratio
    decimals: 1
    units: {ng/mL: [1, 100]}
    haemoconcentration: true
    plausible: {r: [-0.2, 0.99], sd_of_change: 0}
    analytes:
      osteocalcin_serum: {label: serum, quantity: concentration}
"""
SYNTHESIS = (
    "  - {id: osteocalcin_training, outcome: osteocalcin, analyte: osteocalcin_serum, "
    "phase: training, design_class: controlled}\n"
)


def run(review):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--directory", str(review)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def rows(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def primary(review, synthesis, measure):
    """Return the primary pool of a synthesis."""
    pools = rows(review / "results" / synthesis / "pooled.csv")
    (found,) = [row for row in pools
                if row["primary"] == "yes" and row["group"] == "overall"
                and row["measure"] == measure]  # fmt: skip
    return found


def words_of(path):
    """Return the words of a page or figure, without its styles, scripts and tags."""
    text = re.sub(r"<(script|style)[\s\S]*?</\1>", "", path.read_text(encoding="utf-8"))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    """Return the finished review."""
    review = copied("other_outcomes", tmp_path_factory.mktemp("other") / "review")
    run(review)
    return review


@pytest.mark.parametrize(
    ("synthesis", "measure", "label", "sign", "unit"),
    [
        ("sost_training", "SMD", "Sclerostin (SOST), serum", -1, "pmol/L"),
        ("p1np_training", "SMD", "Procollagen type I propeptide (P1NP), serum", 1, "ug/L"),
        ("grip_training", "MD", "Grip strength, dominant hand", 1, "kg"),
    ],
)
def test_a_new_outcome_has_pool_figures_and_a_place_in_the_report(
    review, synthesis, measure, label, sign, unit
):
    pool = primary(review, synthesis, measure)
    assert pool["k"] == "4" and float(pool["estimate"]) * sign > 0
    folder = review / "results" / synthesis
    effects = [row for row in rows(folder / "effects.csv") if row["measure"] == "MD"]
    assert {row["unit"] for row in effects} == {unit}
    assert label in words_of(folder / "figures/forest.svg")
    assert label.split(",")[0] in words_of(review / "results/report.html")


def test_units_of_one_dimension_are_converted(review):
    entered = {row["unit"] for row in rows(review / "data/raw/measurements.csv")
               if row["outcome"] == "P1NP"}  # fmt: skip
    assert entered == {"ug/L", "ng/mL"}
    effects = rows(review / "results/p1np_training/effects.csv")
    elm = next(e for e in effects if e["study_id"] == "elm_2013" and e["measure"] == "MD")
    assert elm["unit"] == "ug/L" and float(elm["yi"]) == pytest.approx(4.0)


def test_the_report_names_no_outcome_of_the_shipped_review(review):
    words = words_of(review / "results/report.html")
    assert not re.findall(r"\b(?:BMD|CTX|OPG|RANKL|g/cm)\b", words)


def test_a_secondary_outcome_becomes_a_pooled_one(review):
    ledger = rows(review / "data/processed/ledger.csv")
    assert sum(row["reason"].startswith("secondary outcome") for row in ledger) == 12
    config = review / "config.yaml"
    text = config.read_text(encoding="utf-8")
    for old, new in (
        ("secondary_outcomes: [osteocalcin]\n", "secondary_outcomes: []\n"),
        ("  grip_strength:\n", OSTEOCALCIN + "  grip_strength:\n"),
    ):
        assert old in text
        text = text.replace(old, new)
    config.write_text(text + SYNTHESIS, encoding="utf-8")
    table = review / "data/raw/measurements.csv"
    table.write_text(
        table.read_text("utf-8").replace(",osteocalcin,,", ",osteocalcin,osteocalcin_serum,"),
        encoding="utf-8",
    )
    run(review)
    ledger = rows(review / "data/processed/ledger.csv")
    assert not [row for row in ledger if row["reason"].startswith("secondary outcome")]
    assert primary(review, "osteocalcin_training", "SMD")["k"] == "3"
    assert "Osteocalcin, serum" in words_of(
        review / "results/osteocalcin_training/figures/forest.svg"
    )
    assert "Osteocalcin" in words_of(review / "results/report.html")
