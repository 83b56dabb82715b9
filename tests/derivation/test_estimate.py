"""Estimates of single comparisons."""

import pytest
from builders import CONFIG, N, contrast, level, tables
from osteometa.comparisons.build import comparisons_of
from osteometa.comparisons.correlations import Correlations
from osteometa.derivation.estimate import estimate

LEVELS = [level("baseline", mean=5, sd=2, n=12), level("end", mean=6, sd=2, n=12)]


def estimated(rows, **how):
    comparisons = comparisons_of(tables(rows, **how), CONFIG)
    (found,) = estimate(comparisons, Correlations(comparisons, CONFIG), CONFIG)
    return found


def test_every_measure_of_the_outcome_is_tried():
    found = estimated(LEVELS)
    assert set(found.attempts) == set(CONFIG.outcomes["CTX"].measures) and not found.not_tried
    estimates = found.estimates()
    assert {measure: one.method for measure, one in estimates.items()} == {
        "SMD": "SMCR", "MD": "MC", "ROM": "ROMC",
    }  # fmt: skip
    assert all(found.estimate(measure) is one for measure, one in estimates.items())


def test_a_measure_without_an_estimate_has_the_reason_of_each_method():
    found = estimated([level("end", mean=6, sd=2, n=12)])
    assert found.estimate("MD") is None and found.estimates() == {}
    assert all(attempt.reason for attempts in found.attempts.values() for attempt in attempts)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"value": 0.4}, "SMDP: the SD of the reported SMD is not stated"),
        ({"value": 0.4, "standardiser": "not_stated"},
         "SMDP: the SD of the reported SMD is not stated"),
        ({"value": 0.4, "standardiser": "raw", "compares": "within"}, "SMDP: no SMD is reported"),
        ({"standardiser": "raw"}, "SMDP: no SMD is reported"),
    ],
)  # fmt: skip
def test_why_a_reported_smd_is_not_used(cells, reason):
    found = estimated([contrast("smd", **N, **cells)], design="rct", control=True)
    reasons = {attempt.method: attempt.reason for attempt in found.attempts["SMD"]}
    assert reasons["SMDP"] == reason


def test_a_condition_of_a_crossover_trial_without_its_comparator_is_not_estimated():
    found = estimated(LEVELS, design="crossover_rct")
    assert found.attempts == {} and "without its comparator" in found.not_tried
    assert found.estimate("MD") is None
