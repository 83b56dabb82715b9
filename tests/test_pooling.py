"""The solver against metafor, against published numbers, and against itself."""

import json
import math
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.pooling.model import (
    CI_METHODS,
    METHODS,
    Pooled,
    checked,
    joint_test,
    pool,
    regress,
)
from osteometa.pooling.tau2 import profile_likelihood, q_profile

ORACLE = json.loads((Path(__file__).parent / "oracle" / "metafor.json").read_text())["datasets"]


def check(yi, vi, **more):
    return pool(yi, vi, **more)


LIPSEY_Y = [-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0]
LIPSEY_V = [0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067]
SET1_Y = [0.0945, 0.2774, 0.3665, 0.6644, 0.4618, 0.1852]
SET1_V = [0.0329, 0.0307, 0.0499, 0.0105, 0.0427, 0.0234]
A_Y, A_V = [0.110, 0.224, 0.338, 0.451, 0.480], [0.010, 0.030, 0.020, 0.015, 0.010]
B_Y, B_V = [0.440, 0.492, 0.651, 0.710, 0.740], [0.015, 0.020, 0.015, 0.025, 0.012]


def test_borenstein_set_1():
    """Borenstein et al. 2009, chapters 12 and 14."""
    common = check(SET1_Y, SET1_V, method="EE", ci="wald")
    assert round(common.estimate, 3) == 0.414
    assert round(common.se, 3) == 0.064
    dl = check(SET1_Y, SET1_V, method="DL", ci="wald", pi_df="k-2")
    assert (round(dl.tau2, 3), round(dl.estimate, 3), round(dl.se, 3)) == (0.037, 0.358, 0.105)
    assert (round(dl.pi_low, 2), round(dl.pi_high, 2)) == (-0.25, 0.97)
    floor = check(SET1_Y, SET1_V)
    assert (round(floor.se, 3), round(floor.i2, 1)) == (0.101, 54.7)


def test_lipsey():
    """Ten effects: common effect, DL, REML with Hartung-Knapp."""
    common = check(LIPSEY_Y, LIPSEY_V, method="EE", ci="wald")
    assert (round(common.estimate, 4), round(common.se, 4)) == (0.1549, 0.0609)
    assert round(common.q, 4) == 14.7640
    dl = check(LIPSEY_Y, LIPSEY_V, method="DL", ci="wald")
    assert (round(dl.tau2, 6), round(dl.estimate, 4)) == (0.025955, 0.1534)
    reml = check(LIPSEY_Y, LIPSEY_V, ci="hksj")
    assert round(reml.tau2, 5) == 0.02318
    assert (round(reml.ci_low, 4), round(reml.ci_high, 4)) == (-0.0369, 0.3452)
    assert (round(reml.pi_low, 4), round(reml.pi_high, 4)) == (-0.2397, 0.5479)


def test_small_and_equal_effects():
    """Three that agree, two that do not."""
    plain = check([0.10, 0.11, 0.12], [0.04, 0.05, 0.06], ci="hksj")
    floor = check([0.10, 0.11, 0.12], [0.04, 0.05, 0.06])
    assert (round(plain.ci_low, 4), round(plain.ci_high, 4)) == (0.0840, 0.1333)
    assert (round(floor.ci_low, 4), round(floor.ci_high, 4)) == (-0.4393, 0.6566)
    two = check([0.30, 0.90], [0.04, 0.06])
    assert (round(two.tau2, 2), round(two.estimate, 4)) == (0.13, 0.5833)
    assert (round(two.ci_low, 4), round(two.ci_high, 4)) == (-3.2226, 4.3893)


def test_borenstein_chapter_19():
    """Subgroups with separate and with common tau2."""
    a = check(A_Y, A_V, method="DL", ci="wald")
    b = check(B_Y, B_V, method="DL", ci="wald")
    assert (round(a.estimate, 4), round(a.se, 4)) == (0.3245, 0.0799)
    assert (round(b.estimate, 4), round(b.se, 4)) == (0.6100, 0.0611)
    between = check([a.estimate, b.estimate], [a.se**2, b.se**2], method="EE", ci="wald")
    assert (round(between.q, 4), round(between.q_p, 4)) == (8.0547, 0.0045)
    X = np.array([[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 5)
    fit = regress(A_Y + B_Y, A_V + B_V, X, method="DL", ci="wald")
    assert round(fit.tau2, 4) == 0.0097
    assert [round(float(c), 4) for c in fit.coefficients] == [0.3247, 0.6083]
    statistic, df1, df2, p = joint_test(fit, np.array([[1.0, -1.0]]))
    assert (round(statistic, 4), df1, df2, round(p, 4)) == (7.8324, 1, None, 0.0051)


def test_second_maximum_is_found():
    data = ORACLE["gibson2002_MD"]
    assert round(pool(data["yi"], data["vi"]).tau2, 3) == 9.679


def test_one_and_none():
    one = pool([0.3], [0.04])
    assert (one.status, one.tau2, one.q, one.pi_low) == ("listed", None, None, None)
    assert round(one.ci_low, 4) == round(0.3 - 1.959963985 * 0.2, 4)
    assert pool([], []).status == "not_estimable"


def test_equal_effects_have_no_plain_standard_error():
    same = pool([0.2, 0.2, 0.2], [0.1, 0.2, 0.3], ci="hksj")
    assert same.statistic is None and same.p == 0.0 and "equal" in same.note
    zero = pool([0.0, 0.0, 0.0], [0.1, 0.2, 0.3], ci="hksj")
    assert zero.statistic is None and zero.p is None


@pytest.mark.parametrize(("yi", "vi"), [([1.0], [0.0]), ([1.0], [-1.0]), ([math.nan], [1.0]),
                                        ([1.0], [math.inf]), ([1.0, 2.0], [1.0])])  # fmt: skip
def test_impossible_input_is_refused(yi, vi):
    with pytest.raises(ValueError, match=r"effect|variance|length"):
        checked(yi, vi)


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize(
    "name", ["bmd_g_per_cm2_MD", "gibson2002_MD", "bcg_RR", "hard_variance_ratio_1e8"]
)
def test_scale_equivariance(name, factor):
    data = ORACLE[name]
    base = pool(data["yi"], data["vi"])
    scaled = pool([y * factor for y in data["yi"]], [v * factor**2 for v in data["vi"]])
    for field, power in (
        ("estimate", 1),
        ("se", 1),
        ("ci_low", 1),
        ("tau2", 2),
        ("tau2_ci_high", 2),
        ("i2", 0),
    ):
        ours, wanted = getattr(scaled, field), getattr(base, field) * factor**power
        assert ours == pytest.approx(wanted, rel=1e-7, abs=1e-12 * factor**power)


effects = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.001, 5)), min_size=2, max_size=12)


@settings(max_examples=60, deadline=None)
@given(effects, st.floats(-3, 3))
def test_shift_swap_and_permute(rows, shift):
    y, v = [row[0] for row in rows], [row[1] for row in rows]
    base = pool(y, v)
    moved = pool([x + shift for x in y], v)
    swapped = pool([-x for x in y], v)
    turned = pool(y[::-1], v[::-1])
    assert moved.estimate == pytest.approx(base.estimate + shift, abs=1e-6)
    assert swapped.estimate == pytest.approx(-base.estimate, abs=1e-6)
    assert turned.estimate == pytest.approx(base.estimate, abs=1e-6)
    assert base.se >= math.sqrt(1 / sum(1 / (x + base.tau2) for x in v)) * (1 - 1e-12)
    low, high = q_profile(np.array(y), np.array(v), np.ones((len(y), 1)))
    assert 0 <= low <= high


def test_every_estimator_is_a_choice_of_the_config_and_of_the_command():
    from osteometa import cli, config

    field = config.Pooling.model_fields["method"]
    assert set(field.annotation.__args__) == set(METHODS) == set(cli.pool.METHODS)


def test_raudenbush_and_collins():
    """Published estimates by several methods."""
    y = [.03, .12, -.14, 1.18, .26, -.06, -.02, -.32, .27, .80, .54, .18, -.02, .23, -.18, -.06,
         .30, .07, -.07]  # fmt: skip
    v = [.0156, .0216, .0279, .1391, .1362, .0106, .0106, .0484, .0269, .0630, .0912, .0497, .0835,
         .0841, .0253, .0279, .0193, .0088, .0303]  # fmt: skip
    found = {m: round(pool(y, v, method=m).tau2, 4) for m in ("ML", "REML", "DL", "HE")}
    assert found == {"ML": 0.0126, "REML": 0.0188, "DL": 0.0259, "HE": 0.0804}
    hksj = pool(y, v, ci="hksj")
    # Printed is t = 1.3593: metafor's search stops early; at tight convergence it is 1.35924.
    assert (round(hksj.se, 4), round(hksj.statistic, 5)) == (0.0616, 1.35924)
    assert (round(hksj.ci_low, 4), round(hksj.ci_high, 4)) == (-0.0457, 0.2131)
    # The printed effects of Collins are rounded to four digits, so tau2 is good to three.
    y = [0.0418, -0.9237, -1.1221, -1.4733, -1.3910, -0.2969, -0.2615, 1.0888, 0.1353]
    v = [0.1596, 0.1177, 0.1780, 0.2989, 0.1143, 0.0146, 0.1207, 0.6864, 0.0679]
    found = {m: pool(y, v, method=m) for m in ("DL", "ML", "REML")}
    assert found["DL"].tau2 == pytest.approx(0.2297, rel=2e-3)
    assert found["ML"].tau2 == pytest.approx(0.2386, rel=2e-3)
    assert found["REML"].tau2 == pytest.approx(0.3008, rel=2e-3)
    limits = (found["DL"].tau2_ci_low, found["DL"].tau2_ci_high)
    assert limits == pytest.approx((0.0723, 2.2027), rel=2e-3)


def test_bcg():
    """I2 with its interval, and the first trial left out."""
    data = ORACLE["bcg_RR"]
    dl = pool(data["yi"], data["vi"], method="DL", ci="wald")
    assert (round(dl.tau2, 4), round(dl.i2, 2)) == (0.3088, 92.12)
    assert (round(dl.tau2_ci_low, 4), round(dl.tau2_ci_high, 4)) == (0.1197, 1.1115)
    assert (round(dl.i2_ci_low, 2), round(dl.i2_ci_high, 2)) == (81.92, 97.68)
    rest = pool(data["yi"][1:], data["vi"][1:], ci="wald")
    assert [round(x, 4) for x in (rest.estimate, rest.se, rest.tau2)] == [-0.7071, 0.1900, 0.3362]


def test_composites_of_two_outcomes():
    """Borenstein et al. 2009, chapter 24: the mean of a pair and its variance."""
    pairs = [(0.3, 0.1), (0.2, 0.1), (0.4, 0.2), (0.2, 0.1), (0.4, 0.3)]
    v, r = [0.05, 0.02, 0.05, 0.01, 0.06], [0.5, 0.6, 0.6, 0.4, 0.8]
    means = [sum(pair) / 2 for pair in pairs]
    variances = [x / 2 * (1 + rho) for x, rho in zip(v, r, strict=True)]
    assert (means[0], round(variances[0], 4)) == (0.2, 0.0375)
    assert (round(means[4], 2), round(variances[4], 4)) == (0.35, 0.0540)
    fit = pool(means, variances, method="EE", ci="wald")
    assert (round(fit.estimate, 4), round(fit.se, 4)) == (0.1819, 0.0602)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("power", [-6, -3, 3, 6])
def test_every_estimator_is_scale_equivariant(method, power):
    """BMD in g/cm2 or in ug/cm2: tau2 by the square of the factor, I2 by none."""
    factor = 10.0**power
    for name in ("bmd_g_per_cm2_MD", "gibson2002_MD", "hard_tau2_near_zero", "bcg_RR"):
        y, v = np.array(ORACLE[name]["yi"]), np.array(ORACLE[name]["vi"])
        base, scaled = pool(y, v, method=method), pool(factor * y, factor**2 * v, method=method)
        for field in fields(Pooled):
            one, two = getattr(base, field.name), getattr(scaled, field.name)
            if not isinstance(one, float):
                continue
            order = 2 if field.name.startswith("tau2") else 1
            if field.name.split("_")[0] in ("i2", "h2", "q", "statistic", "df", "p"):
                order = 0
            hair = 1e-10 * float(np.mean(v)) ** (order / 2) * factor**order
            assert two == pytest.approx(one * factor**order, rel=1e-8, abs=hair), field.name


@settings(max_examples=60, deadline=None)
@given(effects, st.sampled_from(METHODS), st.sampled_from(CI_METHODS))
def test_what_is_ok_has_no_nan_and_ordered_intervals(rows, method, ci):
    y, v = [row[0] for row in rows], [row[1] for row in rows]
    fit = pool(y, v, method=method, ci=ci)
    for name, value in asdict(fit).items():
        if isinstance(value, float):
            assert math.isfinite(value), name
    assert fit.ci_low <= fit.estimate <= fit.ci_high
    assert sum(fit.weights) == pytest.approx(100)
    assert 0 <= fit.i2 <= 100
    if method != "EE":
        assert fit.tau2_ci_low <= fit.tau2_ci_high
        assert fit.i2_ci_low <= fit.i2_ci_high and 1 <= fit.h2_ci_low <= fit.h2_ci_high
    tiny = pool([*y, 3.0], [*v, 1e14], method="EE")
    assert tiny.estimate == pytest.approx(pool(y, v, method="EE").estimate, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(effects, st.sampled_from(["REML", "ML"]))
def test_profile_likelihood_holds_the_estimate_and_is_scale_free(rows, method):
    y, v = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    X = np.ones((len(y), 1))
    low, high = profile_likelihood(y, v, X, method)
    assert low <= pool(y, v, method=method).tau2 <= high
    scaled = profile_likelihood(1e-3 * y, 1e-6 * v, X, method)
    assert scaled == pytest.approx((low * 1e-6, high * 1e-6), rel=1e-6, abs=1e-12 * np.min(v))
