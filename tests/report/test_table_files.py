"""The table of included studies as CSV, HTML, PDF and Word."""

import csv
import io
import re
from zipfile import ZipFile

import pypdf
import pytest
from docx import Document
from osteometa.report.table_files import Table, docx_of, html_of, pdf_of, write_table

TABLE = Table(
    title="Included <studies>", heads=("Study", "OPG"), widths=(6.0, 14.0),
    rows=(("Aerobic", ("Ada 2001", "▲ 0.5")), ("Aerobic", ("Bo & Cy 2002", 'a "word" #x')),
          ("Other", ("Di 2003", "↔"))),
    note="▲ higher.",
)  # fmt: skip


def test_every_document_has_the_same_bytes_twice(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_table(TABLE, tmp_path / folder / "table")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["table.csv", "table.docx", "table.html", "table.pdf"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    with (tmp_path / "one/table.csv").open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines)) == [
            ["group", *TABLE.heads], *([heading, *cells] for heading, cells in TABLE.rows),
        ]  # fmt: skip


def test_word_has_a_real_table_whose_head_is_repeated():
    document = Document(io.BytesIO(docx_of(TABLE)))
    (table,) = document.tables
    found = [list(dict.fromkeys(cell.text for cell in row.cells)) for row in table.rows]
    assert found == [
        ["Study", "OPG"], ["Aerobic"], ["Ada 2001", "▲ 0.5"], ["Bo & Cy 2002", 'a "word" #x'],
        ["Other"], ["Di 2003", "↔"],
    ]  # fmt: skip
    repeated = [bool(row._tr.xpath("./w:trPr/w:tblHeader")) for row in table.rows]
    assert repeated == [True] + [False] * 5
    section = document.sections[0]
    assert section.page_width > section.page_height
    assert TABLE.note in [paragraph.text for paragraph in document.paragraphs]


def test_word_has_no_time_of_its_making():
    with ZipFile(io.BytesIO(docx_of(TABLE))) as parts:
        assert {item.date_time for item in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        texts = [parts.read(item).decode("utf-8") for item in parts.infolist()
                 if item.filename.endswith((".xml", ".rels"))]  # fmt: skip
    years = {year for text in texts for year in re.findall(r"\b(20[2-9]\d)-\d\d-\d\d", text)}
    assert years == set(), "dates of the blank document alone, which are older"


def test_the_pdf_is_tagged_and_its_text_is_that_of_the_table():
    file = pypdf.PdfReader(io.BytesIO(pdf_of(TABLE)))
    assert "/StructTreeRoot" in file.trailer["/Root"]
    assert file.metadata.title == TABLE.title
    assert file.metadata.creation_date is None and file.metadata.modification_date is None
    text = " ".join(page.extract_text() for page in file.pages)
    for words in (TABLE.title, TABLE.note, *(c for _, cells in TABLE.rows for c in cells)):
        assert words in text


def test_the_page_needs_nothing_from_elsewhere():
    page = html_of(TABLE)
    assert not re.search(r"https?://|<script|<img|@import|url\(", page)
    assert not re.findall(r'(?:href|src)="(?!data:,|#)', page)
    assert "<h1>Included &lt;studies&gt;</h1>" in page and "Bo &amp; Cy 2002" in page
    assert page.count('<th scope="col">') == 2 and page.count('<th scope="rowgroup"') == 2


@pytest.mark.slow
def test_the_documents_of_the_shipped_review_have_every_study(included_page):
    labels = [cells[0] for _, cells in included_page.rows]
    text = " ".join(
        page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf_of(included_page))).pages
    )
    letters = re.sub(r"\s|-", "", text)
    assert [label for label in labels if re.sub(r"\s|-", "", label) not in letters] == []
    (table,) = Document(io.BytesIO(docx_of(included_page))).tables
    first = {row.cells[0].text for row in table.rows}
    assert set(labels) <= first
    assert len(table.rows) == 1 + len(labels) + len(included_page.groups)
