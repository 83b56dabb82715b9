"""Forms of the variance, changes within one arm, quantiles, and what gives an effect its sign."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from builders import (
    CHANGES,
    CONFIG,
    PAIR,
    N,
    account_of,
    change,
    contrast,
    crossover,
    direction,
    level,
    parallel,
    tables,
    text,
    with_effects,
    within_arm,
)
from osteometa.comparisons.quantiles import from_quantiles, is_skewed
from osteometa.derivation.derive import derive
from osteometa.directions.p_values import albatross
from osteometa.directions.per_study import study_directions
from osteometa.extraction.tables import Tables
from osteometa.numerics.distributions import hedges_j, p_to_t
from osteometa.pooling.correlated import checked_covariance, row_weights
from osteometa.pooling.model import pool

BEFORE = level("baseline", mean=50, sd=8, n=14)
AFTER = [level("end", mean=55, sd=9, n=12), level("end", arm="c", mean=52, sd=7, n=16)]
LEVELS = [*CHANGES[:2], *AFTER]
ADJUSTED = contrast("adj_md", value=-3, se=1.5, unit="ng/mL", **N)
PLAIN_T = contrast("t", value=2.2, adjusted="no", score="post", **N)
SMD = contrast("smd", value=0.6, standardiser="raw", **N)
# rows, design, participants behind g, degrees of freedom of its SD
FORMS = {
    "ADJ": ([*CHANGES[:2], ADJUSTED], parallel, 28, 30),
    "PPC": (LEVELS, parallel, 28, 30),
    "CHG": (CHANGES[2:], parallel, 28, 26),
    "POST": (AFTER, parallel, 28, 26),
    "TST": ([PLAIN_T], parallel, 28, 26),
    "SMDP": ([SMD], parallel, 28, 26),
    "paired levels": (PAIR, crossover, 10, 9),
    "paired t": ([contrast("t", value=2.4, score="post", n_exercise=11)], crossover, 11, 10),
    "one arm, levels": ([BEFORE, level("end", mean=55, sd=9, n=12)], within_arm, 12, 13),
    "one arm, change": ([change("e", mean=4, sd=5, n=12)], within_arm, 12, 11),
    "one arm, t": ([contrast("t", value=2.4, n_exercise=11)], within_arm, 11, 10),
    "one arm, SMD": (
        [contrast("smd", value=2.4, n_exercise=11, standardiser="raw")], within_arm, 11, 10,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_each_rung_has_each_form_of_the_variance(name):
    rows, of, n, m = FORMS[name]
    g = of(rows)["SMD"].yi
    ls, ls2, ub = (
        of(rows, config=with_effects(smd_variance=form))["SMD"].vi for form in ("LS", "LS2", "UB")
    )
    u = ls - g**2 / (2 * n)
    shrunk = u if name == "ADJ" else hedges_j(m) ** 2 * u
    assert ls2 == pytest.approx(shrunk + g**2 / (2 * n))
    assert ub == pytest.approx(u + (1 - (m - 2) / (m * hedges_j(m) ** 2)) * g**2)


def test_each_arm_over_its_own_sd():
    """Becker 1988: gT - gC, each on n - 1."""
    found = parallel(CHANGES, config=with_effects(smd_pre_post="becker"))["SMD"]
    g = [hedges_j(13) * 4 / 8, hedges_j(17) * 1 / 6]
    v = [25 / 12 / 64 + g[0] ** 2 / 24, 9 / 16 / 36 + g[1] ** 2 / 32]
    assert (found.yi, found.vi) == pytest.approx((g[0] - g[1], sum(v)))


def test_separate_sds_after():
    found = parallel(AFTER, config=with_effects(smd_post="separate"))["SMD"]
    square = (81 + 49) / 2
    g = hedges_j(26) * 3 / math.sqrt(square)
    u = (81 / 11 + 49 / 15) / square
    w = (81**2 / 11 + 49**2 / 15) / (8 * square**2)
    assert (found.yi, found.vi) == pytest.approx((g, hedges_j(26) ** 2 * (u + g**2 * w)))


@pytest.mark.parametrize(
    ("rows", "corrected"), [(AFTER, "POST"), (LEVELS, "PPC")], ids=["POST", "PPC"]
)
def test_lajeunesse_corrections_of_a_ratio(rows, corrected):
    plain, more = (
        parallel(rows, config=with_effects(rom_correction=x))["ROM"] for x in (False, True)
    )
    a, b = 81 / (12 * 55**2), 49 / (16 * 52**2)
    dy, dv = (a - b) / 2, (a**2 + b**2) / 2
    if corrected == "PPC":
        a0, b0 = 64 / (14 * 50**2), 36 / (18 * 51**2)
        dy, dv = (a - a0) / 2 - (b - b0) / 2, (a**2 + a0**2 + b**2 + b0**2) / 2
    assert (more.yi - plain.yi, more.vi - plain.vi) == pytest.approx((dy, dv), rel=1e-6)


def two_studies(*sets):
    """Return tables of several studies, each of its own rows."""
    made = [tables(rows, design="rct", control=True) for rows in sets]
    joined = {}
    for name in ("studies", "arms", "measurements", "contrasts", "directions"):
        joined[name] = tuple(
            row.model_copy(update={"study_id": f"s{i}"})
            for i, one in enumerate(made)
            for row in getattr(one, name)
        )
    for name in ("measurements", "contrasts", "directions"):
        joined[name] = tuple(
            row.model_copy(update={"row": k}) for k, row in enumerate(joined[name], start=2)
        )
    return Tables(**joined)


def test_the_average_effect_stands_in_the_variances_of_plain_forms_alone():
    """AV: each own g is replaced by the mean g of the set, but not in SMDH or gT - gC."""
    interval = contrast("smd", value=0.9, ci_low=0.1, ci_high=1.7, standardiser="raw", **N)
    raw = two_studies(AFTER, [level("end", mean=58, sd=9, n=12), AFTER[1]], [SMD], [interval])

    def smds(**choice):
        return [e for e in derive(raw, with_effects(**choice)).effects if e.measure == "SMD"]

    plain, averaged = smds(smd_variance="LS"), smds(smd_variance="AV")
    members = plain[:3]  # all pool, but the interval of the fourth gives its own variance
    mean = sum(e.yi * e.n_total for e in members) / sum(e.n_total for e in members)
    for one, other in zip(plain[:3], averaged[:3], strict=True):
        wanted = one.vi - one.yi**2 / (2 * one.n_total) + mean**2 / (2 * one.n_total)
        assert other.vi == pytest.approx(wanted) and other.vi != pytest.approx(one.vi)
        assert other.z == pytest.approx(one.yi / math.sqrt(wanted))
    assert averaged[3].vi == plain[3].vi
    separate = smds(smd_variance="LS", smd_post="separate")
    assert [e.vi for e in smds(smd_variance="AV", smd_post="separate")[:2]] == [
        e.vi for e in separate[:2]
    ]


@pytest.mark.parametrize("form", ["ppc", "becker"])
def test_the_average_effect_stands_in_changes_over_one_pooled_sd_alone(form):
    """AV of ADJ and CHG always, of PPC not where each arm has its own SD before."""
    raw = two_studies([*CHANGES[:2], ADJUSTED], CHANGES[2:], LEVELS)

    def smds(variance):
        config = with_effects(smd_variance=variance, smd_pre_post=form)
        return [e for e in derive(raw, config).effects if e.measure == "SMD"]

    plain, averaged = smds("LS"), smds("AV")
    assert [e.derivation_method for e in plain] == ["ADJ", "CHG", "PPC"]
    members = plain if form == "ppc" else plain[:2]
    mean = sum(e.yi * e.n_total for e in members) / sum(e.n_total for e in members)
    for one, other in zip(plain, averaged, strict=True):
        more = (mean**2 - one.yi**2) / (2 * one.n_total) if one in members else 0.0
        assert other.vi == pytest.approx(one.vi + more, rel=1e-12)


def test_a_printed_difference_in_another_unit():
    md = contrast("md", value=-3000, se=1500, unit="pg/mL", score="post", adjusted="no", **N)
    found = parallel([md])["MD"]
    other = parallel([contrast("md", value=-3, se=1.5, unit="ng/mL", score="post", adjusted="no",
                               **N)])["MD"]  # fmt: skip
    factor = other.yi / found.yi if found.unit != other.unit else 1.0
    assert (found.yi * factor, found.vi * factor**2) == pytest.approx((other.yi, other.vi))
    levels = [level("baseline", mean=5, n=12), level("baseline", arm="c", mean=5, n=16)]
    mixed = parallel([md, *levels])["MD"]
    assert (mixed.unit, mixed.yi, mixed.vi) == ("ng/mL", pytest.approx(-3), pytest.approx(2.25))


@pytest.mark.parametrize(("difference", "usable"), [(-0.05, True), (-0.95, False)])
def test_a_loss_of_bone_as_a_ratio(difference, usable):
    rows = [change("e", mean=difference, sd=0.03, n=12), change("c", mean=0, sd=0.02, n=16)]
    found = parallel(rows, what="BMD", site="lumbar_spine")
    assert ("ROM" in found) == usable
    if usable:
        assert found["ROM"].yi == pytest.approx(math.log1p(difference / 0.92))


# One arm, before and after.
def test_a_printed_change_of_one_arm():
    md = contrast("md", value=-4, ci_low=-6, ci_high=-2, unit="ng/mL", n_exercise=12)
    found = within_arm([md])
    se = 2 / p_to_t(0.05, 11)
    assert (found["MD"].yi, found["MD"].vi) == pytest.approx((-4, se**2))
    assert account_of(found["MD"]) == ("MC", "MC+CI", "", 12, None) and found["MD"].n_total == 12
    g = hedges_j(11) * -4 / se / math.sqrt(12)  # sqrt(2 (1 - r)) is 1
    assert (found["SMD"].yi, found["SMD"].vi) == pytest.approx((g, 1 / 12 + g**2 / 24))
    assert account_of(found["SMD"])[2] == "RIMP"


def test_a_printed_percent_change_of_one_arm():
    md = contrast("md", value=-4, se=1.5, unit="%", n_exercise=12)
    found = within_arm([md])
    assert (found["ROM"].yi, found["ROM"].vi) == pytest.approx((math.log(0.96), 0.015**2))
    assert account_of(found["ROM"]) == ("ROMC", "ROMC+PCT+SE", "PCT", 12, None)
    assert found["SMD"].flags == {"PCT", "RIMP"} and "MD" not in found


def test_means_with_a_paired_t():
    rows = [level("baseline", mean=50, n=12), level("end", mean=46, n=12),
            contrast("t", value=-2.5, n_exercise=12)]  # fmt: skip
    found = within_arm(rows)["MD"]
    assert (found.yi, found.vi) == pytest.approx((-4, 1.6**2))
    assert account_of(found) == ("MC", "MC+t", "", 12, None)


def test_the_papers_own_se_goes_before_an_assumed_correlation():
    """u = (SE / s0)^2; with a reported correlation the levels give 1/n1 + 1/n0 - 2 r / n0."""
    rows = [BEFORE, level("end", mean=55, sd=9, n=12), contrast("t", value=3.0, n_exercise=12)]
    found = within_arm(rows)["SMD"]
    g = hedges_j(13) * 5 / 8
    assert (found.yi, found.vi) == pytest.approx((g, (5 / 3 / 8) ** 2 + g**2 / 24))
    assert text(found).flags == "" and found.r is None
    found = within_arm([*rows[:2], contrast("r", value=0.7)])["SMD"]
    assert found.vi == pytest.approx(1 / 12 + 1 / 14 - 1.4 / 14 + g**2 / 24)
    assert (text(found).flags, found.r) == ("", 0.7)


@pytest.mark.parametrize(("kind", "flags"), [("change", {"RIMP"}), ("pct_change", {"RIMP", "PCT"})])
def test_a_change_over_its_own_sd(kind, flags):
    found = within_arm([change("e", kind, mean=4, sd=5, n=12)])["SMD"]
    g = hedges_j(11) * 4 / 5
    assert (found.yi, found.vi) == pytest.approx((g, 1 / 12 + g**2 / 24))
    assert found.flags == flags and found.derivation_method == "SMCR"


def test_a_printed_standardised_change():
    rows = [
        contrast("smd", value=-0.5, standardiser="change", n_exercise=12),
        contrast("r", value=0.8),
    ]
    found = within_arm(rows)["SMD"]
    g = hedges_j(11) * -0.5 * math.sqrt(0.4)
    assert (found.yi, found.vi) == pytest.approx((g, 0.4 / 12 + g**2 / 24))
    assert account_of(found) == ("SMCR", "SMCR+SMDP", "", 12, None)


def test_changes_of_logarithms_of_one_arm():
    rows = [
        ("measurements", "e", "baseline", "log_level", {"mean": 1.0, "sd": 0.4, "n": 14}),
        ("measurements", "e", "end", "log_level", {"mean": 1.3, "sd": 0.5, "n": 12}),
    ]
    found = within_arm(rows)
    assert set(found) == {"ROM"}
    assert (found["ROM"].yi, found["ROM"].vi) == pytest.approx((0.3, 0.25 / 12 + (0.16 - 0.2) / 14))
    assert account_of(found["ROM"]) == ("ROMC", "ROMC+LOG+SD", "RIMP", 12, None)


def test_percent_changes_and_a_bare_t_are_flagged_in_the_smd():
    rows = [change("e", "pct_change", mean=4, n=12), change("c", "pct_change", mean=1, n=16),
            contrast("t", value=2.4, score="change", adjusted="no", **N)]  # fmt: skip
    assert parallel(rows)["SMD"].flags == {"PCT", "RIMP"}
    levels = [level("end", mean=6, n=12), level("end", arm="c", mean=5, n=16)]
    assert text(parallel([*rows, *levels])["SMD"]).flags == "RIMP"
    one = [change("e", "pct_change", mean=4, n=12), contrast("t", value=2.4, n_exercise=12)]
    assert within_arm(one)["SMD"].flags == {"PCT", "RIMP"}
    assert text(within_arm([*one, level("end", mean=6, n=12)])["SMD"]).flags == "RIMP"
    assert text(within_arm([*one, change("e", mean=2, n=12)])["SMD"]).flags == "RIMP"


@pytest.mark.parametrize(
    ("cells", "code"),
    [({"sd": 2}, "FIG"), ({"se": 0.5}, "FIG+SE"), ({"ci_low": 4, "ci_high": 6}, "CI+FIG")],
)
def test_a_digitised_spread_keeps_its_kind(cells, code):
    rows = [
        level("end", mean=5, n=20, origin="figure", **cells),
        level("end", arm="c", mean=4, sd=1, n=16),
    ]
    wanted = "+".join(["POST", *sorted({*code.split("+"), "SD"})])
    assert "+".join(["POST", *sorted(parallel(rows)["MD"].provenance[1:])]) == wanted


# Quantiles.
def reported(**quantiles):
    return SimpleNamespace(**{**dict.fromkeys(("min", "q1", "median", "q3", "max")), **quantiles})


@pytest.mark.parametrize(
    ("row", "n", "code"),
    [
        ({"min": 1, "q1": 3, "median": 4, "q3": 5, "max": 8}, 20, "Q5"),
        ({"min": 1, "q1": 4, "median": 4, "q3": 4, "max": 8}, 20, "R3"),
        ({"min": 4, "median": 4, "max": 4}, 20, None),
        ({"min": 5, "median": 4, "max": 3}, 20, None),
        ({"q1": 3, "median": 4, "q3": 5}, 20, "Q3"),
        ({"q1": 5, "median": 4, "q3": 3}, 20, None),
        ({"q1": 3, "median": 4, "q3": 5}, 5, "Q3"),
        ({"q1": 3, "median": 4, "q3": 5}, 4, None),
        ({"q1": 3, "median": 4, "q3": 5}, None, None),
        ({"q1": 3, "q3": 5}, 20, None),
    ],
)
def test_which_quantiles_are_used(row, n, code):
    found = from_quantiles(reported(**row), n)
    assert (found and found.codes[0]) == code


@pytest.mark.parametrize("n", [5, 6, 12, 40])
@pytest.mark.parametrize("code", ["R3", "Q3", "Q5 outer", "Q5 inner"])
def test_the_skew_test_turns_at_its_critical_value(code, n):
    """Shi 2023: |upper + lower - 2 median| / (upper - lower) against the published limits."""
    limit = {
        "R3": 1 / math.log(n + 9) + 2.5 / (n + 1),
        "Q3": 2.65 / math.sqrt(n) - 6 / n**2,
    }.get(code, 2.97 / math.sqrt(n) - 39.1 / n**3)
    if code == "Q5 outer":
        limit /= 2.65 * math.log(0.6 * n) / math.sqrt(n)
    for factor, skewed in ((0.999, False), (1.001, True)):
        low, high = -1.0, 1.0
        middle = -limit * factor / 2 * (high - low)
        values = {
            "Q5 outer": (low, middle - 1e-9, middle, middle + 1e-9, high),
            "Q5 inner": (middle - 50, low, middle, high, middle + 50),
        }.get(code, (low, middle, high))
        assert is_skewed(code[:2], values, n) == skewed


# Directions and p.
def entry(rows, **how):
    (found,) = derive(tables(rows, **how), CONFIG).entries
    return found


@pytest.mark.parametrize(
    ("row", "how", "word", "reason"),
    [
        (direction("", "within_arm", arrow="none", significant="no"), {"design": "uncontrolled"},
         "unchanged", "no significant change"),
        (direction("", "within_arm", arrow="none", significant="no"),
         {"design": "rct", "control": True}, "not_told", "only the change within the arm"),
        (direction("", "not_stated", arrow="up", significant="no"),
         {"design": "rct", "control": True},
         "not_told", "whether the direction is one between arms"),
        (direction("", "between_arm", arrow="mixed"), {"design": "rct", "control": True},
         "not_told", "mixed results"),
        (direction("", "between_arm", arrow="up", significant="no"),
         {"design": "rct", "control": True}, "not_told", "no sign is reported"),
    ],
)  # fmt: skip
def test_why_a_direction_is_not_known(row, how, word, reason):
    found = entry([row], **how)
    assert found.direction == word and reason in found.reason


@pytest.mark.parametrize(("value", "word"), [(-0.2, "down"), (0.2, "up"), (0, "zero")])
def test_a_printed_difference_without_its_se_is_a_direction(value, word):
    md = contrast("md", value=value, unit="ng/mL", score="post", adjusted="no", **N)
    found = entry([md, direction("up")], design="rct", control=True)
    assert (found.direction, found.origin, found.n) == (word, "means", 28)


def test_the_common_effect_has_its_i2_and_h2_from_q():
    fit = pool([0.1, 0.5, 0.9], [0.02, 0.03, 0.04], method="EE", ci="wald")
    assert fit.h2 == pytest.approx(fit.q / 2)
    assert fit.i2 == pytest.approx(100 * (fit.q - 2) / fit.q)


@pytest.mark.parametrize(("what", "word"), [("CTX", "down"), ("BMD", "up")])
def test_the_primary_measure_gives_the_direction(what, word):
    """From 1 to 2 against 10 to 12: a smaller rise, but a larger ratio."""
    rows = [
        level(time, arm=arm, mean=mean, sd=0.5, n=12)
        for time, arm, mean in (
            ("baseline", "e", 1), ("baseline", "c", 10), ("end", "e", 2), ("end", "c", 12),
        )
    ]  # fmt: skip
    how = {"site": "lumbar_spine"} if what == "BMD" else {}
    found = entry(rows, design="rct", control=True, what=what, **how)
    assert (found.direction, found.origin) == (word, "effect")


def test_a_study_of_two_types_names_both():
    entries = [replace(entry([direction("up")], design="rct", control=True), exercise_type=kind)
               for kind in ("resistance", "aerobic")]  # fmt: skip
    (both,) = study_directions(entries, 0.7)
    (one,) = study_directions(entries[1:], 0.7)
    assert (both.exercise_type, one.exercise_type) == (("aerobic", "resistance"), ("aerobic",))


def test_a_p_of_one_tail_is_doubled_on_the_albatross_plot():
    p = contrast("p", p=0.02, p_operator="=", tails=1, test="rank", **N)
    raw = tables([p, direction("up")], design="rct", control=True)
    (point,) = albatross(derive(raw, CONFIG).entries, (), raw, CONFIG)
    assert (point.p, point.origin) == (pytest.approx(0.04), "reported")


def test_a_ratio_of_means_near_0_is_refused():
    """Mean 5, SD 9, n 12: 5 sqrt(12) / 9 is below 3; the levels after still give a ratio."""
    rows = [level("baseline", mean=5, sd=9, n=12), CHANGES[1], *AFTER]
    assert {m: e.derivation_method for m, e in parallel(rows).items()} == {
        "SMD": "PPC", "MD": "PPC", "ROM": "POST",
    }  # fmt: skip
    one = within_arm([rows[0], AFTER[0]])
    assert set(one) == {"SMD", "MD"}


def test_the_reason_of_the_last_test_is_stated():
    t = contrast("t", value=2.2, adjusted="no", score="post")
    raw = tables([t], design="rct", control=True)
    (estimated,) = derive(raw, CONFIG).estimated
    reasons = {attempt.method: attempt.reason for attempt in estimated.attempts["SMD"]}
    assert "n per arm is not reported" in reasons["TST"]


def test_equal_effects_but_for_rounding_have_no_plain_standard_error():
    same = pool([0.3, 0.1 + 0.2, 0.3], [0.1, 0.2, 0.3], ci="hksj")
    assert same.statistic is None and same.p == 0.0


def test_weights_are_the_row_sums_of_the_inverse():
    V = np.diag([0.2, 0.3, 0.5, 0.1])
    V[0, 2] = V[2, 0] = 0.1
    sums = np.linalg.inv(V + 0.05 * np.eye(4)).sum(axis=1)
    assert row_weights(V, 0.05) == pytest.approx(sums / sums.sum())


def test_an_asymmetry_of_rounding_is_none():
    V = np.diag([0.2, 0.3])
    V[0, 1] = V[1, 0] = 0.1
    V[0, 1] += 1e-13
    assert checked_covariance(V, 2)[0, 1] == checked_covariance(V, 2)[1, 0]
    V[0, 1] += 1e-6
    with pytest.raises(ValueError, match="symmetric"):
        checked_covariance(V, 2)


def test_an_albatross_point_is_that_of_the_primary_measure():
    raw = tables(LEVELS, design="rct", control=True)
    derived = derive(raw, CONFIG)
    (point,) = albatross(derived.entries, derived.effects, raw, CONFIG)
    assert point.effect_id.endswith(".smd")


def test_a_change_of_0_has_no_se_by_its_test():
    rows = [change("e", mean=0, n=12), contrast("t", value=2.5, n_exercise=12)]
    assert set(within_arm(rows)) == {"SMD"}
    assert set(within_arm([change("e", mean=1, n=12), rows[1]])) == {"MD", "SMD"}
