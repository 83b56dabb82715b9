"""The PRISMA flow: counts that must add up, and that should be those of the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from osteometa.extraction.judgements import PrismaBox
from osteometa.extraction.tables import Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import problem_at, warning_at


def flow_problems(tables: Tables) -> Iterator[Problem]:
    """Yield the counts that do not add up; a blank one has a problem of its own."""
    boxes = {row.box: row.n for row in tables.prisma if row.n is not None}
    if len(boxes) < len(tables.prisma):
        return
    rows = {row.box: row for row in tables.prisma}

    def total(names: tuple[PrismaBox, ...]) -> int | None:
        found = [boxes[name] for name in names if name in boxes]
        return sum(found) if found else None

    rules: tuple[tuple[PrismaBox, str, tuple[PrismaBox, ...], tuple[PrismaBox, ...]], ...] = (
        ("screened", "identified minus removed",
         ("identified_databases", "identified_registers"),
         ("removed_duplicates", "removed_automation", "removed_other")),
        ("sought", "screened minus excluded", ("screened",), ("excluded",)),
        ("assessed", "sought minus not retrieved", ("sought",), ("not_retrieved",)),
        ("included_reports", "assessed minus excluded", ("assessed",), ("excluded_reports",)),
    )  # fmt: skip
    for box, words, plus, minus in rules:
        added, removed = total(plus), total(minus)
        if box not in boxes or added is None or removed is None:
            continue
        expected = added - removed
        if boxes[box] != expected:
            message = f"{box} ({boxes[box]}) must equal {words} ({expected}). Correct the count."
            yield problem_at(rows[box], "n", "E701", message, boxes[box])


def flow_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about included studies and reports that the tables do not have."""
    included = {study.study_id for study in tables.studies if study.include == "yes"}
    reports: dict[str, set[str]] = defaultdict(set)
    for row in (*tables.measurements, *tables.contrasts, *tables.directions):
        reports[row.study_id].add(row.report)
    named = sum(max(1, len(reports[study] - {""})) for study in included)
    for row in tables.prisma:
        if row.box == "included_studies" and row.n != len(included):
            message = (
                f"included_studies is {row.n}, but studies.csv has {len(included)} with include "
                "'yes'. Correct one of the two."
            )
            yield warning_at(row, "n", "W37", message, f"{row.n} against {len(included)}")
        if row.box == "included_reports" and row.n is not None and row.n < named:
            message = (
                f"included_reports is {row.n}, but the tables name {named} reports of the included "
                "studies. Correct the count, or column `report`."
            )
            yield warning_at(row, "n", "W37", message, f"{row.n} against {named}")
