"""Effects within one arm and of crossovers, against formulas written out here."""

import math
from dataclasses import replace

import pytest
from builders import (
    CONFIG,
    NUMBER,
    effects,
    level,
    logs,
    tables,
    text,
    warnings_on,
    with_assay,
    without_baseline_means,
)
from hypothesis import given
from hypothesis import strategies as st
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.derive import derive
from osteometa.effects.hierarchy import attempts_at
from osteometa.numerics.distributions import hedges_j, p_to_t
from osteometa.validation.review import warnings_of

BEFORE = level("baseline", mean=22, sd=20**0.5, n=60)
AFTER = level("end", mean=26, sd=30**0.5, n=60)


def test_levels_with_a_reported_correlation():
    """Check 16 through the tables, r reported."""
    found = effects([BEFORE, AFTER, ("contrasts", "e", "end", "r", {"value": 0.7})])
    assert {m: e.derivation_method for m, e in found.items()} == {
        "SMD": "SMCR",
        "MD": "MC",
        "ROM": "ROMC",
    }
    assert (found["MD"].yi, round(found["MD"].vi, 4)) == (4.0, 0.2618)
    assert (round(found["ROM"].yi, 4), round(found["ROM"].vi, 6)) == (0.1671, 0.000429)
    # metafor 3.8: escalc("SMCR", m1i=26, m2i=22, sd1i=sqrt(20), ni=60, ri=.7)
    assert found["SMD"].yi == pytest.approx(0.883000843, rel=1e-8)
    assert found["SMD"].vi == pytest.approx(0.01649742074, rel=1e-8)
    assert {text(e).flags for e in found.values()} == {""}
    assert {e.block for e in found.values()} == {"pooled"}
    assert {(e.n_exercise, e.n_control, e.n_total) for e in found.values()} == {(60, None, 60)}
    assert found["SMD"].mean_exercise == 26 and found["SMD"].mean_control is None


def test_an_assumed_correlation_is_flagged_and_r_of_a_half_gives_one_over_n():
    found = effects([BEFORE, AFTER])
    g = found["SMD"].yi
    assert found["SMD"].vi == pytest.approx(1 / 60 + g**2 / 120)
    assert {text(e).flags for e in found.values()} == {"RIMP"}
    assert found["MD"].vi == pytest.approx((30 + 20 - math.sqrt(600)) / 60)


def test_attrition_in_one_arm():
    found = effects([BEFORE, level("end", mean=26, sd=30**0.5, n=40)])
    g = found["SMD"].yi
    assert found["SMD"].vi == pytest.approx(1 / 40 + (1 - 1) / 60 + g**2 / 80)
    assert found["MD"].vi == pytest.approx(30 / 40 + (20 - math.sqrt(600)) / 60)


def test_change_with_its_sd():
    """Check 13: change 3, SD of change 5.5, n 50; r assumed .5 here."""
    change = ("measurements", "e", "end", "change", {"mean": 3, "sd": 5.5, "n": 50})
    found = effects([change])
    g = hedges_j(49) * 3 / 5.5  # sqrt(2 (1 - .5)) = 1
    assert found["SMD"].yi == pytest.approx(g)
    assert found["SMD"].vi == pytest.approx(1 / 50 + g**2 / 100)
    assert text(found["SMD"]).provenance == "SMCR+CHG+SD" and text(found["SMD"]).flags == "RIMP"
    assert (found["MD"].yi, found["MD"].vi) == (3, pytest.approx(5.5**2 / 50))
    assert "ROM" not in found, "a change of a marker without levels has no ratio"


def test_change_over_a_two_baseline_sd_needs_no_correlation():
    rows = [
        level("baseline", mean=22, sd=4, n=50),
        ("measurements", "e", "end", "change", {"mean": 3, "sd": 5.5, "n": 50}),
    ]
    found = effects(rows)["SMD"]
    assert found.yi == pytest.approx(hedges_j(49) * 3 / 4)
    assert found.vi == pytest.approx(5.5**2 / (50 * 16) + found.yi**2 / 100)
    assert text(found).flags == "" and found.r is None


def test_paired_t_and_exact_p():
    """Check 19: paired t 2.4, n 11, r .5: g .6677; the sign of a p is that of the means."""
    t = ("contrasts", "e", "end", "t", {"value": 2.4, "n_exercise": 11, "test": "paired_t"})
    assert round(effects([t])["SMD"].yi, 4) == 0.6677
    rows = [
        level("baseline", mean=26, n=11),
        level("end", mean=22, n=11),
        ("contrasts", "e", "end", "p", {"p": 0.03, "p_operator": "=", "test": "paired_t"}),
    ]
    found = effects(rows)
    t = -p_to_t(0.03, 10)
    assert found["SMD"].yi == pytest.approx(hedges_j(10) * t / math.sqrt(11))
    assert found["MD"].vi == pytest.approx((4 / t) ** 2)
    assert text(found["MD"]).provenance == "MC+p"


@pytest.mark.parametrize(
    ("statistic", "compares", "used"),
    [("smd", "within", True), ("smd", "between", False), ("md", "within", False)],
)
def test_only_a_reported_standardised_change_of_the_arm_itself_is_used(statistic, compares, used):
    cells = {"value": 0.4, "standardiser": "raw", "n_exercise": 12, "compares": compares}
    found = effects([("contrasts", "e", "end", statistic, cells)])
    assert ("SMD" in found) == used
    if used:
        assert found["SMD"].yi == pytest.approx(hedges_j(11) * 0.4)


def test_an_exact_p_of_a_paired_test_gives_the_correlation():
    """The SD of change is |d| sqrt(n) / t (M3.4)."""
    p = ("contrasts", "e", "end", "p", {"p": 1e-6, "p_operator": "=", "test": "paired_t"})
    found = effects([BEFORE, AFTER, p])["ROM"]
    sd = 4 * math.sqrt(60) / p_to_t(1e-6, 59)
    assert (found.r, found.r_source) == (
        pytest.approx((20 + 30 - sd**2) / (2 * math.sqrt(600))), ("paired_test",),
    )  # fmt: skip


def test_an_arm_has_one_correlation_for_all_its_times():
    """Of one source that of the first time; a reported one goes before one by the SD of change."""

    def at(time, r):
        end = level(time, mean=26, sd=30**0.5, n=60)
        return [end, ("contrasts", "e", time, "r", {"value": r})]

    def rs(rows):
        raw = tables([BEFORE, *rows])
        comparisons = comparisons_of(raw, CONFIG)
        known = Correlations(comparisons, CONFIG)
        return [round(known.of(comparison, 0).r, 6) for comparison in comparisons]

    assert rs([*at("t1", 0.3), *at("t2", 0.8)]) == rs([*at("t2", 0.8), *at("t1", 0.3)])
    assert rs([*at("t1", 0.3), *at("t2", 0.8)]) == [0.3, 0.3]


def test_a_sign_reported_in_words_serves_an_exact_p():
    p = ("contrasts", "e", "end", "p", {"p": 0.03, "p_operator": "=", "n_exercise": 11})
    assert effects([p]) == {}
    down = ("directions", "e", "end", "within_arm", {"direction": "down"})
    assert effects([p, down])["SMD"].yi < 0


@pytest.mark.parametrize(
    "cells",
    [
        {"p": 0.05, "p_operator": "<"},
        {"p": 0.03, "p_operator": "=", "test": "rank"},
        {"p": 0.03, "p_operator": "=", "test": "rm_anova"},
    ],
)
def test_bounds_rank_tests_and_tests_of_several_times_give_nothing(cells):
    rows = [
        level("baseline", mean=26, n=11),
        level("end", mean=22, n=11),
        ("contrasts", "e", "end", "p", cells),
    ]
    assert effects(rows) == {}


def test_percent_change_in_one_arm():
    """Check 20: +12 %, SD 20, n 16."""
    rows = [("measurements", "e", "end", "pct_change", {"mean": 12, "sd": 20, "n": 16})]
    found = effects(rows)
    assert (round(found["ROM"].yi, 5), round(found["ROM"].vi, 6)) == (0.09763, 0.001962)
    assert text(found["ROM"]).flags == "PCT" and text(found["SMD"]).flags == "PCT RIMP"
    assert "MD" not in found


def test_bone_change_without_level_takes_the_fixed_baseline():
    rows = [("measurements", "e", "end", "change", {"mean": 0.01, "sd": 0.03, "n": 25})]
    found = effects(rows, what="BMD", site="lumbar_spine")["ROM"]
    assert found.yi == pytest.approx(math.log1p(0.01 / 0.92))
    assert found.vi == pytest.approx((0.03 / 5 / 0.93) ** 2)
    assert text(found).flags == "BASE"


def test_bone_change_over_the_own_mean_without_one_in_the_config():
    rows = [level("baseline", mean=0.8, n=25)]
    rows += [("measurements", "e", "end", "change", {"mean": 0.01, "sd": 0.03, "n": 25})]
    config = without_baseline_means(CONFIG)
    found = effects(rows, config, what="BMD", site="lumbar_spine")["ROM"]
    assert found.yi == pytest.approx(math.log1p(0.01 / 0.8)) and text(found).flags == ""


def test_one_arm_of_a_controlled_trial_is_listed():
    found = effects([BEFORE, AFTER], design="rct")
    assert {e.block for e in found.values()} == {"listed"}


def test_a_condition_of_a_crossover_needs_its_comparator_or_the_word_none():
    raw = tables([BEFORE, AFTER], design="crossover_rct")
    assert derive(raw, CONFIG).effects == ()
    arms = tuple(arm.model_copy(update={"comparator_kind": "none"}) for arm in raw.arms)
    (*found,) = derive(replace(raw, arms=arms), CONFIG).effects
    assert {e.block for e in found} == {"pooled"} and {e.design_class for e in found} == {
        "within_arm"
    }


def test_logarithms():
    """ln(GMT/GMC) from mean logarithms, v from their SDs; no MD or SMD."""
    rows = [logs("e", mean=-0.5, sd=0.4, n=20), logs("c", mean=-0.7, sd=0.5, n=25)]
    found = effects(rows, design="rct", control=True)
    assert set(found) == {"ROM"} and text(found["ROM"]).provenance == "LOG+SD"
    assert found["ROM"].yi == pytest.approx(0.2)
    assert found["ROM"].vi == pytest.approx(0.16 / 20 + 0.25 / 25)
    one = effects([logs("e", "baseline", mean=-0.7, sd=0.5, n=20), rows[0]])["ROM"]
    assert (
        one.vi == pytest.approx((0.16 + 0.25 - 0.2) / 20) and text(one).provenance == "ROMC+LOG+SD"
    )


def test_quartiles_stand_for_mean_and_sd():
    """Check 10 in one arm of two: mean 4.3598, SD 2.3935."""
    quartiles = {"median": 4, "q1": 3, "q3": 6, "n": 20}
    rows = [level("end", **quartiles), level("end", arm="c", mean=5, sd=2, n=20)]
    found = effects(rows, design="rct", control=True)["MD"]
    assert found.yi == pytest.approx(4.3598 - 5, abs=1e-4)
    assert found.vi == pytest.approx((2.3935**2 + 4) / 20, rel=1e-4)
    assert text(found).provenance == "POST+Q3+SD" and text(found).flags == ""
    few = [level("end", **quartiles | {"n": 4}), rows[1]]
    assert effects(few, design="rct", control=True) == {}
    skewed = [level("end", median=1.1, q1=1, q3=9, n=60), rows[1]]
    assert text(effects(skewed, design="rct", control=True)["MD"]).flags == "SKEW"


def test_digitised_spreads_say_so():
    rows = [level("end", mean=5, sd=1, n=20, origin="figure"),
            level("end", arm="c", mean=4, se=0.5, n=16, origin="figure")]  # fmt: skip
    found = effects(rows, design="rct", control=True)["MD"]
    assert set(found.provenance) == {"POST", "FIG", "SE"} and found.flags == {"FIG"}
    assert found.vi == pytest.approx(1 / 20 + 0.25)


HANDBOOK = [level("end", mean=7.0, sd=2.38, n=10), level("end", arm="c", mean=6.5, sd=2.21, n=10)]


def crossover(rows, **how):
    return effects(rows, design="crossover_rct", phase="acute", control=True, **how)


def test_crossover_with_its_correlation():
    """Check 6: 7.0 (2.38) and 6.5 (2.21), n 10, r .68: SE .583, g .199; participants once."""
    found = crossover([*HANDBOOK, ("contrasts", "e", "end", "r", {"value": 0.68})])
    assert round(math.sqrt(found["MD"].vi), 3) == 0.583
    assert round(found["SMD"].yi, 3) == 0.199
    assert found["SMD"].vi == pytest.approx(0.064 + found["SMD"].yi ** 2 / 20)
    ratio = 2.38**2 / 490 + 2.21**2 / 422.5 - 2 * 0.68 * 2.38 * 2.21 / 455
    assert found["ROM"].vi == pytest.approx(ratio)
    assert {e.derivation_method for e in found.values()} == {"SMCR", "MC", "ROMC"}
    assert {e.n_total for e in found.values()} == {10} and {
        text(e).flags for e in found.values()
    } == {""}
    assert {e.block for e in found.values()} == {"pooled"}


def test_crossover_without_it_assumes_one_and_says_so():
    found = crossover(HANDBOOK)
    assert {text(e).flags for e in found.values()} == {"RIMP"}
    assert found["MD"].vi == pytest.approx((2.38**2 + 2.21**2 - 2.38 * 2.21) / 10)


def test_paired_statistics_of_a_crossover_go_first():
    """From a paired t of levels after: SD of the difference .5 sqrt(10)/t, and r from it."""
    t = 0.5 / 0.583
    rows = [*HANDBOOK, ("contrasts", "e", "end", "t", {"value": t, "score": "post"})]
    found = crossover(rows)
    assert found["MD"].derivation_method == "DIF" and found["MD"].vi == pytest.approx(0.583**2)
    r = (2.38**2 + 2.21**2 - 10 * 0.583**2) / (2 * 2.38 * 2.21)
    assert found["SMD"].r == pytest.approx(r) and text(found["SMD"]).r_source == "paired_test"
    assert {text(e).flags for e in found.values()} == {""}


def test_crossover_of_two_difference_has_n_minus_one_degrees_of_freedom():
    rows = [("contrasts", "e", "end", "md", {"value": -0.2, "ci_low": -0.3, "ci_high": -0.1,
                                            "n_exercise": 12, "unit": NUMBER})]  # fmt: skip
    found = crossover(rows)["MD"]
    assert found.vi == pytest.approx((0.1 / p_to_t(0.05, 11)) ** 2)
    assert (found.n_exercise, found.n_control, found.n_total) == (12, None, 12)


def test_paired_changes_give_no_smd():
    """As Hartley: percent changes of two legs with an exact p, n 35: D 1.38, SE D/t."""
    rows = [
        ("measurements", "e", "end", "pct_change", {"mean": 0.81, "n": 35}),
        ("measurements", "c", "end", "pct_change", {"mean": -0.57, "n": 35}),
        ("contrasts", "e", "end", "p", {"p": 0.039, "p_operator": "=", "score": "change"}),
    ]
    found = effects(
        rows, design="crossover_rct", control=True, what="BMD", site="femoral_neck"
    )  # fmt: skip
    assert set(found) == {"ROM"}
    assert found["ROM"].yi == pytest.approx(math.log1p(0.0138))
    assert found["ROM"].vi == pytest.approx((0.0138 / p_to_t(0.039, 34)) ** 2)


def test_a_test_of_unknown_scores_is_not_guessed_at():
    rows = [
        *(level("baseline", arm=arm, mean=5, n=10) for arm in "ec"),
        level("end", mean=7, n=10),
        level("end", arm="c", mean=6, n=10),
        ("contrasts", "e", "end", "p", {"p": 0.04, "p_operator": "="}),
    ]
    assert crossover(rows) == {}


def test_parallel_acute_bouts_climb_the_ladders_of_training():
    rows = [level("end", mean=7.0, sd=2.38, n=10), level("end", arm="c", mean=6.5, sd=2.21, n=10)]
    acute = effects(rows, design="rct", phase="acute", control=True)
    training = effects(rows, design="rct", control=True)
    assert {m: (e.yi, e.vi, e.derivation_method) for m, e in acute.items()} == {
        m: (e.yi, e.vi, e.derivation_method) for m, e in training.items()
    }
    assert acute["SMD"].derivation_method == "POST"


def test_forms_of_the_variance_are_chosen_in_the_config():
    raw = [level("end", mean=103, sd=5.5, n=50), level("end", arm="c", mean=100, sd=4.5, n=50)]

    def smd(**choice):
        chosen = CONFIG.effects.model_copy(update=choice)
        config = CONFIG.model_copy(update={"effects": chosen})
        return effects(raw, config, design="rct", control=True)

    assert round(smd(smd_variance="LS")["SMD"].vi, 5) == 0.04175
    assert round(smd(smd_variance="LS2")["SMD"].vi, 4) == 0.0411
    # One effect is its own average, so AV is LS.
    assert smd(smd_variance="AV")["SMD"].vi == smd(smd_variance="LS")["SMD"].vi
    assert round(smd(smd_post="separate")["SMD"].yi, 4) == 0.5924
    plain, more = smd()["ROM"], smd(rom_correction=True)["ROM"]
    a, b = 5.5**2 / (50 * 103**2), 4.5**2 / (50 * 100**2)
    assert more.yi - plain.yi == pytest.approx((a - b) / 2, rel=1e-6)


def test_a_borrowed_sd_is_never_pooled():
    """Median of two other studies by the same assay, .2: g = J (-.1/.2)."""
    two = [with_assay("a", 0.1), with_assay("b", 0.3)]
    found = derive(warnings_on(*two, with_assay("c", None)), CONFIG).effects
    own = {e.measure: e for e in found if e.study_id == "c"}
    assert {(e.block, e.pooled) for e in own.values()} == {("borrowed", False)}
    assert {text(e).flags for e in own.values()} == {"BOR RIMP"}
    assert own["SMD"].yi == pytest.approx(hedges_j(9) * -0.1 / 0.2)
    assert text(own["SMD"]).provenance == "SMCR+BOR"
    assert {e.block for e in found if e.study_id != "c"} == {"pooled"}
    comparisons = comparisons_of(warnings_on(*two, with_assay("c", None)), CONFIG)
    needy = next(one for one in comparisons if one.study.study_id == "c")
    tried = attempts_at(needy, "SMD", Correlations(comparisons, CONFIG), CONFIG)
    assert [attempt.method for attempt in tried] == ["SMCR"], "only where it is asked for"
    for lone in ([with_assay("a", 0.1)], [with_assay("a", 0.1), with_assay("b", 0.3, "kit B")]):
        found = derive(warnings_on(*lone, with_assay("c", None)), CONFIG).effects
        assert "c" not in {e.study_id for e in found}


def test_changes_of_two_conditions_are_taken_as_uncorrelated():
    """metafor 3.8: escalc("MC", m1i=.3, m2i=.1, sd1i=.2, sd2i=.15, ni=12, ri=0)."""
    rows = [
        ("measurements", "e", "end", "change", {"mean": "0.3", "sd": "0.2", "n": 12}),
        ("measurements", "c", "end", "change", {"mean": "0.1", "sd": "0.15", "n": 12}),
    ]
    found = effects(rows, design="crossover_rct", control=True)
    assert set(found) == {"MD"}
    md = found["MD"]
    assert (md.yi, md.vi) == (pytest.approx(0.2), pytest.approx(0.005208333, rel=1e-6))
    assert (md.derivation_method, md.r, text(md).r_source, text(md).flags) == (
        "CHG",
        0.0,
        "uncorrelated",
        "RIMP",
    )
    assert (md.n_exercise, md.n_control, md.n_total) == (12, None, 12)


def p_warnings_on(rows, **how):
    return [p for p in warnings_of(tables(rows, **how), CONFIG) if p.code in ("W02", "W06")]


def test_a_p_that_does_not_fit_its_own_change_is_doubted():
    """Change 15.5, SD 36, n 26: t = 2.2, p .036 to .038; a reported .001 is 36 times smaller."""
    change = ("measurements", "e", "end", "pct_change", {"mean": 15.5, "sd": 36.0, "n": 26})

    def p(value):
        return ("contrasts", "e", "end", "p", {"p": value, "p_operator": "=", "test": "paired_t"})

    (warning,) = p_warnings_on([change, p("0.001")])
    assert "disputed" in warning.message
    assert p_warnings_on([change, p("0.037")]) == []


def test_an_sd_of_change_is_held_against_the_level_in_its_own_unit():
    """Total hip .81 g/cm2 (config.yaml) is 810 mg/cm2: an SD of 5 mg/cm2 is .62 %, 20 are 2.5 %."""

    def found(sd, unit, **more):
        change = {"mean": "-6.1", "sd": sd, "n": 20, "unit": unit, **more}
        rows = [("measurements", "e", "end", "change", change)]
        return p_warnings_on(rows, what="BMD", site="total_hip")

    assert len(found("5", "mg/cm2")) == len(found("0.005", "g/cm2")) == 1
    assert found("20", "mg/cm2") == found("0.020", "g/cm2") == found("5", "mg/cm3") == []
    wrong = {"accept": "E204", "accept_reason": "as reported", "sd": "5"}
    assert found(unit="mg/cm2", **wrong) == []


def test_a_paired_p_is_not_held_against_the_spreads_of_both_conditions():
    rows = [
        ("measurements", "e", "end", "change", {"mean": "0.300", "sd": "0.200", "n": 10}),
        ("measurements", "c", "end", "change", {"mean": "0.100", "sd": "0.200", "n": 10}),
        ("contrasts", "e", "end", "p", {"p": 0.001, "p_operator": "="}),
    ]
    assert p_warnings_on(rows, design="crossover_rct", control=True) == []
    assert len(p_warnings_on(rows, design="rct", control=True)) == 1
    ratio = {"value": 1.2, "ci_low": 1.1, "ci_high": 1.31, "p": 0.001, "p_operator": "="}
    rows[2] = ("contrasts", "e", "end", "rom", ratio)  # of other means than those of the changes
    assert p_warnings_on(rows, design="rct", control=True) == []


def test_a_p_is_held_against_the_means_of_the_same_test_only():
    """R: t of .3 (.2) and .1 (.2), n 10 and 10, is 2.236068: p .03825, one-tailed .01912."""
    spread = {"sd": "0.200", "n": 10}

    def found(p, flag="", **more):
        cells = [{"mean": mean, **spread, "flag": flag} for mean in ("0.300", "0.100")]
        rows = [
            ("measurements", arm, "end", "change", own)
            for arm, own in zip("ec", cells, strict=True)
        ]
        reported = {"p": p, "p_operator": "=", "score": "change", **more}
        return p_warnings_on(
            [*rows, ("contrasts", "e", "end", "p", reported)], design="rct", control=True
        )

    assert len(found("0.001")) == len(found("0.001", adjusted="no")) == 1
    for other in ({"adjusted": "yes"}, {"test": "ancova"}, {"score": "post"}):
        assert found("0.001", **other) == []
    # Adjusted means beside an adjusted test are the means of that test.
    assert len(found("0.001", flag="ADJSE", adjusted="yes")) == 1
    assert found("0.038") == found("0.019", tails=1) == found("0.981", tails=1) == []
    assert len(found("0.038", tails=1)) == len(found("0.019")) == 1


def test_the_sign_of_a_test_of_levels_is_that_of_the_levels():
    """R: qt(.02, 18) = -2.213703; g = J(18) f t sqrt(1/10 + 1/10), J(18) = .957646, f = 1.

    After exercise 11.0 against 11.5, although it rose by 1 and the control fell by .5.
    """
    means = {("e", "baseline"): 10, ("c", "baseline"): 12, ("e", "end"): 11, ("c", "end"): 11.5}
    rows = [level(time, arm, mean=mean, n=10) for (arm, time), mean in means.items()]

    def g(**cells):
        reported = {"p": 0.04, "p_operator": "=", "adjusted": "no", **cells}
        test = ("contrasts", "e", "end", "p", reported)
        return effects([*rows, test], design="rct", control=True)["SMD"].yi

    assert g(score="post") == pytest.approx(-0.957646 * 2.213703 * 0.2**0.5, rel=1e-5)
    assert g(score="change") > 0 and g(score="post", adjusted="yes") > 0


values = st.tuples(st.floats(1, 9), st.floats(0.1, 2), st.floats(1, 9), st.floats(0.1, 2))


@given(values, st.integers(5, 60), st.floats(-0.4, 0.97))
def test_one_arm_does_not_depend_on_the_unit_and_turns_with_time(numbers, n, r):
    m0, s0, m1, s1 = (round(number, 3) for number in numbers)
    reported = ("contrasts", "e", "end", "r", {"value": round(r, 3)})

    def found(before, after, factor=1, unit=NUMBER):
        rows = [
            level(time, mean=f"{mean * factor:.3f}", sd=f"{sd * factor:.3f}", n=n, unit=unit)
            for time, (mean, sd) in (("baseline", before), ("end", after))
        ]
        return effects([*rows, reported])

    one = found((m0, s0), (m1, s1))
    other = found((m0, s0), (m1, s1), 1000, "pg/mL")
    assert one.keys() == other.keys() >= {"SMD", "MD"}
    for measure, effect in one.items():
        assert effect.vi > 0
        assert other[measure].yi == pytest.approx(effect.yi, rel=1e-9, abs=1e-12)
        assert other[measure].vi == pytest.approx(effect.vi, rel=1e-9)
    back = found((m1, s1), (m0, s0))
    for measure in {"MD", "ROM"} & one.keys():
        assert back[measure].yi == pytest.approx(-one[measure].yi, abs=1e-12)
        assert back[measure].vi == pytest.approx(one[measure].vi)
