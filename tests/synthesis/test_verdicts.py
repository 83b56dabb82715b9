"""Verdicts on claims: each rule of M7.6 and its boundary, and the worked checks."""

import math

import pytest
from osteometa.directions.p_values import sign_test
from osteometa.records.claims import ClaimRow
from osteometa.synthesis.claims import verdict_of

CLAIM = {
    "claim_id": "a", "claim": "A.", "outcome": "BMD", "analyte": "", "site": "",
    "exercise_type": None, "phase": "training", "window": "", "design_class": "controlled",
    "arms": (), "than": None, "planned": True, "source": "section 1",
}  # fmt: skip


def directions(up=0, down=0, unknown=0):
    """Return the counts of a direction set and the range of its sign test."""
    total = up + down + unknown
    ps = [sign_test(x, total) for x in range(up, up + unknown + 1)] if total else []
    return {
        "n_up": up, "n_down": down, "n_unchanged": unknown, "n_mixed": 0, "n_zero": 0,
        "n_not_told": 0, "p_lowest": min(ps, default=None), "p_highest": max(ps, default=None),
    }  # fmt: skip


def estimated(low, high, value=None, k=5, measure="SMD"):
    value = (low + high) / 2 if value is None else value
    return {"estimate": value, "ci_low": low, "ci_high": high, "k": k, "measure": measure}


def percent(low, high, **more):
    """Return an interval of ratios of means, given in percent."""
    low, high = math.log1p(low / 100), math.log1p(high / 100)
    return estimated(low, high, measure="ROM", **more)


def verdict(expectation, *evidence, single=False, **more):
    parts = {key: value for part in evidence for key, value in part.items()}
    return verdict_of(ClaimRow(**CLAIM, expectation=expectation, **parts, **more), single=single)


def test_worked_checks():
    assert verdict("up", percent(1.5, 4.4)) == "supported"
    ctx = estimated(-1.52, 0.78, -0.37)
    assert verdict("unchanged", ctx, smallest_effect=0.2) == "not_settled"
    opg = estimated(0.13, 0.86, k=1)
    assert verdict("unchanged", opg, smallest_effect=0.2, single=True) == "one_study"
    acute = directions(up=10, down=1, unknown=4)
    assert acute["p_lowest"] < 0.001
    assert acute["p_highest"] == pytest.approx(0.302, abs=5e-4)
    assert sign_test(10, 11) == pytest.approx(0.012, abs=5e-4)
    assert verdict("up", acute) == "not_settled_by_directions"


@pytest.mark.parametrize(
    ("expectation", "low", "high", "expected"),
    [
        ("up", 1e-9, 1, "supported"),
        ("up", 0, 1, "not_settled"),
        ("up", -1, 0, "not_settled"),
        ("up", -1, -1e-9, "contradicted"),
        ("down", -1, -1e-9, "supported"),
        ("down", -1, 0, "not_settled"),
        ("down", 1e-9, 1, "contradicted"),
        ("larger_than", 1e-9, 1, "supported"),
        ("larger_than", 0, 1, "not_settled"),
        ("larger_than", -1, -1e-9, "contradicted"),
    ],
)
def test_an_interval_must_lie_wholly_on_one_side(expectation, low, high, expected):
    assert verdict(expectation, estimated(low, high)) == expected
    assert verdict(expectation, estimated(low, high), single=True) == "one_study"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.19, 0.19, "supported"),
        (0.05, 0.19, "supported"),
        (-0.2, 0.19, "not_settled"),
        (-0.19, 0.2, "not_settled"),
        (0.2, 0.9, "not_settled"),
        (0.21, 0.9, "contradicted"),
        (-0.9, -0.21, "contradicted"),
        (-0.9, -0.2, "not_settled"),
        (-0.9, 0.9, "not_settled"),
    ],
)
def test_no_change_is_judged_by_the_smallest_effect_of_interest(low, high, expected):
    assert verdict("unchanged", estimated(low, high), smallest_effect=0.2) == expected
    assert verdict("unchanged", estimated(low, high)) == "not_settled"


def test_the_smallest_effect_of_a_ratio_is_in_percent():
    assert verdict("unchanged", percent(-0.99, 0.99), smallest_effect=1) == "supported"
    assert verdict("unchanged", percent(-0.99, 1.01), smallest_effect=1) == "not_settled"
    assert verdict("unchanged", percent(1.01, 2), smallest_effect=1) == "contradicted"


@pytest.mark.parametrize(
    ("counts", "up", "down"),
    [
        ({"up": 6}, "supported", "contradicted"),  # p .031
        ({"down": 6}, "contradicted", "supported"),
        ({"up": 5}, "not_settled", "not_settled"),  # p .063
        ({"up": 12, "unknown": 2}, "supported", "contradicted"),  # .0002 to .013
        ({"up": 12, "unknown": 3}, "supported", "contradicted"),  # to .035
        ({"up": 12, "unknown": 4}, "not_settled", "not_settled"),  # to .077
        ({"unknown": 9}, "not_settled", "not_settled"),
        ({}, "not_settled", "not_settled"),
    ],
)
def test_directions_hold_in_whatever_way_the_unknown_ones_went(counts, up, down):
    found = directions(**counts)
    assert verdict("up", found) == f"{up}_by_directions"
    assert verdict("down", found) == f"{down}_by_directions"
    assert verdict("unchanged", found) == "not_settled_by_directions"


def test_an_estimate_goes_before_directions_unless_they_are_opposite():
    above, below = estimated(0.1, 1), estimated(-1, -0.1)
    assert verdict("up", above, directions(up=6)) == "supported"
    assert verdict("up", estimated(-0.1, 1), directions(up=6)) == "not_settled"
    assert verdict("up", estimated(-1, 0.1), directions(up=6)) == "not_settled"
    assert verdict("up", above, directions(down=5)) == "supported"
    for expectation in ("up", "down", "unchanged"):
        both = (
            verdict(expectation, above, directions(down=6)),
            verdict(expectation, below, directions(up=6)),
        )
        assert both == ("conflicting", "conflicting")
    assert verdict("up", above, directions(down=6), single=True) == "one_study"


def test_types_are_not_compared_by_directions():
    assert verdict("larger_than") == "not_settled"
