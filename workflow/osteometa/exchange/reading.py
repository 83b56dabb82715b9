"""Reading a workbook: its cells as texts, and what is wrong with cells that are no texts."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from osteometa.exchange.differences import Sheets
from osteometa.extraction.tables import ROWS
from osteometa.io.problems import Problem
from osteometa.io.sheet import Sheet, SheetError, sheet_of

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell

MODELS = {model.table: model for model in ROWS}


def grids(path: str | Path) -> dict[str, tuple[tuple[Cell, ...], ...]]:
    """Return the cells of each sheet of a workbook; formulas are neither computed nor believed.

    Raises
    ------
    SheetError
        If the file is no workbook.
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

    A number is read as it is stored. A table that has no sheet is left out. Raises as `grids`.
    """
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for name, grid in grids(path).items():
        if name not in MODELS:
            continue
        lines = [[text_of_cell(cell) for cell in line] for line in grid]
        heads = [head.split()[0] if head.split() else "" for head in lines[0]] if lines else []
        sheets[name] = sheet_of([heads, *lines[1:]])
        problems += _untyped(name, sheets[name], grid[1:])
    return sheets, problems


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
        studies = [cell for cell, name in zip(line, sheet.header, strict=False)
                   if name == "study_id"]  # fmt: skip
        study = text_of_cell(studies[0]) if studies else ""
        for place, cell in enumerate(line):
            column = sheet.header[place] if place < len(sheet.header) else ""
            what = WRONG.get(cell.data_type)
            if what and cell.value is not None:
                yield Problem(
                    file=f"data/raw/{table}.csv", row=cell.row, column=column, code="E105",
                    study=study, found=text_of_cell(cell),
                    message=f"The cell holds {what}. Enter as text what the paper reports.",
                )  # fmt: skip
            elif cell.data_type == "n" and isinstance(cell.value, float):
                numbers.setdefault(place, []).append(cell)
    for place, cells in numbers.items():
        if place < len(sheet.header) and model.is_number(sheet.header[place]):
            yield Problem(
                file=f"data/raw/{table}.csv", row=cells[0].row, column=sheet.header[place],
                code="N002", found=text_of_cell(cells[0]), severity="note",
                message=f"{len(cells)} cells of the column hold numbers, not text, and have lost "
                "zeros at their end. Enter them as text if the paper reports 0.10, not 0.1.",
            )  # fmt: skip


WRONG = {"f": "a formula", "d": "a date", "e": "an error", "b": "a truth value"}


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
