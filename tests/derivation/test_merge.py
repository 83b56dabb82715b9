"""Arms of one exercise type on one control are merged into one arm."""

import math

import builders
import pytest
from builders import SPINE_YEAR, text
from osteometa.comparisons.summaries import merge_arms


def test_arms_of_one_type_are_one_arm(effects):
    """MD by hand: all participants of both arms against the control."""
    n, before, s0 = merge_arms([(14, 0.915, 0.098), (16, 0.897, 0.105)])
    _, after, s1 = merge_arms([(14, 0.931, 0.101), (16, 0.902, 0.107)])
    r = 0.95
    var = (s0**2 + s1**2 - 2 * r * s0 * s1) / n
    var += (0.110**2 + 0.112**2 - 2 * r * 0.110 * 0.112) / 15
    merged = effects[f"made_one_type_2002.high+low.{SPINE_YEAR}.md"]
    assert merged.yi == pytest.approx(after - before - (0.893 - 0.901))
    assert merged.vi == pytest.approx(var)
    assert (merged.n_exercise, merged.n_control, merged.n_total) == (30, 15, 45)
    assert "MERGED" in merged.flags and merged.pooled
    assert merged.mean_exercise == pytest.approx(after) and merged.means_kind == "after"
    for arm in ("high", "low"):
        single = effects[f"made_one_type_2002.{arm}.{SPINE_YEAR}.md"]
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
        rows[1] |= {"disputed": "two values contradict each other"}
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
