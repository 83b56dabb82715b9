"""The PRISMA flow: counts that must add up, and that should be those of the tables."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from osteometa.extraction.judgements import Prisma, PrismaBox, counts_of
from osteometa.extraction.tables import Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import problem_at, warning_at

OF_REASONS: tuple[PrismaBox, ...] = ("excluded_reports", "excluded_reports_other")
"""Boxes that the template splits by the reason of exclusion."""


def flow_problems(tables: Tables) -> Iterator[Problem]:
    """Yield the counts that do not add up; a blank one has a problem of its own."""
    if any(row.n is None for row in tables.prisma):
        return
    boxes = counts_of(tables.prisma)
    rows = {row.box: row for row in reversed(tables.prisma)}
    rows |= {row.box: row for row in tables.prisma if not row.reason}
    yield from _reasons(tables, rows)

    def total(names: tuple[PrismaBox, ...]) -> int | None:
        found = [boxes[name] for name in names if name in boxes]
        return sum(found) if found else None

    rules: tuple[tuple[PrismaBox, str, tuple[PrismaBox, ...], tuple[PrismaBox, ...]], ...] = (
        ("screened", "identified minus removed",
         ("identified_databases", "identified_registers"),
         ("removed_duplicates", "removed_automation", "removed_other")),
        ("sought", "screened minus excluded", ("screened",), ("excluded",)),
        ("assessed", "sought minus not retrieved", ("sought",), ("not_retrieved",)),
        ("assessed_other", "sought minus not retrieved", ("sought_other",),
         ("not_retrieved_other",)),
        ("included_reports", "assessed minus excluded", ("assessed", "assessed_other"), OF_REASONS),
    )  # fmt: skip
    for box, words, plus, minus in rules:
        added, removed = total(plus), total(minus)
        if added is None or removed is None:
            continue
        named = (name for name in OF_REASONS if name in boxes)
        excluded = {name.replace("excluded_reports", "assessed") for name in named}
        if box == "included_reports" and excluded != {"assessed", "assessed_other"} & set(boxes):
            continue  # a count is not entered
        if removed > added:
            last = next(name for name in reversed(minus) if name in boxes)
            message = f"More are taken away ({removed}) than there are ({added}): {words}."
            yield problem_at(rows[last], "n", "E701", f"{message} Correct a count.", boxes[last])
            continue
        expected = added - removed
        if box in boxes and boxes[box] != expected:
            message = f"{box} ({boxes[box]}) must equal {words} ({expected}). Correct the count."
            yield problem_at(rows[box], "n", "E701", message, boxes[box])


def _reasons(tables: Tables, rows: Mapping[str, Prisma]) -> Iterator[Problem]:
    """Yield reasons in boxes that have none, and reasons that exceed the whole box."""
    sums: Counter[str] = Counter()
    for row in tables.prisma:
        sums[row.box] += row.n if row.reason else 0
        if row.reason and row.box not in OF_REASONS:
            message = f"Only {' and '.join(OF_REASONS)} are split by reasons. Empty the cell."
            yield problem_at(row, "reason", "E105", message, row.reason)
    for box, total in sums.items():
        if total and not rows[box].reason and total > rows[box].n:
            message = (
                f"{box} ({rows[box].n}) must be at least the sum of its reasons ({total}). Correct "
                "the count, or those of the reasons."
            )
            yield problem_at(rows[box], "n", "E701", message, rows[box].n)


def flow_warnings(tables: Tables) -> Iterator[Problem]:
    """Yield warnings about included studies and reports that the tables do not have."""
    included = {study.study_id for study in tables.studies if study.include == "yes"}
    reports: dict[str, set[str]] = defaultdict(set)
    for row in tables.findings:
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
