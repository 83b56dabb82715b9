"""All files of an export, each written whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from osteometa.exchange.references import references_text
from osteometa.export.checklists import prisma_table, swim_table
from osteometa.export.evidence import findings_table, grade_table
from osteometa.export.figures import LIST, Numbered, numbered_figures, write_figures
from osteometa.export.finished import config_of, manifest_of
from osteometa.export.workbook import sheets_of, workbook_of
from osteometa.figures.files import letters_of, quoted, typeset
from osteometa.io.csv_records import write_whole
from osteometa.io.undated import undated
from osteometa.report.answers import answers, question
from osteometa.report.findings import Review, read_review
from osteometa.report.included_studies import included_studies, included_table
from osteometa.report.methods import methods_sentences, software_versions
from osteometa.report.table_files import (
    MARGIN,
    TYPST_TEXT,
    Table,
    add_table,
    turn,
    typst_of,
    word_document,
)
from osteometa.wording.numbers import unbroken


def write_export(root: Path, out: Path, *, pattern: str, formats: Sequence[str]) -> Iterator[Path]:
    """Write what authors hand in to `out` and yield each file; of the figures their list.

    `pattern` gives the names of figures, such as `Figure_{n}`. NotFinishedError if there is no
    finished run that is current.
    """
    manifest_of(root)
    config = config_of(root)
    review = read_review(root, config)
    figures = numbered_figures(review)
    names = [found.row.synthesis for found in review.findings]
    included = [study for study in review.tables.studies if study.include == "yes"]
    documents = {
        "manuscript.docx": lambda: manuscript_of(review, figures),
        "supplement.pdf": lambda: supplement_of(review, figures),
        "tables.xlsx": lambda: workbook_of(sheets_of(root, names), config.title),
        "references.ris": lambda: references_text(included, ".ris").encode(),
        "references.bib": lambda: references_text(included, ".bib").encode(),
    }
    for name, make in documents.items():
        write_whole(out / name, make())
        yield out / name
    write_figures(figures, out / "figures", pattern=pattern, formats=formats)
    yield out / "figures" / LIST


def paper_tables(review: Review) -> list[Table]:
    """Return the tables of the paper, numbered in this order."""
    included = included_studies(review.tables, review.reported, review.config)
    return [
        findings_table(review.findings, review.tables),
        grade_table(review.findings, review.tables),
        included_table(included, review.config),
    ]


def numbered(number: str, table: Table) -> str:
    """Return the title of a table with its number."""
    return f"Table {number}. {table.title}"


def texts(review: Review) -> list[tuple[str, list[str]]]:
    """Return the paragraphs that the record can write, by their headings."""
    return [
        ("Question", [question(review.config)]),
        ("Results", [f"{one.outcome}: {one.text}" for one in answers(review)]),
        ("Methods", [unbroken(" ".join(methods_sentences(review, software_versions())))]),
    ]


def manuscript_of(review: Review, figures: Sequence[Numbered]) -> bytes:
    """Return the Word document, the same bytes each time."""
    from docx.enum.section import WD_SECTION
    from docx.shared import Pt

    document = word_document(review.config.title)
    turn(document, landscape=False)
    document.add_heading(review.config.title, level=0)
    for head, paragraphs in texts(review):
        document.add_heading(head, level=1)
        for text in paragraphs:
            document.add_paragraph().add_run(text).font.size = Pt(10)
    parts = [(numbered(str(number), table), table, True)
             for number, table in enumerate(paper_tables(review), start=1)]  # fmt: skip
    lists = (prisma_table(review, figures), swim_table(review, figures))
    parts += [(table.title, table, False) for table in lists]
    for title, table, landscape in parts:
        document.add_section(WD_SECTION.NEW_PAGE)
        turn(document, landscape=landscape)
        document.add_heading(title, level=1)
        if table.rows:
            add_table(document, table)
        else:
            document.add_paragraph("No planned analysis has an effect estimate.")
    return undated(document.save)


POINT = 72 / 25.4
"""Points of a millimetre."""
WIDTH, HEIGHT = (210 - 2 * MARGIN) * POINT, 240 * POINT
"""Room of a drawing on an upright page below its title and caption, points."""
PAGE = f'#set page("a4", flipped: {{}}, margin: {MARGIN}mm, numbering: "1")'
STYLE = (
    "#show heading: set block(above: 1.2em, below: 0.6em)\n"
    "#show heading.where(level: 1): set text(size: 13pt)\n"
    "#show heading.where(level: 2): set text(size: 9pt)\n"
    "#show title: set text(size: 17pt)"
)


def supplement_of(review: Review, figures: Sequence[Numbered]) -> bytes:
    """Return the PDF with a list of contents and page numbers, the same bytes each time."""
    title = f"{review.config.title}: supplement"
    paper = [figure for figure in figures if not figure.number.startswith("S")]
    parts = [
        f"#set document(title: {quoted(title)}, date: none)", PAGE.format("false"), TYPST_TEXT,
        STYLE, '#title()\n#outline(title: "Contents", depth: 2)', PAGE.format("true"),
        _heading(1, "Tables"), *_tables(review), PAGE.format("false"),
    ]  # fmt: skip
    inputs: dict[str, str] = {}
    letters: set[str] = set()
    rest = [figure for figure in figures if figure not in paper]
    for head, chosen in (("Figures", paper), ("Supplementary figures", rest)):
        if chosen:
            parts += ["#pagebreak(weak: true)", _heading(1, head)]
        for figure in chosen:
            pages = {f"f{figure.number}p{n}": page for n, page in enumerate(figure.pages(), 1)}
            for name, page in pages.items():
                inputs[name] = ElementTree.tostring(page, "unicode")
                letters.update(*letters_of(page).values())
            parts.append(_figure(figure, pages))
    source = "\n".join(parts)
    return typeset(source, letters | set(source), inputs)


def _heading(level: int, text: str) -> str:
    return f"#heading(level: {level}, {quoted(text)})"


def _tables(review: Review) -> Iterator[str]:
    for number, table in enumerate(paper_tables(review), start=1):
        if table.rows:
            yield _heading(2, numbered(str(number), table))
            yield typst_of(table)


def _figure(figure: Numbered, pages: dict[str, Element]) -> str:
    """Return a figure: title and caption, which stay with its first page, then the others."""
    drawn = [_image(name, page, figure.row.alt) for name, page in pages.items()]
    head = _heading(2, f"Figure {figure.number}. {figure.title}")
    first = f"#block(breakable: false)[{head}\n#par({quoted(figure.caption)})\n{drawn[0]}]"
    return "\n".join([first, *drawn[1:]])


def _image(name: str, page: Element, alt: str) -> str:
    width, height = (float(page.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    share = min(1, WIDTH / width, HEIGHT / height)
    return (
        f'#image(bytes(sys.inputs.{name}), format: "svg", width: {width * share:.2f}pt, '
        f"alt: {quoted(alt)})"
    )
