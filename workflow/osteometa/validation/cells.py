"""Rules within one row: allowed values of a number, and cells that contradict each other."""

import math
import re
from collections.abc import Iterator, Mapping

from osteometa.extraction.cell_types import Row, in_range, range_words
from osteometa.extraction.tables import (
    ROWS,
    Contrast,
    Direction,
    Measurement,
    PublishedPool,
    Tables,
)
from osteometa.extraction.units import NOT_STATED, UNITS, convert, pooled_unit, units_of
from osteometa.io.problems import Problem, suggestion
from osteometa.protocol.config import Config, Outcome

STATISTICS = ("mean", "median", "q1", "q3", "min", "max", "sd", "se", "spread", "ci_low", "ci_high")

STATISTIC_RANGE = {"r": (-0.9999, 0.9999), "f": (0, 1e6), "t": (-1000, 1000), "smd": (-100, 100),
                   "icc": (0, 1), "rom": (0.001, 1000), "log_rom": (-6.9, 6.9)}  # fmt: skip
"""Smallest and largest value of a statistic of contrasts.csv."""

FINEST, COARSEST = 1e-6, 1e3
"""Smallest spread in relation to its value, and largest of a level."""


def problem_at(
    row: Row, column: str, code: str, message: str, found: object = "", severity: str = "error"
) -> Problem:
    """Return a problem of one cell of a row."""
    return Problem(
        file=f"data/raw/{row.table}.csv",
        row=row.row,
        study=getattr(row, "study_id", ""),
        column=column,
        code=code,
        found=str(getattr(found, "text", found)),
        message=message,
        severity=severity,
        row_key=row.key_text,
    )


def warning_at(row: Row, column: str, code: str, message: str, found: object = "") -> Problem:
    """Return a warning about one cell of a row."""
    return problem_at(row, column, code, message, found, severity="warning")


def value_problems(tables: Tables, config: Config | None) -> Iterator[Problem]:
    """Yield the problems within single rows."""
    for model in ROWS:
        ranges = model.ranges()
        for row in getattr(tables, model.table):
            yield from _out_of_range(row, ranges)
    starts = {(arm.study_id, arm.arm_id): arm.n_start for arm in tables.arms}
    for arm in tables.arms:
        if arm.n_start and arm.n_end and arm.n_end > arm.n_start:
            sizes = f"n_end = {arm.n_end} exceeds n_start = {arm.n_start}"
            yield problem_at(arm, "n_end", "E202", f"{sizes}. Correct one of the two.", arm.n_end)
        if arm.n_start and arm.clusters and arm.clusters > arm.n_start:
            message = (
                f"clusters = {arm.clusters} exceeds n_start = {arm.n_start}: a cluster is a group "
                "of participants. Correct one of the two."
            )
            yield problem_at(arm, "clusters", "E202", message, arm.clusters)
    for row in tables.measurements:
        yield from _measurement(row, config, starts.get((row.study_id, row.arm_id)))
    for row in tables.contrasts:
        yield from _contrast(row, config)
    for row in tables.directions:
        yield from _direction(row)
    for row in tables.published_pools:
        yield from _p(row)
        yield from _interval(row, "estimate")


def _out_of_range(row: Row, ranges: Mapping[str, Mapping[str, float]]) -> Iterator[Problem]:
    """Yield the numbers outside the range of their column; that of a p may be accepted (E401)."""
    for column, limits in ranges.items():
        value = getattr(row, column)
        if value is not None and column != "p" and not in_range(value, limits):
            optional = not type(row).model_fields[column].is_required()
            remedy = ", or leave it empty if not reported" if optional else ""
            message = f"{column} must be {range_words(limits)}. Correct it{remedy}."
            code = "E202" if column.startswith("n") else "E201"
            yield problem_at(row, column, code, message, value)


def _not_above_zero(
    row: Row, columns: tuple[str, ...], code: str, message: str
) -> Iterator[Problem]:
    for column in columns:
        value = getattr(row, column)
        if value is not None and value <= 0:
            yield problem_at(row, column, code, message, value)


def _measurement(row: Measurement, config: Config | None, n_start: int | None) -> Iterator[Problem]:
    if row.n is not None and n_start is not None and row.n > n_start:
        message = f"n = {row.n} exceeds n_start = {n_start} of the arm. Correct one of the two."
        yield problem_at(row, "n", "E202", message, row.n)
    yield from _timepoint(row)
    if all(getattr(row, column) is None for column in STATISTICS):
        message = "The row has no value. Enter one, or delete the row."
        yield problem_at(row, "mean", "E207", message)
    if row.spread is not None and not row.spread_kind:
        message = "A spread needs its type in spread_kind. Use: sd, se, unknown."
        yield problem_at(row, "spread_kind", "E105", message)
    outcome = config.outcomes.get(row.outcome) if config else None  # None for secondary ones
    if row.kind == "level" and outcome is not None and outcome.has_zero(row.unit):
        message = (
            "A level must be above 0. Correct it; if it is a change, enter kind=change. Of a scale "
            "that goes below 0, declare such a range in config.yaml (units)."
        )
        yield from _not_above_zero(row, ("mean", "median"), "E208", message)
    if row.kind == "geometric":
        message = "A geometric mean and its limits are above 0. Correct it, or the kind."
        yield from _not_above_zero(row, ("mean", "ci_low"), "E208", message)
    yield from _sd_and_se(row)
    if row.kind != "log_level":
        yield from _precision(row, "median" if row.mean is None else "mean")
    yield from _interval(row, "mean")
    yield from _quantiles(row)
    percent = row.kind == "pct_change"
    if outcome is not None and (percent or row.mean is not None or row.unit):
        if not percent:
            yield from _unit(row, outcome)
        elif row.unit != "%":
            message = "The unit of a percent change is '%'. Enter it."
            yield problem_at(row, "unit", "E206", message, row.unit)
        yield from _out_of_proportion(row, outcome)


def _timepoint(row: Measurement | Contrast) -> Iterator[Problem]:
    word = row.timepoint.lower()
    if word in ("baseline", "during") and row.timepoint != word:
        message = f"Enter '{word}' in small letters; otherwise it is taken as another timepoint."
        yield problem_at(row, "timepoint", "E105", message, row.timepoint)


def _precision(row: Measurement | Contrast, column: str) -> Iterator[Problem]:
    """Yield a spread that no measurement can have beside its value."""
    centre = getattr(row, column)
    if not centre:
        return
    for name in ("sd", "se", "spread"):
        spread = getattr(row, name, None)
        if spread is None or spread <= 0:
            continue
        ratio = spread / abs(centre)
        if ratio < FINEST or (getattr(row, "kind", "") == "level" and ratio > COARSEST):
            word = "less than a millionth of" if ratio < FINEST else "more than a thousand times"
            words = f"{name} {spread.text} is {word} the {column} {centre.text}"
            yield problem_at(row, name, "E209", f"{words}. Correct one of the two.", spread)


def _out_of_proportion(row: Measurement | Contrast, outcome: Outcome) -> Iterator[Problem]:
    """Yield the numbers in a unit that are far beyond every value that config.yaml allows."""
    unit = pooled_unit(row.unit, outcome.units)
    declared = outcome.units.get(unit)
    if row.unit == "%":
        most, words = 100 * COARSEST, "a thousandfold. Correct it."
    elif declared and getattr(row, "kind", "") != "log_level":
        most = convert(COARSEST * max(map(abs, declared)), unit, row.unit)
        words = (
            f"a thousand times the largest value that config.yaml declares for {row.outcome}. "
            "Correct it, its unit, or the range."
        )
    else:
        return
    for name in (*STATISTICS, "value"):
        value = getattr(row, name, None)
        if value is not None and abs(value) > most:
            message = f"{name} {value.text} {row.unit} is more than {words}"
            yield problem_at(row, name, "E209", message, value)


def _sd_and_se(row: Measurement) -> Iterator[Problem]:
    if row.sd is None or row.se is None or row.n is None or "ADJSE" in row.flag.split():
        return
    root = math.sqrt(row.n)
    low, high = (row.se - row.se.half_unit) * root, (row.se + row.se.half_unit) * root
    if row.sd + row.sd.half_unit < low or row.sd - row.sd.half_unit > high:
        message = (
            f"sd {row.sd.text}, se {row.se.text} and n {row.n} disagree: sd should be from "
            f"{low:.4g} to {high:.4g}. Correct one of them; if the paper reports them so, accept "
            "E203 with a reason."
        )
        yield problem_at(row, "sd", "E203", message, row.sd)


def _interval(row: Measurement | Contrast | PublishedPool, column: str) -> Iterator[Problem]:
    low, high, value = row.ci_low, row.ci_high, getattr(row, column)
    if low is None or high is None:
        return
    accept = "; if the paper reports {} so, accept E204 with a reason"
    accept = accept if "accept" in row.columns() else ""
    if low >= high:
        message = f"ci_low must be below ci_high. Exchange them{accept.format('them')}."
        yield problem_at(row, "ci_low", "E204", message, f"{low.text} to {high.text}")
    elif value is not None:
        slack = value.half_unit + max(low.half_unit, high.half_unit)
        if value < low - slack or value > high + slack:
            message = (
                f"The {column} {value.text} is outside its interval, {low.text} to {high.text}. "
                f"Correct it (is it on a log scale?){accept.format('it')}."
            )
            yield problem_at(row, column, "E204", message, value)


def _quantiles(row: Measurement) -> Iterator[Problem]:
    values = [getattr(row, name) for name in ("min", "q1", "median", "q3", "max")]
    values = [value for value in values if value is not None]
    if values != sorted(values):
        message = (
            "Quantiles must ascend: min <= q1 <= median <= q3 <= max. Correct them; if the paper "
            "reports them so, accept E205 with a reason."
        )
        found = " ".join(value.text for value in values)
        yield problem_at(row, "median", "E205", message, found)


def _unit(row: Measurement | Contrast, outcome: Outcome) -> Iterator[Problem]:
    analyte = outcome.analytes.get(row.analyte)
    allowed = units_of(analyte.quantity) if analyte else []
    if analyte is None or not allowed or row.unit in (*allowed, NOT_STATED):
        return
    quantity = analyte.quantity.replace("_", " ")
    if not row.unit:
        message = f"The unit is missing; the quantity of {row.analyte} is {quantity}."
    elif row.unit in UNITS:
        found = UNITS[row.unit][0]
        message = (
            f"'{row.unit}' is a unit of {found}, but the quantity of {row.analyte} is {quantity}. "
            "Is it another analyte?"
        )
    else:
        spelled = re.sub("^(mcg|microg|[µμ]g)", "ug", row.unit)
        message = f"The unit '{row.unit}' is not known. {suggestion(spelled, allowed)}"
    use = f"Use: {', '.join(allowed)}; {NOT_STATED} where the paper states none."
    yield problem_at(row, "unit", "E206", f"{message.strip()} {use}", row.unit)


def _contrast(row: Contrast, config: Config | None) -> Iterator[Problem]:
    yield from _timepoint(row)
    yield from _p(row)
    yield from _interval(row, "value")
    if row.statistic == "rom":
        yield from _ratio(row)
    if row.statistic in ("md", "adj_md", "smd", "log_rom"):
        yield from _precision(row, "value")
    if row.value is None and row.p is None and row.ci_low is None:
        message = "The row has no value. Enter one, or delete the row."
        yield problem_at(row, "value", "E207", message)
    least, most = STATISTIC_RANGE.get(row.statistic, (-math.inf, math.inf))
    if row.value is not None and not least <= row.value <= most:
        message = f"A value of {row.statistic} must be from {least:g} to {most:g}. Correct it."
        yield problem_at(row, "value", "E201", message, row.value)
    outcome = config.outcomes.get(row.outcome) if config else None
    if row.statistic in ("md", "adj_md") and outcome is not None:
        if row.unit != "%":
            yield from _unit(row, outcome)
        yield from _out_of_proportion(row, outcome)


def _ratio(row: Contrast) -> Iterator[Problem]:
    """Yield what has no logarithm, and an SE, of which the scale would not be known."""
    message = "The lower limit of a ratio must be above 0. Is it the logarithm (log_rom)?"
    yield from _not_above_zero(row, ("ci_low",), "E201", message)
    if row.se is not None:
        message = (
            "Enter the limits of a ratio, or its logarithm (statistic log_rom) with the SE of the "
            "logarithm: the SE of the ratio itself is not used."
        )
        yield problem_at(row, "se", "E201", message, row.se)


def _p(row: Contrast | PublishedPool) -> Iterator[Problem]:
    if row.p is None:
        if row.p_operator:
            message = "p_operator without p. Enter the p, or empty p_operator."
            yield problem_at(row, "p", "E401", message, row.p_operator)
        return
    if not row.p_operator:
        message = "A p needs p_operator: '=' if the paper reports it exactly, '<' if as a bound."
        yield problem_at(row, "p_operator", "E401", message)
    if not 0 < row.p <= 1:
        message = "p must be above 0 and at most 1. For p = 0.000 enter 0.001 with p_operator '<'."
        yield problem_at(row, "p", "E401", message, row.p)


def _direction(row: Direction) -> Iterator[Problem]:
    if not row.arrow and not row.direction:
        message = "The row has no value. Enter an arrow or a direction, or delete the row."
        yield problem_at(row, "arrow", "E207", message)
    against = {("up", "down"), ("down", "up")}
    if (row.arrow == "none" and row.significant == "yes") or (row.arrow, row.direction) in against:
        message = (
            "Arrow, significance and direction contradict each other. Correct one of them; if the "
            "paper reports them so, accept E402 with a reason."
        )
        found = f"arrow {row.arrow}, significant {row.significant}, direction {row.direction}"
        yield problem_at(row, "arrow", "E402", message, found)
