"""A workbook of the tables, filled in elsewhere and brought back."""

import csv
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
from builders import ROOT, copied, output_of
from osteometa.exchange.choices import choice_of
from osteometa.exchange.differences import differences, read_sheets, write_sheets
from osteometa.exchange.reading import read_workbook
from osteometa.extraction.tables import ROWS, Arm, Contrast, Measurement
from osteometa.io.sheet import sheet_of
from osteometa.protocol.config import load_config
from osteometa.validation.review import check_review

pytestmark = pytest.mark.slow

REVIEWS = sorted(path.name for path in (ROOT / "tests/reviews").iterdir())


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A copy of the shipped review's input, with its workbook; not to be changed."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(ROOT / "data/raw", folder / "data/raw")
    shutil.copy(ROOT / "config.yaml", folder)
    return folder


def workbook(review, capsys):
    """The workbook of a review."""
    path = review / "review.xlsx"
    assert output_of(capsys, "workbook", review, "--out", path)[0] == 0
    return path


def raw(review):
    return {path.name: path.read_bytes() for path in (review / "data/raw").glob("*.csv")}


def edited(path, sheet, cell, value):
    """Change one cell of a workbook, as a person who types text."""
    book = openpyxl.load_workbook(path)
    book[sheet][cell] = value
    book.save(path)


def cell_of(path, sheet, column, row):
    """The name of a cell, by its column's head."""
    heads = [str(cell.value).split()[0] for cell in openpyxl.load_workbook(path)[sheet][1]]
    return f"{openpyxl.utils.get_column_letter(heads.index(column) + 1)}{row}"


@pytest.mark.parametrize("name", REVIEWS)
def test_a_round_trip_changes_no_byte(name, tmp_path, capsys):
    review = copied(name, tmp_path / "review")
    path, before = workbook(review, capsys), raw(review)
    status, out, _ = output_of(capsys, "import", path, review)
    assert status == 0 and out.startswith("No cell differs.")
    assert raw(review) == before


@pytest.mark.slow
def test_a_round_trip_of_the_shipped_review_keeps_every_cell(shipped, capsys):
    path = workbook(shipped, capsys)
    sheets, problems = read_workbook(path)
    assert problems == [] and set(sheets) == {model.table for model in ROWS}
    assert differences(read_sheets(shipped / "data/raw"), sheets) == ()
    before = raw(shipped)
    assert output_of(capsys, "import", path, shipped, "--yes")[0] == 0
    assert raw(shipped) == before


def test_the_same_tables_give_the_same_bytes(small, capsys):
    first = workbook(small, capsys).read_bytes()
    assert first == workbook(small, capsys).read_bytes()


def test_cells_are_text_heads_locked_and_needed_columns_named(small, capsys):
    path = workbook(small, capsys)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["how to", *(model.table for model in ROWS), "lists"]
    for model in ROWS:
        sheet = book[model.table]
        needed = model.model_json_schema().get("required", ())
        for name, head in zip(model.columns(), sheet[1], strict=True):
            assert head.value == (f"{name}\nneeded" if name in needed else name)
            assert head.protection.locked and model.model_fields[name].description in (
                head.comment.text
            )
        assert {cell.number_format for line in sheet.iter_rows() for cell in line} == {"@"}
        assert not any(cell.protection.locked for line in sheet.iter_rows(2) for cell in line)
        assert all(style.number_format == "@" for style in sheet.column_dimensions.values())
        assert sheet.protection.sheet and sheet.freeze_panes and sheet.auto_filter.ref


def test_lists_offer_the_words_of_models_config_and_other_sheets():
    config = load_config(ROOT / "tests/reviews/small/config.yaml")
    assert choice_of(Arm, "role", config).words == ("exercise", "control")
    assert choice_of(Arm, "role", config).only
    outcomes = choice_of(Measurement, "outcome", config)
    assert set(config.outcomes) < set(outcomes.words) and not outcomes.only
    assert choice_of(Contrast, "arm_id", config).rows_of == "arms"
    assert choice_of(Measurement, "mean", config) is None


@pytest.mark.parametrize("text", ["007", "1-2", "0.10", "=1+1", "+- 3", "'tis", 'Ä; "b", c'])
def test_texts_that_spreadsheets_change_stay(text, small, capsys):
    path = small / "data/raw/studies.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    book = workbook(small, capsys)
    edited(book, "studies", "D2", "start")
    assert output_of(capsys, "import", book, small, "--yes")[0] == 0
    opened = openpyxl.load_workbook(book)
    opened["studies"]["D2"].value = text
    opened["studies"]["D2"].data_type = "s"
    opened.save(book)
    status, out, _ = output_of(capsys, "import", book, small, "--yes")
    assert (status, "title: 'start' -> " in out) == (0, True)
    assert read_sheets(small / "data/raw")["studies"].rows[0][1][3] == text
    assert path.read_text(encoding="utf-8").splitlines(keepends=True)[2:] == lines[2:]
    again = workbook(small, capsys)
    assert output_of(capsys, "import", again, small)[1].startswith("No cell differs.")


def test_changes_are_shown_and_written_alone(small, capsys):
    book, before = workbook(small, capsys), raw(small)
    place = cell_of(book, "measurements", "source", 2)
    edited(book, "measurements", place, "Table 9")
    opened = openpyxl.load_workbook(book)
    opened["studies"].append(["new_2020", "New 2020", "2020", *[""] * 4, "rct"])
    heads = [str(cell.value).split()[0] for cell in opened["studies"][1]]
    opened["studies"].cell(opened["studies"].max_row, heads.index("include") + 1).value = "yes"
    opened.save(book)
    status, out, _ = output_of(capsys, "import", book, small)
    assert status == 1 and "Nothing was written." in out and raw(small) == before
    assert "  added    new_2020\n" in out and "source: " in out and "-> 'Table 9'" in out
    assert output_of(capsys, "import", book, small, "--yes")[0] == 0
    after = raw(small)
    assert {name for name in after if after[name] != before[name]} == {
        "measurements.csv", "studies.csv",
    }  # fmt: skip
    old, new = (text["measurements.csv"].splitlines() for text in (before, after))
    assert [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [1]
    assert after["studies.csv"].startswith(before["studies.csv"])


def test_a_european_table_keeps_its_values(small, capsys):
    path = small / "data/raw/measurements.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, delimiter=";").writerows(
            [[cell.replace(".", ",") if cell.lstrip("-")[:1].isdigit() else cell for cell in row]
             for row in rows]
        )  # fmt: skip
    before = check_review(small).tables
    book = workbook(small, capsys)
    place = cell_of(book, "measurements", "note", 2)
    edited(book, "measurements", place, "a remark")
    assert output_of(capsys, "import", book, small, "--yes")[0] == 0
    after = check_review(small).tables
    assert after.measurements[0].note == "a remark"
    assert after.measurements[1:] == before.measurements[1:]


def test_a_removed_row_and_an_order_that_differs(small, capsys):
    book, before = workbook(small, capsys), raw(small)
    opened = openpyxl.load_workbook(book)
    sheet = opened["directions"]
    rows = [[cell.value for cell in line] for line in sheet.iter_rows(2)]
    for number, row in enumerate(reversed(rows[1:]), start=2):
        for place, value in enumerate(row, start=1):
            sheet.cell(number, place).value = value
    sheet.delete_rows(len(rows) + 1)
    opened.save(book)
    status, out, _ = output_of(capsys, "import", book, small, "--yes")
    assert status == 0 and out.startswith("directions.csv: 1 row removed\n")
    assert "If the tables have changed since the file was written, write a new one." in out
    lines = before["directions.csv"].splitlines()
    assert raw(small)["directions.csv"].splitlines() == [lines[0], *lines[2:]]


@pytest.mark.parametrize(
    ("sheet", "column", "value", "said"),
    [
        ("measurements", "mean", "abc", "'abc' is not a number"),
        ("measurements", "arm_id", "nobody", "Arm 'nobody' of study"),
        ("arms", "role", "exercises", "Did you mean 'exercise'?"),
        ("measurements", "mean", "=1+1", "The cell holds a formula."),
        ("measurements", "timepoint", "", "timepoint must not be empty"),
    ],
)
def test_problems_are_stated_at_their_cells_and_nothing_is_written(
    sheet, column, value, said, small, capsys
):
    book, before = workbook(small, capsys), raw(small)
    place = cell_of(book, sheet, column, 3)
    edited(book, sheet, place, value)
    status, out, _ = output_of(capsys, "import", book, small, "--yes")
    assert status == 1 and raw(small) == before
    assert f"review.xlsx, sheet '{sheet}'\n" in out
    assert f"cell {place}, study " in out and said in out
    assert out.count(f"cell {place},") == 1


def test_numbers_that_are_no_text_are_read_with_a_note(small, capsys):
    book = workbook(small, capsys)
    place = cell_of(book, "measurements", "mean", 2)
    edited(book, "measurements", place, 0.75)
    out = output_of(capsys, "import", book, small)[1]
    assert "-> '0.75'" in out and f"N002 cell {place}" in out


@pytest.mark.parametrize(("value", "kind", "said"), [
    (2.0, "General", "Numbers, not text, in 1 cell of the column"),
    (0.055, "0.0%", "The cell holds a percentage"),
    (5.5, '0.0"%"', "Numbers, not text, in 1 cell of the column"),
])  # fmt: skip
def test_typed_numbers_and_percentages_are_stated(value, kind, said, small, capsys):
    book = workbook(small, capsys)
    place = cell_of(book, "measurements", "mean", 2)
    opened = openpyxl.load_workbook(book)
    opened["measurements"][place].value = value
    opened["measurements"][place].number_format = kind
    opened.save(book)
    assert said in output_of(capsys, "import", book, small)[1]


def test_a_renamed_sheet_is_a_problem(small, capsys):
    book, before = workbook(small, capsys), raw(small)
    opened = openpyxl.load_workbook(book)
    opened["studies"]["C2"] = "1999"
    opened["studies"].title = "Studies 2"
    opened.save(book)
    status, out, _ = output_of(capsys, "import", book, small, "--yes")
    assert status == 1 and raw(small) == before
    assert "sheet 'Studies 2'" in out and "no sheet has: studies)" in out


@pytest.mark.parametrize(("method", "said"), [
    ("insert_cols", "Sheet 'measurements': column A has no head in row 1"),
    ("insert_rows", "Sheet 'measurements': "),
])  # fmt: skip
def test_heads_that_have_moved_are_refused(method, said, small, capsys):
    book = workbook(small, capsys)
    opened = openpyxl.load_workbook(book)
    getattr(opened["measurements"], method)(1)
    if method == "insert_rows":
        opened["measurements"]["A1"] = "Title"
        said += "row 1 lacks study_id"
    opened.save(book)
    status, out, err = output_of(capsys, "import", book, small, "--yes")
    assert (status, out) == (2, "") and said in err


def test_a_head_is_read_whole(small, capsys):
    book = workbook(small, capsys)
    opened = openpyxl.load_workbook(book)
    sheet = opened["measurements"]
    place = sheet.max_column + 1
    sheet.cell(1, place).value, sheet.cell(2, place).value = "mean (ITT)", "3"
    opened.save(book)
    assert read_workbook(book)[0]["measurements"].header[-1] == "mean (ITT)"


def test_a_file_that_is_no_workbook_is_refused(small, tmp_path, capsys):
    path = tmp_path / "x.xlsx"
    path.write_text("no workbook")
    status, _, err = output_of(capsys, "import", path, small)
    assert status == 2 and "no Excel workbook" in err


def test_all_tables_are_written_or_none(small, monkeypatch):
    before, folder = raw(small), small / "data/raw"
    new = {name: sheet for name, sheet in read_sheets(folder).items() if name in FILLED}
    new = {name: sheet_of([sheet.header, *(row for _, row in sheet.rows[1:])])
           for name, sheet in new.items()}  # fmt: skip
    replace = type(small).replace

    def failing(self, target):
        if target.name == "measurements.csv":
            raise OSError("disk full")
        return replace(self, target)

    monkeypatch.setattr(type(small), "replace", failing)
    with pytest.raises(OSError, match="disk full"):
        write_sheets(folder, new)
    assert raw(small) == before
    assert not list(folder.glob(".*"))


FILLED = ("studies", "measurements")


MACRO = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1"
 script:language="StarBasic">
Sub Edit(source, target, sheet, place, text)
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden"
  hidden(0).Value = True
  book = StarDesktop.loadComponentFromURL(ConvertToURL(source), "_blank", 0, hidden())
  book.Sheets.getByName(sheet).getCellRangeByName(place).setString(text)
  Dim kind(0) As New com.sun.star.beans.PropertyValue
  kind(0).Name = "FilterName"
  kind(0).Value = "Calc MS Excel 2007 XML"
  book.storeToURL(ConvertToURL(target), kind())
  book.close(True)
End Sub
</script:module>
"""


def by_libreoffice(folder, source, target, sheet, place, text):
    """Open a workbook in LibreOffice Calc, type one cell, and save it under another name."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    call = [office, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    probe = folder / "probe.csv"
    probe.write_text("a\n1\n", encoding="utf-8")
    convert = [*call, "--convert-to", "xlsx", "--outdir", str(folder), str(probe)]
    subprocess.run(convert, capture_output=True, check=False, timeout=100)
    if not (folder / "probe.xlsx").exists():
        pytest.skip("LibreOffice opens no spreadsheets here: its part Calc is not installed")
    module = folder / "profile/user/basic/Standard/Module1.xba"
    module.write_text(MACRO, encoding="utf-8")
    words = ",".join(f'"{word}"' for word in (source, target, sheet, place, text))
    macro = f"macro:///Standard.Module1.Edit({words})"
    subprocess.run([*call, macro], capture_output=True, check=True, timeout=100)
    return target


@pytest.mark.slow
def test_libreoffice_edits_one_cell_and_no_other(tmp_path, capsys):
    review = tmp_path / "review"
    shutil.copytree(ROOT / "data/raw", review / "data/raw")
    shutil.copy(ROOT / "config.yaml", review)
    book, before = workbook(review, capsys), raw(review)
    place = cell_of(book, "studies", "title", 3)
    saved = by_libreoffice(tmp_path, book, tmp_path / "saved.xlsx", "studies", place, "007")
    with zipfile.ZipFile(saved) as archive:
        assert b"LibreOffice" in archive.read("docProps/app.xml")
        # The lists and the locked heads are still there.
        sheet = archive.read("xl/worksheets/sheet3.xml").decode()
    assert "<dataValidation " in sheet and "<sheetProtection " in sheet
    status, out, _ = output_of(capsys, "import", saved, review, "--yes")
    assert status == 0 and out.startswith("studies.csv: 1 cell changed\n")
    after = raw(review)
    assert {name for name in after if after[name] != before[name]} == {"studies.csv"}
    old, new = (text["studies.csv"].splitlines() for text in (before, after))
    assert [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [2]
    assert b",007," in new[2] and new[2].replace(b",007,", b",,") == old[2]


def test_a_workbook_with_cells_that_are_not_in_the_tables_is_not_replaced(small, capsys):
    path = workbook(small, capsys)
    workbook(small, capsys)  # over the same cells
    edited(path, "studies", "B2", "Another label")
    before = path.read_bytes()
    status, _, err = output_of(capsys, "workbook", small, "--out", path)
    assert status == 2 and "differs from the tables. Import it or delete it first" in err
    assert path.read_bytes() == before
    other = path.with_name("other.xlsx")
    other.write_bytes(b"of someone else")
    status, _, err = output_of(capsys, "workbook", small, "--out", other)
    assert status == 2 and "holds no tables of a review" in err
