"""Warnings about one study that is entered under several ids."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

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
    names: dict[str, Callable[[Study], str]] = {
        "doi": lambda study: plain_doi(study.doi).strip(" ."),
        "pmid": lambda study: study.pmid.casefold().strip(" ."),
        "title": lambda study: re.sub(r"[\W_]+", " ", study.title.casefold()).strip(),
    }
    for column, name in names.items():
        for study, other in _alike(tables, name):
            message = (
                f"The {column} is that of '{other.study_id}' too (row {other.row}). One cohort is "
                "one study: enter its rows under one study_id, distinguished by `report`."
            )
            found = f"{getattr(study, column)} of {other.study_id}"
            yield warning_at(study, column, "W38", message, found)
    yield from _same_numbers(tables)
    yield from _same_labels(tables)
    yield from _same_participants(tables)


def plain_doi(text: str) -> str:
    """Return a DOI without its address, in small letters."""
    return re.sub(r"^(?:https?://)?(?:dx\.)?(?:doi\.org/)?(?:doi:\s*)?", "", text.strip().lower())


def _alike(tables: Tables, name: Callable[[Study], object]) -> Iterator[tuple[Study, Study]]:
    """Yield the studies of a name that is not empty and that an earlier one has, with that one."""
    first: dict[object, Study] = {}
    for study in tables.studies:
        own = name(study)
        if own and first.setdefault(own, study) is not study:
            yield study, first[own]


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
    for study, other in _alike(tables, lambda study: study.label.casefold()):
        message = (
            f"The label is that of '{other.study_id}' too (row {other.row}): figures cannot "
            f"distinguish them. Enter '{other.label}a' and '{study.label}b'."
        )
        yield warning_at(study, "label", "W18", message, f"{study.label} of {other.study_id}")


def _same_participants(tables: Tables) -> Iterator[Problem]:
    """Warn of two studies of one first author with the same number of participants."""

    def participants(study: Study) -> object:
        return study.n_enrolled and (study.label.casefold().split()[0], study.n_enrolled)

    for study, other in _alike(tables, participants):
        message = (
            f"'{other.study_id}' (row {other.row}) has the same first author and as many "
            "participants. Are they two reports of the same participants? Then enter them under "
            "one study_id."
        )
        found = f"{study.n_enrolled} of {other.study_id}"
        yield warning_at(study, "n_enrolled", "W19", message, found)
