"""Warnings about one row whose numbers do not agree with each other.

Papers report most results twice: an estimate, its interval, SE, p and n determine each other.
Numbers agree if any values that round to the reported ones do.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from osteometa.comparisons.reported_tests import RATIOS, is_omnibus
from osteometa.comparisons.summaries import row_flags
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement, PublishedPool, Tables
from osteometa.io.problems import Problem
from osteometa.numerics.distributions import t_quantile, two_sided_p, two_tailed
from osteometa.validation.cells import warning_at
from osteometa.validation.plausibility import likely_slip, sd_of
from osteometa.wording.vocabulary import Flag

OF_P = ("md", "adj_md", *RATIOS)
"""Statistics that the test of a p value is of."""
UNEVEN = 0.02
"""Share of an interval's width by which models leave an estimate off its middle."""
FEWEST_DF = 8
"""Degrees of freedom assumed at least where a paper reports no n."""
FEWEST_OF_CLUSTERS = 2
"""The same of a test that accounts for clusters."""
UNLIKE_SE = 2.5
"""Factor between a reported and the usual SE of an SMD that no choice of its SD explains."""
IN_LOGARITHMS = {
    "measurements": "Is it a geometric mean? Then enter kind=geometric.",
    "contrasts": "Is it a ratio of means? Then enter statistic=rom.",
    "published_pools": "Is it a ratio? Then its natural logarithms belong here.",
}
ALIKE = 1.25
"""Factor within which two p agree: models differ in degrees of freedom."""


class Range(NamedTuple):
    """A smallest and a largest value."""

    low: float
    high: float


def within_row_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about estimate, interval, spread, p and n of single rows."""
    crossovers = {s.study_id for s in tables.studies if s.design == "crossover_rct"}
    for row in tables.measurements:
        if row.usable:
            yield from _off_middle(row, "mean")
            if "ADJSE" not in row.flag.split():  # its interval is of an adjusted mean
                yield from _spread_and_interval(row)
            yield from _fraction(row, "mean")
    for row in tables.contrasts:
        if row.usable:
            paired = row.study_id in crossovers or row.test == "paired_t"
            if row.statistic in ("md", "adj_md", "smd", *RATIOS) and row.test != "rank":
                yield from _off_middle(row, "value")
                yield from _se_and_interval(row, paired)
                yield from _se_of_smd(row, paired)
            yield from _fraction(row, "value")
            yield from _p_of_row(row, paired)
            yield from _sizes(row, paired)
    for row in tables.published_pools:
        yield from _off_middle(row, "estimate")
        yield from _p_of_row(row)


def interval_of(row: Measurement | Contrast | PublishedPool) -> tuple[ReportedNumber, ...]:
    """Return the limits of a row; empty unless both are reported and ascend."""
    if row.ci_low is None or row.ci_high is None or row.ci_low >= row.ci_high:
        return ()
    return row.ci_low, row.ci_high


def _off_middle(row: Measurement | Contrast | PublishedPool, column: str) -> Iterator[Problem]:
    """Warn of an estimate that is not the middle of its interval."""
    value: ReportedNumber | None = getattr(row, column)
    if value is None or not (limits := interval_of(row)):
        return
    low, high = limits
    found = f"{value.text} in {low.text} to {high.text}"
    named = {"geometric": "geometric mean", "rom": "ratio"}
    name = named.get(getattr(row, "kind", "") or getattr(row, "statistic", ""))
    if name:
        if low > 0 and not _is_middle_of_logs(value, low, high):
            message = (
                f"The {name} {value.text} is not the middle of its interval in logarithms "
                f"({math.sqrt(low * high):.4g}). Check all three, and the kind."
            )
            yield warning_at(row, column, "W21", message, found)
        return
    middle, slack = (low + high) / 2, (low.half_unit + high.half_unit) / 2
    if abs(value - middle) <= value.half_unit + slack + UNEVEN * (high - low):
        return
    message = f"The {column} {value.text} is not the middle of its interval ({middle:.4g}). "
    message += _which_limit(column, value, low, high)
    if low > 0 and _is_middle_of_logs(value, low, high):
        message += f" The interval is symmetric in logarithms. {IN_LOGARITHMS[row.table]}"
    yield warning_at(row, column, "W21", message, found)


def _is_middle_of_logs(value: ReportedNumber, low: ReportedNumber, high: ReportedNumber) -> bool:
    middle, width = math.sqrt(low * high), math.log(high / low)
    shares = (number.half_unit / number for number in (value, low, high))
    return abs(math.log(value / middle)) <= sum(shares) + UNEVEN * width


def _which_limit(
    column: str, value: ReportedNumber, low: ReportedNumber, high: ReportedNumber
) -> str:
    """Return what each of the three numbers would be by the other two, and the likely slip."""
    others = {
        "ci_low": (low, 2 * value - high, 2 * value.half_unit + high.half_unit),
        "ci_high": (high, 2 * value - low, 2 * value.half_unit + low.half_unit),
        column: (value, (low + high) / 2, (low.half_unit + high.half_unit) / 2),
    }
    for name, (typed, expected, slack) in others.items():
        slack += typed.half_unit
        if question := likely_slip(typed, expected - slack, expected + slack):
            return f"By the other two {name} should be {expected:.4g}.{question}"
    return f"By the others ci_low is {2 * value - high:.4g} or ci_high {2 * value - low:.4g}."


def _se_range(
    limits: tuple[ReportedNumber, ...], level: float, df: float | None, *, log: bool = False
) -> Range:
    """Return the range of the SE behind an interval: by t, or by the normal distribution."""
    low, high = (_rounded(limit, log=log) for limit in limits)
    probability = 0.5 + level / 200
    t, z = t_quantile(probability, df or FEWEST_DF), t_quantile(probability, None)
    return Range(max(high.low - low.high, 0.0) / (2 * t), (high.high - low.low) / (2 * z))


def _rounded(value: ReportedNumber, *, log: bool) -> Range:
    """Return the range of a number, or of its logarithm, over the rounding."""
    ends = Range(value - value.half_unit, value + value.half_unit)
    return Range(*map(math.log, ends)) if log else ends


def _spread_and_interval(row: Measurement) -> Iterator[Problem]:
    limits = interval_of(row)
    if not limits or row.n is None or row.n < 2 or row.kind == "geometric":
        return
    se = _se_range(limits, float(row.ci_level or 95), row.n - 1)
    root = math.sqrt(row.n)
    for column in ("sd", "se", "spread"):
        typed: ReportedNumber | None = getattr(row, column)
        kind = row.spread_kind if column == "spread" else column
        if typed is None or kind not in ("sd", "se"):
            continue
        sd = Range(se.low * root, se.high * root)
        expected, other = (sd, se) if kind == "sd" else (se, sd)
        if not _in(typed, expected):
            message = (
                f"The {kind} {typed.text} and the interval {limits[0].text} to {limits[1].text} "
                f"disagree: with n = {row.n} the {kind} should be {_words(expected)}."
            )
            if _in(typed, other):
                message += f" Is it {'an SE' if kind == 'sd' else 'an SD'}?"
            else:
                message += likely_slip(typed, *expected) or " Check limits and n as well."
            found = f"{typed.text} against {_words(expected)}"
            yield warning_at(row, column, "W22", message, found)


def _se_and_interval(row: Contrast, paired: bool) -> Iterator[Problem]:
    limits = interval_of(row)
    if not limits or row.se is None:
        return
    expected = _se_range(limits, float(row.ci_level or 95), df_of(row, paired)[0])
    if not _in(row.se, expected):
        message = (
            f"The se {row.se.text} and the interval {limits[0].text} to {limits[1].text} disagree: "
            f"the se should be {_words(expected)}."
        )
        message += likely_slip(row.se, *expected) or " Is it the SD? Check the limits as well."
        yield warning_at(row, "se", "W22", message, f"{row.se.text} against {_words(expected)}")


def _se_of_smd(row: Contrast, paired: bool) -> Iterator[Problem]:
    """Warn of an SE, or an interval, of an SMD that its participants do not give.

    sqrt(1 / n1 + 1 / n2 + d^2 / 2N) (Hedges 1981); of one group sqrt(1 / n + d^2 / 2n). In SDs of
    levels a change has a smaller one.
    """
    limits, total = interval_of(row), total_of(row, paired)
    column = "ci_low" if row.se is None else "se"
    if row.statistic != "smd" or row.value is None or total is None or not (row.se or limits):
        return
    one = paired or row.compares == "within"
    n, m = row.n_exercise or total / 2, row.n_control or total / 2
    expected = math.sqrt((1 / total if one else 1 / n + 1 / m) + row.value**2 / (2 * total))
    se = Range(row.se, row.se) if row.se else _se_range(limits, float(row.ci_level or 95), None)
    small = se.high < expected / UNLIKE_SE and (row.standardiser != "raw" or row.score == "post")
    if small or se.low > expected * UNLIKE_SE:
        words = row.se.text if row.se else f"by its interval {_words(se)}"
        message = (
            f"The se of the smd is {words}, but {total} participants give about {expected:.2g}. "
            "Is it a variance, an SD, or the interval of another statistic?"
        )
        yield warning_at(row, column, "W22", message, f"{words} against {expected:.2g}")


def _in(typed: ReportedNumber, expected: Range) -> bool:
    return expected.low <= typed + typed.half_unit and typed - typed.half_unit <= expected.high


def _words(expected: Range) -> str:
    return f"{expected.low:.3g} to {expected.high:.3g}"


def df_of(row: Contrast, paired: bool) -> tuple[float | None, float | None]:
    """Return the fewest and the most degrees of freedom of a test; None where not known.

    Of Welch's test, from those of the smaller arm alone. A test that accounts for clusters has
    fewer than its participants give.
    """
    if row.df2 is not None:
        return float(row.df2), float(row.df2)
    if Flag.CLUSTER_ADJUSTED in row_flags(row):
        return FEWEST_OF_CLUSTERS, None
    n = total_of(row, paired)
    groups = 1 if paired or row.compares == "within" else 2
    df = None if n is None else n - groups - (row.covariates or 0)
    if df is None or df < 1:
        return None, None
    if row.test == "t_welch" and row.n_exercise and row.n_control:
        return max(min(row.n_exercise, row.n_control) - 1, 1), df
    return df, df


def total_of(row: Contrast, paired: bool) -> int | None:
    """Return the participants of a test; None if not reported."""
    if paired or row.compares == "within":
        return row.n_exercise or row.n_total
    if row.n_exercise is not None and row.n_control is not None:
        return row.n_exercise + row.n_control
    return row.n_total


def _p_of_row(row: Contrast | PublishedPool, paired: bool = False) -> Iterator[Problem]:
    """Warn of a p that differs from that of the estimate with its SE or interval, of t or F."""
    if row.p is None or not 0 < row.p <= 1:
        return
    reported = _reported_p(row, row.p)
    for source, implied in _implied_p(row, paired):
        if implied.low > reported.high * ALIKE or reported.low > implied.high * ALIKE:
            message = (
                f"The p ({row.p_operator} {row.p.text}) and the {source} disagree: they give a "
                f"two-sided p of {_words(implied)}."
            )
            # In a wide range nearly every p with another decimal point would be.
            narrow = row.p_operator == "=" and implied.high < 10 * implied.low
            slip = likely_slip(row.p, *implied) if narrow else ""
            message += slip or " Check p, its operator, the estimate, its spread and n."
            found = f"{row.p_operator} {row.p.text} against {_words(implied)}"
            yield warning_at(row, "p", "W23", message, found)
            return


def _implied_p(row: Contrast | PublishedPool, paired: bool) -> Iterator[tuple[str, Range]]:
    """Yield the two-sided p of a row by each way of reporting the test, over the rounding."""
    contrast = isinstance(row, Contrast)
    value = row.value if contrast else row.estimate
    if value is None:
        return
    df, most = df_of(row, paired) if contrast else (None, None)
    log = contrast and row.statistic == "rom"
    around = _around(value, log=log)
    if contrast and row.statistic in ("t", "f"):
        if row.statistic == "f":
            around = Range(math.sqrt(around.low), math.sqrt(around.high))
        if not is_omnibus(row):
            least = two_sided_p(around.high, most)
            name = "F" if row.statistic == "f" else "t"
            yield name, Range(least, two_sided_p(around.low, df or FEWEST_DF))
        return
    if contrast and (row.test == "rank" or row.statistic not in OF_P):
        return
    if contrast and row.se is not None:
        yield "value with its se", _normal_to_t(around, _around(row.se), df)
    if limits := interval_of(row):
        se = _se_range(limits, float(row.ci_level or 95), df, log=log)
        what = "ratio with its interval, as logarithms," if log else "estimate with its interval"
        yield what, _normal_to_t(around, se, df)


def _around(value: ReportedNumber, *, log: bool = False) -> Range:
    """Return the range of the absolute value, or of that of its logarithm, over the rounding."""
    low, high = _rounded(value, log=log)
    return Range(max(low, -high, 0.0), max(-low, high))


def _normal_to_t(value: Range, se: Range, df: float | None) -> Range:
    """Return the range of p, from that of the normal distribution to that of t."""
    high = value.high / se.low if se.low else math.inf
    return Range(two_sided_p(high, None), two_sided_p(value.low / se.high, df or FEWEST_DF))


def _reported_p(row: Contrast | PublishedPool, p: ReportedNumber) -> Range:
    """Return the two-sided p that a cell allows."""
    low, high = p - p.half_unit, p + p.half_unit
    if isinstance(row, Contrast) and row.tails == 1:
        both = two_tailed(low, 1), two_tailed(min(high, 1.0), 1)
        low, high = min(both), 1.0 if low <= 0.5 <= high else max(both)
    if row.p_operator in ("<", "<="):
        low = 0.0
    return Range(low, 1.0 if row.p_operator in (">", ">=") else high)


def _sizes(row: Contrast, paired: bool) -> Iterator[Problem]:
    """Warn of numbers of participants that disagree with each other or with df."""
    total = total_of(row, paired)
    two = row.compares == "between" and not paired
    if two and None not in (row.n_exercise, row.n_control, row.n_total) and total != row.n_total:
        message = f"n_total is {row.n_total}, but n_exercise + n_control = {total}. Correct one."
        yield warning_at(row, "n_total", "W24", message, f"{row.n_total} against {total}")
    if row.df1 is not None and row.df2 is not None and row.df1 > row.df2:
        message = f"df1 is {row.df1.text} and df2 {row.df2.text}. Are they exchanged?"
        yield warning_at(row, "df1", "W24", message, f"{row.df1.text} above {row.df2.text}")
    if row.df2 is None or total is None or not (row.statistic == "t" or row.df1 == 1):
        return
    most = total - (2 if two else 1)
    if row.df2 > most and row.test != "rm_anova":
        words = f"df2 is {row.df2.text}, but {total} participants give at most {most}"
        message = f"{words}. Correct df2 or n."
        yield warning_at(row, "df2", "W24", message, f"{row.df2.text} against {most}")


def _fraction(row: Measurement | Contrast, column: str) -> Iterator[Problem]:
    """Warn of a percent typed as a fraction: no percent change is known to 0.1."""
    value: ReportedNumber | None = getattr(row, column)
    if isinstance(row, Measurement):
        percent, spread = row.kind == "pct_change", sd_of(row) or row.se
    else:
        percent, spread = row.unit == "%" and row.statistic in ("md", "adj_md"), row.se
        if limits := interval_of(row):
            spread = (limits[1] - limits[0]) / 2
    if percent and value is not None and spread is not None and max(abs(value), spread) < 0.1:
        message = (
            f"The unit is %, but {value.text} with its spread looks like a fraction. Is it "
            f"{100 * value:.3g} %?"
        )
        yield warning_at(row, column, "W25", message, value)
