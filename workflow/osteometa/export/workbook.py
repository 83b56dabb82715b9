"""All result tables as one workbook: a sheet per table, and a first sheet that explains them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from types import NoneType
from typing import Any, get_args, get_type_hints

from osteometa.io.csv_records import read_rows
from osteometa.io.problems import CheckWarning
from osteometa.records.claims import ClaimRow
from osteometa.records.directions import (
    AlbatrossPoint,
    DirectionSet,
    PCombination,
    ReportedResult,
    StudyDirection,
)
from osteometa.records.effects import Covariance, WeightedEffect
from osteometa.records.figures import FigureRow
from osteometa.records.ledger import LedgerLine, WantedRow
from osteometa.records.pools import (
    AgreementRow,
    PooledRow,
    SubgroupRow,
    SubgroupTest,
    SynthesisRow,
    TypeContrast,
)
from osteometa.records.sensitivity import RECORDS

REVIEW = {
    "syntheses": SynthesisRow, "reported": ReportedResult, "direction_sets": DirectionSet,
    "p_combination": PCombination, "albatross": AlbatrossPoint, "claims": ClaimRow,
    "agreement": AgreementRow, "wanted": WantedRow,
}  # fmt: skip
"""Tables of the whole review, below results/."""
PROCESSED = {"ledger": LedgerLine, "warnings": CheckWarning}
"""The same below data/processed/."""
SYNTHESIS = {
    "effects": WeightedEffect, "covariance": Covariance, "directions": StudyDirection,
    "pooled": PooledRow, "subgroup_test": SubgroupTest, "subgroups": SubgroupRow,
    "type_contrasts": TypeContrast, **RECORDS, "figures/figures": FigureRow,
}  # fmt: skip
"""Tables of each analysis; those of all analyses stand below each other in one sheet."""
WIDEST, NARROWEST = 100, 8
"""Of columns, letters."""
LINE, HIGHEST = 15, 409
"""Height of a line and of the highest row, points."""
INTRODUCTION = (
    "Every result table, a sheet each.", "An empty cell: it does not exist or is not known, never "
    "0.", "Ratios of means (ROM) are natural logarithms.",
)  # fmt: skip
"""Lines of the first sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as a sheet."""

    name: str
    files: str
    """Where it is below the folder of the review."""
    explanation: str
    columns: tuple[str, ...]
    numeric: frozenset[str]
    """Columns that hold numbers."""
    rows: list[list[str]]


class _Included:
    """The included studies: who, what exercise, and what was reported of each outcome."""


def sheets_of(root: Path, syntheses: list[str]) -> list[Sheet]:
    """Return the tables of a finished run; those of the analyses have their id in front."""
    sheets = [_sheet(name, record, [root / f"results/{name}.csv"], root)
              for name, record in REVIEW.items()]  # fmt: skip
    for name, record in SYNTHESIS.items():
        paths = [root / "results" / one / f"{name}.csv" for one in syntheses]
        files = [path for path in paths if path.is_file()]
        if files:
            sheets.append(_sheet(name, record, files, root, f"results/<synthesis>/{name}.csv"))
    sheets += [_sheet(name, record, [root / f"data/processed/{name}.csv"], root)
               for name, record in PROCESSED.items()]  # fmt: skip
    included = root / "results/included_studies.csv"
    return [*sheets, _sheet(included.stem, _Included, [included], root)]


def _sheet(name: str, record: type, paths: list[Path], root: Path, files: str = "") -> Sheet:
    columns, rows = (), []
    for path in paths:
        head, *body = read_rows(path)
        synthesis = path.relative_to(root / "results").parts[0] if files else ""
        before = [synthesis] if synthesis and "synthesis" not in head else []
        columns = (*(["synthesis"] if before else []), *head)
        rows += [[*before, *row] for row in body]
    doc = (record.__doc__ or "").strip().split("\n")[0]
    return Sheet(
        name=name.split("/")[-1], files=files or paths[0].relative_to(root).as_posix(),
        explanation=doc.replace("`", ""), columns=tuple(columns),
        numeric=frozenset(_numeric(record)), rows=rows,
    )  # fmt: skip


def _numeric(record: type) -> Iterator[str]:
    for name, hint in get_type_hints(record).items():
        if {*(get_args(hint) or (hint,))} - {NoneType} <= {int, float}:
            yield name


def workbook_of(sheets: list[Sheet], title: str) -> bytes:
    """Return a workbook without formulas, the same bytes each time."""
    from openpyxl import Workbook

    from osteometa.exchange.workbook import saved

    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = title, "osteometa"
    book.properties.created = book.properties.modified = datetime(1980, 1, 1)  # as `undated`
    _contents(_page(book, "contents"), sheets, title)
    for sheet in sheets:
        _fill(_page(book, sheet.name), sheet)
    return saved(book)


def _page(book: Any, name: str) -> Any:
    """Return a new sheet, printed as wide as a page; before its first row, which ends its head."""
    page = book.create_sheet(name)
    page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    return page


def _contents(page: Any, sheets: list[Sheet], title: str) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment
    from openpyxl.worksheet.hyperlink import Hyperlink

    columns = ("sheet", "table", "rows", "what it is")
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 24, 44
    page.column_dimensions["C"].width, page.column_dimensions["D"].width = 8, 90
    page.append([_cell(page, title, bold=True)])
    for words in INTRODUCTION:
        page.append([_cell(page, words)])
    page.append([])
    page.append([_cell(page, name, bold=True) for name in columns])
    for sheet in sheets:
        name = _cell(page, sheet.name)
        name.hyperlink = Hyperlink(ref="", location=f"'{sheet.name}'!A1")
        name.style = "Hyperlink"
        rows = WriteOnlyCell(page, len(sheet.rows))
        rows.alignment = Alignment(horizontal="left")  # as its head, and apart from what follows
        page.append([name, _cell(page, sheet.files), rows, _cell(page, sheet.explanation)])


def _fill(page: Any, sheet: Sheet) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    page.freeze_panes = "B2"
    for place, column in enumerate(sheet.columns):
        longest = max([len(column) + 3, *(len(row[place]) for row in sheet.rows)])
        letter = get_column_letter(place + 1)
        page.column_dimensions[letter].width = min(max(longest + 1, NARROWEST), WIDEST)
    page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{len(sheet.rows) + 1}"
    page.append([_cell(page, column, bold=True) for column in sheet.columns])
    top = Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(sheet.rows, start=2):
        cells = [
            WriteOnlyCell(page, _number(text)) if column in sheet.numeric else _cell(page, text)
            for column, text in zip(sheet.columns, row, strict=True)
        ]
        lines = max(len(wrap(text, WIDEST - 10)) for text in row)
        if lines > 1:  # no program makes room by itself
            page.row_dimensions[number].height = min(LINE * lines, HIGHEST)
            for cell in cells:
                cell.alignment = top
        page.append(cells)


def _number(text: str) -> float | int | None:
    if not text:
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _cell(page: Any, text: str, *, bold: bool = False) -> Any:
    """Return a cell of text, whatever sign it begins with: never a formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(page, value=text or None)
    if not text:
        return cell
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
