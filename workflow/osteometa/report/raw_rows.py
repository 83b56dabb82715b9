"""From an effect back to the raw cells behind it, and to the rows that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Tables
from osteometa.records.effects import Effect


class Link(NamedTuple):
    """A raw cell by its name, and the row of the page that shows it."""

    anchor: str
    text: str


class RawRow(NamedTuple):
    """A raw row as the report shows it."""

    anchor: str
    table: str
    row: int
    study_id: str
    cells: tuple[tuple[str, str], ...]
    """Columns that are filled, with their text."""


def anchor_of(table: str, key: str) -> str:
    """Return the name of a raw row in the page."""
    return "row-" + re.sub(r"[^A-Za-z0-9_-]", "-", f"{table}-{key}")


def cells_behind(effect: Effect) -> list[Link]:
    """Return the cells behind an effect, each with the row of the page that shows it."""
    return [Link(anchor_of(cell.table, cell.key), str(cell)) for cell in effect.inputs]


def used_rows(tables: Tables, effects: Sequence[Effect]) -> list[RawRow]:
    """Return the raw rows that any effect rests on, in the order of the tables."""
    wanted = {link.anchor for effect in effects for link in cells_behind(effect)}
    sources: tuple[Sequence[Row], ...] = (
        tables.studies, tables.arms, tables.measurements, tables.contrasts, tables.directions,
    )  # fmt: skip
    found = []
    for row in (row for rows in sources for row in rows):
        anchor = anchor_of(row.table, row.key_text.replace(" ", "_"))
        if anchor in wanted:
            study = str(getattr(row, "study_id", ""))
            found.append(RawRow(anchor, row.table, row.row, study, tuple(_filled(row))))
    return found


def _filled(row: Row) -> Iterator[tuple[str, str]]:
    for column in type(row).columns():
        value = getattr(row, column)
        if value not in (None, "") and column != "study_id":
            yield column, str(getattr(value, "text", value))
