"""What happens to a pool when one choice changes."""

from dataclasses import replace

import pytest
from builders import ROOT, cases_of
from osteometa.records.effects import Choice
from osteometa.sensitivity.one_at_a_time import sensitivity_rows
from osteometa.synthesis.pools import pool_set, pooled_rows
from osteometa.wording.vocabulary import Flag

SHARED = ROOT / "tests/reviews/shared_control"
NECK = "bmd_femoral_neck_training_controlled"
SPINE = "bmd_lumbar_spine_training_controlled"
BOUT = "ctx_serum_acute_immediate_within_arm"
NO_OTHERS = {"covariances": (), "alternatives": (), "alternative_covariances": ()}


@pytest.fixture(scope="module")
def neck():
    case = cases_of(ROOT, [NECK])[NECK]
    return case, sensitivity_rows(case)


@pytest.fixture(scope="module")
def shared():
    case = cases_of(SHARED, [SPINE])[SPINE]
    return case, sensitivity_rows(case)


def row_of(rows, name, group="overall", measure=None):
    (row,) = [r for r in rows if (r.row, r.group) == (name, group) and measure in (None, r.measure)]
    return row


def suite(rows):
    """Return the names of the rows that every set has."""
    return [r.row for r in rows if r.group == "overall" and not is_reading(r)]


def is_reading(row):
    return row.row.startswith("with ") and ", derived from " in row.change


def test_every_set_has_the_whole_suite_in_one_order(neck, shared):
    assert suite(neck[1]) == suite(shared[1])
    empty = replace(shared[0], effects=(), **NO_OTHERS)
    assert suite(sensitivity_rows(empty)) == suite(shared[1])
    names = suite(neck[1])
    assert len(names) == len(set(names))
    assert {f"without {flag}" for flag in Flag if flag.analysis} <= set(names)
    assert {"with non_randomised", "with active", "with listed", "randomised only"} <= set(names)
    assert {"tau2=DL", "tau2=PM", "tau2=EE", "ci=wald", "ci=hksj", "measure=SMD"} <= set(names)
    assert names[0] == "primary" and names[-2:] == ["leave one out", "sign flip"]
    assert "permutation.csv" in row_of(neck[1], "sign flip").reason


def test_rows_without_numbers_say_why_and_the_others_have_all(neck, shared):
    for row in (*neck[1], *shared[1]):
        numbers = (row.estimate, row.ci_low, row.ci_high)
        assert all(n is None for n in numbers) == (row.status != "ok")
        if row.status != "ok":
            assert row.reason and row.sign_changed is None and row.delta is None
        else:
            assert row.ci_low < row.estimate < row.ci_high and row.k >= 1


def test_the_primary_row_is_that_of_pooled_csv(neck, shared):
    for case, rows in (neck, shared):
        main = pooled_rows("x", case.effects, case.config, case.covariances)
        main = next(r for r in main if r.primary and r.measure == case.measure)
        row = row_of(rows, "primary")
        assert (row.k, row.estimate, row.ci_low, row.ci_high, row.delta) == (
            main.k, main.estimate, main.ci_low, main.ci_high, 0.0,
        )  # fmt: skip


def test_disputed_readings_come_in_one_at_a_time(neck):
    case, rows = neck
    readings = [r for r in rows if is_reading(r) and (r.group, r.measure) == ("overall", "ROM")]
    assert [r.row for r in readings] == [
        "with heinonen_1996 CHG+PCT+CI", "with heinonen_1996 CHG+PCT+TMD+p",
        "with watson_2018_liftmor CHG+PCT+SD", "with watson_2018_liftmor CHG+PCT+TMD+p",
    ]  # fmt: skip
    main = row_of(rows, "primary")
    assert {r.k for r in readings} == {main.k + 1}
    assert len({r.estimate for r in readings}) == 4
    assert row_of(rows, "with all disputed").k == main.k + 2
    assert [r.measure for r in rows if is_reading(r)].count("SMD") >= 4
    cautious = {
        e.study_id: str(e.alternative)
        for e in sorted(case.alternatives, key=lambda e: -abs(e.z))
        if e.alternative.key == "resolution" and e.measure == "ROM"
    }
    assert cautious == {
        "heinonen_1996": "resolution=CHG+PCT+CI", "watson_2018_liftmor": "resolution=CHG+PCT+TMD+p",
    }  # fmt: skip


def test_what_is_left_out_is_left_out(neck):
    case, rows = neck
    for flag in (flag for flag in Flag if flag.analysis):
        left = [e for e in case.primary_set().effects if flag not in e.flags]
        row = row_of(rows, f"without {flag}")
        if len(left) == len(case.primary_set().effects):
            assert row.status == "not_applicable" and "no pooled effect" in row.reason
        else:
            assert row.k == len({e.study_id for e in left})
    assert row_of(rows, "without INDIRECT").k < row_of(rows, "primary").k
    assert row_of(rows, "with non_randomised").k > row_of(rows, "primary").k
    assert "has not been assessed" in row_of(rows, "without high risk of bias").reason


def test_another_r_is_another_pool(neck):
    _, rows = neck
    main = row_of(rows, "primary")
    own = row_of(rows, "r=0.95")
    assert (own.status, own.reason) == ("not_applicable", "this is the primary choice")
    moved = [row_of(rows, f"r={r}") for r in ("0.85", "0.9", "0.98", "0.99")]
    assert len({row.estimate for row in moved} | {main.estimate}) == 5
    for row in moved:
        assert row.delta == pytest.approx(row.estimate - main.estimate)


def test_deltas_signs_and_nulls_are_against_the_primary_pool(neck):
    _, rows = neck
    main = {(r.measure, r.group): r for r in rows if r.row == "primary"}[("ROM", "overall")]
    for row in rows:
        if row.status == "ok" and (row.measure, row.group) == ("ROM", "overall"):
            assert row.delta == pytest.approx(row.estimate - main.estimate, abs=1e-12)
            assert row.sign_changed == (row.estimate * main.estimate < 0)
            holds = row.ci_low <= 0 <= row.ci_high
            assert row.null_crossed == (holds != (main.ci_low <= 0 <= main.ci_high))
    assert any(row.null_crossed for row in rows)
    across = row_of(rows, "measure=SMD")
    assert across.delta is None and across.sign_changed is False


def test_the_second_mapping_shows_the_types(shared, neck):
    for case, rows in (shared, neck):
        moved = [r for r in rows if r.row == "type_by=paper"]
        groups = {e.exercise_type for e in case.set_under(Choice.read("type_by=paper")).effects}
        assert groups <= {r.group for r in moved} and "overall" in {r.group for r in moved}
        assert row_of(rows, "type_by=paper").delta == pytest.approx(0, abs=0.01)


def test_shared_controls_in_the_suite(shared):
    case, rows = shared
    main = row_of(rows, "primary")
    assert main.k == 6 and len(case.primary_set().effects) == 7
    split_row = row_of(rows, "shared_control=split")
    assert split_row.k == 6 and split_row.estimate != main.estimate
    assert row_of(rows, "without MERGED").k == 5
    assert row_of(rows, "without COMPOSITE").k == 5
    assert row_of(rows, "without high risk of bias").k == 5
    assert row_of(rows, "rho=0.8").status == "ok"
    assert row_of(rows, "training_time=latest").status == "not_applicable"
    by_paper = case.set_under(Choice.read("type_by=paper"))
    assert {e.arm_id for e in by_paper.effects if e.study_id == "made_one_type_2002"} == {
        "high", "low",
    }  # fmt: skip
    assert by_paper.data.V is not None and by_paper.k == 6


def test_leaving_one_out_names_the_study_that_moves_most(neck):
    case, rows = neck
    row = row_of(rows, "leave one out")
    shifts = {}
    for study in {e.study_id for e in case.primary_set().effects}:
        joint = case.primary_set()
        rest = replace(joint, effects=tuple(e for e in joint.effects if e.study_id != study))
        label = next(e.label for e in joint.effects if e.study_id == study)
        shifts[label] = abs(pool_set(rest, case.config).estimate - row_of(rows, "primary").estimate)
    assert abs(row.delta) == pytest.approx(max(shifts.values()))
    assert max(shifts, key=shifts.get) in row.change


def test_models_are_those_asked_for(neck):
    case, rows = neck
    joint = case.primary_set()
    for name in ("DL", "PM"):
        fit = pool_set(joint, case.config, method=name)
        assert row_of(rows, f"tau2={name}").estimate == fit.estimate
    wald, main = row_of(rows, "ci=wald"), row_of(rows, "primary")
    assert wald.estimate == main.estimate and wald.ci_high < main.ci_high
    for own in ("tau2=REML", "ci=hksj-floor"):  # would repeat the primary result
        assert row_of(rows, own).reason == "this is the primary choice"


def test_an_arm_without_a_comparator_is_no_active_comparison():
    """Wherry's cool condition is listed: the same 12 participants as the warm one, with covariance.

    metafor 3.8: rma.mv(yi, V, random=~1|id) and the floor of q = e'We/(rows - 1), t with 1 df.
    """
    rows = sensitivity_rows(cases_of(ROOT, [BOUT])[BOUT])
    assert row_of(rows, "with active").status == "not_applicable"
    row = row_of(rows, "with listed", measure="SMD")
    assert (row.k, row.status) == (2, "ok")
    expected = (0.37666385, -8.94289, 9.69622)
    assert (row.estimate, row.ci_low, row.ci_high) == pytest.approx(expected, rel=1e-4)


def test_the_interim_report_of_a_trial_is_one_row():
    """Kennedy 2006 is an interim report of Lovelady's trial: the only part at the spine."""
    case = cases_of(ROOT, [SPINE])[SPINE]
    assert "lovelady_2009" not in {e.study_id for e in case.primary_set().effects}
    rows = sensitivity_rows(case)
    added = row_of(rows, "with part")
    assert added.k == row_of(rows, "primary").k + 1
    parts = [(e.study_id, e.report) for e in case.effects if e.block == "part"]
    assert set(parts) == {("lovelady_2009", "kennedy_2006")}
