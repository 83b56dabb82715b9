"""Reported values that give a wrong number if read carelessly; each is read right or refused."""

import math

import numpy as np
import pytest
from builders import (
    CONFIG,
    CTX,
    OPG,
    csv_arms,
    csv_both,
    csv_contrast,
    csv_study,
    derived_review,
    review_effects,
    text,
)
from osteometa.numerics.distributions import hedges_j, p_to_t
from osteometa.synthesis.independent_fits import agreement_rows
from osteometa.synthesis.pools import pooled_rows, weighted

N20 = {"n": 20}


def percents(**more):
    return csv_both("6_months", "pct_change", {"mean": 1}, {"mean": -1}, **more)


@pytest.mark.parametrize(("unit", "factor"), [("pg/mL", 1), ("ng/mL", 1000)])
def test_an_adjusted_difference_is_brought_to_the_unit_of_the_levels(tmp_path, unit, factor):
    base = csv_both("baseline", exercise={"mean": 400 / factor}, control={"mean": 410 / factor},
                what=CTX, unit=unit, sd=150 / factor, **N20)  # fmt: skip
    test = csv_contrast("adj_md", what=CTX, value=-60, ci_low=-110, ci_high=-10, unit="pg/mL",
                    adjusted="yes", score="post", n_exercise=20, n_control=20)  # fmt: skip
    (smd,) = review_effects(tmp_path, "SMD", measurements=base, contrasts=[test])
    se = 100 / (2 * p_to_t(0.05, 37))
    assert smd.yi == pytest.approx(-60 / 150 * hedges_j(38))
    assert smd.vi == pytest.approx((hedges_j(38) * se / 150) ** 2 + smd.yi**2 / 80)


@pytest.mark.parametrize(
    ("unit", "value", "low", "high"), [("mg/cm2", 15, 2, 28), ("%", 1.6, 0.2, 3)]
)
def test_a_test_in_another_unit_gives_its_t_and_not_its_se(tmp_path, unit, value, low, high):
    changes = csv_both("6_months", "change", {"mean": 0.010}, {"mean": -0.005}, **N20)
    test = csv_contrast("md", value=value, ci_low=low, ci_high=high, unit=unit, score="change",
                    adjusted="no")  # fmt: skip
    (md,) = review_effects(tmp_path, "MD", measurements=changes, contrasts=[test])
    se = (high - low) / (2 * p_to_t(0.05, 38))
    assert md.yi == pytest.approx(0.015)
    assert math.sqrt(md.vi) == pytest.approx(0.015 * se / value)


def test_an_empty_and_a_not_stated_population_are_one(tmp_path):
    p = csv_contrast("p", p=0.04, p_operator="=", score="change", adjusted="no",
                 population_analysed="not_stated")  # fmt: skip
    assert review_effects(tmp_path, "ROM", measurements=percents(**N20), contrasts=[p])


def test_missing_n_and_missing_means_are_refused_without_a_crash(tmp_path):
    base = csv_both("baseline", mean=0.9, sd=0.1, **N20)
    after = csv_both("6_months", mean=0.92, sd=0.1)
    assert review_effects(tmp_path / "n", measurements=base + after) == []
    change = csv_both("6_months", "change", sd=0.03, **N20)
    assert review_effects(tmp_path / "mean", measurements=base + change) == []


@pytest.mark.parametrize(("df1", "found"), [(2, 0), ("", 0), (1, 1)])
def test_an_omnibus_f_is_no_t(tmp_path, df1, found):
    f = csv_contrast("f", value=4.2, df1=df1, df2=57, p=0.02, p_operator="=", score="change",
                 adjusted="no", test="rm_anova")  # fmt: skip
    rom = review_effects(tmp_path, "ROM", measurements=percents(**N20), contrasts=[f])
    assert len(rom) == found


@pytest.mark.parametrize(
    ("adjusted", "test", "found"), [("", "", 0), ("", "t_pooled", 1), ("no", "", 1)]
)
def test_an_unsaid_adjustment_is_not_taken_for_none(tmp_path, adjusted, test, found):
    """At r = 0.95 the factor would be 0.3 or 1."""
    t = csv_contrast("t", value=2.5, n_exercise=20, n_control=20, score="post", adjusted=adjusted,
                 test=test)  # fmt: skip
    assert len(review_effects(tmp_path, "SMD", contrasts=[t])) == found


def test_an_ancova_is_no_test_of_raw_changes(tmp_path):
    changes = csv_both("6_months", "change", {"mean": 0.01}, {"mean": -0.01}, **N20)
    p = csv_contrast("p", p=0.0005, p_operator="=", score="change", adjusted="yes", test="ancova")
    assert review_effects(tmp_path, "MD", measurements=changes, contrasts=[p]) == []


def test_quantitative_ct_takes_no_areal_baseline(tmp_path):
    what = {"outcome": "BMD", "analyte": "bmd_volumetric", "site": "lumbar_spine"}
    changes = csv_both(
        "6_months", "change", {"mean": 3}, {"mean": -2}, what=what, unit="mg/cm3", sd=5, **N20
    )
    assert review_effects(tmp_path, "ROM", measurements=changes) == []


def test_one_pool_of_mean_differences_has_one_unit(tmp_path):
    rows = []
    for name, unit, level in (("a_2000", "pg/mL", 100), ("b_2001", "pmol/L", 5),
                              ("c_2002", "pg/mL", 90)):  # fmt: skip
        rows += csv_both("6_months", exercise={"mean": level * 1.1}, control={"mean": level},
                     study_id=name, what=OPG, unit=unit, sd=level / 5, **N20)  # fmt: skip
    names = ("a_2000", "b_2001", "c_2002")
    found = review_effects(
        tmp_path, studies=[csv_study(name) for name in names],
        arms=[arm for name in names for arm in csv_arms(name)], measurements=rows,
    )  # fmt: skip
    blocks = {e.study_id: e.block for e in found if e.measure == "MD"}
    assert blocks == {"a_2000": "pooled", "b_2001": "unit", "c_2002": "pooled"}
    assert {e.block for e in found if e.measure != "MD"} == {"pooled"}


def test_the_end_of_training_goes_before_an_untyped_time(tmp_path):
    early = csv_both("3_months", "pct_change", {"mean": 5}, {"mean": -1}, sd=3, **N20)
    for row in early:
        row["time_wk"] = ""
    found = review_effects(tmp_path, "ROM", measurements=early + percents(sd=3, **N20))
    assert {e.timepoint: e.block for e in found} == {"3_months": "reduced", "6_months": "pooled"}


def test_a_reported_correlation_of_the_control_is_read(tmp_path):
    base = csv_both("baseline", mean=0.9, sd=0.1, **N20)
    after = csv_both("6_months", exercise={"mean": 0.92}, control={"mean": 0.9}, sd=0.1, **N20)
    rs = [csv_contrast("r", value=0.9) | {"compares": "within"},
          csv_contrast("r", value=0.8) | {"compares": "within", "arm_id": "control"}]  # fmt: skip
    (md,) = review_effects(tmp_path, "MD", measurements=base + after, contrasts=rs)
    assert md.vi == pytest.approx((0.2 * 0.01 + 0.4 * 0.01) / 20)
    assert (text(md).r_source, text(md).flags) == ("reported", "")


def test_a_second_hand_or_digitised_cell_flags_the_effect(tmp_path):
    rows = percents(sd=3, **N20)
    rows[0]["origin"], rows[1]["origin"] = "figure", "press"
    (rom,) = review_effects(tmp_path, "ROM", measurements=rows)
    assert {"2ND", "FIG"} <= rom.flags


def test_people_are_inputs_too(tmp_path):
    rows = [dict(row, mean=row["mean"], n_start="") for row in percents()]
    for row in rows:
        row.pop("n_start")
    p = csv_contrast("p", p=0.04, p_operator="=", score="change", adjusted="no")
    started = csv_arms()
    started[0]["n_start"], started[1]["n_start"] = 20, 21
    (rom,) = review_effects(tmp_path, "ROM", arms=started, measurements=rows, contrasts=[p])
    assert ("arms", "a_2000/ex", "n_start") in rom.inputs
    assert "NRAND" in rom.flags


def test_an_smd_print_that_is_accepted_as_wrong_is_not_used(tmp_path):
    bad = csv_contrast(
        "smd",
        value=0.62,
        ci_low=0.7,
        ci_high=1.2,
        standardiser="raw",
        n_exercise=27,
        n_control=27,
        accept="E204",
        accept_reason="as reported",
    )
    assert review_effects(tmp_path, contrasts=[bad]) == []


def test_an_exact_p_goes_before_the_smd_of_the_same_contrast(tmp_path):
    smd = csv_contrast("smd", value=-0.62, p=0.026, p_operator="=", score="change", adjusted="no",
                   standardiser="not_stated", n_exercise=27, n_control=27)  # fmt: skip
    (found,) = review_effects(tmp_path, "SMD", contrasts=[smd])
    f = math.sqrt(2 * 0.05)
    assert found.yi == pytest.approx(-hedges_j(52) * f * p_to_t(0.026, 52) * math.sqrt(2 / 27))


def test_a_trial_arm_without_comparator_has_no_vote_within_arms(tmp_path):
    alone = csv_arms()
    alone[1]["comparator"], alone[1]["comparator_kind"] = "", "none"
    rows = [row for row in percents(sd=3, **N20) if row["arm_id"] == "ex"]
    (entry,) = derived_review(tmp_path, arms=alone, measurements=rows).entries
    assert not entry.counted


@pytest.mark.parametrize("value", [0.1, 0.0])
def test_witnesses_agree_on_effects_that_are_all_equal(tmp_path, value):
    rows, names = [], ("a_2000", "b_2001", "c_2002")
    for name in names:
        rows += csv_both(
            "6_months", "pct_change", {"mean": value}, {"mean": 0.0}, study_id=name, sd=3, **N20
        )
    found = review_effects(
        tmp_path, "ROM", studies=[csv_study(name) for name in names],
        arms=[arm for name in names for arm in csv_arms(name)], measurements=rows,
    )  # fmt: skip
    agreed = agreement_rows("x", weighted(found, CONFIG))
    assert agreed
    assert {row.verdict for row in agreed} <= {"agrees", "not_comparable"}
    (main, *_) = pooled_rows("x", found, CONFIG)
    assert main.tau2 == 0
    assert (main.pi_low, main.pi_high) == (None, None)
    assert "no prediction interval" in main.note
    assert np.isfinite(main.tau2_ci_high)


@pytest.mark.parametrize(("n_exercise", "n_control"), [(1, 1), (1, 2)])
@pytest.mark.parametrize("standardiser", ["raw", "change"])
def test_an_smd_of_fewer_than_four_people_is_refused(tmp_path, n_exercise, n_control, standardiser):
    test = csv_contrast("smd", what=OPG, value=0.5, standardiser=standardiser,
                    n_exercise=n_exercise, n_control=n_control)  # fmt: skip
    assert review_effects(tmp_path, contrasts=[test]) == []


def test_a_difference_of_percentages_beyond_all_is_refused(tmp_path):
    test = csv_contrast("md", value=-120, ci_low=-150, ci_high=-90, unit="%", score="change",
                    adjusted="no", n_exercise=20, n_control=20)  # fmt: skip
    assert review_effects(tmp_path, "ROM", contrasts=[test]) == []
