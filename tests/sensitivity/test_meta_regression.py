"""Meta-regression against metafor, and against odd data."""

import json
import math

import numpy as np
import pytest
from builders import TESTS
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.sensitivity.meta_regression import line_of, meta_regression
from osteometa.sensitivity.permutation import permute_moderator

ORACLE = json.loads((TESTS / "oracle" / "metafor.json").read_text())["datasets"]
EXTRA = json.loads((TESTS / "oracle" / "explore.json").read_text())
CI = {"z": "wald", "knha": "hksj", "adhoc": "hksj-floor"}
REGRESSIONS = [
    (name, key, fit)
    for name, data in ORACLE.items()
    for key, model in data.get("meta_regression", {}).items()
    if len(model["design_matrix"][0]) == 2
    for fit in model["fits"]
    if fit.split("_")[0] in ("EE", "DL", "REML")
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
    x = np.array(model["design_matrix"], dtype=float)[:, 1]
    ours = meta_regression(model["yi"], model["vi"], x, method=method, ci=CI[test], least=1)
    tolerance = tolerance_of(method)
    assert agrees(ours.tau2, theirs["tau2"], float(np.mean(model["vi"])), tolerance)
    for found, column in (
        (ours.slope, "beta"), (ours.se, "se"), (ours.ci_low, "ci_lb"), (ours.ci_high, "ci_ub"),
    ):  # fmt: skip
        assert agrees(found, theirs[column][1], theirs["se"][1], tolerance)
    assert agrees(ours.statistic, theirs["stat"][1], 1, tolerance)
    assert agrees(ours.p, theirs["pval"][1], 1, tolerance)
    assert ours.df == theirs["QM_df"][1]
    at_zero = ours.intercept - ours.slope * ours.centre
    assert agrees(at_zero, theirs["beta"][0], theirs["se"][0], tolerance)
    if method != "EE":
        # metafor's R2 is relative to 100; its tau2 of 1e-16 is our 0.
        assert agrees(ours.r2, theirs["R2"], 100, tolerance)


def test_the_intercept_is_the_effect_at_the_means():
    model = ORACLE["bcg_RR"]["meta_regression"]["ablat"]
    x = np.array(model["design_matrix"])[:, 1]
    ours = meta_regression(model["yi"], model["vi"], x)
    assert ours.status == "ok" and ours.centre == pytest.approx(np.mean(x))
    moved = meta_regression(model["yi"], model["vi"], x + 1e6)
    assert moved.intercept == pytest.approx(ours.intercept, rel=1e-9)
    assert moved.slope == pytest.approx(ours.slope, rel=1e-9)
    permuted = permute_moderator(
        model["yi"], model["vi"], x, permutations=20, exact_up_to=0, ci="hksj-floor"
    )
    assert permuted.statistic == pytest.approx(ours.statistic, rel=1e-9)


@pytest.mark.parametrize("fit", EXTRA["bcg"]["line_ablat"]["fits"], ids=str)
@pytest.mark.parametrize("factor", [1.0, 1e-6, 1e3])
def test_the_band_of_the_line_is_that_of_predict(fit, factor):
    data, latitudes = ORACLE["bcg_RR"], EXTRA["bcg"]["line_ablat"]["latitudes"]
    x = np.array(data["meta_regression"]["ablat"]["design_matrix"])[:, 1]
    y, v = factor * np.array(data["yi"]), factor**2 * np.array(data["vi"])
    ours = meta_regression(y, v, x, method=fit["method"], ci=CI[fit["test"]])
    band = line_of(ours, latitudes)
    assert [at.x for at in band] == latitudes
    for name, column in (("fitted", "fitted"), ("ci_low", "low"), ("ci_high", "high")):
        found = np.array([getattr(at, name) for at in band]) / factor
        assert found == pytest.approx(fit[column], rel=ITERATED), name
    at_centre = line_of(ours, [ours.centre])[0]
    half = (band[0].ci_high - band[0].fitted) / math.sqrt(ours.covariance[0][0])
    assert at_centre.fitted == pytest.approx(ours.intercept, rel=1e-12) and half > 0


def test_there_is_no_line_without_an_estimate():
    data = ORACLE["bcg_RR"]
    few = meta_regression(data["yi"], data["vi"], np.arange(13.0), least=20)
    assert (few.status, few.reason) == ("not_applicable", "13 studies report it, 20 are needed")
    assert few.intercept is None and few.slope is None
    with pytest.raises(ValueError, match="20 are needed"):
        line_of(few, [1.0])


def test_ten_studies_are_enough_for_a_covariate_and_three_for_a_line():
    data = ORACLE["bcg_RR"]

    def fitted(k, **how):
        return meta_regression(data["yi"][:k], data["vi"][:k], np.arange(float(k)), **how)

    assert fitted(10).status == "ok" and fitted(9).status == "not_applicable"
    assert fitted(3, least=3).status == "ok"
    two = fitted(2, least=2)
    assert (two.status, two.reason) == ("not_estimable", "2 studies: 2 coefficients need 3")


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_why_a_slope_cannot_be_estimated(scale):
    x, v = np.arange(12.0), [0.1 * scale**2] * 12
    on_a_line = meta_regression(scale * (1 + 2 * x), v, x, method="DL", ci="hksj")
    assert on_a_line.status == "not_estimable"
    assert "all effects lie on the line" in on_a_line.reason
    alike = meta_regression(scale * np.sin(x), v, np.full(12, 2011 * scale))
    assert alike.status == "not_estimable"
    assert alike.reason == "a covariate is the same for all studies"


def test_an_unknown_covariate_leaves_its_study_out():
    data = ORACLE["raudenbush1985"]
    y, v, x = np.array(data["yi"]), np.array(data["vi"]), np.arange(19.0)
    x[[3, 7]] = math.nan
    ours = meta_regression(y, v, x)
    known = np.isfinite(x)
    assert ours.k == 17
    assert ours == meta_regression(y[known], v[known], x[known])


def test_effects_that_share_people_are_fitted_with_their_covariance():
    """Generalised least squares by hand at tau2 = 0; t on studies less coefficients."""
    y = np.array([0.30, 0.34, 0.25, 0.41, 0.38, 0.44])
    v = np.array([0.090, 0.085, 0.120, 0.070, 0.060, 0.100])
    V, x = np.diag(v), np.array([1.0, 2.0, 1.5, 3.0, 2.5, 4.0])
    V[0, 1] = V[1, 0] = 0.045
    study = ["a", "a", "b", "c", "d", "e"]
    ours = meta_regression(y, v, x, V=V, study=study, ci="wald", least=1)
    X = np.column_stack([np.ones(6), x])
    covariance = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    slope = (covariance @ X.T @ np.linalg.solve(V, y))[1]
    assert ours.tau2 == 0 and ours.k == 5
    assert ours.slope == pytest.approx(slope, rel=1e-9)
    assert ours.se == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-9)
    assert meta_regression(y, v, x, V=V, study=study, least=1).df == 3
    alone = meta_regression(y, v, x, ci="wald", least=1)
    assert alone.slope != pytest.approx(slope, rel=1e-3)


odd = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, -0.2, 1e5, 0.7]), st.sampled_from([0.04, 0.1, 1e-9, 1e8]),
        st.sampled_from([0.0, 1.0, 2.0, 2011.0, math.nan]),
    ),
    max_size=7,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(odd, st.sampled_from(["wald", "hksj", "hksj-floor"]))
def test_odd_data_give_a_reason_and_never_nan(rows, ci):
    y, v, x = ([row[i] for row in rows] for i in range(3))
    ours = meta_regression(y, v, np.array(x), method="DL", ci=ci, least=1)
    if ours.status == "ok":
        numbers = [ours.intercept, ours.statistic, ours.p, ours.tau2, ours.slope]
        assert all(math.isfinite(n) for n in numbers)
    else:
        assert ours.reason and ours.intercept is None
