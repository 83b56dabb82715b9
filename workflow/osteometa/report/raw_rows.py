"""From an effect back to the cells that were typed, and to the rows that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import Tables
from osteometa.records.effects import Effect

TABLES = ("studies", "arms", "measurements", "contrasts", "directions")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A typed row as the report shows it."""

    anchor: str
    table: str
    row: int
    study_id: str
    cells: tuple[tuple[str, str], ...]
    """Columns that are filled, with their text."""


def anchor_of(table: str, key: str) -> str:
    """Return the name of a typed row in the page."""
    return "row-" + re.sub(r"[^A-Za-z0-9_-]", "-", f"{table}-{key}")


def linked(effect: Effect) -> list[dict[str, str]]:
    """Return the cells behind an effect, each with the row of the page that shows it."""
    found = []
    for name in effect.inputs.split():
        table, key, column = name.split(":", 1)[0], *name.split(":", 1)[1].rsplit(":", 1)
        found.append({"anchor": anchor_of(table, key), "text": name, "column": column})
    return found


def used_rows(tables: Tables, effects: Sequence[Effect]) -> list[RawRow]:
    """Return the typed rows that any effect rests on, in the order of the tables."""
    wanted = {cell["anchor"] for effect in effects for cell in linked(effect)}
    found = []
    for name in TABLES:
        for row in _rows(tables, name):
            anchor = anchor_of(name, row.key_text.replace(" ", "_"))
            if anchor in wanted:
                found.append(RawRow(anchor, name, row.row, row.study_id, tuple(_filled(row))))
    return found


def _rows(tables: Tables, name: str) -> Iterable[Row]:
    return getattr(tables, name)


def _filled(row: Row) -> Iterable[tuple[str, str]]:
    for column in type(row).columns():
        value = getattr(row, column)
        if value not in (None, "") and column != "study_id":
            yield column, str(getattr(value, "text", value))
