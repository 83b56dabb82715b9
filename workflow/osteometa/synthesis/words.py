"""Pooled models, their tests and answers to claims in words: the same wherever they are shown."""

from dataclasses import replace

from osteometa.records.claims import ClaimRow
from osteometa.records.directions import DirectionSet
from osteometa.records.pools import PooledRow, SubgroupTest, TypeContrast
from osteometa.wording.choices import interval_words
from osteometa.wording.measure_format import MeasureFormat, estimate_of, unit_words
from osteometa.wording.numbers import MINUS, p_number, p_text, sentence, small, studies
from osteometa.wording.syntheses import setting_words
from osteometa.wording.vocabulary import ExerciseType, Verdict

FEWEST = 3
"""Studies of which a sign test is put in words."""


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
    prediction = f"; prediction interval from t({pi_df.replace('-', MINUS)})"
    return f"Model: {model}, {interval}{prediction if row.pi_shown else ''}"


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


def set_words(row: DirectionSet) -> str:
    """Return the sign test of one set: its range over the directions not known comes first."""
    known = row.n_up + row.n_down
    counts = {
        "up": row.n_up, "down": row.n_down, "unchanged": row.n_unchanged,
        "not reported": row.n_not_told, "mixed": row.n_mixed, "no difference": row.n_zero,
    }  # fmt: skip
    parts = [f"{n} {word}" for word, n in counts.items() if n or word in ("up", "down")]
    setting = setting_words(row.phase, row.design_class)
    words = f"{row.outcome}, {setting}: {', '.join(parts)}"
    if row.p_lowest is None or known + row.n_unchanged + row.n_not_told < FEWEST:
        return words
    if row.n_unchanged + row.n_not_told == 0:
        return words + f"; sign test {p_text(row.p_known)}"
    low, high = p_number(row.p_lowest), p_number(row.p_highest)
    words += f"; sign test p from {low} to {high}" if low != high else f"; sign test p = {low}"
    words += " over all directions that the others may have"
    return words + (f" ({p_number(row.p_known)} for the known ones alone)" if known else "")


def evidence_words(row: ClaimRow, scale: MeasureFormat | None) -> str:
    """Return the evidence behind the answer to a claim, in one sentence.

    `scale` is how its estimate is written; None where it has none.
    """
    if row.verdict == Verdict.NO_EVIDENCE:
        both = " with both exercise types" if row.than else ""
        return sentence(f"no study reports the outcome{both}")
    estimate = estimate_of(row)
    if row.than and (estimate is None or scale is None):
        return sentence("no planned analysis has an estimate of both exercise types")
    parts = []
    if estimate is not None and scale is not None and row.k is not None:
        number = studies(row.k)
        if row.than and row.verdict == Verdict.ONE_STUDY:
            number += ", a single one of one exercise type"
        words = [_measure(scale), "difference" if row.than else "", scale.in_text(estimate)]
        parts.append(f"{number}: {' '.join(filter(None, words))}")
        if row.pi_low is not None and row.pi_high is not None:
            parts.append(f"prediction interval {scale.limits(row.pi_low, row.pi_high)}")
        if row.smallest_effect is not None:
            parts.append(f"smallest effect of interest {_smallest(row, scale)}")
    return sentence("; ".join(parts if row.than else [*parts, _directions(row)]))


def _measure(scale: MeasureFormat) -> str:
    """Return the measure of an estimate; none before a percentage."""
    if scale.percent:
        return ""
    return f"MD in {unit_words(scale.unit)}" if scale.unit and scale.measure == "MD" else scale.head


def _smallest(row: ClaimRow, scale: MeasureFormat) -> str:
    unit = {"SMD": "SD", "ROM": "%"}.get(row.measure, unit_words(scale.unit))
    return f"{row.smallest_effect:g} {unit}".rstrip()


def _directions(row: ClaimRow) -> str:
    """Return how many studies have each direction, with the range of the sign test."""
    counts = (
        (row.n_up, "up"), (row.n_down, "down"), (row.n_mixed, "mixed"),
        (row.n_zero, "with no difference"), (row.n_unchanged, "with no significant change"),
        (row.n_not_told, "not reported"),
    )  # fmt: skip
    known = [f"{n} {words}" for n, words in counts if n]
    only = "" if row.planned or row.synthesis else "no planned analysis, only "
    if not known:
        return f"{only}directions that are not counted"
    text = f"{only}directions of studies: {', '.join(known)}"
    if row.p_lowest is None or row.p_highest is None:
        return text
    low, high = p_number(row.p_lowest), p_number(row.p_highest)
    p = p_text(row.p_lowest) if low == high else f"p from {low} to {high}"
    return f"{text}; sign test {p}"
