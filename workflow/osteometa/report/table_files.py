"""Tables as documents: CSV, HTML, PDF (typst) and Word (python-docx), the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from osteometa.figures.files import quoted, typeset
from osteometa.figures.fonts import FALLBACK, FAMILY
from osteometa.io.csv_records import write_rows, write_text, write_whole
from osteometa.io.undated import undated

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell, _Row

FOLDER = Path(__file__).parent
MARGIN = 12
"""Of pages, mm."""
TYPST_TEXT = (
    f'#set text(font: ("{FAMILY}", "{FALLBACK}"), size: 7.5pt, lang: "en")\n'
    "#set par(leading: 0.5em)\n#set table.cell(breakable: false)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of words, its rows under headings."""

    title: str
    heads: tuple[str, ...]
    widths: tuple[float, ...]
    """Of the columns, relative to each other."""
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """Heading and cells; rows of one heading follow each other."""
    note: str

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, ...]]]]:
        """The rows under their headings."""
        parted = groupby(self.rows, key=lambda row: row[0])
        return [(heading, [cells for _, cells in rows]) for heading, rows in parted]


def write_table(table: Table, stem: Path) -> None:
    """Write a table as `stem.csv`, `.html`, `.pdf` and `.docx`."""
    write_rows(
        stem.with_suffix(".csv"), ("group", *table.heads),
        ((heading, *cells) for heading, cells in table.rows),
    )  # fmt: skip
    write_text(stem.with_suffix(".html"), html_of(table))
    write_whole(stem.with_suffix(".pdf"), pdf_of(table))
    write_whole(stem.with_suffix(".docx"), docx_of(table))


def environment() -> Environment:
    """Return the templates of the report."""
    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.policies["json.dumps_kwargs"] = {"default": asdict, "separators": (",", ":")}
    return made


def rendered(template: str, **content: object) -> str:
    """Return a template of the report, filled, with the style of the report."""
    css = (FOLDER / "report.css").read_text(encoding="utf-8")
    return environment().get_template(template).render(css=css, **content)


def html_of(table: Table) -> str:
    """Return a table as a page of its own."""
    return rendered("table.html.j2", table=table)


def pdf_of(table: Table) -> bytes:
    """Return a table on landscape pages; its head is repeated on each."""
    source = (
        f"#set document(title: {quoted(table.title)}, date: none)\n"
        f'#set page("a4", flipped: true, margin: {MARGIN}mm, numbering: "1")\n'
        f"{TYPST_TEXT}\n#heading({quoted(table.title)})\n{typst_of(table)}"
    )
    return typeset(source, source)


def typst_of(table: Table) -> str:
    """Return a table with its note in the language of typst."""
    cells = [f"table.header({', '.join(f'strong({quoted(head)})' for head in table.heads)})"]
    for heading, rows in table.groups:
        if heading:
            cells.append(f"table.cell(colspan: {len(table.heads)}, strong({quoted(heading)}))")
        cells += [", ".join(quoted(cell) for cell in row) for row in rows]
    widths = ", ".join(f"{width}fr" for width in table.widths)
    return (
        f"#table(columns: ({widths}), stroke: none, "
        "inset: (x: 3pt, y: 2.5pt), table.hline(), "
        + ", ".join(cells)
        + f", table.hline())\n#text(fill: luma(80), {quoted(table.note)})\n"
    )


def docx_of(table: Table) -> bytes:
    """Return a table as a Word document with a real table, its head repeated on each page."""
    document = word_document(table.title)
    turn(document, landscape=True)
    document.add_heading(table.title, level=1)
    add_table(document, table)
    return undated(document.save)


def word_document(title: str) -> Document:
    """Return a Word document without content, in small type."""
    from docx import Document
    from docx.shared import Pt
    from docx.styles.style import ParagraphStyle

    document = Document()
    document.core_properties.title = title
    cast(ParagraphStyle, document.styles["Normal"]).font.size = Pt(7.5)
    return document


def turn(document: Document, *, landscape: bool) -> None:
    """Set the last section of a document to A4 upright or across."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    page, sides = document.sections[-1], (210, 297)
    page.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    width, height = reversed(sides) if landscape else sides
    page.page_width, page.page_height = Mm(width), Mm(height)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(page, side, Mm(MARGIN))


def add_table(document: Document, table: Table) -> None:
    """Add a table with its note as wide as the page; no row is parted between pages."""
    from docx.oxml import OxmlElement
    from docx.shared import Mm, Pt
    from docx.styles.style import ParagraphStyle

    drawn = document.add_table(rows=0, cols=len(table.heads), style="Table Grid")
    drawn.autofit = False
    cast(ParagraphStyle, drawn.style).paragraph_format.space_after = Pt(1)
    page = cast(int, document.sections[-1].page_width) / Mm(1) - 2 * MARGIN
    share = page / sum(table.widths)
    for column, width in zip(drawn.columns, table.widths, strict=True):
        column.width = Mm(share * width)

    def add(cells: Sequence[str]) -> _Row:
        row = drawn.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, text in zip(row.cells, cells, strict=True):
            cell.paragraphs[0].text = text
        return row

    def emphasise(cells: Iterable[_Cell]) -> None:
        for cell in cells:
            cell.paragraphs[0].runs[0].bold = True
            cell.paragraphs[0].paragraph_format.keep_with_next = True  # no heading ends a page

    head = add(table.heads)
    emphasise(head.cells)
    head._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for heading, rows in table.groups:
        if heading:
            cells = drawn.add_row().cells
            merged = cells[0].merge(cells[-1])
            merged.paragraphs[0].text = heading
            emphasise([merged])
        for row in rows:
            add(row)
    document.add_paragraph(table.note)
