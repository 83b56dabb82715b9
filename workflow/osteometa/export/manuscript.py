"""The Word document of the paper: methods, tables and checklists, as real tables."""

from __future__ import annotations

from collections.abc import Sequence

from osteometa.export.checklists import prisma_table, swim_table
from osteometa.export.evidence import findings_table, grade_table
from osteometa.export.figures import Numbered
from osteometa.io.undated import undated
from osteometa.report.answers import answers, question
from osteometa.report.findings import Review
from osteometa.report.included_studies import included_studies, included_table
from osteometa.report.methods import methods_sentences, software_versions
from osteometa.report.table_files import Table, add_table, turn, word_document
from osteometa.wording.numbers import unbroken


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
