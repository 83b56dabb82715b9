"""The raw rows behind effects, and the values that would bring a study into a pool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from osteometa.comparisons.summaries import Cell
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Tables
from osteometa.records.effects import CellName, Effect
from osteometa.records.ledger import WantedRow


def anchor(raw: CellName | Row) -> str:
    """Return the name, in the page, of a raw row or of the one that holds a cell."""
    cell = Cell(raw, "").name if isinstance(raw, Row) else raw
    return "row-" + re.sub(r"[^A-Za-z0-9_-]", "-", f"{cell.table}-{cell.key}")


def used_rows(tables: Tables, effects: Sequence[Effect]) -> list[Row]:
    """Return the raw rows that any effect rests on, in the order of the tables."""
    wanted = {anchor(cell) for effect in effects for cell in effect.inputs}
    findings = (*tables.measurements, *tables.contrasts, *tables.directions)
    return [row for row in (*tables.studies, *tables.arms, *findings) if anchor(row) in wanted]


def filled(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the columns of a raw row that are filled, with their text."""
    for column in row.columns():
        value = getattr(row, column)
        if value not in (None, "") and column != "study_id":
            yield column, str(getattr(value, "text", value))


def alternatives(rows: Sequence[WantedRow]) -> list[list[WantedRow]]:
    """Return the rows of each arm and planned analysis, any one of which would be sufficient."""
    groups: dict[tuple[str, str, str], list[WantedRow]] = {}
    for row in (row for row in rows if row.synthesis):
        groups.setdefault((row.synthesis, row.study_id, row.arm_id), []).append(row)
    return list(groups.values())
