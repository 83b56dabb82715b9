"""The raw rows behind effects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from osteometa.comparisons.summaries import Cell
from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Tables
from osteometa.records.cells import CellName
from osteometa.records.effects import Effect


class RawRow(NamedTuple):
    """A raw row as the report shows it."""

    anchor: str
    table: str
    row: int
    study_id: str
    cells: tuple[tuple[str, str], ...]
    """Columns that are filled, with their text."""


def anchor(cell: CellName) -> str:
    """Return the name, in the page, of the row that holds a cell."""
    return "row-" + re.sub(r"[^A-Za-z0-9_-]", "-", f"{cell.table}-{cell.key}")


def used_rows(tables: Tables, effects: Sequence[Effect]) -> list[RawRow]:
    """Return the raw rows that any effect rests on, in the order of the tables."""
    wanted = {anchor(cell) for effect in effects for cell in effect.inputs}
    sources: tuple[Sequence[Row], ...] = (
        tables.studies, tables.arms, tables.measurements, tables.contrasts, tables.directions,
    )  # fmt: skip
    found = []
    for row in (row for rows in sources for row in rows):
        name = anchor(Cell(row, "").name)
        if name in wanted:
            study = str(getattr(row, "study_id", ""))
            found.append(RawRow(name, row.table, row.row, study, tuple(_filled(row))))
    return found


def _filled(row: Row) -> Iterator[tuple[str, str]]:
    for column in type(row).columns():
        value = getattr(row, column)
        if value not in (None, "") and column != "study_id":
            yield column, str(getattr(value, "text", value))
