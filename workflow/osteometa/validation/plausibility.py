"""Plausibility checks: what is allowed but often a slip of entry or a misprint."""

import re
from collections import defaultdict
from collections.abc import Iterator

from osteometa.comparisons.summaries import spread_of
from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement, Study, Tables
from osteometa.extraction.units import UnitError, convert
from osteometa.io.problems import Problem, counted
from osteometa.protocol.config import Config
from osteometa.validation.cells import warning_at


def row_warnings(tables: Tables, config: Config) -> Iterator[Problem]:
    """Yield warnings about single values, and about those of all studies."""
    for arm in tables.arms:
        if arm.phase == "training" and arm.role == "exercise" and arm.weeks is None:
            message = (
                "The length of the training is not entered, so the end of the programme is not "
                "known. Enter the weeks, if the paper reports them."
            )
            yield warning_at(arm, "weeks", "W08", message)
    yield from _small_sds(tables, config)
    for row in tables.contrasts:
        if row.statistic == "smd" and row.value is not None and abs(row.value) > 3:
            message = "The reported SMD is beyond 3. Is it standardised by a standard error?"
            yield warning_at(row, "value", "W03", message, row.value)
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


def level_of(row: Measurement | Contrast, config: Config) -> float | None:
    """Return the usual level in the unit of a change: 100 for percent, None if not declared."""
    if row.unit == "%":
        return 100.0
    outcome, analyte = config.outcomes.get(row.outcome), config.analyte(row.outcome, row.analyte)
    if outcome is None or analyte is None or row.site not in analyte.baseline_mean:
        return None
    try:
        return convert(analyte.baseline_mean[row.site], outcome.unit_of(row.analyte), row.unit)
    except UnitError:
        return None


def _small_sds(tables: Tables, config: Config) -> Iterator[Problem]:
    for row in tables.measurements:
        sd = sd_of(row)
        if row.outcome not in config.outcomes or sd is None:
            continue
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


def _time_of_day(tables: Tables, config: Config) -> Iterator[Problem]:
    words = ("fasting", "fasted", "morning", "a.m.", "o'clock", "time of day")
    silent: dict[str, list[Measurement | Contrast]] = defaultdict(list)
    for row in (*tables.measurements, *tables.contrasts):
        outcome = config.outcomes.get(row.outcome)
        if outcome and outcome.diurnal and not any(word in row.note.lower() for word in words):
            silent[row.study_id].append(row)
    for row, *others in silent.values():
        message = (
            f"{row.outcome} {config.outcomes[row.outcome].diurnal}, but the note does not state "
            "the time of day. Enter it in the note, for instance 'morning' or 'fasting', or 'time "
            "of day not stated'."
        )
        if others:
            message += f" The same holds for {counted(len(others), 'other row')} of the study."
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


def likely_slip(typed: ReportedNumber, low: float, high: float) -> str:
    """Return a question that names the slip between a typed number and the range it should be in.

    Empty if no single slip explains it.
    """
    text = typed.text
    places = (i for i in range(len(text) - 1) if text[i : i + 2].isdigit())
    pairs = [(text[:i], text[i], text[i + 1], text[i + 2 :]) for i in places]
    for question, numbers in (
        ("Is a minus sign lost or added?", iter([-float(typed)])),
        ("Is a decimal point misplaced?", (typed * 10.0**k for k in (-3, -2, -1, 1, 2, 3))),
        ("Are two digits exchanged?", (float(a + y + x + z) for a, x, y, z in pairs if x != y)),
        ("Is a digit typed twice?", (float(a + x + z) for a, x, y, z in pairs if x == y)),
    ):
        if any(low <= number <= high for number in numbers):
            return f" {question}"
    return ""


YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
RETRACTED = re.compile(r"^\W*retract(ed|ion)\b", re.IGNORECASE)
AGES = {"pre": (15, 55), "post": (40, 95), "": (5, 95)}
"""Mean ages of participants by menopause, beyond which a slip is likelier."""


def study_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about years and ages that other cells of a study contradict."""
    for study in tables.studies:
        yield from _year(study)
        yield from _ages(study)
        if study.include == "yes" and RETRACTED.search(study.title):
            message = (
                "The title says that the paper was retracted. Enter include=no with the reason, "
                "or accept the warning with the reason for which it stays."
            )
            yield warning_at(study, "title", "W16", message, study.title)


def _year(study: Study) -> Iterator[Problem]:
    for column in ("label", "study_id"):
        named = YEAR.findall(getattr(study, column).replace("_", " "))
        if study.year is not None and named and str(study.year) not in named:
            message = (
                f"The year is {study.year}, but the {column} says {' and '.join(named)}. Correct "
                "one of the two."
            )
            yield warning_at(study, "year", "W47", message, study.year)
            return


def _ages(study: Study) -> Iterator[Problem]:
    mean, sd = study.age_mean, study.age_sd
    youngest, oldest = AGES.get(study.menopause, AGES[""])
    if mean is not None and not youngest <= mean <= oldest:
        who = f" (menopause: {study.menopause})" if study.menopause in ("pre", "post") else ""
        message = (
            f"A mean age of {mean.text} years is unusual{who}; {youngest} to {oldest} are "
            "expected. Is the decimal point right? Check the paper."
        )
        yield warning_at(study, "age_mean", "W48", message, mean)
    if mean is not None and sd is not None and sd > mean / 2:
        message = (
            f"The SD of age, {sd.text}, is more than half the mean, {mean.text}. Is the decimal "
            "point right? Check the paper."
        )
        yield warning_at(study, "age_sd", "W48", message, sd)
