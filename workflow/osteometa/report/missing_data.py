"""Values that would bring a study into a pool: one line per arm and analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from osteometa.records.ledger import WantedRow
from osteometa.report.findings import Findings
from osteometa.report.sentences import kind_words


class MissingLine(NamedTuple):
    """What one arm lacks for one analysis."""

    row: WantedRow
    analysis: str
    alternatives: list[str]
    """Sets of values; any one of them would do."""


def missing_lines(rows: Sequence[WantedRow], findings: Sequence[Findings]) -> list[MissingLine]:
    """Return one line per arm and analysis, the alternatives beside each other, as sorted."""
    by_id = {found.row.synthesis: found for found in findings}
    lines: dict[tuple[str, str, str], MissingLine] = {}
    for row in rows:
        analysis = f"{row.outcome}, {kind_words(by_id[row.synthesis])}"
        key = (row.synthesis, row.study_id, row.arm_id)
        lines.setdefault(key, MissingLine(row, analysis, [])).alternatives.append(row.missing)
    return list(lines.values())
