"""How effects on a measure are written: transformation, decimals, unit, form of the interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from osteometa.wording.numbers import signed


@dataclass(frozen=True, slots=True)
class Scale:
    """How an effect is written: on which axis, with how many decimals."""

    measure: str
    outcome: str
    unit: str
    interval: str

    @property
    def percent(self) -> bool:
        """Tell whether a ratio of means is shown as percent."""
        return self.measure == "ROM" and self.outcome == "BMD"

    def shown(self, value: float) -> float:
        """Return a value as a reader sees it."""
        if self.measure != "ROM":
            return value
        return 100 * math.expm1(value) if self.percent else math.exp(value)

    def number(self, value: float) -> str:
        """Return a value as text."""
        decimals = 1 if self.percent else 2
        if self.measure == "MD" and self.outcome == "BMD":
            decimals = 3
        try:
            return signed(self.shown(value), decimals)
        except OverflowError:
            return "very large"

    def value(self, value: float) -> str:
        """Return a value as text, with the sign for percent."""
        return self.number(value) + (" %" if self.percent else "")

    def limits(self, low: float, high: float) -> str:
        """Return an interval in running text, with the sign for percent."""
        return f"{self.number(low)} to {self.value(high)}"

    def with_interval(self, estimate: float, low: float, high: float) -> str:
        """Return an estimate with its interval as text."""
        a, b = self.number(low), self.number(high)
        limits = f"[{a}, {b}]" if self.interval == "[a, b]" else f"({a} to {b})"
        return f"{self.number(estimate)} {limits}"

    @property
    def head(self) -> str:
        """Return the measure in a word or two, as the head of a column."""
        if self.percent:
            return "Difference, %"
        return "Ratio" if self.measure == "ROM" else self.measure

    @property
    def title(self) -> str:
        """Return what the axis shows."""
        if self.measure == "SMD":
            return "Standardised mean difference"
        if self.measure == "MD":
            return f"Mean difference, {unit_words(self.unit)}"
        return "Difference, %" if self.percent else "Ratio of means"


def unit_words(unit: str) -> str:
    """Return a unit as a journal prints it."""
    return unit.replace("cm2", "cm²").replace("cm3", "cm³")
