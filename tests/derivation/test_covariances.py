"""Covariances of effects that share participants."""

import math
from dataclasses import replace

import builders
import numpy as np
import pytest
from builders import CONFIG, SPINE_YEAR, change, level, tables
from osteometa.derivation.combine import composite
from osteometa.derivation.covariances import covariance_of, link
from osteometa.derivation.derive import derive
from osteometa.numerics.distributions import hedges_j
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import covariances_in, includes
from osteometa.synthesis.subgroup_tests import subgroup_tests


def link_of(made, measure, what=SPINE_YEAR):
    ids = [f"made_two_types_2001.{arm}.{what}.{measure}" for arm in ("strength", "walking")]
    (row,) = [c for c in made[0].covariances if [c.effect_id_1, c.effect_id_2] == ids]
    return row.covariance


def test_covariances_by_hand(made, effects):
    """PPC: the variance of the control's mean change, over both S0 for SMD, plus g1 g2 / (2 N)."""
    s0, s1, n, r = 0.121, 0.124, 20, 0.95
    change = (s0**2 + s1**2 - 2 * r * s0 * s1) / n
    assert link_of(made, "md") == pytest.approx(change)
    m0, m1 = 0.952, 0.945
    ratio = (s0 / m0) ** 2 + (s1 / m1) ** 2 - 2 * r * s0 * s1 / (m0 * m1)
    assert link_of(made, "rom") == pytest.approx(ratio / n)
    g = [
        effects[f"made_two_types_2001.{arm}.{SPINE_YEAR}.smd"].yi for arm in ("strength", "walking")
    ]
    assert link_of(made, "smd") == pytest.approx(change / s0**2 + g[0] * g[1] / (2 * 60))


def two_arms_and_their_control(rows, **how):
    """Return effects and covariances, by measure, of arms e and f of two types and one control."""
    raw = tables(rows, design="rct", control=True, **how)
    other = raw.arms[0].model_copy(update={"arm_id": "f", "label": "f", "modality": "resistance"})
    derived = derive(replace(raw, arms=(*raw.arms, other)), CONFIG)
    found = {measure: [] for measure in ("SMD", "MD", "ROM")}
    for effect in derived.effects:
        found[effect.measure].append(effect)
    return found, {row.effect_id_1.split(".")[-1].upper(): row for row in derived.covariances}


def test_covariances_of_final_values_by_hand():
    """The control's part of each variance (Gleser and Olkin 2009): 1/nC, SD2/nC, SD2/(nC m2)."""
    rows = [level("end", mean=8, sd=2, n=12), level("end", arm="f", mean=7, sd=2.5, n=14),
            level("end", arm="c", mean=6, sd=1.5, n=16)]  # fmt: skip
    found, links = two_arms_and_their_control(rows)
    g = [effect.yi for effect in found["SMD"]]
    assert links["SMD"].covariance == pytest.approx(1 / 16 + g[0] * g[1] / (2 * 42))
    assert links["MD"].covariance == pytest.approx(1.5**2 / 16)
    assert links["ROM"].covariance == pytest.approx(1.5**2 / (16 * 6**2))


def test_covariances_of_changes_by_hand():
    """The variance of the control's mean change, over both S0 for SMD; ROM by the delta method."""
    means, sds, sizes = {"e": 0.04, "f": 0.03, "c": 0.01}, {"e": 0.05, "f": 0.06, "c": 0.04}, {
        "e": 12, "f": 14, "c": 16,
    }  # fmt: skip
    rows = [level("baseline", arm=arm, mean=0.9) for arm in "efc"]
    rows += [change(arm, mean=means[arm], sd=sds[arm], n=sizes[arm]) for arm in "efc"]
    found, links = two_arms_and_their_control(rows, what="BMD", site="lumbar_spine")
    of_control = sds["c"] ** 2 / sizes["c"]
    assert links["MD"].covariance == pytest.approx(of_control)
    # ln(1 + D / m0) has the slope 1 / (m0 + D).
    after = [0.9 + means[arm] - means["c"] for arm in "ef"]
    assert links["ROM"].covariance == pytest.approx(of_control / (after[0] * after[1]))
    s0 = [
        math.sqrt(((sizes[arm] - 1) * sds[arm] ** 2 + 15 * sds["c"] ** 2) / (sizes[arm] + 14))
        for arm in "ef"
    ]
    r = CONFIG.outcomes["BMD"].r
    g = [effect.yi for effect in found["SMD"]]
    shared = of_control * 2 * (1 - r) / (s0[0] * s0[1])
    assert links["SMD"].covariance == pytest.approx(shared + g[0] * g[1] / (2 * 42))


def test_covariances_of_tests_of_changes_by_hand():
    """The control's part of 2 (1 - r) (1/nE + 1/nC)."""
    stated = {"score": "change", "adjusted": "no", "n_control": 16}
    rows = [
        ("contrasts", arm, "end", "t", {"value": t, "n_exercise": n, **stated})
        for arm, t, n in (("e", 2.2, 12), ("f", 1.9, 14))
    ]
    found, links = two_arms_and_their_control(rows, what="BMD", site="lumbar_spine")
    g, r = [effect.yi for effect in found["SMD"]], CONFIG.outcomes["BMD"].r
    assert {effect.derivation_method for effect in found["SMD"]} == {"TST"}
    assert links["SMD"].covariance == pytest.approx(2 * (1 - r) / 16 + g[0] * g[1] / (2 * 42))


def simulated(seed=3, draws=40_000):
    """Draw two arms and their control many times; return the effects of both contrasts."""
    rng = np.random.default_rng(seed)
    n, r, s0, s1 = (22, 18, 20), 0.6, 0.15, 0.16
    shift, level = (0.06, 0.03, 0.0), 1.0
    means, sds = [], []
    for size, gain in zip(n, shift, strict=True):
        before = rng.normal(size=(draws, size))
        after = r * before + math.sqrt(1 - r**2) * rng.normal(size=(draws, size))
        b, a = level + s0 * before, level + gain + s1 * after
        means.append((b.mean(1), a.mean(1)))
        sds.append(b.std(1, ddof=1))
    md = [(a - b) - (means[2][1] - means[2][0]) for b, a in means[:2]]
    rom = [np.log(a / b) - np.log(means[2][1] / means[2][0]) for b, a in means[:2]]
    smd = []
    for i in (0, 1):
        df = n[i] + n[2] - 2
        pooled = np.sqrt(((n[i] - 1) * sds[i] ** 2 + (n[2] - 1) * sds[2] ** 2) / df)
        smd.append(hedges_j(df) * md[i] / pooled)
    change = (s0**2 + s1**2 - 2 * r * s0 * s1) / n[2]
    return {"md": md, "rom": rom, "smd": smd}, change, (s0, s1, n[2], r, shift)


def test_covariances_are_those_of_simulated_trials():
    found, change, (s0, s1, n, r, shift) = simulated()

    def covariance(measure):
        return float(np.cov(*found[measure])[0, 1])

    assert covariance("md") == pytest.approx(change, rel=0.04)
    ratio = (s0**2 + s1**2 - 2 * r * s0 * s1) / n
    assert covariance("rom") == pytest.approx(ratio, rel=0.05)
    g = [gain / s0 for gain in shift[:2]]
    assert covariance("smd") == pytest.approx(change / s0**2 + g[0] * g[1] / (2 * 60), rel=0.06)


def test_where_no_print_gives_the_control_rho_stands_in(effects):
    one = builders.assessed(effects, effect_id="a", vi=0.04)
    other = builders.assessed(effects, effect_id="b", vi=0.09)
    assert covariance_of(one, other, 0.5) == pytest.approx(0.5 * 0.2 * 0.3)
    mixed = (
        replace(one, control_share=0.01, compared="post"),
        replace(other, control_share=0.01, compared="change"),
    )
    assert covariance_of(*mixed, 0.5) == pytest.approx(0.03)
    alike = (
        replace(one, control_share=0.01, compared="post"),
        replace(other, control_share=0.01, compared="post"),
    )
    assert covariance_of(*alike, 0.5) == pytest.approx(0.01)


def test_other_people_are_independent_and_a_crossover_is_the_same_people(effects):
    one = builders.assessed(effects, effect_id="a", vi=0.04)
    elsewhere = builders.assessed(effects, effect_id="b", vi=0.09, comparator="another")
    assert covariance_of(one, elsewhere, 0.5) == 0
    assert link([one, elsewhere], 0.5) == []
    crossed = [
        replace(f, effect=replace(f.effect, design="crossover_rct")) for f in (one, elsewhere)
    ]
    assert covariance_of(*crossed, 0.5) == pytest.approx(0.03)
    whole = composite(crossed, 0.5).effect
    assert whole.n_exercise == one.effect.n_exercise
    cohorts = composite([one, elsewhere], 0.5).effect
    assert cohorts.vi == pytest.approx((0.04 + 0.09) / 4)
    assert cohorts.n_total == 2 * one.effect.n_total


def test_every_covariance_is_that_of_a_possible_pair(made):
    derived, _ = made
    variances = {e.effect_id: e.vi for e in derived.effects}
    assert derived.covariances
    for row in derived.covariances:
        assert row.effect_id_1 < row.effect_id_2
        assert (
            0 < row.covariance < math.sqrt(variances[row.effect_id_1] * variances[row.effect_id_2])
        )


def test_the_pool_counts_studies_and_uses_the_covariance(made):
    derived, outcome = made
    synthesis = outcome.config.syntheses[0]
    chosen = [e for e in derived.effects if includes(synthesis, e) and e.block != "reduced"]
    links = covariances_in(chosen, derived.covariances)
    rows = {
        row.group: row
        for row in pooled_rows(synthesis.id, chosen, outcome.config, links)
        if row.primary and row.measure == "ROM"
    }
    assert (rows["overall"].k, rows["overall"].k_effects, rows["overall"].df) == (6, 7, 5)
    assert (rows["resistance"].k, rows["aerobic"].k) == (3, 4)
    assert rows["resistance"].df == 6 - 2
    alone = pooled_rows(synthesis.id, chosen, outcome.config)[0]
    assert rows["overall"].se > alone.se
    (test,) = [t for t in subgroup_tests("x", chosen, outcome.config, links) if t.measure == "ROM"]
    assert test.tested and (test.k, test.df1, test.df2) == (6, 1, 4)
    weights = [e.weight for e in weighted(chosen, outcome.config, links) if e.weight is not None]
    assert sum(weights) == pytest.approx(100 * 3)  # one pool per measure
    assert len(EffectSet.of(chosen, "ROM", links).effects) == 7
