"""Small-study analyses against metafor, R and published numbers, and against odd data."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.explore.selection import selection_model
from osteometa.explore.small_study import egger, pet_peese, rank_test, small_study
from osteometa.explore.trim_fill import trim_fill

FOLDER = Path(__file__).parent / "oracle"
ORACLE = json.loads((FOLDER / "metafor.json").read_text())["datasets"]
# What metafor.json holds only with metafor's loose defaults, run tight (explore.R).
TIGHT = json.loads((FOLDER / "explore.json").read_text())
SETS = [name for name, data in ORACLE.items() if data.get("egger_regression_tests")]
# Nothing differs between equal effects: metafor prints what rounding left.
EQUAL = [name for name in SETS if name.startswith(("hard_identical", "hard_all_zero"))]
CLOSED, ITERATED = 1e-8, 1e-6


def agrees(ours, theirs, scale, tolerance):
    return abs(ours - theirs) <= tolerance * max(abs(theirs), abs(scale) / 1000)


def data_of(name):
    return np.array(ORACLE[name]["yi"]), np.array(ORACLE[name]["vi"])


@pytest.mark.parametrize("name", [name for name in SETS if name not in EQUAL])
@pytest.mark.parametrize(
    ("key", "method", "predictor"),
    [
        ("lm_sei", None, "sei"), ("lm_vi", None, "vi"), ("lm_ni", None, "ni"),
        ("lm_ninv", None, "ninv"), ("lm_sqrtninv", None, "sqrtninv"),
        ("rma_REML_sei", "REML", "sei"), ("rma_DL_sei", "DL", "sei"), ("rma_REML_vi", "REML", "vi"),
    ],
)  # fmt: skip
def test_egger_agrees_with_metafor(name, key, method, predictor):
    theirs = ORACLE[name]["egger_regression_tests"].get(key)
    y, v = data_of(name)
    if theirs is None:
        assert ORACLE[name].get("ni") is None or predictor in ("sei", "vi")
        return
    n = np.array(ORACLE[name].get("ni") or np.ones(len(y)), dtype=float)
    x = {"sei": np.sqrt(v), "vi": v, "ni": n, "ninv": 1 / n, "sqrtninv": 1 / np.sqrt(n)}[predictor]
    ours = egger(y, v, predictor=x, method=method)
    assert ours.status == "ok"
    if "error" in theirs:  # metafor finds small predictors "not of full rank"; we scale them
        assert "full rank" in theirs["error"]
        larger = egger(1e4 * y, 1e8 * v, predictor=1e4 * x, method=method)
        assert agrees(ours.statistic, larger.statistic, 1, ITERATED)
        return
    tolerance = ITERATED if method == "REML" else CLOSED
    assert agrees(ours.statistic, theirs["stat"], 1, tolerance)
    assert agrees(ours.p, theirs["pval"], 1, tolerance)
    assert agrees(ours.slope, theirs["slope"], ours.slope_se, tolerance)
    assert ours.df == theirs["df"]
    if theirs["intercept_limit_estimate"] is not None:
        width = ours.ci_high - ours.ci_low
        assert agrees(ours.estimate, theirs["intercept_limit_estimate"], width, tolerance)
        assert agrees(ours.ci_low, theirs["limit_ci"][0], width, tolerance)
        assert agrees(ours.ci_high, theirs["limit_ci"][1], width, tolerance)


@pytest.mark.parametrize("name", [n for n, t in TIGHT["sets"].items() if t["egger_REML_ninv"]])
@pytest.mark.parametrize("predictor", ["ninv", "sqrtninv"])
def test_mixed_egger_on_a_given_predictor(name, predictor):
    """On the part of the error that holds no effect, as M8 has it for SMDs."""
    theirs = TIGHT["sets"][name][f"egger_REML_{predictor}"]
    n = np.array(ORACLE[name]["ni"], dtype=float)
    x = 1 / n if predictor == "ninv" else 1 / np.sqrt(n)
    ours = egger(*data_of(name), predictor=x, method="REML")
    assert agrees(ours.statistic, theirs["z"], 1, ITERATED)
    assert agrees(ours.p, theirs["p"], 1, ITERATED)
    assert agrees(ours.estimate, theirs["limit"], theirs["se"], ITERATED)
    assert agrees(ours.se, theirs["se"], theirs["se"], ITERATED)


@pytest.mark.parametrize("name", SETS)
def test_rank_test_agrees_with_r(name):
    ours, theirs = rank_test(*data_of(name)), ORACLE[name]["rank_test"]
    if theirs["pval"] is None:
        assert ours.status == "not_estimable" and "equal" in ours.reason
        return
    if name in EQUAL:
        assert ours.status == "not_estimable"
        return
    assert agrees(ours.statistic, theirs["kendall_tau"], 1, CLOSED)
    assert agrees(ours.p, theirs["pval"], 1e-3, CLOSED)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
@pytest.mark.parametrize("side", ["auto", "left", "right"])
def test_trim_and_fill_agrees_with_metafor(name, method, side):
    theirs = ORACLE[name]["trimfill"][f"{method}_L0_{side}"]
    ours = trim_fill(*data_of(name), method=method, ci="wald", side=side)
    if "error" in theirs:
        if "full rank" in theirs["error"]:
            reference = ORACLE["hard_unit_scale_ref"]["trimfill"][f"{method}_L0_{side}"]
            assert (ours.filled, ours.side) == (reference["k0"], reference["side"])
        else:
            assert ours.status == "not_estimable" and "equally precise" in ours.reason
        return
    assert (ours.filled, ours.side) == (theirs["k0"], theirs["side"])
    if theirs["se_k0"] is None:
        assert ours.filled_se is None
    else:
        assert agrees(ours.filled_se, theirs["se_k0"], 1, ITERATED)
    width = theirs["ci"][1] - theirs["ci"][0]
    # metafor refits with its loose defaults here: see test_trim_and_fill_by_tight_reml.
    tolerance = 1e-3 if method == "REML" else CLOSED
    assert agrees(ours.estimate, theirs["estimate"], width, tolerance)
    assert agrees(ours.se, theirs["se"], width, tolerance)
    assert len(ours.filled_yi) == theirs["k0"]
    for effect, other in zip(ours.filled_yi, theirs["filled_yi"], strict=True):
        assert agrees(effect, other, width, tolerance)
    assert ours.filled_vi == pytest.approx(theirs["filled_vi"], rel=1e-12)


@pytest.mark.parametrize("name", [n for n, t in TIGHT["sets"].items() if t["trim_fill_REML"]])
def test_trim_and_fill_by_tight_reml(name):
    theirs = TIGHT["sets"][name]["trim_fill_REML"]
    y, v = data_of(name)
    ours = trim_fill(y, v, ci="wald")
    assert (ours.filled, ours.side) == (theirs["k0"], theirs["side"])
    assert agrees(ours.estimate, theirs["estimate"], theirs["se"], ITERATED)
    assert agrees(ours.se, theirs["se"], theirs["se"], ITERATED)
    assert agrees(ours.tau2, theirs["tau2"], float(np.mean(v)), ITERATED)


def test_trim_and_fill_in_small_units():
    """metafor's trimfill refits with an absolute threshold: right in mg/cm2, not in g/cm2."""
    data = TIGHT["small_units"]
    ours = trim_fill(data["yi"], data["vi"])
    assert (ours.side, ours.filled) == (data["mg"]["side"], data["mg"]["k0"])


def test_rank_test_is_exact_for_any_number_of_untied_studies():
    """R's `cor.test` alone would go over to the normal p at 50, metafor does not."""
    held = TIGHT["rank_of_52"]
    ours = rank_test(held["yi"], held["vi"])
    assert ours.statistic == pytest.approx(held["kendall_tau"], rel=1e-12)
    assert ours.p == pytest.approx(held["pval"], rel=1e-9)


def test_equal_studies_are_tied_wherever_they_stand():
    """Three pairs of equal studies among 35: sums in another order must not untie them."""
    random = np.random.default_rng(4)
    y, v = random.normal(size=35).round(1), random.uniform(0.01, 0.1, size=35).round(2)
    y[[3, 20]], v[[3, 20]], y[[7, 33]], v[[7, 33]] = 0.4, 0.05, -0.2, 0.03
    first = rank_test(y, v)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(35)
        assert rank_test(y[order], v[order]).statistic == first.statistic


def test_trim_and_fill_does_not_depend_on_the_order_of_ties():
    y, v = data_of("raudenbush1985")
    assert len(set(y)) < len(y)
    first = trim_fill(y, v)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        again = trim_fill(y[order], v[order])
        assert again.filled == first.filled


@pytest.mark.parametrize("name", [name for name in SETS if name not in EQUAL])
@pytest.mark.parametrize("method", [None, "REML"])
def test_pet_peese_agrees_with_metafor(name, method):
    kind = "wls" if method is None else "rma_REML"
    pet, peese, chosen = pet_peese(*data_of(name), method=method)
    for ours, key in ((pet, "PET"), (peese, "PEESE")):
        theirs = ORACLE[name]["pet_peese"][f"{key}_{kind}"]
        if "error" in theirs:
            assert "full rank" in theirs["error"] and ours.status == "ok"
            continue
        tolerance = ITERATED if method else CLOSED
        assert agrees(ours.estimate, theirs["estimate"], theirs["se"], tolerance)
        assert agrees(ours.se, theirs["se"], theirs["se"], tolerance)
        assert agrees(ours.estimate_p, theirs["pval"], 1, tolerance)
        assert agrees(ours.slope, theirs["slope"], theirs["slope_se"], tolerance)
        assert agrees(ours.p, theirs["slope_p"], 1, tolerance)
    read = peese if pet.estimate_p < 0.10 else pet
    assert (chosen.estimate, chosen.analysis) == (read.estimate, "pet_peese")


@pytest.mark.parametrize("name", [n for n, t in TIGHT["sets"].items() if t["selection"]])
def test_selection_model_agrees_with_metafor(name):
    """metafor maximises with numerical slopes: its maximum is good to 1e-6, never higher."""
    theirs = TIGHT["sets"][name]["selection"]
    y, v = data_of(name)
    ours = selection_model(y, v)
    assert ours.favoured == theirs["favoured"]
    assert ours.log_likelihood >= theirs["log_likelihood"] - 1e-9
    if name == "gibson2002_MD":
        # metafor stops at a local maximum with tau2 = 0, as with its REML; the higher one is real.
        assert ours.log_likelihood > theirs["log_likelihood"] + 3
        return
    width = ours.ci_high - ours.ci_low
    assert agrees(ours.estimate, theirs["estimate"], width, ITERATED)
    assert agrees(ours.se, theirs["se"], width, ITERATED)
    assert agrees(ours.tau2, theirs["tau2"], float(np.mean(v)), ITERATED)
    assert agrees(ours.relative_chance, theirs["relative_chance"], 1, ITERATED)
    assert agrees(ours.relative_chance_se, theirs["relative_chance_se"], 1, ITERATED)
    assert agrees(ours.lrt, theirs["lrt"], 1, ITERATED)


def log_likelihood(y, v, mu, tau2, chance):
    """The selection model's likelihood written down a second time, study by study."""
    total = 0.0
    for effect, variance in zip(y, v, strict=True):
        sd = math.sqrt(variance + tau2)
        limit = 1.959963984540054 * math.sqrt(variance)
        below = 0.5 * math.erfc(-(limit - mu) / sd / math.sqrt(2))
        density = math.exp(-0.5 * ((effect - mu) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
        seen = chance if effect < limit else 1.0
        total += math.log(seen * density / (1 - below + chance * below))
    return total


@pytest.mark.parametrize("name", ["gibson2002_MD", "bcg_RR", "konstantopoulos2011"])
def test_selection_model_is_at_a_maximum(name):
    y, v = data_of(name)
    ours = selection_model(y, v)
    sign = 1 if ours.favoured == "greater" else -1
    top = (sign * ours.estimate, ours.tau2, ours.relative_chance)
    assert log_likelihood(sign * y, v, *top) == pytest.approx(ours.log_likelihood, abs=1e-10)
    for i, size in enumerate((ours.se, ours.tau2, ours.relative_chance)):
        for step in (1e-3, -1e-3, 0.3, -0.3):
            near = list(top)
            near[i] += step * size
            assert log_likelihood(sign * y, v, *near) < ours.log_likelihood


@pytest.mark.parametrize(("name", "word"), [("begg1989", "every"), ("hard_tau2_zero_k10", "no ")])
def test_selection_needs_studies_on_both_sides_of_the_step(name, word):
    ours = selection_model(*data_of(name), favoured="greater")
    assert ours.status == "not_estimable" and ours.reason.startswith(word)
    assert ours.estimate is None


def test_below_ten_studies_everything_says_so():
    rows = small_study(*data_of("normand1999_SMD"))
    assert [row.analysis for row in rows] == [
        "egger", "egger_mixed", "rank", "trim_fill", "pet", "peese", "pet_peese", "selection",
    ]  # fmt: skip
    assert {row.status for row in rows} == {"not_applicable"}
    assert all("9 studies" in row.reason for row in rows)


def test_the_suite_holds_its_parts():
    y, v = data_of("bcg_RR")
    rows = {row.analysis: row for row in small_study(y, v)}
    assert {row.status for row in rows.values()} == {"ok"}
    assert rows["egger"].p == egger(y, v).p
    assert rows["trim_fill"].filled == 1 and rows["trim_fill"].side == "right"
    assert rows["selection"].p == selection_model(y, v).lrt_p


def numbers(record):
    for value in asdict(record).values():
        yield from value if isinstance(value, tuple) else (value,)


def is_whole(record):
    """No number that is not a number; a status that is not ok comes with a reason only."""
    found = [n for n in numbers(record) if isinstance(n, float)]
    assert all(math.isfinite(n) for n in found), record
    if record.status != "ok":
        assert record.reason and not found, record


effects = st.one_of(
    st.floats(-5, 5).map(lambda x: round(x, 3)), st.sampled_from([0.0, 0.3, 0.3, 1e-9, 1e5])
)
variances = st.one_of(
    st.floats(1e-3, 2).map(lambda x: round(x, 4)), st.sampled_from([0.04, 0.04, 1e-10, 1e8])
)
odd = st.lists(st.tuples(effects, variances.filter(lambda v: v > 0)), max_size=12)


@settings(max_examples=25, deadline=None)
@given(odd)
def test_odd_data_give_a_reason_and_never_nan(pairs):
    y, v = [p[0] for p in pairs], [p[1] for p in pairs]
    for row in small_study(y, v, least=0, method="DL"):
        is_whole(row)
    is_whole(trim_fill(y, v, method="EE", ci="wald", side="left"))
    is_whole(selection_model(y, v))


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("name", ["bcg_RR", "bmd_g_per_cm2_MD", "gibson2002_MD"])
def test_units_and_signs_change_nothing(name, scale):
    y, v = data_of(name)
    for first, other in zip(small_study(y, v), small_study(-scale * y, scale**2 * v), strict=True):
        assert first.status == other.status == "ok"
        if first.p is not None:
            assert other.p == pytest.approx(first.p, rel=1e-6)
        if first.estimate is not None:
            assert other.estimate == pytest.approx(-scale * first.estimate, rel=1e-6)
            assert other.se == pytest.approx(scale * first.se, rel=1e-6)
        assert other.filled == first.filled


def test_order_changes_nothing():
    y, v = data_of("gibson2002_SMD")
    order = np.random.default_rng(7).permutation(len(y))
    for first, other in zip(small_study(y, v), small_study(y[order], v[order]), strict=True):
        for name in ("estimate", "se", "p", "tau2", "filled"):
            before, after = getattr(first, name), getattr(other, name)
            assert after == (None if before is None else pytest.approx(before, rel=1e-7))


@pytest.mark.parametrize("v", [[0.1, 0.0, 0.2], [0.1, -0.1, 0.2], [0.1, math.nan, 0.2]])
def test_impossible_variances_are_refused(v):
    with pytest.raises(ValueError, match="variance 2"):
        egger([0.1, 0.2, 0.3], v, predictor=[1, 2, 3])
