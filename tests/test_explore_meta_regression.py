"""Meta-regression and subgroups against metafor, and against odd data."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.explore.meta_regression import meta_regression, subgroups
from osteometa.explore.permutation import permute_moderator

ORACLE = json.loads((Path(__file__).parent / "oracle" / "metafor.json").read_text())["datasets"]
CI = {"z": "wald", "knha": "hksj"}
REGRESSIONS = [
    (name, key, fit)
    for name, data in ORACLE.items()
    for key, model in data.get("meta_regression", {}).items()
    for fit in model["fits"]
    if fit.split("_")[0] in ("EE", "DL", "REML")
]
GROUPED = [
    (name, key) for name, data in ORACLE.items() for key in data if key.startswith("subgroup_")
]
CLOSED, ITERATED = 1e-8, 1e-6


def tolerance_of(method):
    return ITERATED if method == "REML" else CLOSED


def agrees(ours, theirs, scale, tolerance):
    return abs(ours - theirs) <= tolerance * max(abs(theirs), abs(scale) / 1000)


@pytest.mark.parametrize(("name", "key", "fit"), REGRESSIONS)
def test_meta_regression_agrees_with_metafor(name, key, fit):
    model = ORACLE[name]["meta_regression"][key]
    theirs = model["fits"][fit]
    method, test = fit.split("_")
    X = np.array(model["design_matrix"], dtype=float)
    ours = meta_regression(
        model["yi"], model["vi"], X[:, 1:], method=method, ci=CI[test], per_covariate=1
    )
    tolerance = tolerance_of(method)
    assert agrees(ours.tau2, theirs["tau2"], float(np.mean(model["vi"])), tolerance)
    slopes = 0.0
    for j, term in enumerate(ours.terms, start=1):
        for found, column in (
            (term.slope, "beta"), (term.se, "se"), (term.ci_low, "ci_lb"), (term.ci_high, "ci_ub"),
        ):  # fmt: skip
            assert agrees(found, theirs[column][j], theirs["se"][j], tolerance)
        assert agrees(term.statistic, theirs["stat"][j], 1, tolerance)
        assert agrees(term.p, theirs["pval"][j], 1, tolerance)
        slopes += term.slope * term.centre
    assert agrees(ours.intercept - slopes, theirs["beta"][0], theirs["se"][0], tolerance)
    assert agrees(ours.statistic, theirs["QM"], 1, tolerance)
    assert [ours.df1, ours.df2] == theirs["QM_df"]
    assert agrees(ours.p, theirs["QMp"], 1, tolerance)
    assert agrees(ours.q, theirs["QE"], 1, CLOSED) and agrees(ours.q_p, theirs["QEp"], 1, CLOSED)
    if method != "EE":
        # metafor's I2 is relative to 100; its tau2 of 1e-16 is our 0.
        assert agrees(ours.i2, theirs["I2"], 100, tolerance)
        assert agrees(ours.r2, theirs["R2"], 100, tolerance)


def test_the_intercept_is_the_effect_at_the_means():
    model = ORACLE["bcg_RR"]["meta_regression"]["ablat"]
    x = np.array(model["design_matrix"])[:, 1]
    ours = meta_regression(model["yi"], model["vi"], x, names=["latitude"])
    assert ours.status == "ok" and ours.terms[0].name == "latitude"
    assert ours.terms[0].centre == pytest.approx(np.mean(x))
    moved = meta_regression(model["yi"], model["vi"], x + 1e6, names=["latitude"])
    assert moved.intercept == pytest.approx(ours.intercept, rel=1e-9)
    assert moved.terms[0].slope == pytest.approx(ours.terms[0].slope, rel=1e-9)
    permuted = permute_moderator(
        model["yi"], model["vi"], x, permutations=20, exact_up_to=0, ci="hksj-floor"
    )
    assert permuted.statistic == pytest.approx(ours.terms[0].statistic, rel=1e-9)


def test_each_covariate_needs_ten_studies():
    data = ORACLE["bcg_RR"]
    x = np.column_stack([np.arange(13.0), np.arange(13.0) ** 2])
    ours = meta_regression(data["yi"], data["vi"], x)
    assert (ours.status, ours.reason) == ("not_applicable", "13 studies: 2 covariates need 20")
    assert ours.intercept is None and ours.terms == ()


def test_an_unknown_covariate_leaves_its_study_out():
    data = ORACLE["raudenbush1985"]
    y, v, x = np.array(data["yi"]), np.array(data["vi"]), np.arange(19.0)
    x[[3, 7]] = math.nan
    ours = meta_regression(y, v, x)
    known = np.isfinite(x)
    assert (ours.k, ours.left_out) == (17, 2)
    assert ours.terms == meta_regression(y[known], v[known], x[known]).terms


@pytest.mark.parametrize(("name", "key"), GROUPED)
@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
def test_subgroups_agree_with_metafor(name, key, method):
    data = ORACLE[name]
    theirs = data[key][method]
    group, tolerance = data[key]["group"], tolerance_of(method)
    options = {"method": method, "ci": "wald"}
    ours = subgroups(data["yi"], data["vi"], group, tau2="separate", **options)
    found = {one.name: one for one in ours.groups}
    for other in theirs["separate_tau2"]:
        one = found[str(other["level"])]
        assert one.k == other["k"]
        width = other["ci"][1] - other["ci"][0]
        assert agrees(one.estimate, other["estimate"], width, tolerance)
        assert agrees(one.se, other["se"], width, tolerance)
        if one.k > 1:
            assert agrees(one.tau2, other["tau2"], float(np.mean(data["vi"])), tolerance)
    assert agrees(ours.statistic, theirs["Q_between_separate_tau2"], 1, tolerance)
    assert ours.df1 == theirs["Q_between_df"] and ours.df2 is None
    assert agrees(ours.p, theirs["Q_between_p"], 1, tolerance)
    common = subgroups(data["yi"], data["vi"], group, tau2="common", **options)
    assert agrees(common.groups[0].tau2, theirs["common_tau2"]["tau2"], 1, tolerance)
    assert agrees(common.statistic, theirs["common_tau2"]["QM"], 1, tolerance)
    assert agrees(common.p, theirs["common_tau2"]["QMp"], 1, tolerance)
    hartung = subgroups(data["yi"], data["vi"], group, tau2="common", method=method, ci="hksj")
    assert agrees(hartung.statistic, theirs["common_tau2_knha_F"]["F"], 1, tolerance)
    assert [hartung.df1, hartung.df2] == theirs["common_tau2_knha_F"]["df"]
    assert agrees(hartung.p, theirs["common_tau2_knha_F"]["p"], 1, tolerance)


odd = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, -0.2, 1e5, 0.7]), st.sampled_from([0.04, 0.1, 1e-9, 1e8]),
        st.sampled_from([0.0, 1.0, 2.0, 2011.0, math.nan]), st.sampled_from(["a", "b", "c"]),
    ),
    max_size=7,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(odd, st.sampled_from(["wald", "hksj", "hksj-floor"]))
def test_odd_data_give_a_reason_and_never_nan(rows, ci):
    y, v, x, group = ([row[i] for row in rows] for i in range(4))
    ours = meta_regression(y, v, np.array(x), method="DL", ci=ci, per_covariate=1)
    if ours.status == "ok":
        numbers = [ours.intercept, ours.statistic, ours.p, ours.tau2, ours.i2, ours.terms[0].p]
        assert all(math.isfinite(n) for n in numbers)
    else:
        assert ours.reason and ours.intercept is None and not ours.terms
    for tau2 in ("common", "separate"):
        found = subgroups(y, v, group, tau2=tau2, method="DL", ci=ci)
        if found.status == "ok":
            assert math.isfinite(found.statistic) and 0 <= found.p <= 1
            assert all(math.isfinite(one.ci_low) for one in found.groups)
        else:
            assert found.reason and found.p is None


def test_subgroups_of_the_borenstein_book():
    """Checks 33 and 34 of METHODS: chapter 19, studies A and B."""
    y = [0.110, 0.224, 0.338, 0.451, 0.480, 0.440, 0.492, 0.651, 0.710, 0.740]
    v = [0.010, 0.030, 0.020, 0.015, 0.010, 0.015, 0.020, 0.015, 0.025, 0.012]
    group = ["A"] * 5 + ["B"] * 5
    ours = subgroups(y, v, group, tau2="separate", method="DL", ci="wald")
    a, b = ours.groups
    assert (round(a.estimate, 4), round(a.se, 4)) == (0.3245, 0.0799)
    assert (round(b.estimate, 4), round(b.se, 4)) == (0.6100, 0.0611)
    assert (round(ours.statistic, 4), round(ours.p, 4)) == (8.0547, 0.0045)
    ours = subgroups(y, v, group, tau2="common", method="DL", ci="wald")
    a, b = ours.groups
    assert (round(a.estimate, 4), round(a.se, 4)) == (0.3247, 0.0706)
    assert (round(b.estimate, 4), round(b.se, 4)) == (0.6083, 0.0727)
    assert (round(ours.statistic, 4), round(ours.p, 4)) == (7.8324, 0.0051)
    assert round(a.tau2, 4) == 0.0097
