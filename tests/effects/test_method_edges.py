"""Edges of methods: fewest participants, values that are not used, and the numbers beside them."""

import math

import pytest
from builders import (
    AFTER,
    BARE_PERCENT,
    BEFORE,
    CHANGES_ALONE,
    LOGS,
    MEANS,
    R_BETWEEN,
    N,
    account_of,
    change,
    contrast,
    crossover,
    direction,
    level,
    mean_difference,
    parallel,
    t_test,
    text,
    with_effects,
    within_arm,
)
from osteometa.numerics.distributions import hedges_j, p_to_t

EQUAL = {"n_exercise": 12, "n_control": 12}


# Participants.
@pytest.mark.parametrize(("n", "usable"), [(1, False), (2, True), (3, True)])
@pytest.mark.parametrize("spread", [{"se": 0.5}, {"spread": 0.5, "spread_kind": "se"}])
def test_an_se_of_two_people_has_an_sd(n, usable, spread):
    rows = [level("end", mean=10, n=n, **spread), level("end", arm="c", mean=9, sd=3, n=16)]
    found = parallel(rows)
    assert bool(found) == usable
    if usable:
        assert found["MD"].vi == pytest.approx(0.25 + 9 / 16)


@pytest.mark.parametrize(("n", "usable"), [(1, False), (2, True)])
def test_every_rung_of_one_arm_takes_two_people(n, usable):
    assert ("ROM" in within_arm([change("e", "pct_change", mean=7, sd=9, n=n)])) == usable
    assert ("MD" in within_arm([change("e", mean=7, sd=9, n=n)])) == usable
    rows = [level("end", mean=5, n=n), level("baseline", mean=4, n=n), t_test(n_exercise=n)]
    assert ("MD" in within_arm(rows)) == usable


@pytest.mark.parametrize(("n", "usable"), [(1, False), (2, True)])
def test_every_rung_of_two_conditions_takes_two_people(n, usable):
    pair = [level("end", arm=arm, mean=m, sd=2, n=n) for arm, m in (("e", 7), ("c", 6))]
    assert ("MD" in crossover(pair)) == usable
    assert ("ROM" in crossover(pair)) == usable


@pytest.mark.parametrize(("n", "usable"), [(1, False), (2, False), (3, True)])
def test_an_smd_of_one_group_takes_three_people(n, usable):
    """J(1) is not defined: two participants have no SMD, and the reason is stated."""
    smd = contrast("smd", value=0.6, standardiser="raw", n_exercise=n)
    levels = [level("baseline", mean=5, sd=2, n=n), level("end", mean=7, sd=2, n=n)]
    for rows in (levels, [change("e", mean=7, sd=9, n=n)], [t_test(n_exercise=n)], [smd]):
        assert ("SMD" in within_arm(rows)) == usable
    pair = [level("end", arm=arm, mean=m, sd=2, n=n) for arm, m in (("e", 7), ("c", 6))]
    for rows in (pair, [t_test(score="post", n_exercise=n)]):
        assert ("SMD" in crossover(rows)) == usable
    both = [
        level(at, arm=a, mean=m, sd=2, n=n)
        for m, (a, at) in enumerate(((a, at) for a in "ec" for at in ("baseline", "end")), start=5)
    ]
    found = parallel(both, config=with_effects(smd_pre_post="becker")).get("SMD")
    assert (found is not None and found.derivation_method == "PPC") == usable


@pytest.mark.parametrize(("n_c", "usable"), [(1, False), (2, True)])
def test_a_test_without_degrees_of_freedom_gives_nothing(n_c, usable):
    """A covariate leaves n - 3: 0 of three participants, 1 of four."""
    t = contrast("t", value=2.2, adjusted="yes", score="post", n_exercise=2, n_control=n_c)
    assert ("SMD" in parallel([t])) == usable


@pytest.mark.parametrize("participants", [{"n_exercise": 1}, {"n_exercise": 2}, {}])
def test_a_paired_test_of_too_few_participants_is_passed_over(participants):
    few, more = t_test(2, score="post", **participants), t_test(2.4, score="post", n_exercise=11)
    for design in (crossover, within_arm):
        assert design([few]) == {}
        found = design([few, more])["SMD"]
        assert found.yi == pytest.approx(hedges_j(10) * 2.4 / math.sqrt(11))
    change = t_test(2, score="change", n_exercise=11)
    assert crossover([change, more])["SMD"].yi == found.yi
    three = t_test(2, score="post", n_exercise=3)
    for design in (crossover, within_arm):
        assert design([three, more])["SMD"].yi == pytest.approx(hedges_j(2) * 2 / math.sqrt(3))


def test_a_p_of_1_says_nothing_of_a_size():
    p = contrast("p", p=1, p_operator="=", adjusted="no", score="post", **N)
    assert parallel([p, direction("up")]) == {}


def test_people_of_the_smaller_condition_stand_for_both():
    pair = [level("end", mean=7.3, sd=2, n=10), level("end", arm="c", mean=6, sd=2, n=9)]
    found = crossover(pair)
    assert (found["MD"].yi, found["MD"].vi) == pytest.approx((1.3, (4 + 4 - 2 * 0.5 * 4) / 9))
    g = hedges_j(8) * 1.3 / 2
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, 1 / 9 + g**2 / 18))
    assert {e.n_total for e in found.values()} == {9}
    p = contrast("p", p=0.03, p_operator="=", score="post")
    by_p = crossover([level("end", mean=7, n=10), level("end", arm="c", mean=6, n=9), p])["MD"]
    assert by_p.vi == pytest.approx((1 / p_to_t(0.03, 8)) ** 2) and by_p.n_total == 9


@pytest.mark.parametrize(("mean", "usable"), [(3.0, True), (2.99, False)])
def test_a_ratio_needs_a_mean_of_three_standard_errors(mean, usable):
    """Geary 1930: mean sqrt(n) / SD, here 3 x 2 / 2 = 3."""
    rows = [level("end", mean=mean, sd=2, n=4), level("end", arm="c", mean=9, sd=2, n=4)]
    assert ("ROM" in parallel(rows)) == usable and "MD" in parallel(rows)


# Units: a difference in % is none in the unit of the levels, and the other way round.
@pytest.mark.parametrize("design", [parallel, crossover])
def test_a_difference_in_another_kind_of_unit_is_passed_over(design):
    more = {"score": "change", "adjusted": "no", **N}
    both = [
        mean_difference(30, "%", se=10, **more),
        mean_difference(3, ci_low=1, ci_high=5, **more),
    ]
    df = 26 if design is parallel else 11
    found = design(both)
    assert found["MD"].yi == 3
    assert found["MD"].vi == pytest.approx((2 / p_to_t(0.05, df)) ** 2)
    both = [
        mean_difference(3, se=1, **more),
        mean_difference(30, "%", ci_low=10, ci_high=50, **more),
    ]
    found = design(both)
    assert found["ROM"].yi == pytest.approx(math.log(1.3))
    assert found["ROM"].vi == pytest.approx((0.2 / p_to_t(0.05, df)) ** 2)


def test_a_change_in_another_kind_of_unit_is_passed_over_in_one_arm():
    both = [
        mean_difference(30, "%", se=10, n_exercise=12),
        mean_difference(3, ci_low=1, ci_high=5, n_exercise=12),
    ]
    found = within_arm(both)
    assert (found["MD"].yi, found["MD"].vi) == (3, pytest.approx((2 / p_to_t(0.05, 11)) ** 2))
    both = [
        mean_difference(3, se=1, n_exercise=12),
        mean_difference(30, "%", ci_low=10, ci_high=50, n_exercise=12),
    ]
    assert within_arm(both)["ROM"].yi == pytest.approx(math.log(1.3))


@pytest.mark.parametrize("design", [parallel, crossover, within_arm])
def test_a_difference_without_a_unit_is_no_size(design):
    """It may be one of levels, of percentages or of logarithms."""
    found = design([mean_difference(3, "", se=1, score="change", adjusted="no", **N)])
    assert "ROM" not in found


def test_a_printed_change_of_one_arm_is_brought_to_the_unit_of_its_levels():
    rows = [level("baseline", mean=5, n=12), mean_difference(-200, "pg/mL", se=50, n_exercise=12)]
    found = within_arm(rows)["MD"]
    assert (found.unit, found.yi, found.vi) == ("ng/mL", pytest.approx(-0.2), pytest.approx(0.0025))


def test_an_se_of_changes_is_brought_to_the_unit_of_the_levels():
    """CHG by a reported difference: the means give the size, its SE the variance."""
    rows = [
        change("e", mean=4),
        change("c", mean=1),
        mean_difference(3200, "pg/mL", se=1500, score="change", **N),
    ]
    found = parallel(rows)["MD"]
    assert (found.yi, found.vi) == (3, pytest.approx(1.5**2))
    assert account_of(found)[:3] == ("CHG", "CHG+TMD+SE", "TMD")
    rows[2] = mean_difference(32, "%", se=15, score="change", **N)
    by_t = parallel(rows)["MD"]
    assert by_t.vi == pytest.approx((3 / (32 / 15)) ** 2), "in %, only its t serves"


# Percent changes.
def test_percent_changes_by_the_total_of_people():
    """n per arm unknown: D of the reported changes, SE = D / t."""
    found = parallel([*BARE_PERCENT, t_test(2.5, score="change", adjusted="no", n_total=28)])["ROM"]
    assert (found.yi, found.vi) == pytest.approx((math.log(1.05), 0.02**2))
    assert (found.n_exercise, found.n_control, found.n_total) == (None, None, 28)


@pytest.mark.parametrize("value", [-100, -120])
def test_no_ratio_of_a_percent_change_of_all(value):
    assert "ROM" not in within_arm([change("e", "pct_change", mean=value, sd=9, n=12)])
    assert "ROM" not in within_arm([mean_difference(value, "%", se=9, n_exercise=12)])
    rows = [
        change("e", "pct_change", mean=value, sd=9, n=12),
        change("c", "pct_change", mean=2, sd=9, n=12),
    ]
    assert "ROM" not in parallel(rows) and "ROM" not in crossover(rows)


def test_a_percent_change_of_one_arm_as_a_ratio():
    """ln(1 + m/100) - c/2 with c = ln(1 + (sd/100)^2 / (1 + m/100)^2), v = c / n."""
    c = math.log1p(0.09**2 / 1.07**2)
    for se in ({"sd": 9}, {"se": 9 / math.sqrt(12)}):
        found = within_arm([change("e", "pct_change", mean=7, n=12, **se)])["ROM"]
        assert (found.yi, found.vi) == pytest.approx((math.log(1.07) - c / 2, c / 12))
    by_t = within_arm([change("e", "pct_change", mean=7, n=12), t_test(2.5, n_exercise=12)])["ROM"]
    c = math.log1p((0.07 / 2.5) ** 2 * 12 / 1.07**2)
    assert (by_t.yi, by_t.vi) == pytest.approx((math.log(1.07) - c / 2, c / 12))


def test_a_mean_change_of_1_is_no_change_of_0():
    rows = [change("e", mean=1, n=12), t_test(2.5, n_exercise=12)]
    found = within_arm(rows)["MD"]
    assert (found.yi, found.vi) == (1, pytest.approx(0.4**2))
    assert "MD" not in within_arm([change("e", mean=0, n=12), t_test(2.5, n_exercise=12)])
    rows = [
        level("end", mean=6),
        level("end", arm="c", mean=5),
        t_test(2.5, score="post", n_exercise=12),
    ]
    assert crossover(rows)["MD"].vi == pytest.approx(0.4**2)
    rows = [change("e", mean=2), change("c", mean=1), t_test(2.5, score="change", **N)]
    assert parallel(rows)["MD"].vi == pytest.approx(0.4**2)


# Two conditions of the same participants.
def test_paired_logarithms():
    """v = (sT^2 + sC^2 - 2 r sT sC) / n."""
    found = crossover([*LOGS, R_BETWEEN])["ROM"]
    assert (found.yi, found.vi) == pytest.approx((0.2, (0.09 + 0.16 - 0.8 * 0.12) / 12))
    assert (found.n_exercise, found.n_control, found.n_total, found.r) == (12, None, 12, 0.4)


def test_paired_percentages():
    rows = [change(arm, "pct_change", mean=m, sd=9, n=12) for arm, m in (("e", 7), ("c", 2))]
    found = crossover(rows)["ROM"]
    c = [math.log1p((0.09 / ratio) ** 2) for ratio in (1.07, 1.02)]
    y = math.log(1.07) - c[0] / 2 - math.log(1.02) + c[1] / 2
    assert (found.yi, found.vi) == pytest.approx((y, sum(c) / 12))
    assert (found.r, text(found).r_source) == (0.0, "uncorrelated")


def test_the_correlation_behind_a_paired_t_of_levels():
    """R: r = (sT^2 + sC^2 - n (D/t)^2) / (2 sT sC); here (81 + 81 - 12 x 9/4) / 162 = 5/6."""
    found = crossover([*AFTER, t_test(2, score="post", n_exercise=12)])["SMD"]
    assert (found.r, text(found).r_source, text(found).flags) == (
        pytest.approx(5 / 6),
        "paired_test",
        "",
    )
    g = hedges_j(11) * 3 / 9
    assert (found.yi, found.vi) == pytest.approx((g, 2 * (1 - 5 / 6) / 12 + g**2 / 24))
    for more in ({"adjusted": "yes"}, {"score": "change"}, {"score": "not_stated"}):
        other = t_test(2, **{"score": "post", "n_exercise": 12, **more})
        assert text(crossover([*AFTER, other])["SMD"]).r_source == "config"


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ({"score": "post"}, 3), ({"score": "change"}, 4), ({"score": "not_stated"}, None),
        ({"score": "post", "adjusted": "yes"}, None),
    ],
)  # fmt: skip
def test_which_means_a_bare_paired_test_compares(cells, wanted):
    """Levels after differ by 3, gains by 4; of a test that does not say which, neither is taken."""
    rows = [
        level(time, arm=arm, mean=m)
        for time, arm, m in (
            ("baseline", "e", 50), ("baseline", "c", 51), ("end", "e", 55), ("end", "c", 52),
        )
    ]  # fmt: skip
    found = crossover([*rows, t_test(2, n_exercise=12, **cells)]).get("MD")
    assert (found and found.yi) == wanted
    if wanted:
        assert found.vi == pytest.approx((wanted / 2) ** 2)


def test_a_bare_paired_test_of_what_is_printed_alone():
    """Without levels before, a test that does not say is one of the levels after, or of changes."""
    unsaid = t_test(2, n_exercise=12, score="not_stated")
    assert crossover([*MEANS, unsaid])["MD"].yi == 3
    assert crossover([change("e", mean=4), change("c", mean=1), unsaid])["MD"].yi == 3
    percent = crossover([*BARE_PERCENT, unsaid])["ROM"]
    assert (percent.yi, percent.vi) == pytest.approx((math.log(1.05), 0.025**2))
    assert "ROM" not in crossover([*MEANS, *BARE_PERCENT, unsaid])
    assert "ROM" not in crossover([*BARE_PERCENT, t_test(2, n_exercise=12, score="post")])


# Bone: a change as a ratio.
def test_the_plain_mean_of_baselines_whose_n_is_not_printed():
    rows = [level("baseline", arm=arm, mean=m) for arm, m in (("e", 0.8), ("c", 1.0))]
    rows += [change("e", mean=0.02, sd=0.03, n=12), change("c", mean=-0.01, sd=0.02, n=16)]
    found = parallel(rows, what="BMD", site="lumbar_spine")["ROM"]
    assert found.yi == pytest.approx(math.log1p(0.03 / 0.9))


def test_a_paired_change_of_bone_as_a_ratio():
    rows = [
        level("baseline", mean=0.9, n=12),
        mean_difference(0.02, "g/cm2", se=0.01, score="change", n_exercise=12),
    ]
    found = crossover(rows, what="BMD", site="lumbar_spine")["ROM"]
    assert found.yi == pytest.approx(math.log1p(0.02 / 0.9))
    assert found.vi == pytest.approx((0.01 / 0.92) ** 2)


def test_a_paired_change_of_a_marker_is_no_ratio():
    """As in two arms and in one: only a change of bone is divided by the mean before (M3.7)."""
    difference = mean_difference(0.02, "ng/mL", se=0.01, score="change", n_exercise=12)
    assert set(crossover([level("baseline", mean=0.9, n=12), difference])) == {"MD"}


# One arm over its own SD before.
def test_one_arm_that_loses_people_or_counts_them_once():
    """u = 1/n1 + 1/n0 - 2 r / max(n0, n1); n of the change, else of the level after."""
    before = level("baseline", mean=50, sd=8, n=14)
    for n1, most in ((12, 14), (16, 16)):
        found = within_arm([before, level("end", mean=55, sd=9, n=n1)])["SMD"]
        u = 1 / n1 + 1 / 14 - 1 / most
        assert found.vi == pytest.approx(u + found.yi**2 / (2 * n1))
        assert (found.n_exercise, found.n_total) == (n1, n1)


def test_forms_of_the_variance_of_a_change_over_its_own_sd():
    for form in ("LS", "LS2", "UB"):
        config = with_effects(smd_variance=form)
        found = within_arm([change("e", mean=4, sd=5, n=12)], config=config)["SMD"]
        g, j = hedges_j(11) * 0.8, hedges_j(11)
        wanted = {
            "LS": 1 / 12 + g**2 / 24, "LS2": j**2 / 12 + g**2 / 24,
            "UB": 1 / 12 + (1 - 9 / (11 * j**2)) * g**2,
        }  # fmt: skip
        assert found.vi == pytest.approx(wanted[form])


# Reported SMDs and tests that are not of this comparison.
def test_an_smd_of_one_arm_is_none_between_arms():
    other = contrast("smd", value=0.9, standardiser="raw", compares="within", **N)
    own = contrast("smd", value=0.6, standardiser="raw", **N)
    unsaid = contrast("smd", value=0.7, standardiser="not_stated", **N)
    assert parallel([other]) == {}
    assert parallel([t_test(1.1, compares="within", **N)]) == {}
    assert within_arm([t_test(1.1, compares="between", n_exercise=12)]) == {}
    for first in (other, unsaid, contrast("p", p=1, p_operator="=", **N)):
        assert parallel([first, own])["SMD"].yi == pytest.approx(hedges_j(26) * 0.6)


@pytest.mark.parametrize("cells", [{"n_exercise": 12}, {"n_control": 12}, {"n_total": 28}])
def test_people_of_one_arm_alone_give_no_smd(cells):
    assert parallel([contrast("smd", value=0.6, standardiser="raw", **cells)]) == {}
    assert parallel([t_test(2.2, score="post", adjusted="no", **cells)]) == {}
    adjusted = contrast("adj_md", value=-3, se=1.5, unit="ng/mL", **cells)
    assert "SMD" not in parallel([*BEFORE, adjusted])


def test_an_unadjusted_test_is_no_adjusted_difference():
    found = parallel([*BEFORE, t_test(2.2, score="post", adjusted="no", **N)])["SMD"]
    assert account_of(found)[:3] == ("TST", "TST+t", "")
    plain = mean_difference(3, se=1, score="post", adjusted="no", **N)
    assert text(parallel([*BEFORE, plain])["SMD"]).provenance == "TST+SE"
    percent = contrast("adj_md", value=-3, se=1.5, unit="%", **N)
    assert parallel([*BEFORE, percent])["SMD"].derivation_method == "TST"


def test_levels_after_without_an_sd_give_no_change():
    assert parallel([*BEFORE, *(level("end", arm=arm, mean=55, n=12) for arm in "ec")]) == {}
    alone = within_arm([BEFORE[0], level("end", mean=55, n=12)])
    assert set(alone) == {"SMD"}, "which needs the SD before alone"
    assert alone["SMD"].yi == pytest.approx(hedges_j(11) * 5 / 9)


def test_a_paired_t_of_one_arm_by_its_own_correlation():
    """g = J(n - 1) t / sqrt(n) sqrt(2 (1 - r)), r = 0.7."""
    r = contrast("r", value=0.7)
    found = within_arm([t_test(-2.4, n_exercise=11), r])["SMD"]
    g = -hedges_j(10) * 2.4 / math.sqrt(11) * math.sqrt(0.6)
    assert (found.yi, found.vi) == pytest.approx((g, 0.6 / 11 + g**2 / 22))
    smd = contrast("smd", value=0.6, standardiser="change", n_exercise=11)
    found = within_arm([smd, r])["SMD"]
    g = hedges_j(10) * 0.6 * math.sqrt(0.6)
    assert (found.yi, found.vi) == pytest.approx((g, 0.6 / 11 + g**2 / 22))
    found = within_arm([change("e", mean=4, sd=5, n=11), r])["SMD"]
    g = hedges_j(10) * 0.8 * math.sqrt(0.6)
    assert (found.yi, found.vi) == pytest.approx((g, 0.6 / 11 + g**2 / 22))


@pytest.mark.parametrize(("n", "usable"), [(3, False), (4, True)])
def test_a_printed_smd_needs_four_people(n, usable):
    smd = contrast("smd", value=0.6, standardiser="raw", n_exercise=n - 1, n_control=1)
    assert ("SMD" in parallel([smd])) == usable


@pytest.mark.parametrize("name", ["exercise", "control"])
def test_changes_need_the_level_after_or_the_change_of_both_arms(name):
    one = "e" if name == "exercise" else "c"
    rows = [*BEFORE, *(row for row in AFTER if row[1] != one)]
    assert parallel(rows) == {}
    mixed = [*rows, *(row for row in CHANGES_ALONE if row[1] == one)]
    found = parallel(mixed)["SMD"]
    s0, change_e, change_c = 9, *((4, 1) if name == "exercise" else (5, 1))
    v = [25 / 12 if one == "e" else 81 / 12, 16 / 12 if one == "c" else 81 / 12]
    g = hedges_j(22) * (change_e - change_c) / s0
    assert (found.yi, found.vi) == pytest.approx((g, sum(v) / s0**2 + g**2 / 48))
