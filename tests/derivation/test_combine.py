"""Effects of one study and exercise type are combined, or their control is divided."""

import math
from dataclasses import replace

import builders
import pytest
from builders import ROOT, SPINE_YEAR, checked, derived_of, text
from osteometa.derivation.combine import with_divided_control
from osteometa.synthesis.sets import includes


def test_arms_that_print_only_tests_are_combined(effects):
    """rho = 0.5, because neither value gives the control's variance."""
    parts = [effects[f"made_tests_2003.{arm}.{SPINE_YEAR}.md"] for arm in ("walking", "running")]
    whole = effects[f"made_tests_2003.running+walking.{SPINE_YEAR}.md"]
    v1, v2 = (part.vi for part in parts)
    assert whole.yi == pytest.approx((0.008 + 0.012) / 2)
    assert whole.vi == pytest.approx((v1 + v2 + 2 * 0.5 * math.sqrt(v1 * v2)) / 4)
    assert text(whole).provenance == "DIF+CI+COMPOSITE" and whole.pooled
    assert (whole.n_exercise, whole.n_control, whole.n_total) == (60, 30, 90)
    assert {part.block for part in parts} == {"reduced"}
    assert all(part.reason.startswith("combined") for part in parts)
    assert set(map(str, whole.inputs)) == {c for part in parts for c in map(str, part.inputs)}


def test_a_split_control_adds_its_part_once_more(effects):
    one = replace(builders.assessed(effects, effect_id="a", vi=0.05), control_share=0.02)
    assert with_divided_control(one, 2).effect.vi == pytest.approx(0.07)
    assert with_divided_control(one, 1).effect.vi == pytest.approx(0.05)
    unknown = replace(one, control_share=None)
    share = one.effect.n_exercise / (one.effect.n_exercise + one.effect.n_control)
    assert with_divided_control(unknown, 3).effect.vi == pytest.approx(0.05 * (1 + 2 * share))


@pytest.mark.parametrize("name", ["shared_control", "small", "seed", ""])
def test_one_study_has_one_effect_per_type(name):
    folder = ROOT / "tests/reviews" / name if name else ROOT
    derived = derived_of(folder)
    for synthesis in checked(folder).config.syntheses:
        seen = [
            (e.study_id, e.exercise_type, e.measure)
            for e in derived.effects
            if includes(synthesis, e) and e.block in ("pooled", "non_randomised")
        ]
        assert len(seen) == len(set(seen))


def test_cohorts_of_one_study_before_and_after_are_independent(tmp_path):
    review = builders.csv_bout({0.1: 0.36})
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
    review = builders.csv_bout({0.1: 0.36})
    second = {**review["arms"][0], "arm_id": "other", "label": "other"}
    again = [{**row, "arm_id": "other"} for row in review["measurements"]]
    review["arms"].append(second)
    review["measurements"] += again
    review["studies"][0]["n_enrolled"] = 12
    found = {e.arm_id: e for e in builders.review_effects(tmp_path, "SMD", **review)}
    assert found["ex+other"].n_total == 12
    assert found["ex+other"].vi == pytest.approx(0.75 * found["ex"].vi)  # rho = 0.5
