"""The facts beside the domains of GRADE, against their definitions."""

import pytest
from builders import CONFIG, record
from osteometa.export.evidence import imprecision_facts, inconsistency_facts
from osteometa.records.effects import WeightedEffect
from osteometa.records.pools import PooledRow, SynthesisRow
from osteometa.report.findings import Average, Findings
from osteometa.wording.measure_format import Estimate


def found(measure, outcome, effects=(0.1, -0.2), **row):
    pool = [record(WeightedEffect, yi=y, n_total=10, pooled=True, measure=measure) for y in effects]
    pooled = record(PooledRow, measure=measure, k=len(effects), **row)
    average = Average(pooled, Estimate(row["estimate"], row["ci_low"], row["ci_high"]))
    synthesis = record_of_synthesis(outcome)
    return Findings(
        synthesis=synthesis, outcome=CONFIG.outcomes[outcome], when="",
        row=record(SynthesisRow, measure=measure, outcome=outcome), effects=tuple(pool),
    ), average  # fmt: skip


def record_of_synthesis(outcome):
    return next(one for one in CONFIG.syntheses if one.outcome == outcome)


@pytest.mark.parametrize(
    ("low", "high", "null", "up", "down"),
    [
        (0.005, 0.02, "does not include", "included", "not included"),  # 0.5 % to 2 %
        (-0.02, 0.02, "includes", "included", "included"),
        (0.02, 0.03, "does not include", "not included", "not included"),
        (-0.005, 0.005, "includes", "not included", "not included"),
    ],
)
def test_an_interval_of_ratios_is_compared_with_percent(low, high, null, up, down):
    words = imprecision_facts(*found("ROM", "BMD", estimate=0.01, ci_low=low, ci_high=high))
    assert f"{null} the null value" in words and "participants: 20" in words
    assert f"smallest effect of interest: +1 % {up}, −1 % {down}" in words


def test_facts_of_inconsistency_give_numbers_and_directions_without_a_judgement():
    numbers = {"estimate": 0.01, "ci_low": -0.2, "ci_high": 0.2, "i2": 63.2, "tau2": 0.0123}
    words = inconsistency_facts(*found("SMD", "CTX", effects=(0.3, 0.1, -0.2), **numbers))
    assert (
        words == "I² = 63 %; τ² = 0.0123; prediction interval not given; effects: 2 higher, 1 lower"
    )
    assert inconsistency_facts(*found("SMD", "CTX", effects=(0.3,), **numbers)) == "one study"
