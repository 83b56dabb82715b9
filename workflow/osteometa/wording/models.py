"""Pooled models and their tests in words: the same in figures, report and commands."""

from __future__ import annotations

from typing import Protocol

from osteometa.wording.choices import interval_words
from osteometa.wording.numbers import MINUS, p_text, small


class _Fit(Protocol):
    """The fields of a pooled model that its description needs: those of `pooled.csv`."""

    @property
    def measure(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def ci_method(self) -> str: ...
    @property
    def k(self) -> int: ...
    @property
    def tau2(self) -> float | None: ...
    @property
    def tau2_ci_low(self) -> float | None: ...
    @property
    def tau2_ci_high(self) -> float | None: ...
    @property
    def i2(self) -> float | None: ...
    @property
    def q(self) -> float | None: ...
    @property
    def q_df(self) -> int | None: ...
    @property
    def q_p(self) -> float | None: ...
    @property
    def tau2_model(self) -> str: ...
    @property
    def pi_shown(self) -> bool: ...


class _GroupTest(Protocol):
    """The fields of a test of differences between exercise types that its description needs."""

    @property
    def tested(self) -> bool: ...
    @property
    def tau2_model(self) -> str: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def df1(self) -> int | None: ...
    @property
    def df2(self) -> float | None: ...
    @property
    def p(self) -> float | None: ...
    @property
    def note(self) -> str: ...


def subgroup_words(test: _GroupTest, leading_zero: bool = True) -> str:
    """Return the test of differences between exercise types in words."""
    if not test.tested or test.statistic is None:
        return f"Differences between exercise types {test.note}"
    df2 = "" if test.df2 is None else f", {test.df2:g}"
    letter = "χ²" if test.df2 is None else "F"
    return (
        f"Differences between exercise types: {letter}({test.df1}{df2}) = {test.statistic:.2f}, "
        f"{p_text(test.p, leading_zero)} ({test.tau2_model} τ²)"
    )


def model_words(row: _Fit, pi_df: str) -> str:
    """Return the model of a pooled row, with its prediction interval where one is shown."""
    interval = interval_words(row.ci_method)
    model = "common effect" if row.method == "EE" else f"random effects, {row.method}"
    degrees = pi_df.replace("-", MINUS)
    prediction = f"; prediction interval from t({degrees})" if row.pi_shown else ""
    return f"Model: {model}, {interval}{prediction}"


def heterogeneity(row: _Fit, leading_zero: bool = True, with_k: bool = True) -> str:
    """Return the line on heterogeneity.

    Where exercise types share one tau2, its interval and I2 are those of all types, Q is that of
    the type's own studies.
    """
    number = [f"k = {row.k}"] if with_k else []
    q = f"Q = {row.q:.2f}, df = {row.q_df}, {p_text(row.q_p, leading_zero)}"
    spread = [f"τ² = {small(row.tau2)}{_in_brackets(row)}"]
    spread += [] if row.i2 is None else [f"I² = {row.i2:.0f} %"]
    if row.tau2_model == "common":
        return "; ".join([*number, q, f"one model for all types: {', '.join(spread)}"])
    return "; ".join([*number, *spread, q])


def _in_brackets(row: _Fit) -> str:
    """Return the interval of tau2 and its scale, where it is not the one of the axis."""
    parts = []
    if row.tau2_ci_low is not None:
        parts.append(f"{small(row.tau2_ci_low)} to {small(row.tau2_ci_high)}")
    parts += ["log scale"] if row.measure == "ROM" and row.tau2 else []
    return f" ({'; '.join(parts)})" if parts else ""
