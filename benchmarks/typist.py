"""Slips of a typist: each filled numeric cell of a raw table, mistyped in the usual ways."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from osteometa.extraction.tables import Arm, Contrast, Measurement, Study

TABLES = (Study, Arm, Measurement, Contrast)
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Cells of one row as they are mistyped."""

    kind: str
    table: str
    place: int
    """Of the row in its table, from 0."""
    column: str
    """The cell that was drawn."""
    found: str
    typed: Row
    """By column: two cells where they are exchanged."""


def read(path: Path) -> list[Row]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def scaled(factor: int) -> Callable[[str, random.Random], str]:
    """Return a slip that multiplies by a power of ten: the point moves, no digit changes."""

    def slip(text: str, _: random.Random) -> str:
        whole, part = text.lstrip("-").partition(".")[::2]
        digits = whole + part
        places = len(part) - factor
        digits = digits + "0" * max(-places, 0)
        digits = digits.rjust(places + 1, "0")
        cut = len(digits) - max(places, 0)
        after = digits[cut:] if part else digits[cut:].rstrip("0")
        number = (digits[:cut].lstrip("0") or "0") + ("." + after if after else "")
        return ("-" if text.startswith("-") else "") + number

    return slip


def _at_digit(text: str, chance: random.Random, change: Callable[[str], str]) -> str:
    place = chance.choice([i for i, sign in enumerate(text) if sign.isdigit()])
    return text[:place] + change(text[place]) + text[place + 1 :]


def exchanged(text: str, chance: random.Random) -> str:
    """Exchange two digits beside each other, also across the point."""
    places = [i for i, sign in enumerate(text) if sign.isdigit()]
    pairs = [(i, j) for i, j in itertools.pairwise(places) if text[i] != text[j]]
    if not pairs:
        return text
    i, j = chance.choice(pairs)
    signs = list(text)
    signs[i], signs[j] = signs[j], signs[i]
    return "".join(signs)


def point_moved(text: str, chance: random.Random) -> str:
    """Exchange the decimal point with a digit beside it."""
    place = text.find(".")
    if place < 0:
        return text
    other = place + chance.choice((-1, 1))
    signs = list(text)
    if not 0 <= other < len(signs) or not signs[other].isdigit():
        return text
    signs[place], signs[other] = signs[other], signs[place]
    return "".join(signs).removesuffix(".")


def neighbour(digit: str, chance: random.Random) -> str:
    """Return the digit of a key beside this one; the keys are in the order 1 to 9, 0."""
    keys = "1234567890"
    place = keys.index(digit)
    return keys[chance.choice([i for i in (place - 1, place + 1) if 0 <= i < len(keys)])]


ONE_CELL: dict[str, Callable[[str, random.Random], str]] = {
    "decimal point dropped": lambda text, _: text.replace(".", ""),
    "decimal point moved": point_moved,
    "times ten": scaled(1),
    "by ten": scaled(-1),
    "times a thousand": scaled(3),
    "minus lost or added": lambda text, _: text[1:] if text.startswith("-") else f"-{text}",
    "digit doubled": lambda text, chance: _at_digit(text, chance, lambda d: d + d),
    "digits exchanged": exchanged,
    "neighbouring key": lambda text, chance: _at_digit(
        text, chance, lambda d: neighbour(d, chance)
    ),
}


class Typist:
    """Draws slips from the filled numeric cells of the tables."""

    def __init__(self, raw: Path, seed: int):
        self.chance = random.Random(seed)
        self.tables = {model.table: read(raw / f"{model.table}.csv") for model in TABLES}
        self.numeric = {m.table: [c for c in m.columns() if m.is_number(c)] for m in TABLES}
        self.cells = [
            (table, place, column)
            for table, rows in self.tables.items()
            for place, row in enumerate(rows)
            for column in self.numeric[table]
            if row.get(column)
        ]
        self.control = {
            (r["study_id"], r["arm_id"]): r["comparator"] for r in self.tables["arms"]
        }  # fmt: skip

    def slips(self, number: int) -> list[Slip]:
        """Return a number of slips, each of a cell drawn at random and a kind that it allows."""
        found: list[Slip] = []
        while len(found) < number:
            cell = self.chance.choice(self.cells)
            possible = list(self._possible(*cell))
            if possible:
                found.append(self.chance.choice(possible))
        return found

    def _possible(self, table: str, place: int, column: str) -> Iterator[Slip]:
        row = self.tables[table][place]
        text = row[column]
        for kind, typed in self._typed(table, row, column):
            if all(float(new) == float(row[c] or "nan") for c, new in typed.items() if new):
                continue
            yield Slip(kind=kind, table=table, place=place, column=column, found=text, typed=typed)

    def _typed(self, table: str, row: Row, column: str) -> Iterator[tuple[str, Row]]:
        text = row[column]
        for kind, slip in ONE_CELL.items():
            yield kind, {column: slip(text, self.chance)}
        filled = [c for c in self.numeric[table] if row.get(c)]
        after = filled[filled.index(column) + 1 :]
        if after:
            yield "neighbouring cells exchanged", {column: row[after[0]], after[0]: text}
        if table == "measurements":
            yield from self._measured(row, column)

    def _measured(self, row: Row, column: str) -> Iterator[tuple[str, Row]]:
        labelled = column == "sd" or (column == "spread" and row["spread_kind"] == "sd")
        if labelled and row["n"]:
            se = float(row[column]) / float(row["n"]) ** 0.5
            yield "SE typed as SD", {column: f"{se:.{len(row[column].partition('.')[2])}f}"}
        if column == "se":
            yield "SE typed as SD", {"sd": row["se"], "se": ""}
        for other in self.tables["measurements"]:
            same = ("study_id", "outcome", "analyte", "site", "timepoint", "kind", "report")
            if other["arm_id"] != row["arm_id"] and all(other[c] == row[c] for c in same):
                if other[column] and other[column] != row[column]:
                    yield "row of the other arm", {column: other[column]}
                return
