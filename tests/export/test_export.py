"""What authors hand in: Word, workbook and figures of a finished run."""

import csv
import io
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pypdf
import pytest
from builders import ROOT, output_of
from docx import Document
from openpyxl import load_workbook
from osteometa.cli import main
from osteometa.exchange.references import read_references
from osteometa.export.checklists import PRISMA, SWIM, flow_words
from osteometa.export.workbook import Sheet, workbook_of
from osteometa.extraction.judgements import Prisma
from osteometa.io.csv_records import read_rows
from PIL import Image

SPINE = "bmd_lumbar_spine_training_controlled"


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory):
    """What the command writes, twice."""
    folders = [tmp_path_factory.mktemp(name) / "out" for name in ("one", "two")]
    for folder in folders:
        assert main_of(finished, "--to", folder, "--format", "pdf,tiff") == 0
    return folders


def main_of(*words):
    return main(["export", *map(str, words)])


def rows_of(table):
    """The cells of a Word table; merged cells once."""
    return [list(dict.fromkeys(cell.text for cell in row.cells)) for row in table.rows]


def table_below(document, heading):
    """The first table after a heading."""
    body = list(document.element.body)
    start = next(n for n, part in enumerate(body) if heading in "".join(part.itertext()))
    element = next(part for part in body[start:] if part.tag.endswith("}tbl"))
    return next(table for table in document.tables if table._tbl is element)


@pytest.mark.slow
def test_every_file_has_the_same_bytes_twice(exported):
    one, two = ({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
                for folder in exported)  # fmt: skip
    assert one == two
    assert {str(name) for name in one} >= {
        "manuscript.docx", "supplement.pdf", "tables.xlsx", "figures/figures.csv",
        "references.ris", "references.bib",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ris", "bib"])
def test_references_are_those_of_the_included_studies(exported, finished, kind):
    found = read_references(exported[0] / f"references.{kind}")
    with (finished / "data/raw/studies.csv").open(encoding="utf-8") as lines:
        included = [row for row in csv.DictReader(lines) if row["include"] == "yes"]
    assert [(one.title, one.year) for one in found] == [
        (row["title"], row["year"]) for row in included
    ]


@pytest.mark.slow
def test_word_has_judgements_as_entered_and_facts_beside_them(exported):
    document = Document(exported[0] / "manuscript.docx")
    table = table_below(document, "Certainty of evidence by domain")
    head, *rows = [[cell.text for cell in row.cells] for row in table.rows]
    spine = next(row for row in rows if row[0] == "BMD at the lumbar spine")
    cells = dict(zip(head, spine, strict=True))
    assert cells["Imprecision"].startswith("serious: few participants.\nFacts: ")
    assert "the null value" in cells["Imprecision"]
    assert "smallest effect of interest" in cells["Imprecision"]
    assert cells["Inconsistency"].startswith("not assessed.\nFacts: I² = ")
    assert cells["Risk of bias"] == cells["Publication bias"] == "not assessed"
    assert cells["Certainty"] == "low (made)"
    for other in (row for row in rows if row[0] != spine[0] and len(set(row)) > 1):
        assert other[-1] == "not assessed", "no grade is proposed"


@pytest.mark.slow
def test_checklists_have_all_items_and_what_the_record_says(exported):
    document = Document(exported[0] / "manuscript.docx")
    for heading, items, size in (("PRISMA 2020", PRISMA, 42), ("SWiM", SWIM, 9)):
        wanted = [number for members in items.values() for number in members]
        rows = rows_of(table_below(document, f"{heading} checklist"))
        assert [row[0] for row in rows[1:] if len(row) > 1] == wanted
        assert len(wanted) == size
    cells = {row.cells[0].text: [c.text for c in row.cells]
             for row in table_below(document, "PRISMA 2020").rows}  # fmt: skip
    assert "REML" in cells["13d"][2] and "Hartung-Knapp" in cells["13d"][2]
    assert "screened: 80" in cells["16a"][2] and cells["16a"][3] == "Figure 1"
    assert cells["25"][2:] == ["", "for the authors"]
    for item, words in (
        ("13a", "Planned analyses: "), ("17", "Included studies: "),
        ("20b", "Analyses with an effect estimate: "), ("21", "Studies with missing cells "),
    ):  # fmt: skip
        assert cells[item][2].startswith(words)


def test_counts_of_other_methods_are_named_as_such():
    rows = [Prisma(box=box, n=n, row=2) for box, n in (("sought", "9"), ("sought_other", "3"))]
    assert flow_words(SimpleNamespace(tables=SimpleNamespace(prisma=rows))) == (
        "reports sought for retrieval: 9; other methods, reports sought for retrieval: 3."
    )


@pytest.mark.slow
def test_word_repeats_the_heads_of_its_tables(exported):
    document = Document(exported[0] / "manuscript.docx")
    assert len(document.tables) == 5
    for table in document.tables:
        assert table.rows[0]._tr.xpath("./w:trPr/w:tblHeader")
        assert all(
            row._tr.xpath("./w:trPr/w:cantSplit")
            for row in table.rows
            if len({cell.text for cell in row.cells}) > 1
        )


@pytest.mark.slow
def test_the_workbook_has_every_result_table_with_numbers_as_numbers(finished, exported):
    book = load_workbook(exported[0] / "tables.xlsx")
    contents = {row[0]: row for row in book["contents"].iter_rows(min_row=7, values_only=True)}
    assert list(contents) == book.sheetnames[1:]
    assert all(row[3].strip() for row in contents.values())
    written = {
        path.stem for path in finished.glob("results/**/*.csv") if path.parent.name != "figures"
    }
    assert written - {"manifest"} <= set(book.sheetnames)
    _, *rows = book["pooled"].iter_rows(values_only=True)
    head, *lines = read_rows(finished / "results" / SPINE / "pooled.csv")
    place = head.index("estimate")
    found = [row[place] for row in rows if row[0] == SPINE]
    assert found == [float(line[place]) if line[place] else None for line in lines]
    for page in book.worksheets[1:]:
        assert page.freeze_panes == "B2" and page.auto_filter.ref
        assert not [c for row in page.iter_rows() for c in row if c.data_type == "f"]


def test_text_that_looks_like_a_formula_stays_text():
    sheet = Sheet(
        name="x", files="x.csv", explanation="Made.", columns=("label", "k"),
        numeric=frozenset({"k"}), rows=[["=1+1", "2"], ["-3", ""]],
    )  # fmt: skip
    page = load_workbook(io.BytesIO(workbook_of([sheet], "=title")))["x"]
    assert [[(c.value, c.data_type) for c in row] for row in page.iter_rows(min_row=2)] == [
        [("=1+1", "s"), (2, "n")], [("-3", "s"), (None, "n")],
    ]  # fmt: skip


@pytest.mark.slow
def test_figures_are_named_and_listed_as_a_journal_wants(finished, exported):
    folder = exported[0] / "figures"
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as lines:
        listed = list(csv.DictReader(lines))
    assert {row["file"] for row in listed} == {p.name for p in folder.iterdir()} - {"figures.csv"}
    first = next(row for row in listed if row["file"] == "Figure_1.pdf")
    assert (first["figure"], first["caption"][:15]) == ("prisma", "Flow of studies")
    with Image.open(folder / "Figure_1.tiff") as image:
        assert image.info["dpi"] == (600, 600)
    made = finished / "results" / SPINE / "figures/forest.pdf"
    (own,) = [r for r in listed if r["figure"] == "forest" and r["synthesis"] == SPINE
              and r["file"].endswith("pdf")]  # fmt: skip
    assert (folder / own["file"]).read_bytes() == made.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice, which opens them, is missing")
@pytest.mark.parametrize(
    ("name", "ending", "part", "words"),
    [
        ("manuscript.docx", "pdf", "libswlo.so", ["Summary of findings", "SWiM checklist"]),
        ("tables.xlsx", "csv", "libsclo.so", ["One pooled model: a row of pooled.csv."]),
    ],
)
def test_libreoffice_opens_word_and_workbook(exported, tmp_path, name, ending, part, words):
    office = shutil.which("soffice")
    if not (Path(office).resolve().parent / part).exists():
        pytest.skip(f"LibreOffice is installed without its part for {name}")
    subprocess.run(
        [office, f"-env:UserInstallation={(tmp_path / 'user').as_uri()}", "--headless",
         "--convert-to", ending, "--outdir", tmp_path, exported[0] / name],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    made = (tmp_path / name).with_suffix(f".{ending}")
    text = made.read_text("utf-8") if ending == "csv" else text_of(made)
    assert [word for word in words if word not in text] == []


@pytest.mark.slow
def test_the_supplement_has_every_figure_with_its_caption_and_is_tagged(exported):
    file = pypdf.PdfReader(exported[0] / "supplement.pdf")
    assert "/StructTreeRoot" in file.trailer["/Root"] and file.metadata.creation_date is None
    text = text_of(exported[0] / "supplement.pdf")
    _, *listed = read_rows(exported[0] / "figures/figures.csv")
    for _, number, _, _, title, caption in listed:
        for words in (f"Figure {number}. {title}", caption):
            assert " ".join(words.split()) in text
    titles = [item.title for part in file.outline if isinstance(part, list) for item in part]
    assert titles[:3] == [
        "Table 1. Summary of findings", "Table 2. Certainty of evidence by domain (GRADE)",
        "Table 3. Included studies",
    ]  # fmt: skip
    assert [int(page.extract_text().split()[-1]) for page in file.pages] == [
        number + 1 for number in range(len(file.pages))
    ]


def text_of(path):
    """The text of a PDF, each run of blanks as one."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())


@pytest.mark.slow
def test_a_run_that_is_not_current_is_refused(finished, tmp_path, capsys):
    folder = shutil.copytree(finished, tmp_path / "review")
    changed = "changed since the last run: {}"
    for name, added, said in (
        (f"results/{SPINE}/pooled.csv", "x", changed), ("data/raw/grade.csv", "x", changed),
        ("config.yaml", "\npooling: {method: DL}\n", "the last run had other settings"),
    ):  # fmt: skip
        before = (folder / name).read_text("utf-8")
        without = re.sub(r"^pooling:.*\n(?: .*\n)*", "", before, flags=re.MULTILINE)
        (folder / name).write_text(without + added, "utf-8")
        status, out, error = output_of(capsys, "export", folder)
        assert (status, out) == (1, "") and said.format(name) in error
        (folder / name).write_text(before, "utf-8")
    (folder / "results/manifest.csv").unlink()
    status, _, error = output_of(capsys, "export", folder)
    assert status == 1 and "has no finished run" in error and not (folder / "export").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--format", "eps"), "no format 'eps'"), (("--figures", "Figure"), "{n}"),
     (("--figures", "a/{n}"), "{n}")],
)  # fmt: skip
def test_wrong_options_are_refused(small, capsys, words, said):
    status, _, error = output_of(capsys, "export", small, *words)
    assert status == 2 and said in error


def test_a_folder_without_a_review_is_refused(tmp_path, capsys):
    status, _, error = output_of(capsys, "export", tmp_path)
    assert status == 2 and "contains no config.yaml" in error


@pytest.mark.slow
def test_the_how_to_page_does_what_it_says(finished, tmp_path, monkeypatch, capsys):
    shutil.copytree(finished, tmp_path / "my_review")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/howto/hand_in.md").read_text("utf-8")
    lines = [line.strip() for line in page.splitlines()]
    calls = [
        shlex.split(line)[1:] for line in lines if re.match("osteometa (export|archive)", line)
    ]
    assert len(calls) == 3
    for words in calls:
        assert output_of(capsys, *words)[0] == 0
    files = re.findall(r"^\| `([\w./]+)` \|", page, re.MULTILINE)
    assert files and all(Path("my_review/export", name).exists() for name in files)
    assert Path("submission/figures/Fig1.tiff").exists() and Path("my_review/archive.zip").exists()
