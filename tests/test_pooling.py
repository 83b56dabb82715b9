"""The solver against metafor, against published numbers, and against itself."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osteometa.pooling.model import checked, joint_test, pool, regress
from osteometa.pooling.tau2 import q_profile

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
    """METHODS checks 23 to 25, Borenstein et al. 2009, chapters 12 and 14."""
    common = check(SET1_Y, SET1_V, method="EE", ci="wald")
    assert round(common.estimate, 3) == 0.414
    assert round(common.se, 3) == 0.064
    dl = check(SET1_Y, SET1_V, method="DL", ci="wald", pi_df="k-2")
    assert (round(dl.tau2, 3), round(dl.estimate, 3), round(dl.se, 3)) == (0.037, 0.358, 0.105)
    assert (round(dl.pi_low, 2), round(dl.pi_high, 2)) == (-0.25, 0.97)
    floor = check(SET1_Y, SET1_V)
    assert (round(floor.se, 3), round(floor.i2, 1)) == (0.101, 54.7)


def test_lipsey():
    """METHODS checks 26 and 27."""
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
    """METHODS checks 29 and 30: three that agree, two that do not."""
    plain = check([0.10, 0.11, 0.12], [0.04, 0.05, 0.06], ci="hksj")
    floor = check([0.10, 0.11, 0.12], [0.04, 0.05, 0.06])
    assert (round(plain.ci_low, 4), round(plain.ci_high, 4)) == (0.0840, 0.1333)
    assert (round(floor.ci_low, 4), round(floor.ci_high, 4)) == (-0.4393, 0.6566)
    two = check([0.30, 0.90], [0.04, 0.06])
    assert (round(two.tau2, 2), round(two.estimate, 4)) == (0.13, 0.5833)
    assert (round(two.ci_low, 4), round(two.ci_high, 4)) == (-3.2226, 4.3893)


def test_borenstein_chapter_19():
    """METHODS checks 33 and 34: subgroups with separate and with common tau2."""
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
