"""The derivation methods find what is missing, and a filled request makes the study poolable."""

import csv
import io

import pytest
from builders import (
    OPG,
    ROOT,
    SPINE,
    csv_arms,
    csv_both,
    csv_contrast,
    csv_measurement,
    csv_study,
    write_review,
)
from osteometa.cli import main
from osteometa.derivation.derive import derive
from osteometa.derivation.wanted import wanted_in, wanted_rows
from osteometa.extraction.tables import Measurement
from osteometa.validation.review import check_review


def wanted(folder, **tables):
    tables = {"studies": [csv_study()], "arms": csv_arms(), **tables}
    outcome = check_review(write_review(folder, **tables))
    assert outcome.passed, [problem.message for problem in outcome.problems]
    derived = derive(outcome.tables, outcome.config)
    return wanted_rows(wanted_in(derived, outcome.config), outcome.config)


def levels(timepoint, **more):
    return csv_both(timepoint, exercise={"mean": "0.95"}, control={"mean": "0.94"}, **more)


def direction(what, **more):
    return {
        "study_id": "a_2000", "arm_id": "ex", **what, "timepoint": "6_months", "time_wk": 26,
        "basis": "between_arm", "arrow": "none", "significant": "no", **more,
    }  # fmt: skip


def test_an_unlabelled_spread_wants_one_word(tmp_path):
    reported = {"n": 20, "spread": "0.1", "spread_kind": "unknown"}
    rows = wanted(
        tmp_path, measurements=levels("baseline", **reported) + levels("6_months", **reported)
    )
    assert "whether the reported ± is an SD or an SE in both arms" in [row.missing for row in rows]
    assert {row.participants for row in rows} == {40}


def test_a_bound_wants_the_exact_p(tmp_path):
    means = csv_both(
        "6_months", "pct_change", exercise={"mean": "1.0"}, control={"mean": "-1.0"}, n=20
    )
    bound = csv_contrast("p", p="0.05", p_operator="<", score="change", adjusted="no")
    rows = wanted(tmp_path, measurements=means, contrasts=[bound])
    assert rows[0].missing == "exact p of the between-group test, with its direction"
    assert (rows[0].alternative, rows[0].cells) == (1, 1)


def test_means_and_n_want_an_sd_of_the_size_that_bmd_has(tmp_path):
    rows = wanted(tmp_path, measurements=levels("6_months", n=20))
    assert [(row.alternative, row.cells) for row in rows] == [(1, 2), (2, 2), (3, 3)]
    assert rows[1].missing == "SD at follow-up in both arms"


def test_a_study_in_the_pool_wants_nothing(tmp_path):
    full = {"n": 20, "sd": "0.1"}
    assert (
        wanted(tmp_path, measurements=levels("baseline", **full) + levels("6_months", **full)) == []
    )


def test_what_no_number_would_bring_into_a_pool_is_not_asked_for(tmp_path):
    stated = {"directions": [direction(SPINE)]}
    assert wanted(tmp_path / "rct", **stated)
    assert wanted(tmp_path / "nrct", studies=[csv_study(design="nrct")], **stated) == []
    assert wanted(tmp_path / "active", arms=csv_arms(comparator_kind="active"), **stated) == []


def test_inconsistent_values_want_others_in_their_place(tmp_path):
    """A label of the spread would leave the contradiction as it is."""
    values = {"n": 20, "spread": "1", "spread_kind": "unknown", "disputed": "two values"}
    rows = wanted(tmp_path, measurements=levels("6_months", **values))
    assert rows
    assert not any("±" in row.missing for row in rows)


def two_studies(folder, pooled, what=SPINE, **more):
    """Return what one or two studies want: numbers of a_2000 where it is pooled, none of b_2000."""
    full = [csv_measurement(arm, "6_months", n=20, mean="0.9", sd="0.1", what=what, **more)
            for arm in ("ex", "control")]  # fmt: skip
    other = {**direction(what), "study_id": "b_2000"}
    rows = wanted(
        folder, studies=[csv_study(), csv_study("b_2000")],
        arms=[*csv_arms(), *csv_arms("b_2000")], measurements=full if pooled else [],
        directions=[other] if pooled else [other, direction(what)],
    )  # fmt: skip
    return {(row.study_id, row.synthesis, row.k, row.opens) for row in rows}


PLANNED = "bmd_lumbar_spine_training_controlled"


def test_the_second_study_of_an_analysis_opens_it(tmp_path):
    assert two_studies(tmp_path / "1", pooled=True) == {("b_2000", PLANNED, 1, "alone")}
    assert two_studies(tmp_path / "0", pooled=False) == {
        (study, PLANNED, 0, "with_another") for study in ("a_2000", "b_2000")
    }


def test_of_two_studies_that_lack_the_same_the_larger_comes_first(tmp_path):
    reported = [
        csv_measurement(arm, "6_months", n=n, mean="0.9", what=SPINE) | {"study_id": study}
        for study, n in (("a_2000", 12), ("b_2000", 31))
        for arm in ("ex", "control")
    ]
    rows = wanted(
        tmp_path, studies=[csv_study(), csv_study("b_2000")],
        arms=[*csv_arms(), *csv_arms("b_2000")], measurements=reported,
    )  # fmt: skip
    assert {row.opens for row in rows} == {"with_another"}
    assert list(dict.fromkeys(row.study_id for row in rows)) == ["b_2000", "a_2000"]


def test_an_analysis_that_is_not_planned_is_named_by_its_set(tmp_path):
    trochanter = {**SPINE, "site": "trochanter"}
    assert two_studies(tmp_path / "1", True, trochanter) == {("b_2000", "", 1, "alone")}
    assert two_studies(tmp_path / "2", True, {**SPINE, "site": "not_stated"}) == set()


def test_one_study_alone_opens_nothing_and_unplanned_it_is_not_listed(tmp_path):
    (row,) = {row.opens for row in wanted(tmp_path / "1", directions=[direction(SPINE)])}
    assert row == ""
    rows = wanted(tmp_path / "2", directions=[direction({**SPINE, "site": "trochanter"})])
    assert rows == []


def test_an_exact_p_wants_its_direction_alone(tmp_path):
    exact = csv_contrast("p", p="0.03", p_operator="=", score="change", adjusted="no",
                         n_exercise=20, n_control=20)  # fmt: skip
    rows = wanted(tmp_path, contrasts=[{**exact, **OPG, "unit": ""}])
    assert (rows[0].missing, rows[0].alternative) == ("direction of the reported test", 1)


def test_a_cluster_trial_wants_its_intracluster_correlation(tmp_path):
    arms = [{**arm, "clusters": "6"} for arm in csv_arms()]
    full = levels("baseline", n=20, sd="0.1") + levels("6_months", n=20, sd="0.1")
    rows = wanted(tmp_path / "1", arms=arms, measurements=full)
    assert {row.missing for row in rows} == {"intracluster correlation"}
    empty = csv_contrast("icc", p="0.5", p_operator="=")
    assert len(wanted(tmp_path / "4", arms=arms, measurements=full, contrasts=[empty])) == 1
    known = csv_contrast("icc", value="0.05")
    assert wanted(tmp_path / "2", arms=arms, measurements=full, contrasts=[known]) == []
    (first, *_) = wanted(tmp_path / "3", arms=arms, measurements=levels("6_months", n=20))
    assert first.missing.startswith("intracluster correlation and difference of the changes")


def test_a_request_for_an_intracluster_correlation_has_no_table_of_levels(tmp_path, capsys):
    arms = [{**arm, "clusters": "6"} for arm in csv_arms()]
    full = levels("baseline", n=20, sd="0.1") + levels("6_months", n=20, sd="0.1")
    review = write_review(tmp_path / "review", studies=[csv_study()], arms=arms, measurements=full)
    assert main(["wanted", "a_2000", "--directory", str(review)]) == 0
    text = capsys.readouterr().out
    assert "intracluster correlation" in text and "A table to complete" not in text


@pytest.mark.slow
def test_kim_2019_is_the_first_that_is_wanted(capsys):
    """Both markers in both arms of a randomised trial: one p each opens two analyses."""
    assert main(["wanted", "--directory", str(ROOT)]) == 0
    first, second, *others = capsys.readouterr().out.splitlines()
    test = "exact p of the between-group test, with its direction"
    assert first == f"kim_2019, combined: opg_training_controlled: {test}"
    assert second == f"kim_2019, combined: srankl_not_stated_training_controlled: {test}"
    assert any(line.startswith("bassey_1998, jumps: not planned: bmd_areal") for line in others)


@pytest.mark.parametrize("design", ["rct", "uncontrolled"])
def test_nothing_is_asked_of_one_arm_of_a_controlled_trial(tmp_path, design):
    """It is in no before-after pool, whatever is reported."""
    arm = {**csv_arms()[1], "comparator": "", "comparator_kind": ""}
    rows = [row for row in levels("baseline", sd="0.1") + levels("6_months", sd="0.1")
            if row["arm_id"] == "ex"]  # fmt: skip
    found = wanted(tmp_path, studies=[csv_study(design=design)], arms=[arm], measurements=rows)
    assert bool(found) is (design == "uncontrolled")


@pytest.mark.parametrize("what", [SPINE, OPG])
def test_the_filled_request_can_be_pasted_back(tmp_path, capsys, what):
    review = write_review(
        tmp_path / "review", studies=[csv_study()], arms=csv_arms(), directions=[direction(what)]
    )
    assert main(["wanted", "a_2000", "--directory", str(review)]) == 0
    text = capsys.readouterr().out
    assert "To the authors of a_2000" in text
    asked = list(csv.DictReader(io.StringIO(text[text.index("study_id,") :])))
    assert tuple(asked[0]) == Measurement.columns()
    unit = {"unit": "pg/mL"} if what is OPG else {}
    for number, row in enumerate(asked):
        row.update(n="20", mean=f"0.9{number}", sd="0.1", **unit)
    with (review / "data/raw/measurements.csv").open("a", encoding="utf-8", newline="") as lines:
        csv.DictWriter(lines, Measurement.columns()).writerows(asked)
    outcome = check_review(review)
    assert outcome.passed, [problem.message for problem in outcome.problems]
    derived = derive(outcome.tables, outcome.config)
    measure = outcome.config.outcomes[what["outcome"]].measures[0]
    (effect,) = [effect for effect in derived.effects if effect.measure == measure]
    assert effect.pooled and effect.derivation_method == "PPC"
    assert wanted_in(derived, outcome.config) == []


def test_nothing_missing_and_no_such_study_are_said(tmp_path, capsys):
    full = {"n": 20, "sd": "0.1"}
    rows = levels("baseline", **full) + levels("6_months", **full)
    review = write_review(
        tmp_path / "review", studies=[csv_study()], arms=csv_arms(), measurements=rows
    )
    assert main(["wanted", "a_2000", "--directory", str(review)]) == 0
    assert "no missing numbers" in capsys.readouterr().err
    assert main(["wanted", "b_2000", "--directory", str(review)]) == 2
    assert "no study 'b_2000'" in capsys.readouterr().err
