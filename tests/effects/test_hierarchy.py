"""Formulas against published numbers, and effects against numbers by hand."""

import json
import math

import pytest
from builders import (
    CONFIG,
    ROOT,
    TESTS,
    cell_name,
    checked,
    contrasted,
    derived_of,
    measurement,
    review_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.derivation.derive import derive
from osteometa.effects.ratios import percent_to_log
from osteometa.extraction.units import UnitError, convert
from osteometa.numerics.distributions import hedges_j, p_to_t

ORACLE = json.loads((TESTS / "oracle" / "metafor.json").read_text())


@pytest.fixture(scope="module")
def shipped():
    return checked(ROOT).tables, derived_of(ROOT)


def test_hedges_factor_is_exact():
    """Check 1; the usual approximation is .571429 and .923077."""
    assert round(hedges_j(2), 6) == 0.564190
    assert round(hedges_j(10), 6) == 0.922746
    assert round(hedges_j(98), 6) == 0.992324
    with pytest.raises(ValueError, match="not defined"):
        hedges_j(1)


def test_percent_change_to_log_ratio():
    """Check 20, and Wen's control: +11 % with SD 51.5 is a ratio of +0.7 % or so."""
    value, variance = percent_to_log(12, 20, 16)
    assert (round(value, 5), round(variance, 6)) == (0.09763, 0.001962)
    assert round(100 * math.expm1(percent_to_log(11, 51.5, 24)[0]), 1) == 0.7


def test_mass_and_molar_are_not_converted():
    """Check 43."""
    with pytest.raises(UnitError, match="cannot be converted"):
        convert(5, "pmol/L", "pg/mL")
    assert convert(1.5, "ng/mL", "pg/mL") == 1500.0
    assert convert(950, "mg/cm2", "g/cm2") == 0.95
    with pytest.raises(UnitError, match="mg/cm3"):
        convert(1, "mg/cm3", "g/cm2")


def effects_of(tables):
    return {effect.measure: effect for effect in derive(tables, CONFIG).effects}


@pytest.mark.parametrize(
    ("arms", "g"),
    [
        (((30.6, 38.5, 15.0, 20), (23.1, 19.7, 13.8, 20)), 0.7684),
    ],
)
def test_pre_post_control(arms, g):
    """Check 17: Morris 2008, trial 1, dppc2."""
    rows = []
    for arm, (before, after, sd, n) in zip("ec", arms, strict=True):
        rows.append(measurement(arm, "baseline", mean=before, sd=sd, n=n))
        rows.append(measurement(arm, "end", mean=after, sd=sd, n=n))
    effect = effects_of(review_of(rows))["SMD"]
    assert effect.derivation_method == "PPC"
    assert round(effect.yi, 4) == g
    # By hand with the assumed r of 0.5 and SDs that do not change: u = 2 (1 - r) / n, in S0^2.
    s0 = math.sqrt((15.0**2 + 13.8**2) / 2)
    by_hand = (15.0**2 / 20 + 13.8**2 / 20) / s0**2 + effect.yi**2 / 80
    assert effect.vi == pytest.approx(by_hand)
    assert "RIMP" in effect.flags


def test_attrition_enters_the_variance():
    """n falls from 42 to 35: 1/n1 + (1 - 2r)/n0 for equal SDs, not 2 (1 - r)/n."""
    rows = [
        measurement("e", "baseline", outcome="BMD", site="lumbar_spine", mean=0.95, sd=0.1, n=42),
        measurement("e", "end", outcome="BMD", site="lumbar_spine", mean=0.95, sd=0.1, n=35),
        measurement("c", "baseline", outcome="BMD", site="lumbar_spine", mean=0.95, sd=0.1, n=42),
        measurement("c", "end", outcome="BMD", site="lumbar_spine", mean=0.95, sd=0.1, n=35),
    ]
    effect = effects_of(review_of(rows))["SMD"]
    assert effect.vi == pytest.approx(2 * (1 / 35 + (1 - 1.9) / 42))


def test_test_of_change_scores():
    """TST: g = J f t sqrt(1/nT + 1/nC), f = sqrt(2 (1 - r)); Kim 2021's F by hand."""
    effect = effects_of(
        review_of(contrasts=[contrasted("f", value="8.768", df1=1, df2=29, score="change",
                                     adjusted="no", n_exercise=14, n_control=17)])
    )  # fmt: skip
    assert effect == {}, "without a direction the sign of F is not known"


def test_shipped_effects_by_hand(shipped):
    """Five methods recomputed with the numbers as reported."""
    _, derived = shipped
    found = {e.effect_id: e for e in derived.effects}

    def of(start, measure):
        return next(e for k, e in found.items() if k.startswith(start) and e.measure == measure)

    kim = of("kim_2021", "SMD")
    root = math.sqrt(1 / 14 + 1 / 17)
    g = -hedges_j(29) * 1.0 * math.sqrt(8.768) * root
    assert kim.yi == pytest.approx(g) and kim.vi == pytest.approx(root**2 + g**2 / 62)
    liftmor = of("watson_2018_liftmor.hirit.bmd.bmd_areal.lumbar_spine", "ROM")
    c_e, c_c = math.log1p(0.028**2 / 1.029**2), math.log1p(0.028**2 / 0.988**2)
    assert liftmor.yi == pytest.approx(math.log(1.029) - c_e / 2 - math.log(0.988) + c_c / 2)
    assert liftmor.vi == pytest.approx(c_e / 49 + c_c / 52)
    uth = of("uth_2021", "ROM")
    se = (0.057 - 0.001) / (2 * 1.996564419)  # t quantile of 66 df
    assert uth.yi == pytest.approx(math.log1p(0.029 / 0.92))
    assert uth.vi == pytest.approx((se / (0.92 + 0.029)) ** 2, rel=1e-7)
    assert "BASE" in uth.flags
    rief = of("rief_2016", "SMD")
    s0 = math.sqrt((22 * 0.27**2 + 23 * 0.37**2) / 45)
    se = (-0.003 + 0.20) / (2 * p_to_t(0.05, 44))  # the baseline is a covariate
    j = hedges_j(45)
    assert rief.yi == pytest.approx(-0.10 * j / s0)
    assert rief.vi == pytest.approx((j * se / s0) ** 2 + rief.yi**2 / 94)
    walking = of("brooke_wavell_1997", "MD")
    assert walking.yi == pytest.approx(0.011)
    assert walking.vi == pytest.approx(2 * 0.004**2)


def test_disputed_stay_out_and_arms_of_one_type_are_one(shipped):
    _, derived = shipped
    blocks = {e.effect_id: e.block for e in derived.effects}
    liftmor = "watson_2018_liftmor.hirit.bmd.bmd_areal.femoral_neck.8_months.rom"
    assert blocks[liftmor] == "disputed"
    arms = {k.split(".")[1]: b for k, b in blocks.items() if k.startswith("de_oliveira")}
    assert arms == {"pilates": "reduced", "vibration": "reduced", "pilates+vibration": "pooled"}
    assert {b for k, b in blocks.items() if k.startswith("chilibeck")} == {"listed"}
    assert {b for k, b in blocks.items() if k.startswith("yu_2019")} == {"non_randomised"}
    per_set = {}
    for e in derived.effects:
        if e.pooled:
            key = (e.study_id, e.exercise_type, e.outcome, e.analyte, e.site, e.window, e.measure)
            per_set[key] = per_set.get(key, 0) + 1
    assert set(per_set.values()) == {1}, "the same participants never count twice"


def test_unknown_spread_is_never_pooled(shipped):
    tables, derived = shipped
    unknown = {
        cell_name(row, "spread") for row in tables.measurements if row.spread_kind == "unknown"
    }
    used = {cell for effect in derived.effects for cell in map(str, effect.inputs)}
    assert unknown and not unknown & used


numbers = st.tuples(st.floats(0.2, 5), st.floats(0.05, 1), st.floats(0.2, 5), st.floats(0.05, 1))


@settings(deadline=None)
@given(numbers, st.integers(5, 60), st.integers(5, 60))
def test_swapping_arms_flips_the_sign(values, n_e, n_c):
    m1, s1, m2, s2 = (round(v, 3) for v in values)
    one = effects_of(review_of([measurement("e", "end", mean=m1, sd=s1, n=n_e),
                             measurement("c", "end", mean=m2, sd=s2, n=n_c)]))  # fmt: skip
    other = effects_of(review_of([measurement("e", "end", mean=m2, sd=s2, n=n_c),
                               measurement("c", "end", mean=m1, sd=s1, n=n_e)]))  # fmt: skip
    assert one.keys() == other.keys()
    for measure, effect in one.items():
        assert effect.yi == pytest.approx(-other[measure].yi, abs=1e-12)
        assert effect.vi == pytest.approx(other[measure].vi)


@settings(deadline=None)
@given(numbers)
def test_rescaling_the_unit_leaves_smd_and_rom(values):
    m1, s1, m2, s2 = (round(v, 3) for v in values)
    base = [("e", m1, s1), ("c", m2, s2)]
    one = effects_of(review_of([measurement(a, "end", mean=m, sd=s, n=20) for a, m, s in base]))
    rows = [
        measurement(a, "end", mean=f"{m * 1000:.0f}", sd=f"{s * 1000:.0f}", n=20)
        for a, m, s in base
    ]
    rows = [row.model_copy(update={"unit": "pg/mL"}) for row in rows]
    other = effects_of(review_of(rows))
    for measure in one:
        assert one[measure].yi == pytest.approx(other[measure].yi, rel=1e-9)
        assert one[measure].vi == pytest.approx(other[measure].vi, rel=1e-9)


@pytest.mark.parametrize(("measure", "case"), [("MD", "MD_LS"), ("SMD", "SMD_LS")])
def test_post_scores_agree_with_metafor(measure, case):
    """POST against metafor's escalc over its grid."""
    raw, theirs = ORACLE["escalc_grid"]["raw"], ORACLE["escalc_grid"]["cases"][case]
    for i, (yi, vi) in enumerate(zip(theirs["yi"], theirs["vi"], strict=True)):
        rows = [
            measurement(arm, "end", mean=raw[f"m{g}i"][i], sd=raw[f"sd{g}i"][i], n=raw[f"n{g}i"][i])
            for arm, g in (("e", 1), ("c", 2))
        ]
        effect = effects_of(review_of(rows))[measure]
        assert effect.yi == pytest.approx(yi, rel=1e-8, abs=1e-12)
        assert effect.vi == pytest.approx(vi, rel=1e-8)
