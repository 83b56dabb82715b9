"""How effects on a measure are written: transformation, decimals, unit, form of the interval."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from osteometa.wording.numbers import signed


class Estimate(NamedTuple):
    """An estimate with its interval: none of the three is missing."""

    value: float
    low: float
    high: float

    @property
    def holds_null(self) -> bool:
        """Return whether the interval includes no difference."""
        return self.low <= 0 <= self.high


class _Row(Protocol):
    @property
    def estimate(self) -> float | None: ...
    @property
    def ci_low(self) -> float | None: ...
    @property
    def ci_high(self) -> float | None: ...


def estimate_of(row: _Row) -> Estimate | None:
    """Return the estimate of a row of a results table; None where it has none."""
    if row.estimate is None or row.ci_low is None or row.ci_high is None:
        return None
    return Estimate(row.estimate, row.ci_low, row.ci_high)


@dataclass(frozen=True, slots=True)
class MeasureFormat:
    """How an effect is written: on which axis, with how many decimals."""

    measure: str
    unit: str = ""
    interval: str = "(a to b)"
    ratio_as: str = "ratio"
    """How a ratio of means is written: ratio, or percent (its difference from 1)."""
    decimals: int = 2
    """Of a mean difference."""

    @property
    def percent(self) -> bool:
        """Return whether a ratio of means is shown as percent."""
        return self.measure == "ROM" and self.ratio_as == "percent"

    @property
    def places(self) -> int:
        """Return how many decimals a value is written with."""
        return self.decimals if self.measure == "MD" else 1 if self.percent else 2

    def shown(self, value: float) -> float:
        """Return a value as it is reported, back-transformed."""
        if self.measure != "ROM":
            return value
        return 100 * math.expm1(value) if self.percent else math.exp(value)

    def number(self, value: float) -> str:
        """Return a value as text."""
        try:
            return signed(self.shown(value), self.places)
        except OverflowError:
            return "very large"

    def value(self, value: float) -> str:
        """Return a value as text, with the sign for percent."""
        return self.number(value) + (" %" if self.percent else "")

    def in_text(self, estimate: Estimate, name: str = "95 % CI") -> str:
        """Return an estimate with its named interval in running text."""
        limits = f"{name} {self.limits(estimate.low, estimate.high)}".strip()
        return f"{self.value(estimate.value)} ({limits})"

    def limits(self, low: float, high: float) -> str:
        """Return an interval in running text, with the sign for percent."""
        return f"{self.number(low)} to {self.value(high)}"

    def with_interval(self, estimate: float, low: float, high: float) -> str:
        """Return an estimate with its interval as text."""
        return f"{self.number(estimate)} {self.bracketed(low, high)}"

    def bracketed(self, low: float, high: float) -> str:
        """Return an interval in brackets."""
        a, b = self.number(low), self.number(high)
        return f"[{a}, {b}]" if self.interval == "[a, b]" else f"({a} to {b})"

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
    """Return a unit as a journal writes it."""
    return unit.replace("cm2", "cm²").replace("cm3", "cm³")
