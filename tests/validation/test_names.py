"""Names that are typed in two ways, and studies that are entered twice."""

from dataclasses import replace

import pytest
from builders import CONFIG, contrasted, level, tables
from osteometa.extraction.judgements import RiskOfBias
from osteometa.extraction.tables import Arm, Measurement, Prisma, Study
from osteometa.validation.names import almost
from osteometa.validation.review import check_tables, warnings_of

BONE = {"what": "BMD", "site": "lumbar_spine"}


def found(review, *codes):
    return [p for p in warnings_of(review, CONFIG) if p.code in codes]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("6_months", "6_month", True),
        ("6_months", "6 months", True),
        ("6_months", "6Months", True),
        ("6_months", "6_monhts", True),
        ("6_months", "6_motnhs", True),
        ("6_months", "9_months", False),
        ("6_months", "6_weeks", False),
        ("12_months", "1_months", False),
        ("baseline", "basline", True),
        ("high_impact", "high_impacts", True),
        ("jump_p", "jump_d", False),
        ("arm_1", "arm_2", False),
        ("total_hip_left", "total_hip_right", False),
        ("rest", "test", False),
        ("exercise", "exercise_isoflavone", False),
        ("kemmler_2012", "kemmler_2021", False),
    ],
)
def test_names_that_almost_match(one, other, alike):
    assert almost(one, other) == almost(other, one) == alike


def two_arms(**cells):
    """Return a trial with both arms at 12 months, the control's row with other cells."""
    rows = [level("12_months", mean="0.95", sd="0.1", n=20, time_wk=52),
            level("12_months", "c", mean="0.94", sd="0.1", n=20, time_wk=52)]  # fmt: skip
    review = tables(rows, design="rct", control=True, **BONE)
    one, other = review.measurements
    return replace(review, measurements=(one, other.model_copy(update=cells)))


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({}, []),
        ({"timepoint": "12_month"}, ["W34", "W35"]),
        ({"timepoint": "52_weeks"}, ["W35"]),
        ({"site": "total_hip"}, ["W35"]),
        ({"report": "thesis"}, ["W35"]),
        ({"population_analysed": "completers"}, []),  # compared: the other names no population
        ({"site": "total_hip", "timepoint": "6_months"}, []),
    ],
)
def test_a_row_without_its_partner(cells, codes):
    assert [p.code for p in found(two_arms(**cells), "W34", "W35")] == codes


def test_rows_of_two_named_populations_are_not_compared():
    review = two_arms(population_analysed="completers")
    one, other = review.measurements
    itt = one.model_copy(update={"population_analysed": "itt"})
    assert [p.code for p in found(replace(review, measurements=(itt, other)), "W34", "W35")] == [
        "W35"
    ]


ROWS = [("e", "baseline"), ("c", "baseline"), ("e", "12_months"), ("c", "12_months")]


def trial_without(*left_out, **more):
    """Return a trial with levels before and after in both arms, but for some rows."""
    rows = [level(time, arm, mean="0.95", sd="0.1", n=20, time_wk=52 * (time != "baseline"))
            for arm, time in ROWS if (arm, time) not in left_out]  # fmt: skip
    return replace(tables(rows, design="rct", control=True, **BONE), **more)


@pytest.mark.parametrize("left_out", ROWS)
def test_a_row_that_one_arm_lacks(left_out):
    (warning,) = found(trial_without(left_out), "W35")
    who = "The comparator 'c'" if left_out[0] == "c" else "The exercise arm"
    assert f"{who} has no row for this outcome, site and time, but has rows at other" in (
        warning.message
    )
    assert warning.found == left_out[1]


def test_a_row_that_one_arm_lacks_at_this_site_only():
    review = two_arms()
    more = review.measurements[0].model_copy(update={"site": "total_hip", "row": 4})
    (warning,) = found(replace(review, measurements=(*review.measurements, more)), "W35")
    assert "has rows of this time for other sites or outcomes" in warning.message


def test_no_row_is_missing_of_arms_that_report_otherwise():
    assert found(trial_without(), "W35") == []
    both = [("c", "baseline"), ("c", "12_months")]
    assert found(trial_without(*both), "W35") == []  # nothing is known of the comparator
    test = contrasted("md", "BMD", "lumbar_spine", value="0.01", se="0.005")
    test = test.model_copy(update={"timepoint": "12_months"})
    tested = trial_without(("c", "12_months"), contrasts=(test,))
    assert found(tested, "W35") == []
    # The test is of one arm; another one with such a row has none.
    arm = tested.arms[0].model_copy(update={"arm_id": "second"})
    more = [row.model_copy(update={"arm_id": "second", "row": 9 + n})
            for n, row in enumerate(tested.measurements) if row.arm_id == "e"]  # fmt: skip
    both = replace(tested, arms=(*tested.arms, arm), measurements=(*tested.measurements, *more))
    assert [(p.code, p.row_key.split("/")[1]) for p in found(both, "W35")] == [("W35", "second")]


def test_a_row_of_a_shared_comparator_that_another_arm_needs_is_no_stray():
    review = two_arms()
    own, control = review.measurements
    arm = review.arms[0].model_copy(update={"arm_id": "second"})
    second = own.model_copy(update={"arm_id": "second", "site": "total_hip", "row": 4})
    review = replace(review, arms=(*review.arms, arm), measurements=(own, control, second))
    (warning,) = found(review, "W35")
    assert warning.row == 4 and "differs" not in warning.message


@pytest.mark.parametrize(
    ("design", "comparator", "warned"),
    [("rct", "", True), ("rct", "c", False), ("uncontrolled", "", False), ("nrct", "", True)],
)
def test_an_exercise_arm_without_comparator(design, comparator, warned):
    review = tables([], design=design, control=True, **BONE)
    arms = (review.arms[0].model_copy(update={"comparator": comparator}), *review.arms[1:])
    assert bool(found(replace(review, arms=arms), "W36")) == warned


@pytest.mark.parametrize(
    ("design", "warned"),
    [("rct", True), ("crossover_rct", True), ("nrct", False), ("uncontrolled", False)],
)
def test_a_randomised_trial_without_any_comparator(design, warned):
    (*warnings,) = found(tables([], design=design, **BONE), "W36")
    assert bool(warnings) == warned
    assert all(f"The design is {design}, but neither this arm nor another has" in w.message
               for w in warnings)  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "warned"),
    [
        ({"arm_id": "control", "role": "exercise"}, True),
        ({"arm_id": "post_control", "role": "exercise"}, True),
        ({"arm_id": "uncontrolled_running", "role": "exercise"}, False),
        ({"arm_id": "rowing", "label": "rowing, control meal", "role": "exercise"}, False),
        ({"arm_id": "placebo_drink", "role": "exercise"}, False),
        ({"arm_id": "training", "role": "control"}, True),
        ({"arm_id": "c", "label": "resistance training", "role": "control"}, True),
        ({"arm_id": "c", "label": "no training", "role": "control"}, False),
        ({"arm_id": "no_exercise", "role": "control"}, False),
        ({"arm_id": "c", "role": "control", "modality": "walking"}, True),
        ({"arm_id": "c", "role": "control", "modality": "not_stated"}, False),
    ],
)
def test_a_role_and_the_name_of_its_arm(cells, warned):
    own, control = tables([], design="rct", control=True, **BONE).arms
    arms = (
        own.model_copy(update={"comparator": cells["arm_id"]}),
        control.model_copy(update=cells),
    )
    assert bool(found(replace(tables([]), arms=arms), "W13")) == warned
    low = (arms[0].model_copy(update={"comparator_kind": "low_dose"}), arms[1])
    assert bool(found(replace(tables([]), arms=low), "W13")) == (
        warned and cells["role"] == "exercise"
    )


def test_the_start_under_another_name():
    review = tables([level("pre", mean="0.95", n=20, time_wk=0)], **BONE)
    assert [p.found for p in found(review, "W34")] == ["pre"]


def three_reports(**second):
    """Return one trial under two ids: n, mean and SD of both arms, at two times each."""
    studies = [Study(study_id=s, label=f"{s.title()} 2001", design="rct", include="yes", row=i)
               for i, s in enumerate(("oak", "elm"), start=2)]  # fmt: skip
    arms = [Arm(study_id=s.study_id, arm_id=arm, label=arm, role=role, modality="running",
                phase="training", comparator="c" if arm == "e" else "", weeks="26")
            for s in studies for arm, role in (("e", "exercise"), ("c", "control"))]  # fmt: skip
    rows = [
        Measurement(study_id=s.study_id, arm_id=arm, outcome="OPG", analyte="opg_serum",
                    timepoint="6_months", kind="level", unit="pg/mL", n=n, mean=mean, sd=sd)
        for s in studies for arm, n, mean, sd in (("e", "11", "49", "7"), ("c", "11", "55", "7.2"))
    ]  # fmt: skip
    rows[2] = rows[2].model_copy(update=second)
    return replace(tables([]), studies=tuple(studies), arms=tuple(arms), measurements=tuple(rows))


# Three papers of one group carry the same n, means and SDs: data `velocity` of TheTS/metaprep.
def test_the_same_numbers_under_two_ids():
    (problem,) = found(three_reports(), "W39")
    assert problem.study == "elm" and "oak" in problem.message
    assert found(three_reports(n=12), "W39") == []


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ({"doi": "10.1000/X.1"}, {"doi": "https://doi.org/10.1000/x.1"}, "W38"),
        ({"pmid": "12345"}, {"pmid": "12345"}, "W38"),
        ({"title": "Jumping, and bone."}, {"title": "Jumping and bone"}, "W38"),
        ({"label": "Oak 2001"}, {"label": "oak 2001"}, "W18"),
        ({"label": "Oak 2001", "n_enrolled": 40}, {"label": "Oak 2002", "n_enrolled": 40}, "W19"),
        ({"doi": ""}, {"doi": ""}, None),
        ({"n_enrolled": 40}, {"n_enrolled": 40}, None),
    ],
)
def test_one_study_under_two_ids(one, other, code):
    review = three_reports(n=12)
    studies = [s.model_copy(update=u) for s, u in zip(review.studies, (one, other), strict=True)]
    problems = found(replace(review, studies=tuple(studies)), "W38", "W18", "W19")
    assert [p.code for p in problems] == ([code] if code else [])


def flow(**numbers):
    return tuple(
        Prisma(box=box, n=str(n), row=row) for row, (box, n) in enumerate(numbers.items(), start=2)
    )


@pytest.mark.parametrize(
    ("numbers", "found_at"),
    [
        ({"included_studies": 2, "included_reports": 2}, {}),
        ({"included_studies": 3, "included_reports": 3}, {2: "3 against 2"}),
        ({"included_studies": 2, "included_reports": 1}, {3: "1 against 2"}),
        ({"included_studies": 2, "included_reports": 9}, {}),
    ],
)
def test_the_flow_agrees_with_the_tables(numbers, found_at):
    problems = found(replace(three_reports(n=12), prisma=flow(**numbers)), "W37")
    assert {p.row: p.found for p in problems} == found_at


def test_a_judgement_for_an_outcome_that_the_study_does_not_report():
    judged = RiskOfBias(study_id="t", tool="rob2", domain="overall", judgement="low", row=2)
    cases = {"": 0, "BMD": 0, "CTX": 1}
    for outcome, warned in cases.items():
        row = judged.model_copy(update={"outcome": outcome})
        assert len(found(replace(two_arms(), risk_of_bias=(row,)), "W49")) == warned


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ({"assessed": 10, "assessed_other": 10, "excluded_reports": 1, "included_reports": 4}, []),
        ({"assessed": 10, "assessed_other": 10, "excluded_reports": 1, "excluded_reports_other": 2,
          "included_reports": 4}, ["included_reports"]),
        ({"assessed": 10, "excluded_reports": 1, "included_reports": 9}, []),
        ({"identified_databases": 500, "removed_duplicates": 900}, ["removed_duplicates"]),
        ({"assessed": 10, "excluded_reports": 8, "excluded_reports_other": 5}, []),
    ],
)  # fmt: skip
def test_the_flow_adds_up_counts_that_are_entered(numbers, wrong):
    problems = check_tables(replace(three_reports(), prisma=flow(**numbers)), CONFIG)
    assert [p.row_key.strip("/") for p in problems if p.code == "E701"] == wrong


# A blank count is refused as it is read (tests/bad_input).
def test_a_negative_count_is_one_problem():
    boxes = flow(identified_databases=500, removed_duplicates=0, screened=-10)
    problems = check_tables(replace(three_reports(), prisma=boxes), CONFIG)
    assert next(p.code for p in problems if p.in_table == "prisma") == "E202"
