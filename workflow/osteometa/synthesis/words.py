"""Pooled models and their tests in words: the same in figures, report and commands."""

from __future__ import annotations

from dataclasses import replace

from osteometa.records.pools import PooledRow, SubgroupTest, TypeContrast
from osteometa.wording.choices import interval_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of
from osteometa.wording.numbers import MINUS, p_text, small
from osteometa.wording.vocabulary import ExerciseType


def subgroup_words(test: SubgroupTest, leading_zero: bool = True) -> str:
    """Return the test of differences between exercise types in words."""
    if not test.tested or test.statistic is None:
        return f"Differences between exercise types {test.note}"
    df2 = "" if test.df2 is None else f", {test.df2:g}"
    letter = "χ²" if test.df2 is None else "F"
    return (
        f"Differences between exercise types: {letter}({test.df1}{df2}) = {test.statistic:.2f}, "
        f"{p_text(test.p, leading_zero)} ({test.tau2_model} τ²)"
    )


def contrast_words(row: TypeContrast, scale: MeasureFormat) -> str:
    """Return a difference between types with its interval and its adjusted p.

    A difference of log ratios is a ratio of ratios, written as its difference from 1 in percent.
    """
    pair, found = contrast_label(row), estimate_of(row)
    if found is None:
        return f"{pair}: not estimated ({row.note})"
    note = f" ({row.note})" if row.note else ""
    p = p_text(row.p_holm)
    return f"{pair}: {contrast_scale(scale).in_text(found)}, Holm-adjusted {p}{note}"


def contrast_label(row: TypeContrast) -> str:
    """Return the two types, or other groups, in words."""
    groups = (row.type_a, row.type_b)
    if row.by == "exercise_type":
        groups = (ExerciseType(kind).heading.lower() for kind in groups)
    return " against ".join(groups)


def contrast_scale(scale: MeasureFormat) -> MeasureFormat:
    """Return how differences between types are written: of ratios always in percent."""
    return replace(scale, ratio_as="percent")


def model_words(row: PooledRow, pi_df: str) -> str:
    """Return the model of a pooled row, with its prediction interval where one is shown."""
    interval = interval_words(row.ci_method)
    model = "common effect" if row.method == "EE" else f"random effects, {row.method}"
    degrees = pi_df.replace("-", MINUS)
    prediction = f"; prediction interval from t({degrees})" if row.pi_shown else ""
    return f"Model: {model}, {interval}{prediction}"


def heterogeneity(row: PooledRow, leading_zero: bool = True, with_k: bool = True) -> str:
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


def _in_brackets(row: PooledRow) -> str:
    """Return the interval of tau2 and its scale, where it is not the one of the axis."""
    parts = []
    if row.tau2_ci_low is not None:
        parts.append(f"{small(row.tau2_ci_low)} to {small(row.tau2_ci_high)}")
    parts += ["log scale"] if row.measure == "ROM" and row.tau2 else []
    return f" ({'; '.join(parts)})" if parts else ""
