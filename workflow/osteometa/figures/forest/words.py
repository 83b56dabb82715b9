"""The words and numbers of a forest plot as a reader sees them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from osteometa.records.pools import PooledRow, SubgroupTest
from osteometa.wording.choices import INTERVALS

FLAG_WORDS = {
    "2ND": "second-hand number",
    "ADJSE": "SE of an adjusted mean",
    "BASE": "assumed baseline mean",
    "BOR": "borrowed SD",
    "DISPUTED": "contradictory prints",
    "FIG": "digitised",
    "FUNK": "what the test divided by is not stated",
    "INDIRECT": "population with a state that acts on bone",
    "MERGED": "merged arms",
    "NRAND": "n as randomised",
    "NREP": "n from another report",
    "PCT": "from percent changes",
    "PP": "per protocol",
    "RIMP": "before-after correlation assumed",
    "SKEW": "skewed",
    "TMD": "SD from the test between arms",
}
N_WORDS = "N: people of the largest comparison, where n per arm is not printed"
N_WITHIN_WORDS = "N: people"
NO_VOTE_WORDS = "no vote: not counted among the directions"
HOLLOW_WORDS = "hollow diamond: two studies"
MINUS = "\N{MINUS SIGN}"


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

    def with_interval(self, estimate: float, low: float, high: float) -> str:
        """Return an estimate with its interval as text."""
        a, b = self.number(low), self.number(high)
        limits = f"[{a}, {b}]" if self.interval == "[a, b]" else f"({a} to {b})"
        return f"{self.number(estimate)} {limits}"

    @property
    def head(self) -> str:
        """Return the same in a word or two, as the head of a column."""
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


def mean_words(means: Sequence[str]) -> list[str]:
    """Return what the means on a page are, as far as such means stand on it."""
    found = [mean for mean in means if mean]
    words = {
        "Means are changes": any("%" not in mean and "†" not in mean for mean in found),
        "%: percent changes": any("%" in mean for mean in found),
        # Printed levels need not give the effect beside them: many rungs use more than those.
        "†: levels after (the effect may also use those before, or be adjusted)": any(
            "†" in mean for mean in found
        ),
    }
    return [text for text, stands in words.items() if stands]


def signed(value: float, decimals: int) -> str:
    """Return a number with a true minus sign, and without a sign on zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def p_text(p: float | None, leading_zero: bool = True) -> str:
    """Return p as text."""
    if p is None:
        return "p not defined"
    text = "p < 0.001" if p < 0.001 else f"p = {p_number(p)}"
    return text if leading_zero else text.replace(" 0.", " .")


def p_number(p: float) -> str:
    """Return p alone as text, three decimals as everywhere."""
    # Sign tests are exact binary fractions: 0.0625 is 0.063, not the even 0.062.
    rounded = Decimal(p).quantize(Decimal("0.001"), ROUND_HALF_UP)
    return "< 0.001" if p < 0.001 else str(rounded)


def small(value: float | None) -> str:
    """Return a variance as text of three digits, without an exponent."""
    if value is None:
        return "?"
    decimals = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def subgroup_words(test: SubgroupTest, leading_zero: bool = True) -> str:
    """Return the test of differences between exercise types in words."""
    if not test.tested:
        return f"Differences between types {test.note}"
    df2 = "" if test.df2 is None else f", {test.df2:g}"
    letter = "χ²" if test.df2 is None else "F"
    return (
        f"Differences between types: {letter}({test.df1}{df2}) = {test.statistic:.2f}, "
        f"{p_text(test.p, leading_zero)} ({test.tau2_model} τ²)"
    )


def model_words(row: PooledRow, pi_df: str) -> str:
    """Return the model of a pooled row in words; of the prediction interval where one is shown."""
    interval = INTERVALS[row.ci_method]
    model = "common effect" if row.method == "EE" else f"random effects, {row.method}"
    degrees = pi_df.replace("-", MINUS)
    prediction = f"; prediction interval on t({degrees})" if row.pi_shown else ""
    return f"Model: {model}, {interval}{prediction}"


def heterogeneity(row: PooledRow, leading_zero: bool = True) -> str:
    """Return the line on heterogeneity.

    Types that share one tau2 share its interval and I2 too: said as of all types, beside the Q of
    their own studies.
    """
    q = f"Q = {row.q:.2f}, df = {row.q_df}, {p_text(row.q_p, leading_zero)}"
    tau2 = f"τ² = {small(row.tau2)}{_in_brackets(row)}"
    i2 = "" if row.i2 is None else f"I² = {row.i2:.0f} %"
    if row.note.startswith("one tau2"):
        return f"k = {row.k}; {q}; one model of all types: " + ", ".join(filter(None, [tau2, i2]))
    return "; ".join(filter(None, [f"k = {row.k}", tau2, i2, q]))


def _in_brackets(row: PooledRow) -> str:
    """Return the interval of tau2 and its scale, where it is not the one of the axis."""
    parts = []
    if row.tau2_ci_low is not None:
        parts.append(f"{small(row.tau2_ci_low)} to {small(row.tau2_ci_high)}")
    parts += ["log scale"] if row.measure == "ROM" and row.tau2 else []
    return f" ({'; '.join(parts)})" if parts else ""
