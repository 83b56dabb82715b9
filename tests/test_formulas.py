"""Effect size formulas against metafor, published numbers and arithmetic by hand."""

import json
import math
from pathlib import Path

import pytest
from osteometa.effects import formulas as f
from osteometa.quantiles import (
    eta,
    from_five,
    from_quartiles,
    from_range,
    is_skewed,
    mean_and_sd,
    xi,
)
from osteometa.summaries import hedges_j

ORACLE = json.loads((Path(__file__).parent / "oracle" / "metafor.json").read_text())
GRID = ORACLE["escalc_grid"]
RAW = list(
    zip(*(GRID["raw"][k] for k in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")), strict=True)
)
PRE_POST = ORACLE["pre_post"]


def grid(case):
    """Yield the raw numbers with what metafor makes of them, rows it cannot do left out."""
    theirs = GRID["cases"][case]
    for raw, yi, vi in zip(RAW, theirs["yi"], theirs["vi"], strict=True):
        if vi is not None:
            yield raw, yi, vi


def close(ours, yi, vi):
    assert ours[0] == pytest.approx(yi, rel=1e-8, abs=1e-12)
    assert ours[1] == pytest.approx(vi, rel=1e-8)


@pytest.mark.parametrize("form", ["LS", "LS2", "UB"])
def test_smd_variances_agree_with_metafor(form):
    for raw, yi, vi in grid(f"SMD_{form}"):
        close(f.smd(*raw, form=form), yi, vi)


def test_average_adjusted_variance_agrees_with_metafor():
    rows = list(grid("SMD_AV"))
    g = [yi for _, yi, _ in rows]
    u = [1 / raw[2] + 1 / raw[5] for raw, _, _ in rows]
    n = [raw[2] + raw[5] for raw, _, _ in rows]
    assert f.average_adjusted(u, g, n) == pytest.approx([vi for *_, vi in rows], rel=1e-8)


def test_separate_sds_agree_with_metafor_before_its_4_6():
    for raw, yi, vi in grid("SMDH_LS"):
        close(f.smdh(*raw), yi, vi)


def test_difference_and_ratio_of_means_agree_with_metafor():
    for raw, yi, vi in grid("MD_LS"):
        close(f.md(*raw), yi, vi)
    for raw, yi, vi in grid("ROM_LS"):
        close(f.rom(*raw), yi, vi)


def test_hedges_factor_agrees_with_metafor():
    exact = GRID["hedges_J_exact"]
    for m, j in zip(exact["df"], exact["J"], strict=True):
        if j is not None:
            assert hedges_j(m) == pytest.approx(j, rel=1e-8)


@pytest.mark.parametrize("arm", ["treatment", "control"])
def test_before_and_after_in_one_arm_agrees_with_metafor(arm):
    raw = PRE_POST[arm]
    keys = ("m_post", "m_pre", "sd_post", "sd_pre", "ni", "ri")
    for i, (m1, m0, s1, s0, n, r) in enumerate(zip(*(raw[k] for k in keys), strict=True)):
        for name, ours in {
            "MC": f.mc(m1, m0, s1, s0, n, r),
            "SMCC": f.smcc(m1, m0, s1, s0, n, r),
            "SMCR": f.smcr(m1, m0, s0, n, r),
            "ROMC": f.romc(m1, m0, s1, s0, n, r),
        }.items():
            theirs = PRE_POST["by_measure"][f"{name}_{arm}"]
            close(ours, theirs["yi"][i], theirs["vi"][i])


def morris():
    """Return exercise and control arms of the five trials of Morris (2008)."""
    keys = ("m_pre", "m_post", "sd_pre", "ni", "ri")
    arms = [zip(*(PRE_POST[a][k] for k in keys), strict=True) for a in ("treatment", "control")]
    return list(zip(*arms, strict=True))


def test_morris_pre_post_control():
    """Checks 17 and 18: d_ppc2 and its variance, and gT - gC."""
    found = [f.ppc(*pair) for pair in morris()]
    assert [round(g, 4) for g, _ in found] == [0.7684, 0.8010, 1.2045, 1.0476, 0.4389]
    assert [round(v, 4) for _, v in found] == [0.1134, 0.0350, 0.1425, 0.0681, 0.1634]
    for i, pair in enumerate(morris()):
        parts = [PRE_POST["by_measure"][f"SMCR_{arm}"] for arm in ("treatment", "control")]
        close(
            f.becker(*pair), parts[0]["yi"][i] - parts[1]["yi"][i], sum(p["vi"][i] for p in parts)
        )
    gT, gC = (PRE_POST["by_measure"][f"SMCR_{arm}"]["yi"][0] for arm in ("treatment", "control"))
    assert (round(gT, 4), round(gC, 4)) == (0.5056, -0.2365)


def test_crossover_of_the_handbook():
    """Check 6: SD of the difference 1.8426, SE .583; d .218, with J .199; SE(d) .2576 (Becker)."""
    variance = f.change_variance(2.38, 10, 2.21, 10, 0.68)
    assert round(math.sqrt(10 * variance), 4) == 1.8426
    assert round(math.sqrt(variance), 3) == 0.583
    d = 0.5 / math.sqrt((2.38**2 + 2.21**2) / 2)
    assert (round(d, 3), round(hedges_j(9) * d, 3)) == (0.218, 0.199)
    assert round(math.sqrt(f.smcr_variance(d, 10, 0.68)), 4) == 0.2576


def test_both_ways_to_a_variance():
    """Check 12: 103 (5.5) v 100 (4.5), n 50 each: LS2 .0411, LS .04175."""
    raw = (103, 5.5, 50, 100, 4.5, 50)
    assert round(f.smd(*raw)[1], 5) == 0.04175
    assert round(f.smd(*raw, form="LS2")[1], 4) == 0.0411


def test_change_over_the_raw_sd():
    """Check 13: change 3, SD of change 5.5, r .7, n 50: g .4160, v .01373, LS2 .0134."""
    s0 = 5.5 / math.sqrt(2 * (1 - 0.7))
    g, v = f.smcr(3, 0, s0, 50, 0.7)
    assert (round(g, 4), round(v, 5)) == (0.4160, 0.01373)
    assert round(f.g_variance(2 * 0.3 / 50, g, 50, 49, "LS2"), 4) == 0.0134


def test_unequal_spreads():
    """Check 15: 55 (47, n 155) v 75 (64, n 156)."""
    raw = (55, 47, 155, 75, 64, 156)
    g, v = f.smd(*raw)
    assert (round(g, 4), round(v, 4)) == (-0.3552, 0.0131)
    g, v = f.smdh(*raw)
    assert (round(g, 4), round(v, 5)) == (-0.3553, 0.01309)
    y, v = f.rom(*raw)
    assert (round(y, 4), round(v, 4)) == (-0.3102, 0.0094)


def test_one_arm():
    """Check 16: 26 after 22, variances 30 after 20, n 60, r .7."""
    s1, s0 = math.sqrt(30), math.sqrt(20)
    rounded = {
        "MC": (f.mc(26, 22, s1, s0, 60, 0.7), 4, 0.2618, 4),
        "SMCR": (f.smcr(26, 22, s1, 60, 0.7), 0.7210, 0.01433, 5),
        "SMCC": (f.smcc(26, 22, s1, s0, 60, 0.7), 0.9964, 0.02494, 5),
        "ROMC": (f.romc(26, 22, s1, s0, 60, 0.7), 0.1671, 0.000429, 6),
    }
    for (yi, vi), y, v, digits in rounded.values():
        assert (round(yi, 4), round(vi, digits)) == (y, v)
    # METHODS prints .8831 here; metafor 3.8 gives .8830008.
    assert round(f.smcr(26, 22, s0, 60, 0.7)[0], 7) == 0.8830008


def test_paired_t():
    """Check 19: t 2.4, n 11, r .5."""
    assert round(2.4 / math.sqrt(11), 4) == 0.7236
    g, v = f.paired_t_to_g(2.4, 11, 0.5)
    assert round(g, 4) == 0.6677
    assert v == pytest.approx(1 / 11 + g**2 / 22)


def test_lajeunesse_corrections():
    """By hand: 61.515 v 51.015, SD 19.475, n 10 each."""
    a, b = 19.475**2 / (10 * 61.515**2), 19.475**2 / (10 * 51.015**2)
    plain = f.rom(61.515, 19.475, 10, 51.015, 19.475, 10)
    more = f.rom(61.515, 19.475, 10, 51.015, 19.475, 10, corrected=True)
    assert more[0] - plain[0] == pytest.approx(0.5 * (a - b))
    assert more[1] - plain[1] == pytest.approx(0.5 * (a**2 + b**2))


def test_quantiles():
    """Checks 9, 10 and 11."""
    assert round(xi(25), 4) == 3.9284
    assert round(eta(20), 4) == round((6 - 3) / 2.3935, 4)
    assert [round(x, 4) for x in from_quartiles(3, 4, 6, 20)] == [4.3598, 2.3935]
    assert [round(x, 4) for x in from_range(1, 4, 9, 25)] == [4.2635, 2.0364]
    assert [round(x, 4) for x in from_five(1, 3, 4, 6, 9, 25)] == [4.4531, 2.1413]


def test_skewness_tests_reject_five_per_cent_of_normal_samples():
    """Seeded samples: the critical values of Shi (2023) keep the size they claim."""
    import numpy as np

    rng = np.random.default_rng(20260101)
    for n in (25, 101):
        sample = np.sort(rng.standard_normal((3000, n)), axis=1)
        five = sample[:, [0, (n - 1) // 4, (n - 1) // 2, 3 * (n - 1) // 4, -1]]
        for code, columns in {"R3": [0, 2, 4], "Q3": [1, 2, 3], "Q5": [0, 1, 2, 3, 4]}.items():
            rejected = [is_skewed(code, tuple(row), n) for row in five[:, columns]]
            assert 0.035 < sum(rejected) / 3000 < 0.065, (code, n)


def test_skewed_quantiles_are_taken_as_log_normal():
    """Log quartiles 0, 1, 2 of 100 people: log mean 1, log SD 2/eta; never the normal rules."""
    values = (1.0, math.e, math.e**2)
    mean, sd, skewed = mean_and_sd("Q3", values, 100)
    b = 2 / eta(100)
    assert skewed
    assert mean == pytest.approx(math.exp(1 + b**2 / 2))
    assert sd == pytest.approx(mean * math.sqrt(math.exp(b**2) - 1))
    shifted = tuple(value - 1 for value in values)  # 0 has no logarithm
    mean, sd, skewed = mean_and_sd("Q3", shifted, 100)
    assert skewed and (mean, sd) == from_quartiles(*shifted, 100)
    assert mean_and_sd("Q3", (3.0, 4.0, 6.0), 20)[2] is False
