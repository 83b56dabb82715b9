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


def test_a_tau2_of_nearly_zero_agrees_with_zero(monkeypatch):
    """Relative to a thousandth of the mean variance, not to 1e-10 of it."""
    data = EffectData((0.1, 0.2, 0.3), (0.1, 0.1, 0.1))

    def near(*args):
        answer = by_pymare(*args)
        return replace(answer, numbers={**answer.numbers, "tau2": 1e-11})

    monkeypatch.setattr(independent_fits, "by_pymare", near)
    found = {row.quantity: row for row in comparisons(data, "REML", "wald")}
    assert (found["tau2"].osteometa, found["tau2"].verdict) == (0.0, "agrees")
    assert found["tau2"].difference == pytest.approx(1e-11 / 1e-4)
