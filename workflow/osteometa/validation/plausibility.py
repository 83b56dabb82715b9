"""Plausibility checks: what is allowed but often a slip of entry or a misprint."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from osteometa.comparisons.summaries import spread_of
from osteometa.extraction.tables import Contrast, Measurement, Tables
from osteometa.extraction.units import UnitError, convert, pooled_unit
from osteometa.io.problems import Problem
from osteometa.protocol.config import Config
from osteometa.validation.cells import warning_at


def row_warnings(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings about single values, and about those of all studies."""
    yield from _training_without_weeks(tables)
    yield from _small_sds(tables, config)
    yield from _large_smds(tables)
    yield from _unlike_other_studies(tables, config)
    yield from _outside_range(tables, config)
    yield from _time_of_day(tables, config)
    yield from _codes_for_missing(tables)
    yield from _half_intervals(tables)


def sd_of(row: Measurement) -> float | None:
    """Return the SD of an arm as it is pooled; None where none is known.

    An accepted misprint has none: its limits may be in the wrong order.
    """
    return spread_of(row, row.n).sd if row.usable else None


def least_sd(row: Measurement | Contrast, config: Config) -> float:
    """Return the smallest SD of change that can be measured, in percent of the level."""
    outcome = config.outcomes.get(row.outcome)
    return outcome.plausible.sd_of_change if outcome else 0.0


def level_of(row: Measurement, config: Config) -> float | None:
    """Return the usual level in the unit of a change: 100 for percent, None if not declared."""
    if row.kind == "pct_change":
        return 100.0
    outcome, analyte = config.outcomes.get(row.outcome), config.analyte(row.outcome, row.analyte)
    if outcome is None or analyte is None or row.site not in analyte.baseline_mean:
        return None
    try:
        return convert(analyte.baseline_mean[row.site], outcome.unit_of(row.analyte), row.unit)
    except UnitError:
        return None


def _training_without_weeks(tables: Tables) -> Iterator[Problem]:
    for arm in tables.arms:
        if arm.phase == "training" and arm.role == "exercise" and arm.weeks is None:
            message = (
                "The length of the training is not entered, so the end of the programme is not "
                "known. Enter the weeks, if the paper reports them."
            )
            yield warning_at(arm, "weeks", "W08", message)


def _small_sds(tables: Tables, config: Config) -> Iterator[Problem]:
    for row in tables.measurements:
        sd = sd_of(row)
        if row.outcome not in config.outcomes or sd is None:
            continue
        if row.kind == "level" and row.mean and sd / row.mean < 0.05:
            message = "The SD is below 5 % of the mean. Is it a standard error? Check the paper."
            yield warning_at(row, spread_column(row), "W01", message, f"{sd:.4g}")
        least, level = least_sd(row, config), level_of(row, config)
        if row.kind in ("change", "pct_change") and level is not None and 100 * sd / level < least:
            message = (
                f"The SD of change is below {least:g} % of the level, less than the method of "
                "measurement allows (sd_of_change in config.yaml). Is it a standard error?"
            )
            yield warning_at(row, spread_column(row), "W02", message, f"{sd:.4g}")


def spread_column(row: Measurement) -> str:
    """Return the column in which the spread of a row is entered."""
    columns = ("sd", "spread", "se", "ci_low", "q1", "min")
    return next((name for name in columns if getattr(row, name) is not None), "sd")


def _large_smds(tables: Tables) -> Iterator[Problem]:
    for row in tables.contrasts:
        if row.statistic == "smd" and row.value is not None and abs(row.value) > 3:
            message = "The reported SMD is beyond 3. Is it standardised by a standard error?"
            yield warning_at(row, "value", "W03", message, row.value)


def _unlike_other_studies(tables: Tables, config: Config) -> Iterator[Problem]:
    means: dict[tuple[str, ...], list[tuple[float, Measurement]]] = defaultdict(list)
    for row, value, unit in _levels(tables, config):
        means[(row.outcome, row.analyte, row.site, unit)].append((value, row))
    for (*_, unit), values in means.items():
        middle = sorted(value for value, _ in values)[len(values) // 2]
        for value, row in values:
            if not middle / 5 < value < middle * 5:
                message = (
                    f"The mean is {value:.3g} {unit}, but the median of all studies is "
                    f"{middle:.3g} {unit}. Is the unit right?"
                )
                yield warning_at(row, "mean", "W07", message, row.mean)


def _outside_range(tables: Tables, config: Config) -> Iterator[Problem]:
    for row, value, unit in _levels(tables, config):
        low, high = config.outcomes[row.outcome].units.get(unit, (0.0, math.inf))
        if not low <= value <= high:
            message = (
                f"A mean of {value:.3g} {unit} is outside the plausible range of {row.outcome} in "
                f"config.yaml ({low:g} to {high:g} {unit}). Are number and unit right?"
            )
            yield warning_at(row, "mean", "W12", message, row.mean)


def _levels(tables: Tables, config: Config) -> Iterator[tuple[Measurement, float, str]]:
    """Yield the rows with a mean level, with the mean in the unit in which it is pooled."""
    for row in tables.measurements:
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or row.kind != "level" or not row.mean:
            continue
        unit = pooled_unit(row.unit, outcome.units)
        try:
            yield row, convert(row.mean, row.unit, unit), unit
        except UnitError:
            continue


def _time_of_day(tables: Tables, config: Config) -> Iterator[Problem]:
    words = ("fasting", "fasted", "morning", "a.m.", "o'clock", "time of day")
    warned: set[str] = set()
    for row in (*tables.measurements, *tables.contrasts):
        outcome = config.outcomes.get(row.outcome)
        if outcome is None or not outcome.diurnal or row.study_id in warned:
            continue
        if not any(word in row.note.lower() for word in words):
            warned.add(row.study_id)
            message = (
                f"{row.outcome} {outcome.diurnal}, but the note does not state the time of day. "
                "Enter it in the note, for instance 'morning' or 'fasting', or 'time of day not "
                "stated'."
            )
            yield warning_at(row, "note", "W09", message)


def _codes_for_missing(tables: Tables) -> Iterator[Problem]:
    for row in (*tables.studies, *tables.arms, *tables.measurements, *tables.contrasts):
        for column in row.columns():
            value = getattr(row, column)
            if isinstance(value, int | float) and value in (999, 9999):
                message = "Is this a code for a missing value? If so, leave the cell empty."
                yield warning_at(row, column, "W10", message, value)


def _half_intervals(tables: Tables) -> Iterator[Problem]:
    for row in (*tables.measurements, *tables.contrasts):
        for here, other in (("ci_low", "ci_high"), ("ci_high", "ci_low")):
            if getattr(row, here) is not None and getattr(row, other) is None:
                message = (
                    f"An interval with {here} alone gives no standard error and is not used. "
                    f"Enter {other}, if the paper reports it."
                )
                yield warning_at(row, other, "W11", message)
