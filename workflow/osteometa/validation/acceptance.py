"""What reviewers accept: misprints of a paper (column `accept`), and warnings (their table)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from osteometa.extraction.accepted_warnings import AcceptedWarning
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Finding, Tables
from osteometa.io.problems import Problem
from osteometa.validation.cells import problem_at, warning_at

BESIDE_OTHERS = ("W01", "W03", "W07", "W14", "W40", "W43", "W44")
"""Warnings that depend on the other studies, so that a new study may end or raise them."""
Warned = tuple[str, str, str, str, str]
"""Table, key of the row, column, code, and what is found."""


def without_accepted(tables: Tables, problems: Iterable[Problem]) -> list[Problem]:
    """Leave out the problems of rows whose paper really reports what a check rejects."""
    problems = list(problems)
    for row in _findings(tables):
        if not row.accept:
            continue
        fired = [problem for problem in problems if _is_at(problem, row, row.accept)]
        if not fired:
            message = f"{row.accept} does not reject this row. Empty accept and accept_reason."
            problems.append(problem_at(row, "accept", "E105", message, row.accept))
        elif not row.accept_reason:
            message = "accept needs accept_reason. Enter what the paper reports."
            problems.append(problem_at(row, "accept_reason", "E105", message))
        else:
            problems = [problem for problem in problems if problem not in fired]
    return problems


def _findings(tables: Tables) -> list[Finding]:
    return [*tables.measurements, *tables.contrasts, *tables.directions]


def _is_at(problem: Problem, row: Row, code: str) -> bool:
    return (problem.file, problem.row, problem.code) == (f"data/raw/{row.table}.csv", row.row, code)


def with_reasons(accepted: Sequence[AcceptedWarning], warnings: Iterable[Problem]) -> list[Problem]:
    """Return warnings with the reasons for which they are accepted.

    An acceptance that no warning matches is a warning itself, so that none outlives its value; not
    where the other studies decide, because the warning may come back.
    """
    reasons = {_accepts(row): row.reason for row in accepted}
    found: list[Problem] = []
    raised: set[Warned] = set()
    for problem in warnings:
        key = _warned(problem)
        raised.add(key)
        found.append(replace(problem, reason=reasons.get(key, "")))
    for row in accepted:
        if _accepts(row) not in raised and row.code not in BESIDE_OTHERS:
            message = (
                f"No warning {row.code} of this row, column and value is raised any more. "
                "Delete the row, or look at what is found now and enter it."
            )
            found.append(warning_at(row, "found", "W20", message, row.found))
    return found


def _accepts(row: AcceptedWarning) -> Warned:
    return row.in_table, row.row_key, row.column, row.code, row.found


def _warned(problem: Problem) -> Warned:
    return problem.in_table, problem.row_key, problem.column, problem.code, problem.found.strip()
