"""The multiverse holds the primary result, counts what it says, and its shares add up."""

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import ROOT, SPINE_SYNTHESIS, cases_of, checked
from osteometa.derivation.alternatives import alternative_configs
from osteometa.pooling.model import pool
from osteometa.records.effects import Choice
from osteometa.report.sensitivity_choices import CHOICES as WORDS
from osteometa.sensitivity.multiverse import (
    CHOICES,
    Specification,
    combinations,
    explained,
    multiverse,
)
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import pooled_rows

SITES = ["lumbar_spine", "femoral_neck", "total_hip"]
NO_OTHERS = {"covariances": (), "alternatives": (), "alternative_covariances": ()}


@pytest.fixture(scope="module")
def made():
    """Return the case and the multiverse of each BMD site, and of a set that shares a control."""
    cases = cases_of(ROOT, [f"bmd_{site}_training_controlled" for site in SITES])
    shared = cases_of(ROOT / "tests/reviews/shared_control", [SPINE_SYNTHESIS])
    found = {**cases, "shared": shared[SPINE_SYNTHESIS]}
    return {name: (case, *multiverse(case)) for name, case in found.items()}


NAMES = [*(f"bmd_{site}_training_controlled" for site in SITES), "shared"]


@pytest.mark.parametrize("name", NAMES)
def test_the_primary_specification_is_the_primary_pool(made, name):
    case, rows, _ = made[name]
    (row,) = [row for row in rows if row.primary]
    theirs = next(
        p
        for p in pooled_rows("x", case.effects, case.config, case.covariances)
        if p.primary and p.group == "overall" and p.measure == case.measure
    )
    assert row.k == theirs.k
    for key in ("estimate", "ci_low", "ci_high"):
        assert getattr(row, key) == pytest.approx(getattr(theirs, key), rel=1e-9)
    assert row.z == pytest.approx(theirs.statistic, rel=1e-9)
    if name == "shared":
        assert theirs.k_effects > theirs.k and case.primary_set().data.V is not None


@pytest.mark.parametrize("name", NAMES[:3])
def test_each_bmd_site_has_hundreds_of_specifications(made, name):
    case, rows, _ = made[name]
    specifications = combinations(case).specifications
    assert len(specifications) >= 500
    assert sum(row.merged for row in rows) == len(specifications)
    assert len(rows) >= 500
    assert [row.specification for row in rows] == list(range(1, len(rows) + 1))
    assert all(row.ci_low <= row.estimate <= row.ci_high and row.k >= 2 for row in rows)
    assert {row.measure for row in rows} == {"ROM", "MD", "SMD"}


@pytest.mark.parametrize("name", NAMES)
def test_shares_add_up_and_no_choice_of_interval_moves_an_estimate(made, name):
    _, rows, shares = made[name]
    for measure in {row.measure for row in rows}:
        parts = {s.choice: s.share for s in shares if s.measure == measure and s.choice != "all"}
        names = {r.derivation for r in rows if r.measure == measure} - {"primary"}
        keys = {name.partition("=")[0] for name in names}
        assert set(parts) - keys == {*CHOICES[1:], "remainder"} and keys <= set(parts)
        assert all(0 <= share <= 100 for share in parts.values()) and parts["ci"] == 0
        varies = len({round(r.estimate, 9) for r in rows if r.measure == measure}) > 1
        assert sum(parts.values()) == pytest.approx(100, abs=1e-6)
        assert varies == (max(v for c, v in parts.items() if c != "remainder") > 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_counts_are_those_of_the_rows(made, name):
    _, rows, shares = made[name]
    for whole in (s for s in shares if s.choice == "all"):
        own = [row for row in rows if whole.measure in ("all", row.measure)]
        assert whole.specifications == len(own)
        beyond = [row for row in own if row.ci_low > 0 or row.ci_high < 0]
        assert whole.excludes_null == pytest.approx(100 * len(beyond) / len(own))
    share = next(s for s in shares if (s.measure, s.choice) == ("ROM", "all"))
    estimates = [row.estimate for row in rows if row.measure == "ROM"]
    assert (share.lowest, share.highest) == (min(estimates), max(estimates))
    assert share.median == pytest.approx(np.median(estimates))


@pytest.mark.parametrize("name", ["bmd_femoral_neck_training_controlled", "shared"])
def test_single_specifications_are_pools_of_their_effects(made, name):
    """Leave out, add, change r: each against the solver of single pools."""
    case, rows, _ = made[name]
    joint = case.primary_set()
    kept = EffectSet(tuple(e for e in joint.effects if "PCT" not in e.flags), joint.covariances)
    added = [e for e in case.effects if e.block == "non_randomised" and e.measure == case.measure]
    derivation = next(r.derivation for r in rows if r.measure == case.measure
                      and r.derivation != "primary")  # fmt: skip
    sets = {
        ("primary", "without percent changes", "randomised"): kept,
        ("primary", "all", "all designs"): EffectSet((*joint.effects, *added), joint.covariances),
        (derivation, "all", "randomised"): case.set_under(Choice.read(derivation)),
    }
    checked = 0
    for (how, inclusion, designs), chosen in sets.items():
        for method, ci in (("DL", "wald"), ("REML", "hksj"), ("EE", "wald")):
            found = [
                r for r in rows
                if r.measure == case.measure
                and (r.derivation, r.inclusion, r.designs, r.inconsistent_data, r.tau2, r.ci)
                == (how, inclusion, designs, "excluded", method, ci)
            ]  # fmt: skip
            for row in found:
                ours = pool(**chosen.data._asdict(), method=method, ci=ci)
                assert row.estimate == pytest.approx(ours.estimate, rel=1e-7)
                assert row.ci_low == pytest.approx(ours.ci_low, rel=1e-6, abs=1e-9)
                checked += 1
    assert checked >= 3


def test_more_than_the_cap_are_sampled_with_the_seed(made):
    case = made[NAMES[1]][0]
    capped = replace(case, config=case.config.model_copy(update={
        "multiverse": case.config.multiverse.model_copy(update={"cap": 300}),
    }))  # fmt: skip
    rows, shares = multiverse(capped)
    assert 300 <= sum(row.merged for row in rows) <= 301
    assert sum(row.primary for row in rows) == 1
    assert multiverse(capped) == (rows, shares)
    other = replace(capped, config=capped.config.model_copy(update={"seed": 5}))
    assert multiverse(other)[0] != rows
    for measure in {row.measure for row in rows}:
        total = sum(s.share for s in shares if s.measure == measure and s.share is not None)
        assert total == pytest.approx(100, abs=1e-6)


def specification(*levels):
    return Specification("SMD", levels, 0)


def test_shares_of_a_full_product_are_those_of_an_analysis_of_variance():
    """Two crossed choices by hand: sums of squares 4, 1 and 0.25 for their interaction."""
    rows, y = [], []
    for a, high in (("primary", 1.0), ("r=0.9", -1.0)):
        for b, up in (("all", 0.5), ("some", -0.5)):
            for interval in ("hksj", "wald"):
                rows.append(specification(a, b, "randomised", "excluded", "REML", interval))
                y.append(2 + high + up + 0.5 * high * up)
    found = {s.choice: s.share for s in explained("SMD", rows, np.array(y))}
    total = 4 * (1 + 0.25 + 0.0625)
    assert found["r"] == pytest.approx(100 * 4 / total)
    assert found["inclusion"] == pytest.approx(100 * 1 / total)
    assert found["remainder"] == pytest.approx(100 * 0.25 / total)
    assert found["tau2"] == found["ci"] == 0
    smaller = {s.choice: s.share for s in explained("SMD", rows, 1e-3 * np.array(y))}
    assert smaller == pytest.approx(found)


def test_each_key_of_the_derivation_has_the_part_of_its_own_moves():
    """By hand: primary 0, r -2 and +1, rho 0, in a full product with a choice of +-0.5."""
    moves = {"primary": 0.0, "r=0.3": -2.0, "rho=0.3": 0.0, "r=0.9": 1.0, "training_time=x": 3.0}
    rows, y = [], []
    for derivation, move in moves.items():
        for flags, up in (("all", 0.5), ("some", -0.5)):
            rows.append(specification(derivation, flags, "randomised", "excluded", "DL", "wald"))
            y.append(7 + move + up)
    shares = explained("SMD", rows, np.array(y))
    found = {s.choice: s.share for s in shares}
    mean = sum(moves.values()) / 5
    derivation = 2 * sum((move - mean) ** 2 for move in moves.values())
    total = derivation + 10 * 0.25
    assert found["r"] == pytest.approx(100 * derivation / total * (4 + 1) / (4 + 1 + 9))
    assert found["training_time"] == pytest.approx(100 * derivation / total * 9 / (4 + 1 + 9))
    assert found["rho"] == pytest.approx(0, abs=1e-9)
    assert found["inclusion"] == pytest.approx(100 * 2.5 / total)
    assert sum(found.values()) == pytest.approx(100)
    assert {s.choice: s.levels for s in shares if s.choice in ("r", "rho")} == {"r": 3, "rho": 2}
    smaller = {s.choice: s.share for s in explained("SMD", rows, 1e-3 * np.array(y))}
    assert smaller == pytest.approx(found, abs=1e-9)


def test_r_explains_the_spread_of_smd_at_the_spine(made):
    """The answer that the sum over all derivations hid."""
    shares = {s.choice: s.share for s in made[SPINE_SYNTHESIS][2] if s.measure == "SMD"}
    assert shares["r"] > 80
    others = ("smd_variance", "smd_pre_post", "training_time")
    assert max(shares[name] for name in others) < 2


def test_risk_of_bias_is_a_restriction_once_somebody_has_judged(made):
    case = made[NAMES[1]][0]
    (name,) = [n for n, f in case.config.multiverse.inclusion.items() if f == ("ROB",)]
    assert name not in {row.inclusion for row in made[NAMES[1]][1]}
    gone = case.primary_set().effects[0]
    judged = tuple(replace(e, risk_of_bias="high" if e.study_id == gone.study_id else "low")
                   for e in case.effects)  # fmt: skip
    judged = replace(case, effects=judged, alternatives=tuple(
        replace(e, risk_of_bias="high" if e.study_id == gone.study_id else "low")
        for e in case.alternatives))  # fmt: skip
    kept = EffectSet(
        tuple(e for e in case.primary_set().effects if e.study_id != gone.study_id), ()
    )
    row = next(
        r for r in multiverse(judged)[0]
        if (r.inclusion, r.derivation, r.designs, r.inconsistent_data) ==
        (name, "primary", "randomised", "excluded")
        and (r.tau2, r.ci, r.measure) == ("REML", "hksj-floor", case.measure)
    )  # fmt: skip
    theirs = pool(**kept.data._asdict())
    assert (row.k, row.estimate) == (theirs.k, pytest.approx(theirs.estimate, rel=1e-7))


def test_every_key_of_the_derivation_has_words():
    config = checked(ROOT).config
    keys = {choice.key for choice, _ in alternative_configs(config)} - {"type_by"}
    assert keys <= set(WORDS) and set(CHOICES) - {"derivation"} <= set(WORDS)


def test_shares_of_an_unbalanced_product_are_averages_over_the_orders():
    """Three of four combinations: R2 of one choice alone and after the other, by hand."""
    rows = [
        specification("primary", "all", "randomised", "excluded", "REML", "wald"),
        specification("r=0.9", "all", "randomised", "excluded", "REML", "wald"),
        specification("primary", "some", "randomised", "excluded", "REML", "wald"),
    ]
    y = np.array([0.0, 3.0, 1.0])
    total = float(np.sum((y - y.mean()) ** 2))

    def r2(groups):
        between = sum(len(g) * (np.mean(y[g]) - y.mean()) ** 2 for g in groups)
        return 100 * between / total

    first, second = r2([[0, 2], [1]]), r2([[0, 1], [2]])
    found = {s.choice: s.share for s in explained("SMD", rows, y)}
    assert found["r"] == pytest.approx((first + 100 - second) / 2)
    assert found["inclusion"] == pytest.approx((second + 100 - first) / 2)
    assert found["remainder"] == pytest.approx(0, abs=1e-9)


def test_fewer_than_two_studies_have_no_multiverse(made):
    case = made[NAMES[0]][0]
    empty = replace(case, effects=(), **NO_OTHERS)
    (row,), (share,) = multiverse(empty)
    assert row.status == share.status == "not_applicable"
    assert row.reason == share.reason == "no combination of choices pools two studies"
    assert math.isfinite(share.specifications)
