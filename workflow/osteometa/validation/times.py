"""Warnings about times that do not agree: names of times, weeks, hours and doses in words."""

import re
from collections import defaultdict
from collections.abc import Iterator

from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Arm, Finding, Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import warning_at

IN_HOURS = {"min": 1 / 60, "h": 1.0, "hour": 1.0, "day": 24.0}
IN_WEEKS = {"day": 1 / 7, "week": 1.0, "month": 365.25 / 12 / 7, "year": 365.25 / 7}
NAMED = re.compile(r"(\d+(?:\.\d+)?)_(min|h|hour|day|week|month|year)s?(?:_after)?")
"""A whole name of a time, such as 12_months or 30_min_after."""
IN_WORDS = re.compile(r"(?:^|, |for )(\d+(?:\.\d+)?) (week|month|year)s?\b")
"""A length in the words of a dose; not "every 2 weeks"."""
ROUNDING = 0.1
"""Share by which a time in words differs from its number: 8 months are 35 weeks."""


def time_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about times of rows and about the length of programmes."""
    latest: dict[tuple[str, str], float] = defaultdict(float)
    phases = {(arm.study_id, arm.arm_id): arm.phase for arm in tables.arms}
    for row in tables.findings:
        yield from _named(row)
        yield from _other_phase(row, phases.get((row.study_id, row.arm_id)))
        key = (row.study_id, row.arm_id)
        latest[key] = max(latest[key], float(row.time_wk or 0))
    for arm in tables.arms:
        if arm.weeks is not None:
            yield from _length(arm, arm.weeks, latest[arm.study_id, arm.arm_id])


def _named(row: Finding) -> Iterator[Problem]:
    """Warn of a time whose number is not that of its name."""
    match = NAMED.fullmatch(row.timepoint)
    if match is None:
        return
    for column, unit, factors in (("time_h", "hours", IN_HOURS), ("time_wk", "weeks", IN_WEEKS)):
        number: ReportedNumber | None = getattr(row, column)
        if number is None or match[2] not in factors:
            continue
        expected = float(match[1]) * factors[match[2]]
        slack = number.half_unit + (ROUNDING * expected if column == "time_wk" else 0.01)
        if abs(number - expected) > max(slack, 0.6 if column == "time_wk" else 0.0):
            message = (
                f"{column} is {number.text}, but the name of the time says {expected:.4g} {unit}. "
                "Correct one of the two."
            )
            found = f"{number.text} against {row.timepoint}"
            yield warning_at(row, column, "W32", message, found)


def _other_phase(row: Finding, phase: str | None) -> Iterator[Problem]:
    """Warn of weeks after a single bout, and of hours after training."""
    column, right = ("time_wk", "time_h") if phase == "acute" else ("time_h", "time_wk")
    number: ReportedNumber | None = getattr(row, column)
    if phase and number:
        message = (
            f"{column} is {number.text}, but the phase of the arm is {phase}, whose times stand in "
            f"{right}. Correct the column, or the phase in arms.csv."
        )
        yield warning_at(row, column, "W32", message, number)


def _length(arm: Arm, weeks: ReportedNumber, latest: float) -> Iterator[Problem]:
    """Warn of weeks that the dose in words, or the last time of the arm, contradicts."""
    said = [float(m[1]) * IN_WEEKS[m[2]] for m in IN_WORDS.finditer(arm.dose)]
    if said and all(abs(weeks - one) > ROUNDING * one + 1 for one in said):
        message = f"weeks is {weeks.text}, but the dose says {said[0]:.3g}. Correct one of the two."
        yield warning_at(arm, "weeks", "W33", message, f"{weeks.text} against {said[0]:.3g}")
    elif latest and not weeks / 2 < latest <= weeks * 2:
        message = (
            f"weeks is {weeks.text}, but the last time of the arm is week {latest:g}. Is one of "
            "them mistyped? If the arm was followed up so long, accept the warning."
        )
        yield warning_at(arm, "weeks", "W33", message, f"{weeks.text} against {latest:g}")
