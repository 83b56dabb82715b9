"""Reading a workbook: its cells as texts, and what is wrong with cells that are no texts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from osteometa.exchange.differences import MODELS, Sheets
from osteometa.exchange.workbook import GUIDE, LISTS, NEEDED
from osteometa.extraction.cell_types import Row
from osteometa.extraction.codebook import allowed
from osteometa.io.problems import Problem, counted
from osteometa.io.sheet import Sheet, SheetError, sheet_of

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet


def grids(path: str | Path) -> dict[str, tuple[tuple[Cell, ...], ...]]:
    """Return the cells of each sheet of a workbook; formulas are not computed.

    SheetError if the file is no workbook.
    """
    try:
        book = load_workbook(path)
    except FileNotFoundError:
        raise SheetError("There is no such file.") from None
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError):
        message = "The file is no Excel workbook (.xlsx). Save it as one."
        raise SheetError(message) from None
    return {
        sheet.title: cast("tuple[tuple[Cell, ...], ...]", tuple(sheet.iter_rows()))
        for sheet in book.worksheets
    }


def read_workbook(path: str | Path) -> tuple[dict[str, Sheet], list[Problem]]:
    """Return the raw tables in a workbook, and the problems of cells that are no texts.

    A number is read as it is stored. A table that has no sheet is left out. SheetError as of
    `grids`, and if the heads of a sheet do not stand in its first row.
    """
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    found = grids(path)
    for name in (name for name in found if name in MODELS):
        grid = found[name]
        lines = [[text_of_cell(cell) for cell in line] for line in grid]
        heads = [head.strip().removesuffix(f"\n{NEEDED}") for head in lines[0]] if lines else []
        _check_heads(MODELS[name], heads)
        sheets[name] = sheet_of([heads, *lines[1:]])
        problems += _untyped(name, sheets[name], grid[1:])
    absent = ", ".join(name for name in MODELS if name not in found)
    for name, grid in found.items():
        shown = any(cast("Worksheet", line[0].parent).sheet_state == "visible" for line in grid[:1])
        if shown and name not in (*MODELS, GUIDE, LISTS):
            named = f"give it the name of its table (no sheet has: {absent}), or " if absent else ""
            message = (
                "The sheet has the name of no table, and its cells are not read: "
                f"{named}delete or hide it."
            )
            problems.append(Problem(file=f"sheet '{name}'", code="E105", message=message))
    return sheets, problems


def _check_heads(model: type[Row], heads: list[str]) -> None:
    """Raise SheetError if a head is empty before the last one, or the row's key has no column."""
    filled = [place for place, head in enumerate(heads) if head]
    for place in range(max(filled, default=0)):
        if not heads[place]:
            raise SheetError(
                f"Sheet '{model.table}': column {get_column_letter(place + 1)} has no head in row "
                "1. Delete the column."
            )
    missing = [name for name in model.key if name not in heads]
    if missing:
        raise SheetError(
            f"Sheet '{model.table}': row 1 lacks {', '.join(missing)}. The heads must stand in "
            "row 1, with their names unchanged."
        )


def text_of_cell(cell: Cell) -> str:
    """Return the content of a cell as text; a date as 2024-05-31, which no table takes for text."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        value = value.date()
    return str(value)


def _untyped(table: str, sheet: Sheet, grid: Iterable[tuple[Cell, ...]]) -> Iterator[Problem]:
    """Yield formulas, dates and the like; and the columns in which numbers are not text."""
    numbers: dict[int, list[Cell]] = {}
    model = MODELS[table]
    for line in grid:
        named = zip(line, sheet.header, strict=False)
        study = next((text_of_cell(cell) for cell, name in named if name == "study_id"), "")
        for place, cell in enumerate(line):
            column = sheet.header[place] if place < len(sheet.header) else ""
            if what := wrong_in(cell):
                yield Problem(
                    file=f"data/raw/{table}.csv", row=cell.row, column=column, code="E105",
                    study=study, found=text_of_cell(cell),
                    message=f"The cell holds {what}. Enter as text what the paper reports.",
                )  # fmt: skip
            elif cell.data_type == "n" and isinstance(cell.value, float | int):
                numbers.setdefault(place, []).append(cell)
    for place, cells in numbers.items():
        column = sheet.header[place] if place < len(sheet.header) else ""
        known = column in model.model_fields and model.is_number(column)
        if known and not allowed(model, column).startswith("whole"):
            yield Problem(
                file=f"data/raw/{table}.csv", row=cells[0].row, column=column,
                code="N002", found=text_of_cell(cells[0]), severity="note",
                message=f"Numbers, not text, in {counted(len(cells), 'cell')} of the column: zeros "
                "at their end are lost. Enter them as text if the paper reports 0.10, not 0.1.",
            )  # fmt: skip


FORMULA, PERCENTAGE = "a formula", "a percentage"
WRONG = {"f": FORMULA, "d": "a date", "e": "an error", "b": "a truth value"}


def wrong_in(cell: Cell) -> str:
    """Return what a cell holds that is neither text nor a number as shown; else empty."""
    if cell.value is None:
        return ""
    # Excel shows a stored 0.055 as 5.5 % if its format has the sign outside quotes.
    shown = re.sub(r'"[^"]*"|\\.', "", cell.number_format)
    return PERCENTAGE if cell.data_type == "n" and "%" in shown else WRONG.get(cell.data_type, "")


def at_cells(problems: Iterable[Problem], name: str, sheets: Sheets) -> list[Problem]:
    """Return problems of raw tables with the sheets and cells of the workbook they came from."""
    placed = []
    for problem in problems:
        sheet = sheets.get(problem.in_table)
        if sheet is None or not problem.file.endswith(".csv"):
            placed.append(problem)
            continue
        column = problem.column.split(",")[0]
        letter = get_column_letter(sheet.header.index(column) + 1) if column in sheet.header else ""
        cell = f"{letter}{problem.row}" if problem.row and letter else ""
        file = f"{name}, sheet '{problem.in_table}'"
        placed.append(replace(problem, file=file, cell=cell))
    return placed
