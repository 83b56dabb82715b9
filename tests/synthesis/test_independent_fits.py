"""Verdicts on the numbers of independent implementations."""

from dataclasses import replace

import pytest
from compare import arrays
from osteometa.pooling.results import EffectData
from osteometa.synthesis import independent_fits
from osteometa.synthesis.independent_fits import QUANTITIES, by_pymare, comparisons

BCG = EffectData(*(tuple(numbers.tolist()) for numbers in arrays("bcg_RR")))


@pytest.mark.parametrize(("method", "ci"), independent_fits.SETTINGS)
def test_every_number_of_the_libraries_agrees(method, ci):
    found = comparisons(BCG, method, ci)
    assert {row.quantity for row in found} == set(QUANTITIES)
    assert {row.verdict for row in found} == {"agrees"}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_number_that_is_off_differs_by_its_relative_error(quantity, monkeypatch):
    def off(*args):
        answer = by_pymare(*args)
        wrong = {**answer.numbers, quantity: 1.001 * answer.numbers[quantity]}
        return replace(answer, numbers=wrong)

    monkeypatch.setattr(independent_fits, "by_pymare", off)
    found = {row.quantity: row for row in comparisons(BCG, "REML", "wald")}
    assert {name for name, row in found.items() if row.verdict == "differs"} == {quantity}
    assert found[quantity].difference == pytest.approx(0.001 / 1.001, rel=1e-3)
    assert found[quantity].cause
