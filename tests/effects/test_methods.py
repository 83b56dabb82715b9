"""Each derivation method against its formula written out: estimate, variance, n, flags, codes."""

import math

import pytest
from builders import (
    CHANGES,
    CONFIG,
    ROOT_N,
    N,
    account_of,
    change,
    contrast,
    crossover,
    direction,
    level,
    parallel,
    text,
    without_baseline_means,
)
from osteometa.numerics.distributions import hedges_j, p_to_t


# TST: g = J f t sqrt(1/nT + 1/nC), v = f^2 (1/nT + 1/nC) + g^2 / (2 (nT + nC)).
@pytest.mark.parametrize(
    ("cells", "f", "flags"),
    [
        ({"adjusted": "yes", "score": "post"}, math.sqrt(1 - 0.5**2), "RIMP"),
        ({"adjusted": "yes", "score": "change"}, math.sqrt(1 - 0.5**2), "RIMP"),
        ({"adjusted": "no", "score": "change"}, 1.0, "RIMP"),  # sqrt(2 (1 - 0.5))
        ({"adjusted": "no", "score": "post"}, 1.0, ""),
        ({"adjusted": "no", "score": "not_stated"}, 1.0, "FUNK"),
        ({"adjusted": "not_stated", "score": "post"}, 1.0, "FUNK"),
        ({"test": "ancova", "score": "post"}, math.sqrt(1 - 0.5**2), "RIMP"),
        ({"test": "t_welch", "score": "post"}, 1.0, ""),
    ],
)
def test_the_factor_of_a_t(cells, f, flags):
    found = parallel([contrast("t", value=-2.2, **N, **cells)])["SMD"]
    g = -hedges_j(26) * f * 2.2 * ROOT_N
    assert found.yi == pytest.approx(g)
    assert found.vi == pytest.approx(f**2 * ROOT_N**2 + g**2 / 56)
    assert account_of(found) == ("TST", "TST+t", flags, 12, 16)
    assert found.r == (0.5 if f != 1 or cells["score"] == "change" else None)


def test_equal_means_give_no_sd_by_their_t_test():
    rows = [level("end", mean=55), level("end", arm="c", mean=55),
            contrast("t", value=2.2, score="post", test="t_pooled", **N)]  # fmt: skip
    found = parallel(rows)
    assert "MD" not in found and "ROM" not in found
    assert found["SMD"].derivation_method == "TST"


def test_the_factor_of_change_scores_is_that_of_r():
    r = ("contrasts", "e", "end", "r", {"value": 0.3, "compares": "within"})
    other = ("contrasts", "c", "end", "r", {"value": 0.5, "compares": "within"})
    found = parallel([contrast("t", value=2.2, adjusted="no", score="change", **N), r, other])[
        "SMD"
    ]
    f = math.sqrt(2 * (1 - 0.4))
    assert found.yi == pytest.approx(hedges_j(26) * f * 2.2 * ROOT_N)
    assert found.vi == pytest.approx(f**2 * ROOT_N**2 + found.yi**2 / 56)
    assert (found.r, text(found).r_source, text(found).flags) == (
        pytest.approx(0.4),
        "reported",
        "",
    )


@pytest.mark.parametrize(("r", "flags"), [(0.79, "FUNK"), (0.8, None), (0.81, None)])
def test_an_unknown_factor_is_taken_as_1_below_an_r_of_point_8(r, flags):
    rs = [("contrasts", arm, "end", "r", {"value": r, "compares": "within"}) for arm in "ec"]
    found = parallel([contrast("t", value=2.2, adjusted="no", score="not_stated", **N), *rs])
    assert (text(found["SMD"]).flags if found else None) == flags


@pytest.mark.parametrize(
    ("row", "sign"),
    [
        (direction("up"), 1), (direction("down"), -1),
        (direction("", arrow="up", significant="yes"), 1),
        (direction("", arrow="down", significant="yes"), -1),
        (direction("", arrow="down", significant="no"), None),
        (direction("", arrow="none", significant="no"), None),
        (direction("down", basis="within_arm"), None),
        (contrast("smd", value=-0.4, standardiser="not_stated"), -1),
        (contrast("smd", value=0.4, standardiser="not_stated"), 1),
        (contrast("smd", value=0.4, standardiser="not_stated", compares="within"), None),
    ],
)  # fmt: skip
def test_what_tells_the_sign_of_an_exact_p(row, sign):
    p = contrast("p", p=0.03, p_operator="=", adjusted="no", score="post", **N)
    found = parallel([p, row])
    if sign is None:
        assert "SMD" not in found
    else:
        assert found["SMD"].yi == pytest.approx(sign * hedges_j(26) * p_to_t(0.03, 26) * ROOT_N)
        assert text(found["SMD"]).provenance == "TST+p"


def test_means_tell_the_sign_before_words():
    p = contrast("p", p=0.03, p_operator="=", adjusted="no", score="post", **N)
    rows = [level("end", mean=5, n=12), level("end", arm="c", mean=6, n=16), p, direction("up")]
    assert parallel(rows)["SMD"].yi < 0


def test_levels_after_do_not_tell_the_sign_of_a_test_of_changes():
    """The arm that is higher after may have fallen from still higher."""
    p = contrast("p", p=0.03, p_operator="=", adjusted="no", score="change", **N)
    after = [level("end", mean=5, n=12), level("end", arm="c", mean=6, n=16)]
    before = [level("baseline", mean=3, n=12), level("baseline", arm="c", mean=5, n=16)]
    assert "SMD" not in parallel([p, *after])
    assert parallel([p, *after, *before])["SMD"].yi > 0
    assert parallel([p, *after, direction("down")])["SMD"].yi < 0


@pytest.mark.parametrize(
    ("n_e", "n_c", "usable"), [(2, 2, True), (1, 2, False), (2, 1, False), (3, 1, True)]
)
def test_a_test_needs_four_people(n_e, n_c, usable):
    t = contrast("t", value=2.2, adjusted="no", score="post", n_exercise=n_e, n_control=n_c)
    assert ("SMD" in parallel([t])) == usable


# A pooled t test of post scores gives the SD that the means lack (Cochrane Handbook 7.7.3.3).
@pytest.mark.parametrize("t", [2.5, -2.5])
def test_the_sd_of_levels_from_their_t_test(t):
    rows = [level("end", mean=5, n=12), level("end", arm="c", mean=7, n=16),
            contrast("t", value=t, score="post", test="t_pooled", **N)]  # fmt: skip
    found = parallel(rows)
    sd = (2 / 2.5) / ROOT_N
    g = hedges_j(26) * -2 / sd
    assert found["SMD"].yi == pytest.approx(g)
    assert found["SMD"].vi == pytest.approx(ROOT_N**2 + g**2 / 56)
    assert account_of(found["SMD"]) == ("POST", "POST+TMD", "TMD", 12, 16)
    assert (found["MD"].yi, found["MD"].vi) == (-2, pytest.approx((2 / 2.5) ** 2))
    assert found["ROM"].yi == pytest.approx(math.log(5 / 7))
    assert found["ROM"].vi == pytest.approx(sd**2 / (12 * 25) + sd**2 / (16 * 49))


@pytest.mark.parametrize("cells", [{"test": "t_welch"}, {"test": "t_pooled", "score": "change"}])
def test_no_other_test_gives_the_sd_of_levels(cells):
    rows = [level("end", mean=5, n=12), level("end", arm="c", mean=7, n=16),
            contrast("t", value=2.5, **{"score": "post", **cells}, **N)]  # fmt: skip
    assert {e.derivation_method for e in parallel(rows).values()} == {"TST"}


# ADJ: J D / S0, v = (J SE / S0)^2 + g^2 / (2 (nT + nC)), J on the degrees of freedom of S0.
def test_adjusted_difference():
    rows = [level("baseline", mean=50, sd=8, n=14), level("baseline", arm="c", mean=51, sd=6, n=18),
            contrast("adj_md", value=-3, se=1.5, unit="ng/mL", **N)]  # fmt: skip
    found = parallel(rows)
    s0 = math.sqrt((13 * 64 + 17 * 36) / 30)
    g = hedges_j(30) * -3 / s0
    assert found["SMD"].yi == pytest.approx(g)
    assert found["SMD"].vi == pytest.approx((hedges_j(30) * 1.5 / s0) ** 2 + g**2 / 56)
    assert account_of(found["SMD"]) == ("ADJ", "ADJ+SE+SD", "", 12, 16)
    assert (found["MD"].yi, found["MD"].vi) == (-3, pytest.approx(2.25))
    assert account_of(found["MD"]) == ("ADJ", "ADJ+SE", "", 12, 16)


@pytest.mark.parametrize(
    ("covariates", "df"), [({}, 25), ({"covariates": 3}, 23), ({"covariates": 1}, 25)]
)
def test_covariates_cost_degrees_of_freedom(covariates, df):
    found = parallel(
        [contrast("adj_md", value=-3, ci_low=-5, ci_high=-1, unit="ng/mL", **N, **covariates)]
    )
    assert found["MD"].vi == pytest.approx((2 / p_to_t(0.05, df)) ** 2)


def test_changes_over_the_baseline_sd():
    found = parallel(CHANGES)
    s0 = math.sqrt((13 * 64 + 17 * 36) / 30)
    g, u = hedges_j(30) * 3 / s0, 25 / 12 + 9 / 16
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, u / s0**2 + g**2 / 56))
    assert account_of(found["SMD"]) == ("PPC", "PPC+SD", "", 12, 16) and found["SMD"].r is None
    assert (found["MD"].yi, found["MD"].vi) == pytest.approx((3, u))
    assert account_of(found["MD"]) == ("CHG", "CHG+SD", "", 12, 16)
    assert (found["MD"].means_kind, found["MD"].mean_exercise, found["MD"].sd_control) == (
        "change",
        4,
        3,
    )


def test_changes_without_a_baseline():
    """CHG: the raw SD is SDchange / sqrt(2 (1 - r)), here of r = 0.5 SDchange itself."""
    found = parallel(CHANGES[2:])["SMD"]
    s0 = math.sqrt((11 * 25 + 15 * 9) / 26)
    g = hedges_j(26) * 3 / s0
    assert found.yi == pytest.approx(g)
    assert found.vi == pytest.approx((25 / 12 + 9 / 16) / s0**2 + g**2 / 56)
    assert account_of(found) == ("CHG", "CHG+SD", "RIMP", 12, 16)


def test_the_raw_sd_behind_a_change_follows_r():
    rs = [("contrasts", a, "end", "r", {"value": 0.3, "compares": "within"}) for a in "ec"]
    found = parallel([*CHANGES[2:], *rs])["SMD"]
    s0 = math.sqrt((11 * 25 + 15 * 9) / 26) / math.sqrt(1.4)
    g = hedges_j(26) * 3 / s0
    assert (found.yi, found.vi) == pytest.approx((g, (25 / 12 + 9 / 16) / s0**2 + g**2 / 56))
    assert account_of(found) == ("CHG", "CHG+SD", "", 12, 16) and found.r == pytest.approx(0.3)


def test_levels_of_a_controlled_trial_that_loses_people():
    """u = [s1^2/n1 + (s0^2 - 2 r s0 s1)/n0] of each arm, r = 0.5."""
    rows = [level("baseline", mean=50, sd=8, n=14), level("baseline", arm="c", mean=51, sd=6, n=18),
            level("end", mean=55, sd=9, n=12),
            level("end", arm="c", mean=52, sd=7, n=16)]  # fmt: skip
    found = parallel(rows)
    u = 81 / 12 + (64 - 72) / 14 + 49 / 16 + (36 - 42) / 18
    s0 = math.sqrt((13 * 64 + 17 * 36) / 30)
    g = hedges_j(30) * 4 / s0
    assert (found["MD"].yi, found["MD"].vi) == pytest.approx((4, u))
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, u / s0**2 + g**2 / 56))
    ratio = (81 / (12 * 55**2) + 64 / (14 * 50**2) - 72 / (14 * 50 * 55)
             + 49 / (16 * 52**2) + 36 / (18 * 51**2) - 42 / (18 * 51 * 52))  # fmt: skip
    assert found["ROM"].yi == pytest.approx(math.log(55 / 50) - math.log(52 / 51))
    assert found["ROM"].vi == pytest.approx(ratio)
    assert {account_of(e)[1:] for e in found.values()} == {("PPC+SD", "RIMP", 12, 16)}


# One SD of change for both arms, from the test of their difference.
def test_changes_whose_test_is_printed():
    rows = [change("e", mean=4, n=12), change("c", mean=1, n=16),
            contrast("t", value=2.4, score="change", adjusted="no", **N)]  # fmt: skip
    found = parallel(rows)["MD"]
    assert (found.yi, found.vi) == pytest.approx((3, (3 / 2.4) ** 2))
    assert account_of(found) == ("CHG", "CHG+TMD+t", "TMD", 12, 16)


def test_percent_changes_whose_test_is_printed():
    rows = [change("e", "pct_change", mean=4, n=12), change("c", "pct_change", mean=1, n=16),
            contrast("t", value=2.4, score="change", adjusted="no", **N)]  # fmt: skip
    found = parallel(rows)["ROM"]
    sd = 3 / 2.4 / ROOT_N
    c = [math.log1p((sd / 100) ** 2 / ratio**2) for ratio in (1.04, 1.01)]
    assert found.yi == pytest.approx(math.log(1.04) - c[0] / 2 - math.log(1.01) + c[1] / 2)
    assert found.vi == pytest.approx(c[0] / 12 + c[1] / 16)
    assert account_of(found)[0] == "CHG" and found.flags == {"PCT", "TMD"}
    second = contrast("t", value=2.4, score="change", adjusted="no", origin="press", **N)
    assert parallel([*rows[:2], second])["ROM"].flags == {"2ND", "PCT", "TMD"}


def test_a_printed_difference_of_percentages_goes_before_its_t():
    """The SE is that of the difference reported in %, not |D| / t of the arms' own means."""
    rows = [change("e", "pct_change", mean=4, n=12), change("c", "pct_change", mean=1, n=16),
            contrast("md", value=3.1, se=1.1, unit="%", score="change", adjusted="no",
                     **N)]  # fmt: skip
    found = parallel(rows)["ROM"]
    sd = 1.1 / ROOT_N
    c = [math.log1p((sd / 100) ** 2 / ratio**2) for ratio in (1.04, 1.01)]
    assert found.vi == pytest.approx(c[0] / 12 + c[1] / 16)


def test_a_difference_of_percentages_alone():
    md = contrast("md", value=3, se=1.1, unit="%", score="change", adjusted="no", **N)
    found = parallel([md])
    assert (found["ROM"].yi, found["ROM"].vi) == pytest.approx((math.log(1.03), 0.011**2))
    assert account_of(found["ROM"]) == ("DIF", "DIF+PCT+SE", "PCT", 12, 16)
    g = hedges_j(26) * 3 / 1.1 * ROOT_N  # f = sqrt(2 (1 - 0.5))
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, ROOT_N**2 + g**2 / 56))
    assert found["SMD"].flags == {"PCT", "RIMP"} and "MD" not in found


@pytest.mark.parametrize(("value", "usable"), [(-99.5, True), (-100, False)])
@pytest.mark.parametrize("design", [parallel, crossover])
def test_no_ratio_of_a_loss_of_all(value, usable, design):
    md = contrast("md", value=value, se=30, unit="%", score="change", adjusted="no", **N)
    assert ("ROM" in design([md])) == usable


def test_a_printed_difference_of_levels():
    md = contrast("md", value=-3, se=1.5, unit="ng/mL", score="post", adjusted="no", **N)
    found = parallel([md])
    assert (found["MD"].yi, found["MD"].vi) == pytest.approx((-3, 2.25))
    assert account_of(found["MD"]) == ("DIF", "DIF+SE", "", 12, 16)
    levels = [level("end", mean=5, sd=2, n=12), level("end", arm="c", mean=7, sd=3, n=16)]
    assert account_of(parallel([md, *levels])["MD"])[:2] == ("POST", "POST+SD")


# BASE: ln(1 + D/m0), v = (SE / (m0 + D))^2; m0 the trial's own where it reports one.
@pytest.mark.parametrize(
    ("baselines", "m0", "flags"),
    [
        ((), 0.92, "BASE"),
        ([("e", 0.8, 10), ("c", 1.0, 30)], 0.95, ""),
        ([("e", 0.8, 10)], 0.8, ""),
    ],
)
def test_a_change_of_bone_as_a_ratio(baselines, m0, flags):
    rows = [level("baseline", arm=arm, mean=mean, n=n) for arm, mean, n in baselines]
    rows += [change("e", mean=0.02, sd=0.03, n=12), change("c", mean=-0.01, sd=0.02, n=16)]
    found = parallel(rows, what="BMD", site="lumbar_spine")["ROM"]
    variance = 0.03**2 / 12 + 0.02**2 / 16
    assert found.yi == pytest.approx(math.log1p(0.03 / m0))
    assert found.vi == pytest.approx(variance / (m0 + 0.03) ** 2)
    assert (found.derivation_method, text(found).flags) == ("CHG", flags)


def test_a_change_of_bone_is_a_ratio_by_the_own_mean_without_one_in_the_config():
    """A review of one's own declares no baseline mean."""
    config = without_baseline_means(CONFIG)
    rows = [change("e", mean=0.02, sd=0.03, n=12), change("c", mean=-0.01, sd=0.02, n=16)]
    how = {"what": "BMD", "site": "lumbar_spine", "config": config}
    assert "ROM" not in parallel(rows, **how)
    own = parallel([level("baseline", mean=0.8, n=10), *rows], **how)["ROM"]
    assert own.yi == pytest.approx(math.log1p(0.03 / 0.8)) and text(own).flags == ""


# SMDP: a reported SMD.
@pytest.mark.parametrize(
    ("cells", "factor", "u", "flags"),
    [
        ({"standardiser": "raw"}, hedges_j(26), 1.0, ""),
        ({"standardiser": "raw", "note": "Hedges' g"}, 1.0, 1.0, ""),
        ({"standardiser": "raw", "note": "not Hedges"}, hedges_j(26), 1.0, ""),
        ({"standardiser": "change"}, hedges_j(26) * math.sqrt(1.4), 1.4, ""),
        ({"standardiser": "change", "note": "Hedges g"}, math.sqrt(1.4), 1.4, ""),
    ],
)
def test_printed_smd(cells, factor, u, flags):
    rs = [("contrasts", a, "end", "r", {"value": 0.3, "compares": "within"}) for a in "ec"]
    found = parallel([contrast("smd", value=-0.6, **N, **cells), *rs])["SMD"]
    assert found.yi == pytest.approx(-0.6 * factor)
    assert found.vi == pytest.approx(u * ROOT_N**2 + found.yi**2 / 56)
    assert account_of(found) == ("SMDP", "SMDP", flags, 12, 16)
    assert found.r == (pytest.approx(0.3) if cells["standardiser"] == "change" else None)


def test_a_printed_smd_with_its_interval():
    smd = contrast("smd", value=0.6, ci_low=0.1, ci_high=1.1, standardiser="raw", **N)
    found = parallel([smd])["SMD"]
    assert found.yi == pytest.approx(0.6 * hedges_j(26))
    assert found.vi == pytest.approx((hedges_j(26) * 0.5 / p_to_t(0.05, None)) ** 2)


def test_a_ready_g_with_its_standard_error_needs_no_n():
    smd = contrast("smd", value=0.6, se=0.2, standardiser="raw", note="Hedges' g")
    found = parallel([smd])["SMD"]
    assert (found.yi, found.vi) == pytest.approx((0.6, 0.04))
    assert account_of(found) == ("SMDP", "SMDP+SE", "", None, None)
    smd = contrast("smd", value=0.6, se=0.2, ci_low=0.1, ci_high=1.1, standardiser="raw", **N)
    assert parallel([smd])["SMD"].vi == pytest.approx((hedges_j(26) * 0.2) ** 2)
    with pytest.raises(KeyError):
        parallel([contrast("smd", value=0.6, se=0.2, standardiser="raw")])["SMD"]


# Logarithms before and after.
def test_changes_of_logarithms():
    def logs(time, arm, **cells):
        return ("measurements", arm, time, "log_level", cells)

    rows = [logs("baseline", "e", mean=1.0, sd=0.4, n=14), logs("end", "e", mean=1.3, sd=0.5, n=12),
            logs("baseline", "c", mean=1.1, sd=0.3, n=18),
            logs("end", "c", mean=1.2, sd=0.2, n=16)]  # fmt: skip
    found = parallel(rows)
    assert set(found) == {"ROM"}
    variance = (0.25 / 12 + (0.16 - 0.2) / 14) + (0.04 / 16 + (0.09 - 0.06) / 18)
    assert (found["ROM"].yi, found["ROM"].vi) == pytest.approx((0.2, variance))
    assert account_of(found["ROM"]) == ("LOG", "LOG+SD", "RIMP", 12, 16)


# What stands behind a mean: SE, an interval of any level, a reported plus-minus.
@pytest.mark.parametrize(
    ("cells", "sd", "code"),
    [
        ({"sd": 4.0}, 4.0, "SD"),
        ({"spread": 4.0, "spread_kind": "sd"}, 4.0, "SD"),
        ({"se": 0.5}, 0.5 * math.sqrt(12), "SE"),
        ({"spread": 0.5, "spread_kind": "se"}, 0.5 * math.sqrt(12), "SE"),
        ({"ci_low": 9, "ci_high": 11}, math.sqrt(12) / p_to_t(0.05, 11), "CI"),
        ({"ci_low": 9, "ci_high": 11, "ci_level": 90}, math.sqrt(12) / p_to_t(0.1, 11), "CI"),
        ({"spread": 4.0, "spread_kind": "unknown"}, None, ""),
    ],
)
def test_the_sd_behind_a_mean(cells, sd, code):
    found = parallel(
        [level("end", mean=10, n=12, **cells), level("end", arm="c", mean=9, sd=3, n=16)]
    )
    if sd is None:
        assert found == {}
    else:
        assert found["MD"].vi == pytest.approx(sd**2 / 12 + 9 / 16)
        assert text(found["MD"]).provenance == "+".join(["POST", *sorted({code, "SD"})])


@pytest.mark.parametrize(
    ("other", "provenance", "flags"),
    [
        ({"se": 1, "origin": "other_review"}, "DIF+p", ""),
        ({"ci_low": 1, "ci_high": 7}, "DIF+CI", ""),
        ({"se": 1}, "DIF+SE", ""),
    ],
)
def test_first_hand_tests_before_second_hand_ones_and_then_by_exactness(other, provenance, flags):
    same = {"unit": "ng/mL", "score": "post", **N}
    rows = [contrast("md", value=3, p=0.01, p_operator="=", adjusted="no", **same),
            contrast("md", value=4, adjusted="not_stated", **other, **same)]  # fmt: skip
    assert account_of(parallel(rows)["MD"])[1:3] == (provenance, flags)


def test_one_tail_is_one_tail():
    p = contrast("p", p=0.02, p_operator="=", tails=1, adjusted="no", score="post", **N)
    found = parallel([p, direction("up")])["SMD"]
    assert found.yi == pytest.approx(hedges_j(26) * p_to_t(0.04, 26) * ROOT_N)
