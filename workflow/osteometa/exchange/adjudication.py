"""A workbook of disagreements with an empty column of decisions, and the decisions brought back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from osteometa.exchange.differences import (
    MODELS,
    Cells,
    Key,
    read_sheets,
    rows_by_key,
    with_cells,
)
from osteometa.exchange.disagreements import Disagreement, key_words
from osteometa.exchange.proposal import Proposal, propose
from osteometa.exchange.reading import grids, text_of_cell
from osteometa.exchange.workbook import (
    EDGE,
    HEAD,
    HEAD_FONT,
    OPEN,
    WRAPPED,
    cell_at,
    empty_book,
    saved,
    write_cell,
)
from osteometa.io.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

DIFFERENCES, SINGLE = "differences", "rows of one"
COLUMNS = ("number", "table", "row", "column", "A", "B", "consequence", "decision")
WIDTHS = (8, 15, 46, 16, 18, 18, 60, 18)
CELLS = ("number", "only in", "table", "row", "column", "cell")
CELL_WIDTHS = (8, 8, 15, 46, 20, 60)
EMPTY = "empty"
"""Decision that a cell has no value."""
MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A row of the sheet of differences, with the rows that only one has."""

    line: int
    table: str
    row_key: str
    column: str
    a: str
    b: str
    decision: str
    only_in: str
    rows: tuple[tuple[str, Cells], ...]
    """Table and filled cells of each."""

    @property
    def value(self) -> str:
        """The cell that is decided."""
        return {"A": self.a, "B": self.b, EMPTY: ""}.get(self.decision, self.decision)


def adjudication_book(found: Sequence[Disagreement], title: str) -> bytes:
    """Return disagreements as a workbook to decide in; the same bytes for the same ones."""
    book = empty_book(title)
    lines = [
        (str(number), item.table, item.row_key, item.column, item.a, item.b, item.consequence, "")
        for number, item in enumerate(found, start=1)
    ]
    sheet = book.create_sheet(DIFFERENCES)
    _fill(sheet, COLUMNS, WIDTHS, lines)
    last = get_column_letter(len(COLUMNS))
    offered = DataValidation(
        type="list", formula1=f'"A,B,{EMPTY}"', allow_blank=True, showErrorMessage=True,
        errorStyle="warning", errorTitle="decision", showInputMessage=True, promptTitle="decision",
        prompt=f"A, B, {EMPTY} (not reported), or the right value as the paper reports it.",
        error="This is neither A nor B. Keep it only if it is the right value.",
    )  # fmt: skip
    offered.add(f"{last}2:{last}{max(2, len(lines) + 1)}")
    sheet.add_data_validation(offered)
    for number in range(2, len(lines) + 2):
        sheet[f"{last}{number}"].protection = OPEN
    rows = [
        (str(number), item.only_in, row.table, row.key_text, column, text)
        for number, item in enumerate(found, start=1)
        for row in item.rows
        for column in row.columns()
        if (text := row.text_of(column))
    ]
    _fill(book.create_sheet(SINGLE), CELLS, CELL_WIDTHS, rows)
    return saved(book)


def _fill(
    sheet: Worksheet, heads: Sequence[str], widths: Sequence[int], lines: Iterable[Sequence[str]]
) -> None:
    for number, line in enumerate([heads, *lines], start=1):
        for place, text in enumerate(line, start=1):
            cell = cell_at(sheet, number, place)
            write_cell(cell, text)
            cell.alignment, cell.border = WRAPPED, EDGE
            if number == 1:
                cell.fill, cell.font = HEAD[True], HEAD_FONT[True]
        lengths = (len(text) / (0.8 * width) for text, width in zip(line, widths, strict=True))
        sheet.row_dimensions[number].height = 16 * (1 + int(max(lengths)))
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.protection.sheet = True
    for action in ("sort", "autoFilter", "formatColumns", "formatRows"):
        setattr(sheet.protection, action, False)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def read_decisions(path: Path) -> tuple[Decision, ...] | None:
    """Return the decisions of a workbook; None if it has no sheet of differences.

    SheetError if the file is no workbook. ProblemsFound if its sheets are not as they were written,
    or differences have no decision.
    """
    sheets = grids(path)
    if DIFFERENCES not in sheets:
        return None
    lines = _lines(path, sheets, DIFFERENCES, COLUMNS)
    rows: dict[str, dict[tuple[str, str], Cells]] = defaultdict(lambda: defaultdict(dict))
    only_in: dict[str, str] = {}
    for _, cells in _lines(path, sheets, SINGLE, CELLS):
        only_in[cells["number"]] = cells["only in"]
        rows[cells["number"]][cells["table"], cells["row"]][cells["column"]] = cells["cell"]
    decisions = tuple(
        Decision(
            line=number, table=cells["table"], row_key=cells["row"], column=cells["column"],
            a=cells["A"], b=cells["B"], decision=cells["decision"].strip(),
            only_in=only_in.get(cells["number"], ""),
            rows=tuple((key[0], own) for key, own in rows[cells["number"]].items()),
        )
        for number, cells in lines
    )  # fmt: skip
    _require_decisions(path, decisions)
    return decisions


def _lines(
    path: Path, sheets: dict[str, tuple[tuple[Cell, ...], ...]], name: str, columns: Sequence[str]
) -> list[tuple[int, Cells]]:
    """Return the rows of a sheet, each with its number."""
    heads, *lines = [[text_of_cell(cell) for cell in line] for line in sheets.get(name, ())] or [[]]
    if tuple(heads[: len(columns)]) != tuple(columns):
        message = f"The heads must be: {', '.join(columns)}. Write the workbook anew."
        raise ProblemsFound([_problem(path.name, name, 1, message)])
    filled = [(number, line) for number, line in enumerate(lines, start=2) if any(line)]
    return [(number, dict(zip(columns, line, strict=False))) for number, line in filled]


def _problem(file: str, sheet: str, row: int | None, message: str, found: str = "") -> Problem:
    place = f"{file}, sheet '{sheet}'"
    return Problem(file=place, row=row, code="E105", message=message, found=found)


def _require_decisions(path: Path, decisions: Sequence[Decision]) -> None:
    """Require a decision of each difference, and A or B where a whole row is decided."""
    problems = []
    undecided = [one for one in decisions if not one.decision]
    if undecided:
        named = [f"{one.table} {one.row_key} {one.column}".strip() for one in undecided]
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        message = (
            f"{len(named)} of {len(decisions)} differences have no decision: "
            f"{'; '.join(named[:MOST_NAMED])}{more}. Enter A, B, {EMPTY} or another value."
        )
        problems.append(_problem(path.name, DIFFERENCES, undecided[0].line, message))
    problems += [
        _problem(path.name, DIFFERENCES, one.line,
                 "Only one has this row: enter A or B.", one.decision)
        for one in decisions if not one.column and one.decision not in ("", "A", "B")
    ]  # fmt: skip
    if problems:
        raise ProblemsFound(problems)


def decided(decisions: Sequence[Decision], directory: Path, name: str) -> Proposal:
    """Return the tables of a review with what was decided, which is all that changes.

    `name` is that of the workbook in messages. A problem of a decided cell is at its decision.
    ProblemsFound if the review lacks a row in which a cell was decided.
    """
    own = read_sheets(directory / "data" / "raw")
    tables = {table: rows_by_key(MODELS[table], sheet) for table, sheet in own.items()}
    lines: dict[tuple[str, int, str], int] = {}
    missing = []
    for one in decisions:
        if not one.column:
            for table, cells in one.rows:
                _put_row(table, tables[table], cells, there=one.decision == one.only_in)
            continue
        found = next((v for k, v in tables[one.table].items() if key_words(k) == one.row_key), None)
        if found is None:
            message = f"{directory} has no row {one.row_key} in {one.table}.csv."
            missing.append(_problem(name, DIFFERENCES, one.line, message))
        elif found[1].get(one.column, "") != one.value:
            found[1][one.column] = one.value
            lines[one.table, found[0], one.column] = one.line
    if missing:
        raise ProblemsFound(missing)
    sheets = {table: with_cells(own[table], rows.values()) for table, rows in tables.items()}
    return propose(directory, sheets, (), lambda some: list(_at_decisions(some, lines, name)))


def _put_row(table: str, rows: dict[Key, tuple[int, Cells]], cells: Cells, *, there: bool) -> None:
    """Add a row that is not there, or take out one that is."""
    key = (*(cells.get(name, "") for name in MODELS[table].key), "0")
    if not there:
        rows.pop(key, None)
    elif key not in rows:
        rows[key] = max((number for number, _ in rows.values()), default=1) + 1, dict(cells)


def _at_decisions(
    problems: Iterable[Problem], lines: dict[tuple[str, int, str], int], name: str
) -> Iterator[Problem]:
    """Yield problems, those of decided cells at the cells of the workbook."""
    letter = get_column_letter(len(COLUMNS))
    for problem in problems:
        line = lines.get((problem.in_table, problem.row or 0, problem.column.split(",")[0]))
        at_cell = {"file": f"{name}, sheet '{DIFFERENCES}'", "cell": f"{letter}{line}"}
        yield replace(problem, **at_cell) if line else problem
