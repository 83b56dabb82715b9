"""Tables as documents: CSV, HTML, PDF (typst) and Word (python-docx), the same bytes each time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from osteometa.figures.files import quoted, typeset
from osteometa.figures.fonts import FALLBACK, FAMILY
from osteometa.io.csv_records import write_rows, write_text, write_whole
from osteometa.io.undated import undated

FOLDER = Path(__file__).parent


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


def html_of(table: Table) -> str:
    """Return a table as a page of its own."""
    css = (FOLDER / "report.css").read_text(encoding="utf-8")
    return environment().get_template("table.html.j2").render(table=table, css=css)


def pdf_of(table: Table) -> bytes:
    """Return a table on landscape pages; its head is repeated on each."""
    size = len(table.heads)
    cells = [f"table.header({', '.join(f'strong({quoted(head)})' for head in table.heads)})"]
    for heading, rows in table.groups:
        cells.append(f"table.cell(colspan: {size}, strong({quoted(heading)}))")
        cells += [", ".join(quoted(cell) for cell in row) for row in rows]
    widths = ", ".join(f"{width}fr" for width in table.widths)
    source = (
        f"#set document(title: {quoted(table.title)}, date: none)\n"
        f'#set page("a4", flipped: true, margin: 12mm, numbering: "1")\n'
        f'#set text(font: ("{FAMILY}", "{FALLBACK}"), size: 7.5pt, lang: "en")\n'
        "#set par(leading: 0.5em)\n#set table.cell(breakable: false)\n"
        f"#heading({quoted(table.title)})\n#table(columns: ({widths}), stroke: none, "
        "inset: (x: 3pt, y: 2.5pt), table.hline(), "
        + ", ".join(cells)
        + f", table.hline())\n#text(fill: luma(80), {quoted(table.note)})\n"
    )
    return typeset(source, source)


def docx_of(table: Table) -> bytes:
    """Return a table as a Word document with a real table, its head repeated on each page."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.oxml import OxmlElement
    from docx.shared import Mm, Pt
    from docx.styles.style import ParagraphStyle

    document = Document()
    page = document.sections[0]
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Mm(297), Mm(210)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(page, side, Mm(12))
    document.core_properties.title = table.title
    cast(ParagraphStyle, document.styles["Normal"]).font.size = Pt(7.5)
    document.add_heading(table.title, level=1)
    drawn = document.add_table(rows=1, cols=len(table.heads), style="Table Grid")
    drawn.autofit = False
    share = 273 / sum(table.widths)
    for column, width in zip(drawn.columns, table.widths, strict=True):
        column.width = Mm(share * width)

    def fill(cells: tuple[str, ...], *, bold: bool = False) -> None:
        row = drawn.rows[0] if bold else drawn.add_row()
        for cell, text, width in zip(row.cells, cells, table.widths, strict=True):
            cell.width = Mm(share * width)
            cell.paragraphs[0].add_run(text).bold = bold

    fill(table.heads, bold=True)
    drawn.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for heading, rows in table.groups:
        row = drawn.add_row().cells
        row[0].merge(row[-1]).paragraphs[0].add_run(heading).bold = True
        for cells in rows:
            fill(cells)
    document.add_paragraph(table.note)
    return undated(document.save)
