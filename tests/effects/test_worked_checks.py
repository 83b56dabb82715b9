"""The 43 checks of docs/methods, M11: published numbers, by hand, or from metafor.

Each starts from the inputs as published and goes through the public functions; the result must lie
within half a unit of the last digit of the number in M11.
"""

import json
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from builders import TESTS, effects, level
from osteometa.comparisons.correlations import change_sd_to_r
from osteometa.comparisons.quantiles import from_five, from_quartiles, from_range, xi
from osteometa.comparisons.summaries import merge_arms
from osteometa.derivation.combine import mean_of
from osteometa.derivation.covariances import shared_control
from osteometa.directions.p_values import fisher, one_sided, share_interval, sign_test, stouffer
from osteometa.effects import formulas as f
from osteometa.effects.inputs import tmd_sd
from osteometa.effects.ratios import percent_to_log
from osteometa.extraction.units import UnitError, convert
from osteometa.numerics.distributions import half_width_to_se, hedges_j, p_to_t
from osteometa.pooling.model import joint_test, pool, regress
from osteometa.pooling.results import Pooled
from osteometa.sensitivity.multilevel import robust_inference
from osteometa.sensitivity.permutation import sign_flip
from osteometa.sensitivity.trim_fill import trim_fill

FOLDER = TESTS / "oracle"
METAFOR = json.loads((FOLDER / "metafor.json").read_text())
SETS, MORRIS = METAFOR["datasets"], METAFOR["pre_post"]
Pairs = Iterator[tuple[float, str]]
CHECKS: dict[int, Callable[[], Pairs]] = {}


def check(number: int):
    """Register what a check compares."""

    def add(pairs: Callable[[], Pairs]) -> Callable[[], Pairs]:
        assert number not in CHECKS
        CHECKS[number] = pairs
        return pairs

    return add


@pytest.mark.parametrize("number", range(1, 44), ids=lambda number: f"check_{number:02d}")
def test_m11(number):
    compared = list(CHECKS[number]())
    assert compared
    for found, stated in compared:
        half = 0.5 * 10.0 ** -len(stated.partition(".")[2])
        assert abs(found - float(stated)) <= half * (1 + 1e-9), (found, stated)


def pairs(found, stated: str) -> Pairs:
    """Pair numbers with what is published of each, separated by spaces."""
    return zip(np.ravel(found).tolist(), stated.split(), strict=True)


def r_of(value, arm="e", compares="within"):
    return ("contrasts", arm, "end", "r", {"value": value, "compares": compares})


# Summaries.
@check(1)
def _():
    return pairs([hedges_j(2), hedges_j(10), hedges_j(98)], ".564190 .922746 .992324")


@check(2)
def _():
    return pairs(half_width_to_se(30.0, 34.2, 95, 24) * math.sqrt(25), "5.0875")


@check(3)
def _():
    se = 3.8 / p_to_t(0.008, 45)
    return pairs([p_to_t(0.008, 45), se, tmd_sd(se, 25, 22)], "2.7755 1.369 4.683")


@check(4)
def _():
    found = [change_sd_to_r(6.4, 7.1, 4.5), change_sd_to_r(7.0, 6.9, 4.2)]
    return pairs(found, ".7826 .8175")


@check(5)
def _():
    return pairs(math.sqrt(50 * f.change_variance(10, 50, 12, 50, 0.6)), "10.0000")


@check(6)
def _():
    rows = [level("end", mean=7.0, sd=2.38, n=10), level("end", "c", mean=6.5, sd=2.21, n=10)]
    rows.append(r_of(0.68, compares="between"))
    found = effects(rows, design="crossover_rct", phase="acute", control=True)
    se, g = math.sqrt(found["MD"].vi), found["SMD"].yi
    d = g / hedges_j(9)
    # The Handbook's SE of d is .256; that of Becker, which the methods follow, is .2576.
    becker = math.sqrt(f.g_variance(2 * (1 - 0.68) / 10, d, 10, 9))
    return pairs([math.sqrt(10) * se, se, d, g, becker], "1.8426 .583 .218 .199 .2576")


@check(7)
def _():
    merged = merge_arms([(10, 11.8, 2.4), (20, 15.3, 3.2), (15, 8.4, 4.1)])
    return pairs(merged, "45 12.2222 4.5028")


@check(8)
def _():
    return pairs(merge_arms([(12, -1, 2), (12, 1, 2)])[2], "2.2067")


@check(9)
def _():
    return pairs(xi(25), "3.9284")


@check(10)
def _():
    return pairs(from_quartiles(3, 4, 6, 20), "4.3598 2.3935")


@check(11)
def _():
    found = [from_range(1, 4, 9, 25), from_five(1, 3, 4, 6, 9, 25)]
    return pairs(found, "4.2635 2.0364 4.4531 2.1413")


# Effects.
@check(12)
def _():
    rows = [level("end", mean=103, sd=5.5, n=50), level("end", "c", mean=100, sd=4.5, n=50)]
    found = effects(rows, design="rct", control=True)
    ls2 = f.smd(103, 5.5, 50, 100, 4.5, 50, form="LS2")[1]
    numbers = [found["MD"].yi, found["MD"].vi, found["SMD"].yi, ls2, found["SMD"].vi]
    return pairs(numbers, "3 1.0100 .5924 .0411 .04175")


@check(13)
def _():
    change = ("measurements", "e", "end", "change", {"mean": 3, "sd": 5.5, "n": 50})
    found = effects([change, r_of(0.7)])["SMD"]
    ls2 = f.g_variance(2 * (1 - 0.7) / 50, found.yi, 50, 49, "LS2")
    return pairs([found.yi, ls2, found.vi], ".4160 .0134 .01373")


@check(14)
def _():
    rows = [level("end", mean=61.515, sd=19.475, n=10),
            level("end", "c", mean=51.015, sd=19.475, n=10)]  # fmt: skip
    found = effects(rows, design="rct", control=True)["ROM"]
    return pairs([found.yi, found.vi], ".1872 .0246")


@check(15)
def _():
    raw = (55, 47, 155, 75, 64, 156)
    found = [f.smd(*raw), f.smdh(*raw), f.rom(*raw)]
    return pairs(found, "-.3552 .0131 -.3553 .01309 -.3102 .0094")


@check(16)
def _():
    """SMCR over sqrt(30), the SD after, is the change back, from 26 to 22, over the SD before."""
    low, high = {"mean": 22, "sd": 20**0.5, "n": 60}, {"mean": 26, "sd": 30**0.5, "n": 60}
    there = effects([level("baseline", **low), level("end", **high), r_of(0.7)])
    back = effects([level("baseline", **high), level("end", **low), r_of(0.7)])["SMD"]
    yield from pairs([there["MD"].yi, there["MD"].vi], "4 .2618")
    yield from pairs([-back.yi, back.vi, there["SMD"].yi], ".7210 .01433 .8830")
    yield from pairs(f.smcc(22, 20**0.5, 26, 30**0.5, 60, 0.7), ".9964 .02494")
    yield from pairs([there["ROM"].yi, there["ROM"].vi], ".1671 .000429")


def morris(trials: slice) -> Iterator[tuple[float, float, float, float, float]]:
    """Yield of each trial d by the methods, Morris' variance, the methods' own, gT and gC."""
    keys = ("m_pre", "sd_pre", "m_post", "sd_post", "ni", "ri")
    both = [zip(*(MORRIS[arm][key][trials] for key in keys), strict=True)
            for arm in ("treatment", "control")]  # fmt: skip
    for raw in zip(*both, strict=True):
        rows = {
            arm: [level("baseline", arm, mean=m0, sd=s0, n=n), level("end", arm, mean=m1, sd=s1,
                  n=n), r_of(r, arm)]
            for arm, (m0, s0, m1, s1, n, r) in zip("ec", raw, strict=True)
        }  # fmt: skip
        d = effects(rows["e"] + rows["c"], design="rct", control=True)["SMD"]
        alone = []
        for m0, s0, m1, s1, n, r in raw:
            cells = [level("baseline", mean=m0, sd=s0, n=n), level("end", mean=m1, sd=s1, n=n)]
            alone.append(effects([*cells, r_of(r)])["SMD"].yi)
        # 2 (1 - r) / n of each arm: as if no SD changed and the arms had one.
        u = sum(f.change_variance(1, n, 1, n, r) for *_, n, r in raw)
        total = sum(n for *_, n, _ in raw)
        yield d.yi, f.g_variance(u, d.yi, total, total - 2), d.vi, *alone


@check(17)
def _():
    """The published variance of these trials takes 2 (1 - r) / n; the methods take the SDs."""
    return pairs(list(morris(slice(0, 1))), ".7684 .1134 .1069 .5056 -.2365")


@check(18)
def _():
    d, special, own, _, _ = zip(*morris(slice(1, 5)), strict=True)
    yield from pairs(d, ".8010 1.2045 1.0476 .4389")
    yield from pairs(special, ".0350 .1425 .0681 .1634")
    # In trial 3 no SD changes and both arms have r = .77: the two agree there alone.
    yield from pairs(own, ".0384 .1425 .0955 .2856")


@check(19)
def _():
    t = ("contrasts", "e", "end", "t", {"value": 2.4, "n_exercise": 11, "test": "paired_t"})
    g = effects([t, r_of(0.5)])["SMD"].yi
    return pairs([g / (hedges_j(10) * math.sqrt(2 * (1 - 0.5))), g], ".7236 .6677")


@check(20)
def _():
    return pairs(percent_to_log(12, 20, 16), ".09763 .001962")


# Effects that share participants.
GLESER_OLKIN = [  # study, treatment, mean, control mean, pooled SD, n, n of the control
    (1, 1, 7.87, -1.36, 4.2593, 25, 25), (1, 2, 4.35, -1.36, 4.2593, 22, 25),
    (2, 1, 9.32, 0.98, 2.8831, 38, 40), (3, 1, 8.08, 1.17, 3.1764, 50, 50),
    (4, 1, 7.44, 0.45, 2.9344, 30, 30), (4, 2, 5.34, 0.45, 2.9344, 30, 30),
]  # fmt: skip


@check(21)
def _():
    study, kind, mt, mc, sd, nt, nc = np.array(GLESER_OLKIN).T
    d, sizes = (mt - mc) / sd, np.array([72, 72, 78, 100, 90, 90])
    V = np.diag(1 / nt + 1 / nc + d**2 / (2 * sizes))
    for i, j in ((0, 1), (4, 5)):
        V[i, j] = V[j, i] = shared_control(1 / nc[i], 1 / nc[j]) + d[i] * d[j] / (2 * sizes[i])
    X = np.array([kind == 1, kind == 2], dtype=float).T
    fit = regress(d, None, X, method="EE", ci="wald", V=V)
    assert fit.studies == len(set(study))
    return pairs([V[0, 1], *fit.coefficients, fit.q], ".06017 2.3743 1.5702 3.9447")


# Pools.
SET_1 = [
    f.smd(*raw, form="LS2")
    for raw in [
        (94, 22, 60, 92, 20, 60), (98, 21, 65, 92, 22, 65), (98, 28, 40, 88, 26, 40),
        (94, 19, 200, 82, 17, 200), (98, 21, 50, 88, 22, 45), (96, 21, 85, 92, 22, 85),
    ]
]  # fmt: skip


def set_1(**choices) -> Pooled:
    return pool(*zip(*SET_1, strict=True), **choices)


@check(22)
def _():
    y, v = zip(*SET_1, strict=True)
    yield from pairs(y, ".0945 .2774 .3665 .6644 .4618 .1852")
    yield from pairs(v, ".0329 .0307 .0499 .0105 .0427 .0234")


@check(23)
def _():
    fit = set_1(method="EE", ci="wald")
    return pairs([fit.estimate, fit.se, fit.q, fit.q_p, fit.i2], ".4143 .0640 12.0033 .0347 58.34")


@check(24)
def _():
    fit = set_1(method="DL", ci="wald", pi_df="k-2")
    numbers = [fit.tau2, fit.estimate, fit.se, fit.ci_low, fit.ci_high, fit.pi_low, fit.pi_high]
    return pairs(numbers, ".0373 .3582 .1052 .1520 .5645 -.2525 .9690")


@check(25)
def _():
    plain, floor = set_1(ci="hksj"), set_1(ci="hksj-floor")
    numbers = [plain.tau2, plain.estimate, plain.se, plain.ci_low, plain.ci_high]
    yield from pairs(numbers, ".0321 .3604 .0908 .1269 .5938")
    numbers = [floor.se, floor.ci_low, floor.ci_high, floor.i2]
    yield from pairs(numbers, ".1008 .1012 .6196 54.65")
    yield from pairs([floor.tau2_ci_low, floor.tau2_ci_high], "0.0000 .2305")


LIPSEY = (
    [-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0],
    [0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067],
)


@check(26)
def _():
    common, dl = (pool(*LIPSEY, method=method, ci="wald") for method in ("EE", "DL"))
    yield from pairs([common.estimate, common.se, common.q], ".1549 .0609 14.7640")
    yield from pairs([dl.tau2, dl.estimate, dl.se], ".025955 .1534 .0858")


@check(27)
def _():
    fit, older = (pool(*LIPSEY, ci="hksj", pi_df=df) for df in ("k-1", "k-2"))
    numbers = [fit.tau2, fit.estimate, fit.se, fit.ci_low, fit.ci_high]
    yield from pairs(numbers, ".02318 .1541 .0844 -.0369 .3452")
    numbers = [fit.pi_low, fit.pi_high, older.pi_low, older.pi_high]
    yield from pairs(numbers, "-.2397 .5479 -.2473 .5556")


RAUDENBUSH = (
    [.03, .12, -.14, 1.18, .26, -.06, -.02, -.32, .27, .80, .54, .18, -.02, .23, -.18, -.06, .30,
     .07, -.07],
    [.0156, .0216, .0279, .1391, .1362, .0106, .0106, .0484, .0269, .0630, .0912, .0497, .0835,
     .0841, .0253, .0279, .0193, .0088, .0303],
)  # fmt: skip


@check(28)
def _():
    found = [pool(*RAUDENBUSH, method=method).tau2 for method in ("ML", "REML", "DL", "HE")]
    yield from pairs(found, ".0126 .0188 .0259 .0804")
    fit = pool(*RAUDENBUSH, ci="hksj")
    # Published is t = 1.3593: metafor's search stops early; at tight convergence it is 1.35924.
    numbers = [fit.se, fit.statistic, fit.ci_low, fit.ci_high]
    yield from pairs(numbers, ".0616 1.35924 -.0457 .2131")


@check(29)
def _():
    y, v = [0.10, 0.11, 0.12], [0.04, 0.05, 0.06]
    fits = [pool(y, v, ci=ci) for ci in ("hksj", "hksj-floor")]
    return pairs([(fit.ci_low, fit.ci_high) for fit in fits], ".0840 .1333 -.4393 .6566")


@check(30)
def _():
    fit = pool([0.30, 0.90], [0.04, 0.06])
    numbers = [fit.q, fit.tau2, fit.estimate, fit.ci_low, fit.ci_high]
    return pairs(numbers, "3.6 .13 .5833 -3.2226 4.3893")


COLLINS = np.array([  # pre-eclampsia and n, diuretics and control: dat.collins1985b of metadat
    (14, 131, 14, 136), (21, 385, 17, 134), (14, 57, 24, 48), (6, 38, 18, 40), (12, 1011, 35, 760),
    (138, 1370, 175, 1336), (15, 506, 20, 524), (6, 108, 2, 103), (65, 153, 40, 102),
])  # fmt: skip


@check(31)
def _():
    a, n1, c, n2 = COLLINS.T
    cells = np.array([a, n1 - a, c, n2 - c], dtype=float)
    y, v = np.array([1, -1, -1, 1]) @ np.log(cells), np.sum(1 / cells, axis=0)
    yield from pairs(y, ".0418 -.9237 -1.1221 -1.4733 -1.3910 -.2969 -.2615 1.0888 .1353")
    dl, ml, reml = (pool(y, v, method=method) for method in ("DL", "ML", "REML"))
    yield from pairs([dl.tau2, dl.tau2_ci_low, dl.tau2_ci_high], ".2297 .0723 2.2027")
    yield from pairs([ml.tau2, reml.tau2], ".2386 .3008")


BCG = np.array(SETS["bcg_RR"]["yi"]), np.array(SETS["bcg_RR"]["vi"])


@check(32)
def _():
    dl = pool(*BCG, method="DL", ci="wald")
    yield from pairs([dl.tau2, dl.tau2_ci_low, dl.tau2_ci_high], ".3088 .1197 1.1115")
    yield from pairs([dl.i2, dl.i2_ci_low, dl.i2_ci_high], "92.12 81.92 97.68")
    rest = pool(BCG[0][1:], BCG[1][1:], ci="wald")
    yield from pairs([rest.estimate, rest.se, rest.tau2], "-.7071 .1900 .3362")


CHAPTER_19 = (
    ([0.110, 0.224, 0.338, 0.451, 0.480], [0.010, 0.030, 0.020, 0.015, 0.010]),
    ([0.440, 0.492, 0.651, 0.710, 0.740], [0.015, 0.020, 0.015, 0.025, 0.012]),
)


@check(33)
def _():
    a, b = (pool(*group, method="DL", ci="wald") for group in CHAPTER_19)
    between = pool([a.estimate, b.estimate], [a.se**2, b.se**2], method="EE", ci="wald")
    numbers = [a.estimate, a.se, b.estimate, b.se, between.q, between.q_p]
    return pairs(numbers, ".3245 .0799 .6100 .0611 8.0547 .0045")


@check(34)
def _():
    y, v = (np.concatenate(lists) for lists in zip(*CHAPTER_19, strict=True))
    fit = regress(y, v, np.repeat(np.eye(2), 5, axis=0), method="DL", ci="wald")
    test, _, _, p = joint_test(fit, np.array([[1.0, -1.0]]))
    yield from pairs([fit.tau2, *fit.coefficients], ".0097 .3247 .6083")
    yield from pairs(np.sqrt(np.diagonal(fit.covariance)), ".0706 .0727")
    yield from pairs([test, p], "7.8324 .0051")
    # With fixed effects the Q within the groups and between them add up to the whole.
    a, b, whole = (pool(*rows, method="EE", ci="wald") for rows in (*CHAPTER_19, (y, v)))
    between = pool([a.estimate, b.estimate], [a.se**2, b.se**2], method="EE", ci="wald")
    assert a.q + b.q + between.q == pytest.approx(whole.q, rel=1e-12)
    yield from pairs([a.q, b.q, between.q, whole.q], "8.4316 4.5429 13.4626 26.4371")


@check(35)
def _():
    both = [(0.3, 0.1), (0.2, 0.1), (0.4, 0.2), (0.2, 0.1), (0.4, 0.3)]
    vs, rs = (0.05, 0.02, 0.05, 0.01, 0.06), (0.5, 0.6, 0.6, 0.4, 0.8)
    found = [mean_of(y, [[v, r * v], [r * v, v]]) for y, v, r in zip(both, vs, rs, strict=True)]
    fit = pool(*zip(*found, strict=True), method="EE", ci="wald")
    numbers = [*found[0], *found[4], fit.estimate, fit.se]
    return pairs(numbers, ".2 .0375 .35 .0540 .1819 .0602")


@check(36)
def _():
    y, v = [0.40, 0.25, 0.55, 0.30, 0.10, 0.20], [0.090, 0.085, 0.120, 0.070, 0.060, 0.100]
    V = np.diag(v)
    V[0, 1] = V[1, 0] = 0.045
    types = np.array([[kind == "r", kind == "a"] for kind in "rarraa"], dtype=float)
    difference = np.array([1.0, -1.0])
    numbers = []
    for matrix in (V, None):
        fit = regress(y, v, types, method="EE", ci="wald", V=matrix)
        numbers += [difference @ fit.coefficients]
        numbers += [math.sqrt(difference @ fit.covariance @ difference)]
    for matrix in (V, None):
        whole = pool(y, v, method="EE", ci="wald", V=matrix)
        numbers += [whole.estimate, whole.se]
    return pairs(numbers, ".2037 .2041 .2228 .2359 .2699 .1246 .2761 .1177")


# Directions and p values.
@check(37)
def _():
    counts = ((9, 9), (5, 6), (3, 3))
    yield from pairs([sign_test(*count) for count in counts], ".0039 .2188 .25")
    limits = [share_interval(*count) for count in counts]
    yield from pairs(limits, ".6637 1 .3588 .9958 .2924 1")


@check(38)
def _():
    p = [0.1662, 0.0000023, 0.0456, 0.9602]
    yield from pairs(fisher(p), "35.811 8 .000019")
    yield from pairs(stouffer(p, [15, 60, 60, 60]), "2.7752 .00276")


@check(39)
def _():
    up, down = one_sided(0.01, "up"), one_sided(0.01, "down")
    return pairs([stouffer([up, down], [1, 1])[1], fisher([0.01, 0.01])[2]], ".5 .0010")


# What if.
@check(40)
def _():
    hine = json.loads((FOLDER / "explore.json").read_text())["hine"]
    found = sign_flip(hine["yi"], hine["vi"])
    assert found.p_smallest == 2 / 64
    return pairs(found.p, ".0625")


@check(41)
def _():
    """Each trial its own cluster, weights of the REML model."""
    y, v = BCG
    total = v + pool(y, v).tau2
    found = robust_inference(y, list(range(13)), np.diag(total), np.diag(1 / total))
    return pairs([found.se**2, found.df, found.estimate / found.se], ".03229 11.041 -3.976")


@check(42)
def _():
    data = SETS["hackshaw1998"]
    found = trim_fill(np.array(data["yi"]), np.array(data["vi"]), method="EE", ci="wald")
    assert found.side == "left"
    return pairs([found.filled, found.filled_se], "7 4.0405")


@check(43)
def _():
    with pytest.raises(UnitError, match="cannot be converted"):
        convert(5, "pmol/L", "pg/mL")
    return pairs(convert(1.5, "ng/mL", "pg/mL"), "1500")
