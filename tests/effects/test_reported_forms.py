"""Paired tests of each arm, geometric means with limits, cluster trials: numbers of metafor."""

import math
from dataclasses import replace

import pytest
from builders import (
    CONFIG,
    account_of,
    change,
    contrast,
    crossover,
    level,
    logs,
    parallel,
    tables,
    text,
    within_arm,
)
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.derive import derive
from osteometa.derivation.estimate import estimate
from osteometa.effects.hierarchy import design_effect


def paired(arm, p, **cells):
    cells = {"compares": "within", "test": "paired_t", "p": p, "p_operator": "=", **cells}
    return ("contrasts", arm, "end", "p", cells)


BARE = [change("e", mean=5.7, n=16), change("c", mean=0.5, n=4)]
"""Changes without SDs, of Diong et al. 2022 (data of a systematic review, eccentric training)."""
PAIRED = [paired("e", 0.006), paired("c", 0.983)]


def test_changes_with_their_own_paired_tests():
    found = parallel([*BARE, *PAIRED])["MD"]
    assert (found.yi, found.vi) == pytest.approx((5.2, 470.524041571))
    assert (found.sd_exercise, found.sd_control) == pytest.approx((7.13157868235, 43.2363424986))
    assert account_of(found) == ("CHG", "CHG+PT+p", "TMD", 16, 4)
    assert "contrasts:t/c/CTX/ctx_serum//end/p/within" in text(found).inputs


@pytest.mark.parametrize(
    "second",
    [
        paired("c", 0.983, p_operator=">"),
        paired("c", 0.983, test="rank"),
        paired("c", 0.983, test="rm_anova"),
        paired("c", 0.983, unit="%"),
    ],
)
def test_no_sd_by_a_bound_or_a_test_of_something_else(second):
    assert "MD" not in parallel([*BARE, PAIRED[0], second])


def test_a_paired_test_of_percent_changes():
    rows = [change("e", "pct_change", mean=5.7, n=16), change("c", "pct_change", mean=0.5, n=4)]
    found = parallel([*rows, *PAIRED])
    assert found["ROM"].provenance[-2:] == ("PT", "p")
    # With levels beside them, a bare test is one of those.
    levels = [level("end", arm=arm, mean=50) for arm in "ec"]
    assert "ROM" not in parallel([*rows, *levels, *PAIRED])


def test_the_reported_sd_precedes_a_paired_test():
    rows = [change("e", mean=5.7, sd=7, n=16), change("c", mean=0.5, sd=9, n=4), *PAIRED]
    assert account_of(parallel(rows)["MD"])[1] == "CHG+SD"


GEOMETRIC = [
    ("measurements", "e", "end", "geometric", {"mean": 24, "ci_low": 17, "ci_high": 34, "n": 30}),
    ("measurements", "c", "end", "geometric",
     {"mean": 4.2, "ci_low": 3.9, "ci_high": 4.6, "n": 30}),
]  # fmt: skip
"""Cochrane Handbook 5.1, 7.7.3.4."""


def test_geometric_means_with_their_limits():
    found = parallel(GEOMETRIC)
    assert set(found) == {"ROM"}
    rom = found["ROM"]
    assert (rom.yi, rom.vi) == pytest.approx((1.74296930506, 0.030343573529))
    assert account_of(rom) == ("LOG", "LOG+CI", "", 30, 30)


def test_geometric_means_in_two_units():
    table, arm, time, kind, cells = GEOMETRIC[1]
    thousandfold = {name: v * 1000 if name != "n" else v for name, v in cells.items()}
    other = (table, arm, time, kind, {**thousandfold, "unit": "pg/mL"})
    one, two = parallel(GEOMETRIC)["ROM"], parallel([GEOMETRIC[0], other])["ROM"]
    assert (one.yi, one.vi) == pytest.approx((two.yi, two.vi))


@pytest.mark.parametrize("spread", ["sd", "se"])
def test_no_other_spread_of_a_geometric_mean_is_used(spread):
    rows = [(*row[:4], {"mean": row[4]["mean"], spread: 1.5, "n": 30}) for row in GEOMETRIC]
    assert parallel(rows) == {}


LEVELS = [level("end", mean=0.45, sd=0.2, n=32), level("end", arm="c", mean=0.6, sd=0.25, n=28)]


def clustered(rows, clusters=(3, 3)):
    made = tables(rows, design="rct", control=True)
    pairs = zip(made.arms, clusters, strict=True)
    return replace(made, arms=tuple(arm.model_copy(update={"clusters": n}) for arm, n in pairs))


def test_a_cluster_trial_by_its_effective_n():
    """MD and ROM of metafor with n / 1.45 of each arm; SMD with its variance times 1.45."""
    made = derive(clustered([*LEVELS, contrast("icc", value=0.05)]), CONFIG)
    found = {e.measure: e for e in made.effects}
    expected = {
        "MD": (-0.15, 0.00504910714286),
        "ROM": (-0.287682072452, 0.0179411926808),
        "SMD": (-0.658985004798, 0.102345537561),
    }
    assert {m: (e.yi, e.vi) for m, e in found.items()} == {
        m: pytest.approx(numbers) for m, numbers in expected.items()
    }
    assert {account_of(e)[1:] for e in found.values()} == {("POST+SD+DE", "", 32, 28)}


def test_a_difference_of_a_cluster_trial_by_its_total_n():
    rows = [contrast("md", value=-0.15, se=0.07, unit="ng/mL", n_total=60),
            contrast("icc", value=0.05)]  # fmt: skip
    made = clustered(rows)
    made = replace(made, arms=tuple(arm.model_copy(update={"n_start": None}) for arm in made.arms))
    (found,) = (e for e in derive(made, CONFIG).effects if e.measure == "MD")
    assert found.vi == pytest.approx(0.07**2 * design_effect(60, 6, 0.05))


def test_an_intracluster_correlation_from_elsewhere_is_flagged():
    made = derive(clustered([*LEVELS, contrast("icc", value=0.05, flag="ICC")]), CONFIG)
    assert {text(e).flags for e in made.effects} == {"ICC"}


def test_a_design_effect_is_never_below_one():
    """ICC estimates may be negative, and clusters have one participant at least."""
    assert design_effect(200, 10, 0.05) == pytest.approx(1.95)
    assert design_effect(200, 10, -0.01) == design_effect(5, 10, 0.05) == 1


def test_a_test_that_accounts_for_the_clusters_is_used_as_it_is():
    test = contrast("md", value=-0.15, se=0.07, unit="ng/mL", flag="CLADJ", n_exercise=32,
                    n_control=28)  # fmt: skip
    (found,) = (e for e in derive(clustered([test]), CONFIG).effects if e.measure == "MD")
    assert (found.yi, found.vi) == pytest.approx((-0.15, 0.07**2))
    assert account_of(found)[1:3] == ("DIF+SE", "CLADJ")


@pytest.mark.parametrize(
    ("rows", "clusters", "reason"),
    [
        (LEVELS, (3, 3), "neither their intracluster correlation nor a test"),
        ([*LEVELS, contrast("icc", value=0.05)], (3, None), "n and clusters of each arm"),
    ],
)
def test_a_cluster_trial_without_what_it_needs_gives_no_effect(rows, clusters, reason):
    made = clustered(rows, clusters)
    assert not derive(made, CONFIG).effects
    comparisons = comparisons_of(made, CONFIG)
    (tried,) = estimate(comparisons, Correlations(comparisons, CONFIG), CONFIG)
    assert reason in " ".join(attempt.reason for attempt in tried.attempts["MD"])


def test_means_of_logarithms_in_two_units_are_of_one():
    """Those of 2 ng/mL and 1000 pg/mL: the ratio is 2, not 0.002."""
    rows = [
        logs("e", mean=math.log(2), sd=0.4, n=12),
        logs("c", mean=math.log(1000), sd=0.4, n=12, unit="pg/mL"),
    ]
    found = parallel(rows)["ROM"]
    assert (found.yi, found.vi) == pytest.approx((math.log(2), 2 * 0.4**2 / 12))


def test_a_mean_of_logarithms_in_an_unknown_unit_is_compared_with_no_other():
    rows = [
        logs("e", mean=3.2, sd=0.4, n=12),
        logs("c", mean=9.8, sd=0.4, n=12, unit="not_stated"),
    ]
    assert parallel(rows) == {}


def test_a_change_of_0_has_the_se_of_its_own_interval():
    own = [("contrasts", arm, "end", "md",
            {"compares": "within", "value": "0.0", "se": se, "unit": "ng/mL"})
           for arm, se in (("e", "0.05"), ("c", "0.04"))]  # fmt: skip
    found = parallel([change("e", mean="0.0", n=20), change("c", mean="-0.1", n=20), *own])["MD"]
    assert (found.yi, found.vi) == pytest.approx((0.1, 0.05**2 + 0.04**2))


def test_a_geometric_mean_without_its_unit_is_not_compared():
    table, arm, time, kind, cells = GEOMETRIC[0]
    assert parallel([(table, arm, time, kind, {**cells, "unit": "not_stated"}), GEOMETRIC[1]]) == {}


LOG_RATIO, ITS_VARIANCE = 0.059423420470800806, 0.006703994305814861
"""escalc("ROM", m1i = 5.2, sd1i = 1.1, n1i = 12, m2i = 4.9, sd2i = 1.0, n2i = 14) of metafor."""
RATIOS = {
    "limits": ("rom", {"value": "1.0612244897959184", "ci_low": "0.9038838963228285",
                       "ci_high": "1.2459536255974828"}, "CI"),
    "p": ("rom", {"value": "1.0612244897959184", "p": "0.467988166862849386",
                  "p_operator": "="}, "p"),
    "SE": ("log_rom", {"value": LOG_RATIO, "se": ITS_VARIANCE**0.5}, "SE"),
    "limits of the logarithm": ("log_rom", {"value": LOG_RATIO, "ci_low": "-0.101054360109426825",
                                            "ci_high": "0.219901201051028450"}, "CI"),
}  # fmt: skip
"""What metafor's summary() gives of it, as a paper may report it."""


@pytest.mark.parametrize("form", list(RATIOS))
def test_a_reported_ratio_of_means_is_metafors(form):
    statistic, cells, code = RATIOS[form]
    found = parallel([contrast(statistic, n_exercise=12, n_control=14, **cells)])
    assert list(found) == ["ROM"]  # no effect in the unit of the levels, or standardised
    effect = found["ROM"]
    assert (effect.yi, effect.vi) == pytest.approx((LOG_RATIO, ITS_VARIANCE), rel=1e-12)
    assert account_of(effect) == ("DIF", f"DIF+{code}", "", 12, 14)


def test_a_reported_ratio_of_one_arm_and_of_a_crossover():
    cells = RATIOS["limits"][1]
    one = within_arm([contrast("rom", compares="within", n_exercise=12, **cells)])["ROM"]
    assert (one.yi, one.vi) == pytest.approx((LOG_RATIO, ITS_VARIANCE))
    assert account_of(one) == ("ROMC", "ROMC+CI", "", 12, None)
    both = crossover([contrast("rom", n_exercise=12, **cells)])["ROM"]
    assert (both.yi, both.vi, both.n_total) == pytest.approx((LOG_RATIO, ITS_VARIANCE, 12))
    levels = [level("baseline", mean=4.5, sd=1, n=12), level("end", mean=5.2, sd=1.1, n=12)]
    ratio = contrast("rom", compares="within", n_exercise=12, **cells)
    beside = within_arm([*levels, ratio])["ROM"]
    assert account_of(beside)[1] == "ROMC+CI"  # the levels need an assumed correlation
    second_hand = (*ratio[:-1], ratio[-1] | {"origin": "other_review"})
    known = contrast("r", value=0.9, compares="within")
    for rows in ([*levels, second_hand], [*levels, known, ratio]):
        assert account_of(within_arm(rows)["ROM"])[1] != "ROMC+CI"


def test_levels_take_precedence_over_the_unadjusted_ratio_of_them():
    rows = [level("end", mean=5.2, sd=1.1, n=12), level("end", arm="c", mean=4.9, sd=1, n=14)]
    ratio = contrast("rom", value=1.5, ci_low=1.2, ci_high=1.9, score="post", adjusted="no")
    found = parallel([*rows, ratio])["ROM"]
    assert found.derivation_method == "POST"
    assert (found.yi, found.vi) == pytest.approx((LOG_RATIO, ITS_VARIANCE))
    adjusted = contrast("rom", value=1.5, ci_low=1.2, ci_high=1.9, score="post", adjusted="yes")
    assert parallel([*rows, adjusted])["ROM"].derivation_method == "DIF"


def test_a_ratio_of_the_conditions_of_a_crossover_takes_precedence_over_an_assumed_correlation():
    rows = [level("end", mean=5.2, sd=1.1, n=12), level("end", arm="c", mean=4.9, sd=1, n=12)]
    ratio = contrast("rom", score="post", n_exercise=12, **RATIOS["limits"][1])
    found = crossover([*rows, ratio])["ROM"]
    assert (found.yi, found.vi) == pytest.approx((LOG_RATIO, ITS_VARIANCE))
    assert account_of(found) == ("DIF", "DIF+CI", "", 12, None)


def test_of_several_ratios_the_papers_own_comes_first_then_that_with_limits():
    other = {"value": 1.5, "ci_low": 1.2, "ci_high": 1.9, "origin": "other_review"}
    p_only = {"value": 1.5, "p": "0.01", "p_operator": "="}
    own = contrast("rom", n_exercise=12, n_control=14, **RATIOS["limits"][1])
    found = parallel([contrast("rom", **other), contrast("rom", **p_only), own])["ROM"]
    assert (found.yi, found.vi) == pytest.approx((LOG_RATIO, ITS_VARIANCE))
    assert account_of(found) == ("DIF", "DIF+CI", "", 12, 14)
    adjusted = contrast("rom", adjusted="yes", **p_only)
    assert parallel([own, adjusted])["ROM"].yi == pytest.approx(math.log(1.5))
    adjusted = contrast("rom", adjusted="yes", origin="other_review", **p_only)
    assert parallel([own, adjusted])["ROM"].yi == pytest.approx(LOG_RATIO)


def test_a_ratio_of_which_the_total_alone_is_reported_names_its_cell():
    effect = parallel([contrast("rom", n_total=26, **RATIOS["limits"][1])])["ROM"]
    assert effect.n_total == 26
    assert "n_total" in {cell.column for cell in effect.inputs}


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"p": "0.03", "p_operator": "<"},
        {"value": None},
        {"p": "0.03", "p_operator": "=", "test": "rank"},
        {"p": "0.5", "p_operator": "=", "tails": 1},
    ],
)
def test_a_ratio_without_its_limits_gives_no_effect(cells):
    row = contrast("rom", **{k: v for k, v in ({"value": 1.5} | cells).items() if v is not None})
    assert parallel([row]) == {}
