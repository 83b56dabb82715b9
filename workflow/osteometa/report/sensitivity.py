"""The sensitivity analyses of one synthesis: a line per table, and what does not apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from osteometa.report.findings import Average, Findings
from osteometa.report.sensitivity_choices import Account, multiverse, one_at_a_time
from osteometa.report.sensitivity_models import (
    alternative_models,
    meta_regression,
    permutation,
    small_study,
)
from osteometa.report.sensitivity_studies import cumulative, gosh, influence, leave_one_out
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
    for name, file, short, account in _accounts(found, main):
        if account.text:
            lines.append(Line(name, file, unbroken(account.text)))
        for what, reason in account.not_done:
            missing.setdefault(reason, []).append(what or short)
    parts = [f"{', '.join(names)} ({reason})" for reason, names in missing.items()]
    return lines, unbroken(f"Not done: {'; '.join(parts)}." if parts else "")


def _accounts(found: Findings, main: Average) -> Iterator[tuple[str, str, str, Account]]:
    """Yield heading, table, its name in the list of what is not done, and words, in order."""
    tables = found.tables
    yield (
        "One choice changed", "sensitivity", "one choice changed",
        one_at_a_time(found, main, tables.sensitivity),
    )  # fmt: skip
    yield (
        "One study left out", "leave_one_out", "leave-one-out",
        leave_one_out(found, main, tables.leave_one_out),
    )  # fmt: skip
    yield (
        "Influential studies", "influence", "influence",
        influence(main, tables.influence),
    )  # fmt: skip
    yield (
        "Cumulative meta-analysis", "cumulative", "cumulative",
        cumulative(main, tables.cumulative),
    )  # fmt: skip
    yield "All subsets of studies", "gosh", "GOSH", gosh(found, main, tables.gosh)
    yield (
        "All choices combined", "multiverse_shares", "multiverse",
        multiverse(found, tables.multiverse_shares),
    )  # fmt: skip
    yield (
        "Small-study effects", "small_study", "small-study effects",
        small_study(found, tables.small_study),
    )  # fmt: skip
    yield (
        "Meta-regression", "meta_regression", "meta-regression",
        meta_regression(found, tables.meta_regression),
    )  # fmt: skip
    yield (
        "Permutation test", "permutation", "permutation",
        permutation(main, tables.permutation),
    )  # fmt: skip
    yield (
        "Alternative models", "alternative_models", "alternative models",
        alternative_models(found, tables.alternative_models),
    )  # fmt: skip
