"""The sensitivity analyses of one synthesis: a line per table, and what does not apply."""

from __future__ import annotations

from typing import NamedTuple

from osteometa.report import sensitivity_choices, sensitivity_models, sensitivity_studies
from osteometa.report.findings import Average, Findings
from osteometa.report.sensitivity_choices import Account
from osteometa.wording.numbers import unbroken


class Line(NamedTuple):
    """One table in words."""

    name: str
    file: str
    """Name of the table with the rows behind the words."""
    text: str


def sensitivity_lines(found: Findings) -> tuple[list[Line], str]:
    """Return what the tables show, a line each, and why the others do not apply."""
    main = found.average()
    if main is None:
        return [], "not applicable, because no effect estimate is in the pool."
    lines: list[Line] = []
    missing: dict[str, list[str]] = {}
    for name, file, account in _accounts(found, main):
        if account.text:
            lines.append(Line(name, file, unbroken(account.text)))
        for what, reason in account.not_done:
            missing.setdefault(reason, []).append(what or name[0].lower() + name[1:])
    parts = [f"{', '.join(names)} ({reason})" for reason, names in missing.items()]
    return lines, unbroken(f"Not done: {'; '.join(parts)}." if parts else "")


def _accounts(found: Findings, main: Average) -> list[tuple[str, str, Account]]:
    """Return heading, name and words of each table, in the order of the report."""
    rows = found.tables
    choices, models, studies = sensitivity_choices, sensitivity_models, sensitivity_studies
    return [
        ("One choice changed", "sensitivity", choices.one_at_a_time(found, main, rows.sensitivity)),
        ("One study left out", "leave_one_out",
         studies.leave_one_out(found, main, rows.leave_one_out)),
        ("Influential studies", "influence", studies.influence(main, rows.influence)),
        ("Cumulative meta-analysis", "cumulative", studies.cumulative(main, rows.cumulative)),
        ("All subsets of studies", "gosh", studies.gosh(found, main, rows.gosh)),
        ("All choices combined", "multiverse_shares",
         choices.multiverse(found, rows.multiverse_shares)),
        ("Small-study effects", "small_study", models.small_study(found, rows.small_study)),
        ("Meta-regression", "meta_regression", models.meta_regression(found, rows.meta_regression)),
        ("Permutation test", "permutation", models.permutation(main, rows.permutation)),
        ("Alternative models", "alternative_models",
         models.alternative_models(found, rows.alternative_models)),
    ]  # fmt: skip
