"""Warnings about numbers of participants that do not agree between tables."""

from collections import defaultdict
from collections.abc import Iterator

from osteometa.extraction.tables import Arm, Contrast, Measurement, Tables
from osteometa.io.problems import Problem
from osteometa.validation.between_rows import find, rows_at, series_of
from osteometa.validation.cells import warning_at

FEWEST = 0.4
"""Share of the participants at the start below which n is more likely mistyped."""
UNLIKE = 1.5
"""Factor between the n of two sites of one arm at one time."""

SAME_PEOPLE = ("crossover_rct", "uncontrolled")
"""Designs whose arms may be the same participants one after the other."""


def size_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about n of rows, arms and studies."""
    arms = {(arm.study_id, arm.arm_id): arm for arm in tables.arms}
    yield from _enrolled(tables)
    for row in tables.measurements:
        yield from _few(row, arms.get((row.study_id, row.arm_id)))
    yield from _unlike_at_other_sites(tables)
    series = series_of(tables)
    for row in tables.contrasts:
        arm = arms.get((row.study_id, row.arm_id))
        if row.compares == "between" and arm is not None:
            for column, arm_id in (("n_exercise", arm.arm_id), ("n_control", arm.comparator)):
                n, own = getattr(row, column), arms.get((row.study_id, arm_id))
                if n is not None and own is not None:
                    yield from _above_start(row, column, n, own)
                    yield from _unlike_measured(row, column, n, rows_at(series, row, arm_id))


def _enrolled(tables: Tables) -> Iterator[Problem]:
    """Warn of arms with more participants than were enrolled: at the start, or in their rows."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in tables.measurements:
        found[row.study_id, row.arm_id].add(row.n or 0)
    comparators = {(arm.study_id, arm.arm_id): arm.comparator for arm in tables.arms}
    for test in tables.contrasts:
        arm_id = comparators.get((test.study_id, test.arm_id), "")
        found[test.study_id, test.arm_id].add(test.n_exercise or 0)
        if test.compares == "between":
            found[test.study_id, arm_id].add(test.n_control or 0)
    sizes: dict[str, int] = defaultdict(int)
    for arm in tables.arms:
        sizes[arm.study_id] += arm.n_start or max(found[arm.study_id, arm.arm_id], default=0)
    for study in tables.studies:
        total, enrolled = sizes[study.study_id], study.n_enrolled
        if enrolled is None or study.design in SAME_PEOPLE or total <= enrolled:
            continue
        message = (
            f"n_enrolled is {enrolled}, but its arms have {total} together (n_start, or the "
            "largest n of their rows), so they are taken as the same participants. Correct "
            "n_enrolled or n, if they are not. Is the n of the whole trial entered for an arm?"
        )
        yield warning_at(study, "n_enrolled", "W31", message, f"{enrolled} against {total}")


def _few(row: Measurement, arm: Arm | None) -> Iterator[Problem]:
    if arm is None or row.n is None:
        return
    if arm.n_start is not None and row.n < FEWEST * arm.n_start:
        message = f"n is {row.n}, but the arm had {arm.n_start} at the start. Is a digit lost?"
        yield warning_at(row, "n", "W31", message, f"{row.n} of {arm.n_start}")
    at_end = arm.weeks is not None and row.time_wk is not None and row.time_wk >= arm.weeks
    if arm.n_end is not None and at_end and row.n > arm.n_end and row.population_analysed != "itt":
        message = (
            f"n is {row.n}, but the arm had {arm.n_end} at the end. Correct one of the two, or "
            "enter population_analysed, if participants who left are analysed too."
        )
        yield warning_at(row, "n", "W31", message, f"{row.n} of {arm.n_end}")


def _unlike_at_other_sites(tables: Tables) -> Iterator[Problem]:
    first: dict[tuple[str, ...], Measurement] = {}
    for row in tables.measurements:
        if row.n is None:
            continue
        other = first.setdefault(
            (row.study_id, row.arm_id, row.outcome, row.timepoint, row.kind, row.report,
             row.population_analysed), row,
        )  # fmt: skip
        if other.n and max(row.n / other.n, other.n / row.n) > UNLIKE:
            message = (
                f"n is {row.n} here, but {other.n} in row {other.row} of the same arm, outcome "
                "and time. Is a digit mistyped?"
            )
            yield warning_at(row, "n", "W31", message, f"{row.n} against {other.n}")


def _above_start(row: Contrast, column: str, n: int, arm: Arm) -> Iterator[Problem]:
    if arm.n_start is not None and n > arm.n_start:
        message = (
            f"{column} is {n}, but arm '{arm.arm_id}' had {arm.n_start} at the start. Correct one."
        )
        yield warning_at(row, column, "W31", message, f"{n} of {arm.n_start}")


def _unlike_measured(
    row: Contrast, column: str, n: int, rows: list[Measurement]
) -> Iterator[Problem]:
    measured = find(rows, row, "level", "change", "pct_change", "log_level")
    if measured is not None and measured.n is not None and measured.n != n:
        message = (
            f"{column} is {n}, but {measured.n} of the arm are measured at this time (row "
            f"{measured.row} of measurements.csv). Is it another analysis population? Then enter "
            "population_analysed in both rows."
        )
        yield warning_at(row, column, "W31", message, f"{n} against {measured.n}")
