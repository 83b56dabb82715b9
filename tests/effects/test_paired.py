"""Each method for two conditions of the same participants, against its formula written out."""

import math

import pytest
from builders import PAIR, account_of, change, contrast, crossover, direction, level, text
from osteometa.numerics.distributions import hedges_j, p_to_t


def test_a_paired_t_alone():
    """g = J(n - 1) t / sqrt(n) sqrt(2 (1 - r)), v = 2 (1 - r) / n + g^2 / (2 n), r = 0.5."""
    found = crossover([contrast("t", value=-2.4, score="post", n_exercise=11)])
    g = -hedges_j(10) * 2.4 / math.sqrt(11)
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, 1 / 11 + g**2 / 22))
    assert account_of(found["SMD"]) == ("SMCR", "SMCR+t", "RIMP", 11, None)
    assert found["SMD"].n_total == 11 and set(found) == {"SMD"}


def test_a_paired_t_alone_with_its_correlation():
    r = contrast("r", value=0.3)
    found = crossover([contrast("t", value=2.4, score="post", n_exercise=11), r])["SMD"]
    g = hedges_j(10) * 2.4 / math.sqrt(11) * math.sqrt(1.4)
    assert (found.yi, found.vi) == pytest.approx((g, 1.4 / 11 + g**2 / 22))
    assert account_of(found) == ("SMCR", "SMCR+t", "", 11, None)


@pytest.mark.parametrize(("word", "sign"), [("up", 1), ("down", -1)])
def test_a_paired_p_alone_takes_its_sign_from_words(word, sign):
    p = contrast("p", p=0.04, p_operator="=", score="post", n_exercise=11)
    found = crossover([p, direction(word)])["SMD"]
    assert found.yi == pytest.approx(sign * hedges_j(10) * p_to_t(0.04, 10) / math.sqrt(11))


@pytest.mark.parametrize(
    "cells", [{"score": "change"}, {"score": "post", "adjusted": "yes"}, {"score": "not_stated"}]
)
def test_no_smd_from_another_paired_test(cells):
    assert crossover([contrast("t", value=2.4, n_exercise=11, **cells)]) == {}


@pytest.mark.parametrize("t", [0.1, 0.308, 50.0])
def test_a_paired_t_that_no_correlation_explains_leaves_the_assumed_one(t):
    """By t = 0.1 and the SDs r would be below -1, by t = 0.308 -1.5, by t = 50 above 1."""
    found = crossover([*PAIR, contrast("t", value=t, score="post")])["SMD"]
    assert (found.r, text(found).r_source, text(found).flags) == (0.5, "config", "RIMP")


@pytest.mark.parametrize("cells", [{"score": "change"}, {"score": "post", "adjusted": "yes"}])
def test_only_a_plain_paired_test_of_levels_gives_their_correlation(cells):
    found = crossover([*PAIR, contrast("t", value=0.9, **cells)])["SMD"]
    assert (found.r, text(found).r_source) == (0.5, "config")


def test_a_paired_difference_is_brought_to_the_unit_of_the_levels():
    md = contrast("md", value=-200, se=50, unit="pg/mL", score="post", n_exercise=10)
    found = crossover([*PAIR, md])["MD"]
    assert (found.yi, found.vi) == pytest.approx((-0.2, 0.05**2))
    assert account_of(found) == ("DIF", "DIF+SE", "", 10, None) and found.n_total == 10


def test_a_paired_difference_of_percentages():
    md = contrast("md", value=-20, se=5, unit="%", score="change", n_exercise=10)
    found = crossover([md])["ROM"]
    assert (found.yi, found.vi) == pytest.approx((math.log(0.8), 0.05**2))
    assert account_of(found) == ("DIF", "DIF+PCT+SE", "PCT", 10, None)


def test_paired_changes_from_levels_before_and_after():
    """A paired t of changes compares (7.0 - 6.0) with (6.5 - 6.2): D = 0.7, SE = 0.7 / t."""
    rows = [level("baseline", mean=6.0, n=10), level("baseline", arm="c", mean=6.2, n=10),
            level("end", mean=7.0, n=10), level("end", arm="c", mean=6.5, n=10),
            contrast("t", value=2.0, score="change", adjusted="no")]  # fmt: skip
    found = crossover(rows)["MD"]
    assert (found.yi, found.vi) == pytest.approx((0.7, 0.35**2))


def test_paired_percent_changes_with_their_sds():
    rows = [change("e", "pct_change", mean=12, sd=20, n=16),
            change("c", "pct_change", mean=2, sd=10, n=16)]  # fmt: skip
    found = crossover(rows)["ROM"]
    c = [math.log1p((sd / 100) ** 2 / ratio**2) for sd, ratio in ((20, 1.12), (10, 1.02))]
    assert found.yi == pytest.approx(math.log(1.12) - c[0] / 2 - math.log(1.02) + c[1] / 2)
    assert found.vi == pytest.approx((c[0] + c[1]) / 16)
    assert (found.r, found.flags) == (0.0, {"PCT", "RIMP"})
