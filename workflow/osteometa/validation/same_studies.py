"""Warnings about one study that is entered under several ids."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from osteometa.extraction.cell_types import ReportedNumber
from osteometa.extraction.tables import Contrast, Measurement, Study, Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import warning_at

ENOUGH = 2
"""Rows with equal numbers that are no coincidence; one of many digits counts as many."""


MANY_DIGITS = 6
"""Digits of the estimate and spread of one row that agree by no coincidence."""


def same_study_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about studies that share an identifier, a label or their numbers."""
    for column in ("doi", "pmid", "title"):
        first: dict[str, Study] = {}
        for study in tables.studies:
            name = _bare(column, getattr(study, column))
            other = first.setdefault(name, study) if name else study
            if other is not study:
                message = (
                    f"The {column} is that of '{other.study_id}' too (row {other.row}). One cohort "
                    "is one study: enter its rows under one study_id, distinguished by `report`."
                )
                found = f"{getattr(study, column)} of {other.study_id}"
                yield warning_at(study, column, "W38", message, found)
    yield from _same_numbers(tables)
    yield from _same_labels(tables)
    yield from _same_people(tables)


def _bare(column: str, text: str) -> str:
    """Return an identifier or a title without what may be typed in several ways."""
    text = re.sub(r"^(https?://)?(dx\.)?(doi\.org/|doi:)\s*", "", text.casefold())
    return re.sub(r"[\W_]+", " ", text).strip() if column == "title" else text.strip(" .")


def _same_numbers(tables: Tables) -> Iterator[Problem]:
    """Warn of two studies that report the same n, means and spreads."""
    known: dict[tuple[object, ...], list[Measurement | Contrast]] = defaultdict(list)
    shared: Counter[tuple[str, str]] = Counter()
    for row in (*tables.measurements, *tables.contrasts):
        place, numbers = _numbers(row)
        if not numbers:
            continue
        others = (other for other in known[place] if other.study_id != row.study_id)
        found = ((other, _weight(numbers, _numbers(other)[1])) for other in others)
        other, weight = next((pair for pair in found if pair[1]), (row, 0))
        known[place].append(row)
        pair = (other.study_id, row.study_id)
        if not weight or shared[pair] >= ENOUGH:
            continue
        shared[pair] += weight * (1 if isinstance(row, Measurement) else 2)
        if shared[pair] >= ENOUGH:
            message = (
                f"n, estimate and spread are those of '{other.study_id}' (row {other.row}) as "
                "well. Are they the same participants, or one control group? Then enter them once, "
                "under one study_id."
            )
            column = "mean" if isinstance(row, Measurement) else "value"
            value = f"{getattr(row, column).text} of {other.study_id}"
            yield warning_at(row, column, "W39", message, value)


def _numbers(row: Measurement | Contrast) -> tuple[tuple[object, ...], tuple[ReportedNumber, ...]]:
    """Return what a row is of, with its n, and its estimate and spread; () if one is missing."""
    if isinstance(row, Measurement):
        spread, value = (row.sd, row.spread, row.se, row.ci_low, row.ci_high), row.mean
        sizes = (row.n,)
    else:
        spread, value = (row.se, row.ci_low, row.ci_high), row.value
        sizes = (row.n_exercise, row.n_control)
    filled = tuple(number is not None for number in spread)
    place = (row.outcome, row.analyte, row.site, row.unit, filled, *sizes)
    complete = all(sizes) and value and any(filled)
    numbers = (value, *spread) if complete else ()
    return place, tuple(number for number in numbers if number is not None)


def _weight(numbers: Sequence[ReportedNumber], others: Sequence[ReportedNumber]) -> int:
    """Return for how many rows of measurements equal numbers count; 0 if they are unlike.

    One may be the other one rounded; then the digits of the shorter one count.
    """
    digits = 0
    for one, other in zip(numbers, others, strict=True):
        halves = {one.half_unit, other.half_unit}
        if abs(one - other) > (max(halves) * (1 + 1e-9) if len(halves) == 2 else 0):
            return 0
        digits += min(len(re.sub(r"^\D*0*\D*|\D", "", number.text)) for number in (one, other))
    return ENOUGH if digits >= MANY_DIGITS else 1


def _same_labels(tables: Tables) -> Iterator[Problem]:
    first: dict[str, Study] = {}
    for study in tables.studies:
        other = first.setdefault(study.label.casefold(), study)
        if other is not study:
            message = (
                f"The label is that of '{other.study_id}' too (row {other.row}): figures cannot "
                f"distinguish them. Enter '{other.label}a' and '{study.label}b'."
            )
            found = f"{study.label} of {other.study_id}"
            yield warning_at(study, "label", "W18", message, found)


def _same_people(tables: Tables) -> Iterator[Problem]:
    """Warn of two studies of one first author with the same number of participants."""
    first: dict[tuple[str, int], Study] = {}
    for study in tables.studies:
        if study.n_enrolled is None:
            continue
        other = first.setdefault((study.label.casefold().split()[0], study.n_enrolled), study)
        if other is not study:
            message = (
                f"'{other.study_id}' (row {other.row}) has the same first author and as many "
                "participants. Are they two reports of the same participants? Then enter them "
                "under one study_id."
            )
            found = f"{study.n_enrolled} of {other.study_id}"
            yield warning_at(study, "n_enrolled", "W19", message, found)
