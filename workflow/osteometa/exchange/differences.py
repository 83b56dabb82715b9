"""The raw tables as texts of cells; where two sets of them differ; writing the differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from osteometa.extraction.cell_types import Row
from osteometa.extraction.tables import ROWS
from osteometa.io.cell_text import guarded, visible
from osteometa.io.csv_records import csv_lines, write_all_whole
from osteometa.io.problems import counted
from osteometa.io.sheet import Sheet, SheetError, read_lines, read_sheet, sheet_of

Sheets = Mapping[str, Sheet]
"""Raw tables by their names."""
MODELS = {model.table: model for model in ROWS}
Key = tuple[str, ...]
"""Cells of a row's key; and how many rows before it have the same, where one stands twice."""
Cells = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that only one of two sets of tables has, or a cell in which they differ."""

    table: str
    kind: Literal["added", "changed", "removed"]
    row_key: str
    """Parts of the key joined by '/', as in accepted_warnings.csv."""
    row: int
    """Row of the new table; of the old one where it is removed."""
    column: str = ""
    """Empty for a whole row."""
    old: str = ""
    new: str = ""


def read_sheets(directory: str | Path) -> dict[str, Sheet]:
    """Return the raw tables in a folder; one that is missing has the header of its model.

    SheetError if one cannot be read as CSV.
    """
    sheets = {}
    for model in ROWS:
        path = Path(directory) / f"{model.table}.csv"
        try:
            sheets[model.table] = read_sheet(path)
        except FileNotFoundError:
            sheets[model.table] = sheet_of([model.columns()])
        except SheetError as error:
            raise SheetError(f"{path.name}: {error}", error.row) from None
    return sheets


def differences(old: Sheets, new: Sheets) -> tuple[Difference, ...]:
    """Return where the tables of a second set differ from those of the first, by keys of rows.

    A table that the second set lacks is not compared. The order of rows and columns is none of the
    differences; a missing column counts as empty.
    """
    return tuple(
        item
        for model in ROWS
        if model.table in new
        for item in _in_table(model, old[model.table], new[model.table])
    )


def _in_table(model: type[Row], old: Sheet, new: Sheet) -> Iterator[Difference]:
    before, after = rows_by_key(model, old), rows_by_key(model, new)
    for key, (row, cells) in after.items():
        item = partial(Difference, table=model.table, row_key="/".join(key[:-1]), row=row)
        if key not in before:
            yield item(kind="added")
            continue
        for column in model.columns():
            was, now = before[key][1].get(column, ""), cells.get(column, "")
            if was != now:
                yield item(kind="changed", column=column, old=was, new=now)
    for key, (row, _) in before.items():
        if key not in after:
            text = "/".join(key[:-1])
            yield Difference(table=model.table, kind="removed", row_key=text, row=row)


def rows_by_key(model: type[Row], sheet: Sheet) -> dict[Key, tuple[int, Cells]]:
    """Return number and cells of each row by its key."""
    rows: dict[Key, tuple[int, Cells]] = {}
    seen: Counter[Key] = Counter()
    for number, line in sheet.rows:
        cells = dict(zip(sheet.header, line, strict=False))
        key = tuple(cells.get(name, "") for name in model.key)
        rows[(*key, str(seen[key]))] = number, cells
        seen[key] += 1
    return rows


def with_cells(sheet: Sheet, rows: Iterable[tuple[int, Cells]]) -> Sheet:
    """Return a table with other rows, and with the columns that only they have at its end."""
    rows = list(rows)
    new = sorted({name for _, cells in rows for name in cells} - {*sheet.header})
    header = (*sheet.header, *new)
    lines = ((n, tuple(cells.get(name, "") for name in header)) for n, cells in rows)
    return Sheet(header, tuple(lines), sheet.separator)


def differences_text(found: tuple[Difference, ...]) -> str:
    """Return the differences as lines for reviewers, by table, with their number."""
    lines: list[str] = []
    for model in ROWS:
        rows = [item for item in found if item.table == model.table]
        if not rows:
            continue
        kinds = Counter(item.kind for item in rows)
        counts = [f"{counted(kinds[kind], what)} {kind}" for kind, what in COUNTED if kinds[kind]]
        lines.append(f"{model.table}.csv: {', '.join(counts)}")
        for item in rows:
            change = f" {item.column}: {_shown(item.old)} -> {_shown(item.new)}"
            lines.append(f"  {item.kind:<8} {item.row_key}{change if item.column else ''}")
    return visible("\n".join(lines)) + "\n" if lines else "No cell differs.\n"


COUNTED = (("added", "row"), ("changed", "cell"), ("removed", "row"))


def _shown(text: str) -> str:
    return f"'{text}'" if text else "(empty)"


def write_sheets(directory: str | Path, new: Sheets) -> None:
    """Write the tables that differ from those in a folder: all of them, or none.

    Rows that are there keep their order, and each new row follows the row that it follows in the
    new table. Cells that do not differ keep their bytes.
    """
    old = read_sheets(directory)
    changed = {item.table for item in differences(old, new)}
    files = {}
    for model in ROWS:
        path = Path(directory) / f"{model.table}.csv"
        missing = model.table in new and not path.is_file() and not model.may_be_absent
        if model.table in changed or missing:
            lines = list(_lines(model, path, old[model.table], new[model.table]))
            files[path] = csv_lines(lines).encode("utf-8")
    write_all_whole(files)


def _lines(model: type[Row], path: Path, old: Sheet, new: Sheet) -> Iterator[list[str]]:
    """Yield the lines of a table that takes the cells of a new one."""
    before, after = rows_by_key(model, old), rows_by_key(model, new)
    own = read_lines(path)[1] if path.is_file() else []
    names = [" ".join(name.split()) for name in own[0]] if own else []
    filled = {name for _, cells in after.values() for name, text in cells.items() if text}
    header = [*old.header, *(n for n in model.columns() if n not in old.header and n in filled)]
    yield header
    for key in _order(list(before), list(after)):
        row, was = before.get(key, (0, {}))
        line = dict(zip(names, own[row - 1], strict=False)) if row else {}
        cells = after[key][1]
        yield [
            line[name] if name in line and was.get(name) == cells.get(name, "")
            else guarded(cells.get(name, ""))
            for name in header
        ]  # fmt: skip


def _order(before: list[Key], after: list[Key]) -> list[Key]:
    """Return the keys of the new rows: old ones in their order, new ones after the row above."""
    there, kept = set(before), set(after)
    order = [key for key in before if key in kept]
    for place, key in enumerate(after):
        if key not in there:
            order.insert(order.index(after[place - 1]) + 1 if place else 0, key)
    return order
