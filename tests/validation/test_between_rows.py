"""Rows of an arm, and of the arms of a comparison, that report the same twice."""

from dataclasses import replace

import pytest
from builders import CONFIG, contrast, level, tables
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Arm, Measurement
from osteometa.validation.between_rows import _chance_of_equal
from osteometa.validation.review import warnings_of

BONE = {"what": "BMD", "site": "lumbar_spine", "control": True}
BEFORE = level("baseline", mean="0.950", sd="0.12", n=20)
AFTER = level("end", mean="0.964", sd="0.12", n=20)


def change(mean, arm="e", kind="change", **cells):
    return ("measurements", arm, "end", kind, {"mean": mean, "n": 20, **cells})


def found(rows, codes, **how):
    problems = warnings_of(tables(rows, **{**BONE, **how}), CONFIG)
    return [p for p in problems if p.code in codes]


@pytest.mark.parametrize(
    ("after", "row", "code", "words"),
    [
        (AFTER, change("0.014"), None, ""),
        (AFTER, change("0.015"), None, ""),
        (AFTER, change("-0.014"), "W26", "0.964 after minus 0.95 before is 0.014. Is a minus sign"),
        (AFTER, change("0.14"), "W26", "Is a decimal point misplaced?"),
        (AFTER, change("0.041"), "W26", "Are two digits exchanged?"),
        (AFTER, change("0.14", flag="ADJSE"), None, ""),
        (level("end", mean="0.964", sd="0.12", n=15), change("0.03", n=15), None, ""),
        (AFTER, change("1.5", kind="pct_change"), None, ""),
        (AFTER, change("1.3", kind="pct_change"), None, ""),
        (AFTER, change("15", kind="pct_change"), "W27", "Is a decimal point misplaced?"),
        (AFTER, change("-1.5", kind="pct_change"), "W27", "Is a minus sign lost or added?"),
        (change("0.014"), change("0.015", kind="pct_change"), "W27", "is 1.474"),
        (change("0.014"), change("1.6", kind="pct_change"), None, ""),
    ],
)
def test_a_change_agrees_with_the_levels(after, row, code, words):
    problems = found([BEFORE, after, row], ("W26", "W27"))
    assert [p.code for p in problems] == ([code] if code else [])
    assert all(words in p.message for p in problems)


@pytest.mark.parametrize(("n", "warned"), [(20, False), (17, False), (12, False), (11, True),
                                           (21, True)])  # fmt: skip
def test_usual_drop_out_is_not_warned_of(n, warned):
    rows = [
        level("baseline", mean="0.950", sd="0.12", n=20),
        level("end", mean="0.96", sd="0.12", n=n),
    ]
    assert [one.code for one in found(rows, ("W04",))] == ["W04"] * warned


def test_a_per_protocol_row_is_not_compared_with_that_of_all_participants():
    population = {"population_analysed": "per_protocol"}
    everyone = level("end", mean="0.964", sd="0.12", n=20, population_analysed="itt")
    before = level("baseline", mean="0.950", sd="0.12", n=20, population_analysed="itt")
    row = change("0.030", **{**population, "n": 12})
    p = contrast("p", p="0.9", p_operator="=", score="change", **population)
    arms = [change(mean, arm, sd="0.01", population_analysed="itt")
            for mean, arm in (("0.03", "e"), ("0.00", "c"))]  # fmt: skip
    codes = ("W04", "W06", "W26", "W28")
    assert found([before, everyone, row], codes) == []
    assert found([*arms, p], codes) == []
    same = contrast("p", p="0.9", p_operator="=", score="change", population_analysed="itt")
    assert [one.code for one in found([*arms, same], codes)] == ["W06"]


@pytest.mark.parametrize(
    ("statistic", "cells", "warned"),
    [
        ("md", {"value": "2.0", "unit": "%"}, False),
        ("md", {"value": "-2.0", "unit": "%"}, True),
        ("md", {"value": "-2.0", "unit": "%", "compares": "within"}, False),
        ("md", {"value": "20", "unit": "%", "ci_low": "18", "ci_high": "22"}, True),
        ("md", {"value": "2.3", "unit": "%", "ci_low": "0.3", "ci_high": "4.3"}, False),
        ("md", {"value": "0.02", "unit": "g/cm2"}, False),
        ("adj_md", {"value": "-2.0", "unit": "%"}, False),
        ("adj_md", {"value": "-2.0", "unit": "%", "ci_low": "-3.0", "ci_high": "-1.0"}, True),
        ("t", {"value": "-2.1"}, True),
        ("t", {"value": "2.1"}, False),
        ("t", {"value": "-2.1", "adjusted": "yes"}, False),
        ("smd", {"value": "-0.7"}, True),
    ],
)
def test_a_contrast_agrees_with_the_arms(statistic, cells, warned):
    arms = [change("1.5", "e", "pct_change", sd="3"), change("-0.5", "c", "pct_change", sd="3")]
    row = contrast(statistic, **{"score": "change", **cells})
    assert [p.code for p in found([*arms, row], ("W28",))] == (["W28"] if warned else [])


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([BEFORE, level("end", mean="9.64", sd="0.12", n=20)], "W29"),
        ([BEFORE, level("end", mean="0.964", sd="0.027", n=20)], "W30"),
        ([BEFORE, level("end", mean="0.964", se="0.027", n=20)], None),
        ([BEFORE, level("baseline", "c", mean="0.95", sd="1.2", n=20)], "W30"),
        ([BEFORE, level("baseline", "c", mean="0.60", sd="0.12", n=20)], "W03"),
        ([BEFORE, level("baseline", "c", mean="0.85", sd="0.12", n=20)], None),
        ([level("end", mean="0.9", spread="0.1", spread_kind="unknown"),
          level("end", "c", mean="0.9", spread="1.0", spread_kind="unknown")], "W30"),
    ],
)  # fmt: skip
def test_means_and_spreads_that_differ_by_a_factor(rows, code):
    problems = found(rows, ("W03", "W29", "W30"))
    assert [p.code for p in problems] == ([code] if code else [])


def with_sizes(review, **arm):
    arms = [one.model_copy(update=arm) for one in review.arms]
    return replace(review, arms=tuple(arms))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (level("end", mean="0.95", n=18), ""),
        (level("end", mean="0.95", n=2), "had 20 at the start. Is a digit lost?"),
        (level("end", mean="0.95", n=20, time_wk=12), "had 18 at the end"),
        (level("end", mean="0.95", n=20, time_wk=12, population_analysed="itt"), ""),
        (contrast("md", value="0.01", n_exercise=21), "had 20 at the start"),
    ],
)
def test_n_agrees_with_the_arm(row, words):
    review = with_sizes(tables([row], **BONE), n_start=20, n_end=18)
    problems = [p for p in warnings_of(review, CONFIG) if p.code == "W31"]
    assert [words in p.message for p in problems] == ([True] if words else [])


def test_n_of_a_test_agrees_with_n_measured():
    rows = [change("0.01", n=20), contrast("md", value="0.01", n_exercise=19, score="change")]
    (problem,) = found(rows, ("W31",))
    assert problem.found == "19 against 20"
    completers = {"n_exercise": 19, "population_analysed": "completers"}
    rows = [change("0.01", population_analysed="itt"), contrast("md", value="0.01", **completers)]
    assert found(rows, ("W31",)) == []


def test_n_of_two_sites_at_one_time():
    review = tables([AFTER], **BONE)
    (row,) = review.measurements
    for n, warned in ((15, False), (200, True)):
        other = row.model_copy(update={"site": "total_hip", "n": n, "row": 3})
        problems = warnings_of(replace(review, measurements=(row, other)), CONFIG)
        assert ("W31" in {p.code for p in problems}) == warned


def test_arms_have_no_more_participants_than_were_enrolled():
    review = with_sizes(tables([AFTER], design="rct", **BONE), n_start=20)
    for design, warned in (("rct", True), ("crossover_rct", False)):
        study = review.studies[0].model_copy(update={"n_enrolled": 20, "design": design})
        problems = warnings_of(replace(review, studies=(study,)), CONFIG)
        own = [p for p in problems if p.code == "W31"]
        assert [p.found for p in own] == (["20 against 40"] * warned)
        assert all("taken as the same participants. Correct n_enrolled or n" in p.message
                   for p in own)  # fmt: skip


def test_arms_that_are_compared_with_each_other_give_a_warning_once():
    rows = [level("end", arm, mean="0.95", sd="0.1", n=20) for arm in "ec"]
    review = tables([*rows, change("0.30"), change("-0.30", "c")], design="rct", **BONE)
    arms = (review.arms[0], review.arms[1].model_copy(update={"comparator": "e"}))
    problems = warnings_of(replace(review, arms=arms), CONFIG)
    assert problems and len(problems) == len(set(problems))


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        (level("end", mean="0.953", sd="0.121", n=30), level("end", "c", mean="0.953", sd="0.121",
                                                            n=28), True),
        (level("end", mean="0.95", sd="0.12", n=30), level("end", "c", mean="0.95", sd="0.12",
                                                          n=28), False),
        (level("end", mean="0.953", sd="0.121", n=30), level("end", "c", mean="0.953", sd="0.122",
                                                            n=28), False),
        (level("baseline", mean="0.953", sd="0.121", n=30), level("end", mean="0.953", sd="0.121",
                                                                 n=30), True),
        (level("baseline", mean="0.95", sd="0.12", n=30), level("end", mean="0.95", sd="0.12",
                                                               n=30), False),
        (level("baseline", mean="0.953", sd="0.121", n=30), level("end", "c", mean="0.953",
                                                                  sd="0.121", n=30), False),
    ],
)  # fmt: skip
def test_mean_and_spread_that_another_row_has_as_well(first, second, warned):
    """With n 30 and SD 0.12, two means to three decimals are rarely equal by chance."""
    assert bool(found([first, second], ("W17",))) == warned


@pytest.mark.parametrize(
    ("mean", "sd", "r", "chance"),
    [
        ("0.953", "0.120", 0, 0.00022),
        ("0.953", "0.120", 0.95, 0.00327),
        ("0.95", "0.18", 0.5, 0.0165),
    ],
)
def test_the_chance_of_equal_rows(mean, sd, r, chance):
    """Of 400,000 simulated pairs of samples of 30 (numpy, normal distribution)."""
    row = timed("end", n=30, sd=sd).model_copy(update={"mean": ReportedNumber(mean)})
    assert _chance_of_equal(row, r) == pytest.approx(chance, rel=0.1)


def timed(name, **cells):
    return Measurement(study_id="t", arm_id="e", outcome="BMD", analyte="bmd_areal",
                       site="leg", kind="level", timepoint=name, mean="1", unit="g/cm2",
                       **{key: str(value) for key, value in cells.items()})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cells", "warned"),
    [
        ("8_months", {"time_wk": 35}, False),
        ("12_months", {"time_wk": 25}, True),
        ("12_weeks", {"time_wk": 12}, False),
        ("12_weeks", {"time_wk": 120}, True),
        ("1_year", {"time_wk": 52}, False),
        ("20_min_after", {"time_h": 0.333}, False),
        ("20_min_after", {"time_h": 20}, True),
        ("2_h_after", {"time_h": 2}, False),
        ("24_h_after", {"time_h": 2.4}, True),
        ("11_days", {"time_wk": 1.57}, False),
        ("peak_2_h_to_5_d", {"time_h": 20}, False),
    ],
)
def test_a_time_agrees_with_its_name(name, cells, warned):
    review = replace(tables([], **BONE), measurements=(timed(name, **cells),))
    problems = [p for p in warnings_of(review, CONFIG) if p.code == "W32"]
    assert any("the name of the time" in p.message for p in problems) == warned


@pytest.mark.parametrize(
    ("arm", "warned"),
    [
        ({"weeks": "52"}, False),
        ({"weeks": "520"}, True),
        ({"weeks": "26"}, False),
        ({"weeks": "5.2"}, True),
        ({"weeks": "104"}, True),
        ({"weeks": "52", "dose": "3 times a week, 12 months"}, False),
        ({"weeks": "25", "dose": "3 times a week for 12 months"}, True),
        ({"weeks": "52", "dose": "load raised every 2 weeks"}, False),
    ],
)
def test_weeks_agree_with_the_dose_and_the_last_time(arm, warned):
    review = replace(tables([], **BONE), measurements=(timed("12_months", time_wk=52),))
    made = Arm(study_id="t", arm_id="e", label="e", role="exercise", modality="running",
               phase="training", **arm)  # fmt: skip
    problems = warnings_of(replace(review, arms=(made,)), CONFIG)
    assert ("W33" in {p.code for p in problems}) == warned
