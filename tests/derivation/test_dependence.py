"""Effects that share people: merged arms, composites, covariances, split controls."""

import math
from dataclasses import replace

import builders
import numpy as np
import pytest
from builders import ROOT, text
from osteometa.comparisons.summaries import merge_arms
from osteometa.derivation.assess import Assessed
from osteometa.derivation.combine import composite, with_divided_control
from osteometa.derivation.derive import derive
from osteometa.derivation.link import covariance_of, link
from osteometa.numerics.distributions import hedges_j
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.synthesis.pools import pooled_rows, weighted
from osteometa.synthesis.sets import asks_for, covariances_in, split, summary_rows
from osteometa.synthesis.subgroup_tests import subgroup_tests
from osteometa.validation.review import check_review

SHARED = ROOT / "tests/reviews/shared_control"
SPINE = "bmd.bmd_areal.lumbar_spine.12_months"


@pytest.fixture(scope="module")
def made():
    outcome = check_review(SHARED)
    assert outcome.passed
    return derive(outcome.tables, outcome.config), outcome


@pytest.fixture(scope="module")
def effects(made):
    return {effect.effect_id: effect for effect in made[0].effects}


def test_arms_of_one_type_are_one_arm(effects):
    """MD by hand: all people of both arms against the control."""
    n, before, s0 = merge_arms([(14, 0.915, 0.098), (16, 0.897, 0.105)])
    _, after, s1 = merge_arms([(14, 0.931, 0.101), (16, 0.902, 0.107)])
    r = 0.95
    var = (s0**2 + s1**2 - 2 * r * s0 * s1) / n
    var += (0.110**2 + 0.112**2 - 2 * r * 0.110 * 0.112) / 15
    merged = effects[f"made_one_type_2002.high+low.{SPINE}.md"]
    assert merged.yi == pytest.approx(after - before - (0.893 - 0.901))
    assert merged.vi == pytest.approx(var)
    assert (merged.n_exercise, merged.n_control, merged.n_total) == (30, 15, 45)
    assert "MERGED" in merged.flags and merged.pooled
    assert merged.mean_exercise == pytest.approx(after) and merged.means_kind == "after"
    for arm in ("high", "low"):
        single = effects[f"made_one_type_2002.{arm}.{SPINE}.md"]
        assert single.block == "reduced" and single.reason.startswith("merged")
        assert set(map(str, single.inputs)) <= set(map(str, merged.inputs))


def both_arms(**more):
    exercise = builders.csv_arms(**more)
    second = {**exercise[1], "arm_id": "ex2", "label": "ex2"}
    return [*exercise, second]


def three(kind, values, **more):
    return [
        builders.csv_measurement(arm, "6_months", kind, n=20, mean=mean, sd=sd, **more)
        for arm, (mean, sd) in values.items()
    ]


CHANGES = {"ex": (1.0, 3.0), "ex2": (2.0, 2.5), "control": (-0.5, 2.8)}


def test_percent_changes_are_merged(tmp_path):
    found = builders.review_effects(
        tmp_path, "ROM", arms=both_arms(), measurements=three("pct_change", CHANGES)
    )
    (pooled,) = [e for e in found if e.pooled]
    assert pooled.arm_id == "ex+ex2" and text(pooled).provenance == "CHG+PCT+SD"
    _, mean, sd = merge_arms([(20, 1.0, 3.0), (20, 2.0, 2.5)])

    def log(mean, sd, n):
        c2 = math.log1p((sd / 100) ** 2 / (1 + mean / 100) ** 2)
        return math.log(1 + mean / 100) - c2 / 2, c2 / n

    (y1, v1), (y2, v2) = log(mean, sd, 40), log(-0.5, 2.8, 20)
    assert (pooled.yi, pooled.vi) == (pytest.approx(y1 - y2), pytest.approx(v1 + v2))


@pytest.mark.parametrize("case", ["type", "kind", "disputed", "listed", "one arm only"])
def test_what_is_not_merged(tmp_path, case):
    arms, rows = both_arms(), three("pct_change", CHANGES)
    if case == "type":
        arms[2] |= {"modality": "walking"}
    elif case == "kind":
        rows[1] |= {"kind": "level", "unit": "g/cm2", "mean": 0.9, "sd": 0.1}
    elif case == "disputed":
        rows[1] |= {"disputed": "two prints contradict each other"}
    elif case == "listed":
        arms[2] |= {"listed": "one stratum"}
    else:
        rows.pop(1)
    found = builders.review_effects(tmp_path, "ROM", arms=arms, measurements=rows)
    assert not any("MERGED" in e.flags for e in found)
    blocks = {e.arm_id: e.block for e in found}
    assert blocks["ex"] == "pooled"
    expected = {"type": "pooled", "kind": None, "disputed": "disputed", "listed": "listed"}
    assert blocks.get("ex2") == expected.get(case)


def test_arms_that_print_only_tests_are_combined(effects):
    """rho = 0.5, because neither print gives the control's variance."""
    parts = [effects[f"made_tests_2003.{arm}.{SPINE}.md"] for arm in ("walking", "running")]
    whole = effects[f"made_tests_2003.running+walking.{SPINE}.md"]
    v1, v2 = (part.vi for part in parts)
    assert whole.yi == pytest.approx((0.008 + 0.012) / 2)
    assert whole.vi == pytest.approx((v1 + v2 + 2 * 0.5 * math.sqrt(v1 * v2)) / 4)
    assert text(whole).provenance == "DIF+CI+COMPOSITE" and whole.pooled
    assert (whole.n_exercise, whole.n_control, whole.n_total) == (60, 30, 90)
    assert {part.block for part in parts} == {"reduced"}
    assert all(part.reason.startswith("combined") for part in parts)
    assert set(map(str, whole.inputs)) == {c for part in parts for c in map(str, part.inputs)}


def link_of(made, measure, what=SPINE):
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
    g = [effects[f"made_two_types_2001.{arm}.{SPINE}.smd"].yi for arm in ("strength", "walking")]
    assert link_of(made, "smd") == pytest.approx(change / s0**2 + g[0] * g[1] / (2 * 60))


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


def pattern(effects, **more):
    effect = effects[f"made_two_types_2001.strength.{SPINE}.md"]
    return Assessed(replace(effect, **more), more.pop("control_share", None), "test", True)


def test_where_no_print_gives_the_control_rho_stands_in(effects):
    one = pattern(effects, effect_id="a", vi=0.04)
    other = pattern(effects, effect_id="b", vi=0.09)
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
    one = pattern(effects, effect_id="a", vi=0.04)
    elsewhere = pattern(effects, effect_id="b", vi=0.09, comparator="another")
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


def test_a_split_control_adds_its_part_once_more(effects):
    one = replace(pattern(effects, effect_id="a", vi=0.05), control_share=0.02)
    assert with_divided_control(one, 2).effect.vi == pytest.approx(0.07)
    assert with_divided_control(one, 1).effect.vi == pytest.approx(0.05)
    unknown = replace(one, control_share=None)
    share = one.effect.n_exercise / (one.effect.n_exercise + one.effect.n_control)
    assert with_divided_control(unknown, 3).effect.vi == pytest.approx(0.05 * (1 + 2 * share))


@pytest.mark.parametrize("name", ["shared_control", "small", "seed", ""])
def test_one_study_has_one_effect_per_type(name):
    outcome = check_review(ROOT / "tests/reviews" / name if name else ROOT)
    derived = derive(outcome.tables, outcome.config)
    for synthesis in outcome.config.syntheses:
        seen = [
            (e.study_id, e.exercise_type, e.measure)
            for e in derived.effects
            if asks_for(synthesis, e) and e.block in ("pooled", "non_randomised")
        ]
        assert len(seen) == len(set(seen))


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
    chosen = [e for e in derived.effects if asks_for(synthesis, e) and e.block != "reduced"]
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


def acute(hours, **more):
    """One arm before and after a bout, samples at so many hours."""
    arm = {
        "study_id": "a_2000", "arm_id": "ex", "label": "ex", "role": "exercise",
        "modality": "running", "phase": "acute", "comparator_kind": "none", **more,
    }  # fmt: skip
    rows = [
        builders.csv_measurement(
            "ex", "baseline", n=12, mean=0.40, sd=0.1, what=builders.CTX, unit="ng/mL"
        )
    ]
    rows += [
        {
            **builders.csv_measurement(
                "ex", f"h{hour}", n=12, mean=mean, sd=0.1, what=builders.CTX, unit="ng/mL"
            ),
            "time_wk": "",
            "time_h": hour,
        }
        for hour, mean in hours.items()
    ]
    return {
        "studies": [builders.csv_study(design="uncontrolled")],
        "arms": [arm],
        "measurements": rows,
    }


def test_in_each_window_the_sample_nearest_its_start(tmp_path):
    found = builders.review_effects(
        tmp_path, "SMD", **acute({0.1: 0.36, 0.4: 0.35, 1: 0.34, 3: 0.33})
    )
    blocks = {(e.window, e.timepoint): e.block for e in found}
    assert blocks == {
        ("immediate", "h0.1"): "pooled", ("immediate", "h0.4"): "reduced",
        ("early", "h1"): "pooled", ("early", "h3"): "reduced",
    }  # fmt: skip
    reasons = {e.timepoint: e.reason for e in found}
    assert reasons["h0.4"] == (
        "one effect per group of participants: represented by h0.1, the nearest to the start of "
        "the window 'immediate'"
    )


def test_cohorts_of_one_study_before_and_after_are_independent(tmp_path):
    review = acute({0.1: 0.36})
    second = {**review["arms"][0], "arm_id": "other", "label": "other"}
    rows = [
        {**row, "arm_id": "other", "mean": row["mean"] + 0.02} for row in review["measurements"]
    ]
    review["arms"].append(second)
    review["measurements"] += rows
    found = {e.arm_id: e for e in builders.review_effects(tmp_path, "SMD", **review)}
    whole = found["ex+other"]
    assert whole.pooled and text(whole).provenance.endswith("COMPOSITE")
    assert whole.vi == pytest.approx((found["ex"].vi + found["other"].vi) / 4)
    assert (whole.n_exercise, whole.n_control, whole.n_total) == (24, None, 24)


def test_more_people_than_were_enrolled_are_the_same_people(tmp_path):
    review = acute({0.1: 0.36})
    second = {**review["arms"][0], "arm_id": "other", "label": "other"}
    again = [{**row, "arm_id": "other"} for row in review["measurements"]]
    review["arms"].append(second)
    review["measurements"] += again
    review["studies"][0]["n_enrolled"] = 12
    found = {e.arm_id: e for e in builders.review_effects(tmp_path, "SMD", **review)}
    assert found["ex+other"].n_total == 12
    assert found["ex+other"].vi == pytest.approx(0.75 * found["ex"].vi)  # rho = 0.5


def test_what_moves_a_marker_without_bone_is_named(tmp_path):
    folder = builders.write_review(tmp_path, **acute({0.1: 0.36}, plasma_volume="not_corrected"))
    outcome = check_review(folder)
    derived = derive(outcome.tables, outcome.config)
    sets = split(derived.effects, derived.entries, outcome.config)
    rows = {
        row.synthesis: row
        for row in summary_rows(outcome.config, {name: [] for name in sets}, sets)
    }
    note = rows["ctx_serum_acute_immediate_within_arm"].note
    assert note.startswith("CTX falls from morning to afternoon, and without a resting control")
    assert "no study is known to correct for the loss of plasma volume" in note
    assert rows["opg_acute_immediate_within_arm"].note == ""
    assert rows["ctx_serum_training_controlled"].note == ""
    assert {e.plasma_volume for e in derived.effects} == {"not_corrected"}
