"""Which rows of a forest plot are on which page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from osteometa.figures.forest.layout import BEFORE, Columns, place_rows, starts
from osteometa.figures.forest.rows import ForestRow
from osteometa.figures.palette import BODY

PAGE_ROWS = 60
PAGE_HEIGHT = 240.0
"""A page, head, axis and legend included, fits a sheet of paper, mm."""
STEPS = 8
"""Halvings in search of the least room that needs no further page: to 1 mm of a page."""


def pages_of(
    rows: Sequence[ForestRow], columns: Columns, room: float, width: float, size: float = BODY
) -> list[list[ForestRow]]:
    """Return the rows of each page, as few and as equal in height as units allow.

    `room` is the height for the rows of a page, mm; not more than PAGE_ROWS stand on it either.
    `width` is that of the figure, mm, and `size` that of its text, pt.
    """

    def height(some: Sequence[ForestRow]) -> float:
        last = place_rows(some, columns, 0.0, width, size)[-1]
        return last.top + last.height + (BEFORE if starts(some[0]) else 0.0)

    units = [_Unit(unit, height(unit), height([_again(unit[0])])) for unit in _units(rows)]
    pages = _filled(units, room)
    # In the least room that needs no more pages none is left with a row or two.
    low, high = 0.0, min(room, sum(unit.height for unit in units))
    for _ in range(STEPS if len(pages) > 1 else 0):
        middle = (low + high) / 2
        tried = _filled(units, middle)
        if len(tried) > len(pages):
            low = middle
        else:
            pages, high = tried, middle
    return pages


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that stay together, their height and that of their heading when it is repeated, mm."""

    rows: list[ForestRow]
    height: float
    again: float


def _again(heading: ForestRow) -> ForestRow:
    return replace(heading, label=f"{heading.label} (continued)")


def _filled(units: Sequence[_Unit], room: float) -> list[list[ForestRow]]:
    """Return pages filled one after the other; a block that continues repeats its heading."""
    pages: list[list[ForestRow]] = [[]]
    used, heading = 0.0, None  # the heading's unit
    for unit in units:
        full = used + unit.height > room or len(pages[-1]) + len(unit.rows) > PAGE_ROWS
        if pages[-1] and full:
            pages.append([])
            used = 0.0
            if heading is not None and not starts(unit.rows[0]):
                pages[-1].append(_again(heading.rows[0]))
                used = heading.again
        pages[-1] += unit.rows
        used += unit.height
        if starts(unit.rows[0]):
            heading = unit if unit.rows[0].kind == "heading" else None
    return pages


def _units(rows: Sequence[ForestRow]) -> list[list[ForestRow]]:
    """Return rows that stay together: a heading with its first row, a pool with its last one."""
    units: list[list[ForestRow]] = []
    for row in rows:
        after = units[-1][-1].kind if units else ""
        if after == "heading" or (units and row.kind in ("diamond", "interval", "note")):
            units[-1].append(row)
        else:
            units.append([row])
    return units
