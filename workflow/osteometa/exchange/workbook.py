"""A workbook of the raw tables: a sheet each, with drop-down lists and the words of the codebook.

Every cell is text, so that a spreadsheet changes none of them: 007, 1-2 and 0.10 stay as typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from osteometa.exchange.choices import Choice, choice_of
from osteometa.exchange.differences import Sheets
from osteometa.extraction.cell_types import Row
from osteometa.extraction.codebook import allowed
from osteometa.extraction.tables import ROWS
from osteometa.io.sheet import Sheet
from osteometa.io.undated import undated
from osteometa.protocol.config import Config

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

GUIDE, LISTS, NEEDED = "how to", "lists", "needed"
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
TEXT, OPEN, FACE = "@", Protection(locked=False), "Calibri"
HEAD = {True: PatternFill("solid", fgColor="1F4E79"), False: PatternFill("solid", fgColor="DDE6EF")}
HEAD_FONT = {
    True: Font(FACE, 11, bold=True, color="FFFFFF"),
    False: Font(FACE, 11, bold=True, color="1A1A1A"),
}
EDGE = Border(bottom=Side("thin", color="7F7F7F"), right=Side("thin", color="BFBFBF"))
WRAPPED = Alignment(wrap_text=True, vertical="top")
EPOCH = datetime(2000, 1, 1)
WIDEST = 40
"""Characters of a column; longer texts run on where the next cell is empty."""


def workbook_of(sheets: Sheets, config: Config | None, title: str) -> bytes:
    """Return the tables as a workbook, the same bytes for the same tables and settings."""
    book = empty_book(title)
    guide = book.create_sheet(GUIDE)
    lists = Lists(book)
    for model in ROWS:
        _fill(book.create_sheet(model.table), model, sheets[model.table], config, lists)
    lists.add()
    _explain(guide, title, sheets)
    return saved(book)


def empty_book(title: str) -> Workbook:
    """Return a workbook without sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = title, "osteometa"
    book.properties.created = book.properties.modified = EPOCH
    return book


def saved(book: Workbook) -> bytes:
    """Return the bytes of a workbook, without the time at which it was made."""
    # Its own `save` would date it.
    return undated(lambda target: ExcelWriter(book, ZipFile(target, "w", ZIP_DEFLATED)).save())


class Lists:
    """The hidden sheet that holds the words of drop-down lists, each list once."""

    def __init__(self, book: Workbook):
        self.book = book
        self.words: dict[tuple[str, ...], str] = {}
        for table in ("studies", "assays"):
            used = f"COUNTA({table}!$A$2:$A${LAST_ROW})"
            rows = f"OFFSET({table}!$A$2,0,0,MAX(1,{used}),1)"
            book.defined_names[f"{table}_rows"] = DefinedName(f"{table}_rows", attr_text=rows)

    def formula(self, choice: Choice, model: type[Row]) -> str:
        """Return the range of what a column offers, which follows rows that are added."""
        if choice.rows_of == "arms":
            study = f"${_letter(model, 'study_id')}2"
            first, count = f"MATCH({study},arms!$A:$A,0)-1", f"COUNTIF(arms!$A:$A,{study})"
            return f"OFFSET(arms!$B$1,{first},0,{count},1)"
        if choice.rows_of:
            return f"{choice.rows_of}_rows"
        letter = self.words.setdefault(choice.words, get_column_letter(len(self.words) + 1))
        return f"{LISTS}!${letter}$1:${letter}${len(choice.words)}"

    def add(self) -> None:
        """Add the sheet, after those that refer to it."""
        sheet = self.book.create_sheet(LISTS)
        for words, letter in self.words.items():
            for number, word in enumerate(words, start=1):
                write_cell(cast("Cell", sheet[f"{letter}{number}"]), word)
        sheet.sheet_state = "hidden"
        sheet.protection.sheet = True


def _letter(model: type[Row], column: str) -> str:
    return get_column_letter(model.columns().index(column) + 1)


def cell_at(sheet: Worksheet, row: int, place: int) -> Cell:
    """Return a cell by the numbers of its row and column."""
    return cast("Cell", sheet.cell(row, place))


def write_cell(cell: Cell, text: str) -> None:
    """Write a text that is none but text, also where it looks like a formula or a number."""
    if text:
        cell.value, cell.data_type = text, "s"
    cell.number_format = TEXT


def _fill(
    sheet: Worksheet, model: type[Row], content: Sheet, config: Config | None, lists: Lists
) -> None:
    """Fill the sheet of one table."""
    columns = model.columns()
    needed = set(model.model_json_schema().get("required", ()))
    where = [content.header.index(name) if name in content.header else None for name in columns]
    for place, name in enumerate(columns, start=1):
        _head(cell_at(sheet, 1, place), model, name, needed=name in needed)
        at = where[place - 1]
        texts = [] if at is None else [cells[at] for _, cells in content.rows]
        longest = max(map(len, texts), default=0)
        _style_column(sheet, place, place, min(max(len(name) + 4, longest + 2), WIDEST))
        if choice := choice_of(model, name, config):
            _offer(sheet, model, name, choice, lists)
    _style_column(sheet, len(columns) + 1, LAST_COLUMN, 11)
    for number, (_, cells) in enumerate(content.rows, start=2):
        for place, source in enumerate(where, start=1):
            cell = cell_at(sheet, number, place)
            cell.protection = OPEN
            write_cell(cell, cells[source] if source is not None and source < len(cells) else "")
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = f"{get_column_letter(min(len(model.key), 2) + 1)}2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{max(2, len(content.rows) + 1)}"
    _protect(sheet)


def _head(cell: Cell, model: type[Row], name: str, *, needed: bool) -> None:
    write_cell(cell, f"{name}\n{NEEDED}" if needed else name)
    cell.fill, cell.font, cell.border = HEAD[needed], HEAD_FONT[needed], EDGE
    cell.alignment = WRAPPED
    words = f"{model.model_fields[name].description}\n\nAllowed: {allowed(model, name)}"
    cell.comment = Comment(words, "osteometa", width=320, height=60 + 16 * (len(words) // 42))


def _style_column(sheet: Worksheet, first: int, last: int, width: float) -> None:
    """Make the empty cells of columns text that may be edited."""
    letter = get_column_letter(first)
    style = ColumnDimension(sheet, index=letter, min=first, max=last, width=width)
    style.number_format, style.protection = TEXT, OPEN
    sheet.column_dimensions[letter] = style


def _offer(sheet: Worksheet, model: type[Row], column: str, choice: Choice, lists: Lists) -> None:
    """Give a column its drop-down list; another word is refused, or only asked about."""
    offered = DataValidation(
        type="list", formula1=lists.formula(choice, model), allow_blank=True, showErrorMessage=True,
        errorStyle="stop" if choice.only else "warning", errorTitle=column,
        error="Choose one of the list, or leave the cell empty." if choice.only
        else "This is not in the list. Keep it only if it is right.",
    )  # fmt: skip
    offered.add(f"{_letter(model, column)}2:{_letter(model, column)}{LAST_ROW}")
    sheet.add_data_validation(offered)


def _protect(sheet: Worksheet) -> None:
    """Lock the heads alone: rows may be added, deleted, sorted and filtered, columns widened."""
    sheet.protection.sheet = True
    for action in ("insertRows", "deleteRows", "sort", "autoFilter", "formatColumns", "formatRows"):
        setattr(sheet.protection, action, False)


def _explain(sheet: Worksheet, title: str, sheets: Sheets) -> None:
    """Fill the first sheet: how to fill in the workbook and bring it back."""
    lines: list[Sequence[str]] = [("", f"Tables of the review: {title}"), *GUIDANCE, ()]
    lines += [("Sheet", "Holds", "A row is named by", "Rows")]
    bold = len(lines)
    for model in ROWS:
        rows = str(len(sheets[model.table].rows))
        holds = model.purpose.replace("`", "")
        lines.append((model.table, holds, ", ".join(model.key), rows))
    for number, line in enumerate(lines, start=1):
        for place, text in enumerate(line, start=1):
            cell = cell_at(sheet, number, place)
            write_cell(cell, text)
            cell.alignment = WRAPPED
            cell.font = Font(FACE, 11, bold=place == 1 or number == bold)
            if number > bold and place == 1:
                cast("Any", cell).hyperlink = f"#'{text}'!A2"
                cell.font = Font(FACE, 11, color="0B5394", underline="single")
        if len(line) == 2:
            sheet.merge_cells(start_row=number, end_row=number, start_column=2, end_column=4)
        needed = (
            len(text) / width for text, width in zip(line[1:], WIDTHS[len(line)], strict=True)
        )
        sheet.row_dimensions[number].height = 16 * (1 + int(max(needed, default=0)))
    sheet["B1"].font = Font(FACE, 14, bold=True)
    sheet.row_dimensions[1].height = 24
    for letter, width in (("A", 20), ("B", 66), ("C", 38), ("D", 8)):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.protection.sheet = True
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


WIDTHS = {0: (), 2: (95,), 4: (58, 32, 8)}
"""Characters of a line in each column after the first, by the number of cells in the row."""
GUIDANCE: tuple[Sequence[str], ...] = (
    ("Fill in", "One row per study, arm, value or direction, in the sheet of its table below. "
     "An empty cell means not reported: enter no 0, no NA and no guess."),
    ("Heads", f"Point at a head to read what its column holds. Columns with dark heads and "
     f"the word '{NEEDED}' must not be empty in any row. Heads are locked; their names must stay."),
    ("Lists", "Cells with an arrow offer the allowed words, or the studies and arms of the other "
     "sheets. The list of arms is that of the study in the same row, if its arms stand together in "
     "the sheet arms."),
    ("Numbers", "Enter them as reported, with all digits: 0.10 stays 0.10, because all cells are "
     "text. When you paste, paste values only (in Excel: Paste Special, Values)."),
    ("Rows", "Rows may be added, sorted, filtered and deleted. A row is known by the columns that "
     "are named below: changing one of these makes another row of it."),
    ("Bring it back", "osteometa import FILE.xlsx FOLDER"),
    ("", "It shows what is added, changed and removed, and problems at their cells, before "
     "anything is written. Nothing is written while there is a problem, or without your yes."),
)  # fmt: skip
