"""The table of included studies: every study, and every arrow of the first review in its cell."""

import csv
import re

import pytest
from builders import CONFIG, ROOT, reported_result
from osteometa.report.included_studies import outcome_cell

with (ROOT / "tests/evidence/table_one.csv").open(encoding="utf-8", newline="") as lines:
    TABLE_ONE = list(csv.DictReader(lines))
OTHERS = sorted({row["outcome"].replace("_", " ") for row in TABLE_ONE} - set(CONFIG.outcomes))
SIGNS = {
    ("up", "between_arm"): "▲", ("down", "between_arm"): "▼", ("none", "between_arm"): "↔",
}  # fmt: skip
OPEN = {"up": "△", "down": "▽", "none": "↔"}


def test_the_first_review_has_84_arrows_of_20_outcomes_in_10_studies():
    counts = {name: len({row[name] for row in TABLE_ONE}) for name in ("study_id", "outcome")}
    assert (len(TABLE_ONE), counts) == (84, {"study_id": 10, "outcome": 20})


@pytest.mark.parametrize(
    "arrow", TABLE_ONE, ids=lambda a: "-".join(a[k] for k in ("study_id", "group", "outcome"))
)
def test_every_arrow_of_the_first_review_is_in_its_cell(arrow, shipped, included):
    """What the cell says of the arm is the arrow, filled where arms are compared."""
    (study,) = (row for row in included if row.study.study_id == arrow["study_id"])
    label = next(
        arm.label for arm in shipped.tables.arms
        if (arm.study_id, arm.arm_id) == (arrow["study_id"], arrow["group"])
    )  # fmt: skip
    stated = signs_of(cell_of(study, arrow["outcome"]), label)
    wanted = SIGNS.get((arrow["arrow"], arrow["basis"]), OPEN[arrow["arrow"]])
    assert wanted in stated, (cell_of(study, arrow["outcome"]), wanted)
    at_times = {
        SIGNS.get((row["arrow"], row["basis"]), OPEN[row["arrow"]])
        for row in TABLE_ONE
        if all(row[name] == arrow[name] for name in ("study_id", "group", "outcome"))
    }
    later = {"marques_2011", "bergstrom_2012"}  # whose own papers report more sites and effects
    assert set(stated) == at_times or arrow["study_id"] in later


def cell_of(study, outcome):
    if outcome in CONFIG.outcomes:
        return study.outcomes[list(CONFIG.outcomes).index(outcome)]
    names = "|".join(map(re.escape, OTHERS))
    parts = re.split(rf"; (?=(?:{names}) )", study.others)
    cells = dict(re.fullmatch(rf"({names}) (.*)", part).groups() for part in parts)
    return cells[outcome.replace("_", " ")]


def signs_of(cell, label):
    """The signs of a cell that concern an arm: all where arms agree or none is named."""
    parts = [part.rpartition(": ") for part in cell.split("; ")]
    named = [(names, words[0]) for names, _, words in parts if label in names]
    return [sign for _, sign in named or [(n, w[0]) for n, _, w in parts if not n]]


def test_the_table_has_every_included_study_once(shipped, included, included_page):
    kept = {study.study_id for study in shipped.tables.studies if study.include == "yes"}
    assert sorted(row.study.study_id for row in included) == sorted(kept)
    assert len(included_page.rows) == len(kept)
    assert {len(cells) for _, cells in included_page.rows} == {len(included_page.heads)}
    order = [heading for heading, _ in included_page.groups]
    assert len(order) == len(set(order)), "studies of one type stand together"
    assert order[:5] == ["Resistance", "Aerobic", "High-intensity", "Combined", "Other"]


def cell(*results):
    return outcome_cell(results, CONFIG)


def one(word, **more):
    return reported_result(direction=word, **more)


@pytest.mark.parametrize(
    ("word", "between", "within"),
    [("up", "▲", "△"), ("down", "▼", "▽"), ("unchanged", "↔", "↔"), ("mixed", "◆", "◆"),
     ("zero", "=", "="), ("not_told", "?", "?")],
)  # fmt: skip
def test_each_direction_has_its_sign(word, between, within):
    assert cell(one(word)) == between
    assert cell(one(word, basis="within_arm")) == cell(one(word, basis="not_stated")) == within


def test_results_that_agree_stand_once_and_others_by_what_differs():
    a, b = {"arm_id": "a", "arm_label": "run"}, {"arm_id": "b", "arm_label": "swim"}
    assert cell(one("up", **a), one("up", **b)) == "▲"
    assert cell(one("up", **a), one("down", **b)) == "run: ▲; swim: ▼"
    early, late = {"timepoint": "6_weeks"}, {"timepoint": "12_weeks"}
    assert cell(one("up", **early), one("down", **late)) == "6 weeks: ▲; 12 weeks: ▼"
    hip, spine = ({"outcome": "BMD", "site": site} for site in ("total_hip", "lumbar_spine"))
    assert cell(one("up", **hip), one("unchanged", **spine)) == "total hip: ▲; lumbar spine: ↔"
    control = one("down", arm_id="c", arm_label="control", role="control", exercise_type=None)
    assert cell(one("up"), control) == "▲; control: ▼"
    assert cell(one("down"), control) == "▼"


def test_the_result_with_an_estimate_comes_before_one_in_words():
    sized = one("up", measure="ROM", estimate=0.0198, ci_low=0.01, ci_high=0.0296, outcome="BMD")
    assert cell(one("unchanged", outcome="BMD"), sized) == "▲ 2.0 % [1.0, 3.0]"
    assert cell(one("not_told"), one("down", basis="within_arm")) == "▽"
    assert cell(one("down", basis="within_arm"), one("up")) == "▲"


def test_times_that_agree_are_named_once():
    later = [one("up", timepoint=name, basis="within_arm") for name in ("15_min", "1_day_after")]
    assert cell(*later) == "△ (15 min, 1 day after)"
    assert cell(later[0]) == "△"
