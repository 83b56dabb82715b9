"""Permutation tests against PyMARE and a count by hand; beside metafor in compare_studies."""

import math

import numpy as np
import pytest
from compare import ORACLE, TIGHT, arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.sensitivity.permutation import permute_moderator, sign_flip


def test_few_effects_are_permuted_in_every_way():
    y, v = arrays("bcg_RR")
    flips = sign_flip(y, v, method="DL")
    assert flips.exact and flips.permutations == 2**13
    orders = permute_moderator(y[:6], v[:6], TIGHT["bcg"]["first_six_ablat"]["ablat"], ci="wald")
    # Two trials share a latitude: 360 different orders of 720.
    assert orders.exact and orders.permutations == 360


def test_sign_flips_agree_with_pymare():
    from pymare import Dataset
    from pymare.estimators import DerSimonianLaird

    data = ORACLE["bmd_g_per_cm2_SMD"]
    reference = DerSimonianLaird().fit_dataset(
        Dataset(np.array(data["yi"])[:, None], np.array(data["vi"])[:, None])
    )
    theirs = reference.summary().permutation_test(2**10).perm_p["fe_p"]
    assert sign_flip(data["yi"], data["vi"], method="DL").p == pytest.approx(float(theirs[0][0]))


def test_the_statistic_is_that_of_the_model():
    data = ORACLE["bcg_RR"]
    ours = sign_flip(data["yi"], data["vi"], method="DL", permutations=50)
    assert ours.statistic == pytest.approx(data["estimators"]["DL"]["z"]["stat"], rel=1e-8)


def test_a_seeded_sample_is_near_the_exact_p_and_repeats():
    data = ORACLE["normand1999_SMD"]
    exact = sign_flip(data["yi"], data["vi"], method="DL")
    drawn = {"method": "DL", "permutations": 500}
    ours = sign_flip(data["yi"], data["vi"], **drawn, seed=3)
    assert not ours.exact and ours.permutations == 500
    assert abs(ours.p - exact.p) < 4 * math.sqrt(exact.p * (1 - exact.p) / 500)
    assert ours == sign_flip(data["yi"], data["vi"], **drawn, seed=3)
    assert ours.p != sign_flip(data["yi"], data["vi"], **drawn, seed=4).p


@pytest.mark.parametrize("most", [2**9, 500])
def test_patterns_that_are_fitted_in_turn_give_the_same(monkeypatch, most):
    data = ORACLE["normand1999_SMD"]
    whole = sign_flip(data["yi"], data["vi"], permutations=most)
    monkeypatch.setattr("osteometa.sensitivity.permutation.TOGETHER", 37)
    assert sign_flip(data["yi"], data["vi"], permutations=most) == whole


def test_rounding_does_not_untie():
    """Equal studies: every pattern with as many minus signs has the same statistic."""
    y, v = [0.1, 0.1, 0.1, 0.3, 0.3], [0.07, 0.07, 0.07, 0.11, 0.11]
    for scale in (1.0, 1e-3, 1 / 3, 1e5):
        ours = sign_flip([scale * x for x in y], [scale**2 * x for x in v], method="DL")
        assert ours.p == sign_flip(y, v, method="DL").p


@pytest.mark.parametrize("value", [0.3, 0.1, 1 / 3, 1e-9])
def test_equal_effects_have_no_test_of_plain_hartung_and_knapp(value):
    ours = sign_flip([value] * 5, [0.1, 0.2, 0.1, 0.3, 0.1], method="DL", ci="hksj")
    assert ours.status == "not_estimable" and "the standard error is 0" in ours.reason


def test_sampled_moderator_agrees_with_metafor():
    data = ORACLE["bcg_RR"]
    model = data["meta_regression"]["ablat"]
    x = [row[1] for row in model["design_matrix"]]
    ours = permute_moderator(data["yi"], data["vi"], x, method="DL", ci="wald", permutations=1000)
    fit = model["fits"]["DL_z"]
    assert ours.statistic == pytest.approx(fit["stat"][1], rel=1e-8)
    # metafor's p of 0.011 (REML) comes from 1,000 orders, too.
    theirs = data["permutest_ablat_REML_seed1234_iter1000"]["pval"][1]
    assert abs(ours.p - theirs) < 5 * math.sqrt(2 * theirs / 1000)


@pytest.mark.parametrize(
    ("y", "x", "word"),
    [
        ([], [], "no study"), ([0.1, 0.2, 0.3], [1, 2, 3], "studies"),
        ([0.1, 0.2, 0.3, 0.4], [2, 2, 2, 2], "same"),
        ([0.1, 0.2, 0.3, 0.4], [1, 2, math.nan, 2], "not known"),
    ],
)  # fmt: skip
def test_moderator_that_cannot_be_tested(y, x, word):
    ours = permute_moderator(y, [0.1] * len(y), x)
    assert ours.status == "not_estimable" and word in ours.reason and ours.p is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.3, -0.2, 1e5, 0.7]), st.sampled_from([0.04, 0.1, 1e-9, 1e8])
        ),
        max_size=6,
    ),
    st.sampled_from(["wald", "hksj", "hksj-floor"]),
)
def test_odd_data_give_a_reason_or_a_possible_p(pairs, ci):
    y, v = [p[0] for p in pairs], [p[1] for p in pairs]
    for ours in (
        sign_flip(y, v, method="DL", ci=ci),
        permute_moderator(y, v, list(range(len(y))), method="DL", ci=ci),
    ):
        if ours.status == "ok":
            assert ours.p_smallest <= ours.p * (1 + 1e-12) <= 1 + 1e-9
            assert math.isfinite(ours.statistic)
        else:
            assert ours.reason and ours.p is None
