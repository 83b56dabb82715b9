"""Effect sizes by the methods and by hand; the formulas beside metafor in compare_effects."""

import math

import pytest
from builders import CONFIG, effects, level
from compare_effects import MORRIS
from osteometa.comparisons.quantiles import eta, from_quartiles, is_skewed, mean_and_sd
from osteometa.effects import formulas as f

ARMS = {"treatment": "e", "control": "c"}


def before_and_after(arm):
    """Yield rows of made-up tables for each trial of Morris (2008): both levels and r of an arm."""
    keys = ("m_post", "m_pre", "sd_post", "sd_pre", "ni", "ri")
    for m1, m0, s1, s0, n, r in zip(*(MORRIS[arm][key] for key in keys), strict=True):
        correlation = {"value": r, "compares": "within"}
        yield [
            level("baseline", ARMS[arm], mean=m0, sd=s0, n=n),
            level("end", ARMS[arm], mean=m1, sd=s1, n=n),
            ("contrasts", ARMS[arm], "end", "r", correlation),
        ]


def metafor(measure, arm, trial):
    theirs = MORRIS["by_measure"][f"{measure}_{arm}"]
    return theirs["yi"][trial], theirs["vi"][trial]


def pre_post(becker):
    """Return the SMDs of the five trials of Morris (2008), standardised one way or the other."""
    way = "becker" if becker else "ppc"
    config = CONFIG.model_copy(
        update={"effects": CONFIG.effects.model_copy(update={"smd_pre_post": way})}
    )
    arms = zip(*map(before_and_after, ARMS), strict=True)
    return [effects(e + c, config, design="rct", control=True)["SMD"] for e, c in arms]


def test_morris_pre_post_control():
    """Checks 17 and 18: d_ppc2, and gT - gC, by the derivation methods."""
    found = pre_post(becker=False)
    assert [round(effect.yi, 4) for effect in found] == [0.7684, 0.8010, 1.2045, 1.0476, 0.4389]
    assert {effect.derivation_method for effect in found} == {"PPC"}
    for trial, effect in enumerate(pre_post(becker=True)):
        gT, gC = (metafor("SMCR", arm, trial)[0] for arm in ARMS)
        assert effect.yi == pytest.approx(gT - gC, rel=1e-8)
    gT, gC = (metafor("SMCR", arm, 0)[0] for arm in ARMS)
    assert (round(gT, 4), round(gC, 4)) == (0.5056, -0.2365)


def test_lajeunesse_corrections():
    """By hand: 61.515 v 51.015, SD 19.475, n 10 each."""
    a, b = 19.475**2 / (10 * 61.515**2), 19.475**2 / (10 * 51.015**2)
    plain = f.rom(61.515, 19.475, 10, 51.015, 19.475, 10)
    more = f.rom(61.515, 19.475, 10, 51.015, 19.475, 10, corrected=True)
    assert more[0] - plain[0] == pytest.approx(0.5 * (a - b))
    assert more[1] - plain[1] == pytest.approx(0.5 * (a**2 + b**2))


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
    """Log quartiles 0, 1, 2 of 100 participants: log mean 1, log SD 2/eta; no normal rules."""
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
