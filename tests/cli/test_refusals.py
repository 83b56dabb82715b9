"""Refusals of commands, each by the words or the file that provokes it."""

import re
import shutil

import openpyxl
import pytest
from builders import effects_csv, output_of

RIS = "TY  - JOUR\nAU  - Smith, A\nPY  - 2001\nTI  - One\nER  - \n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compare REVIEW REVIEW --out a.csv", "the name of the file must end in .xlsx."),
        ("compare REVIEW/data/raw REVIEW/data/raw", "no config.yaml in A, in B or in this folder."),
        ("workbook REVIEW --out a.csv", "the name of the file must end in .xlsx."),
        ("archive REVIEW", "has no finished run. First: osteometa run"),
        ("archive REVIEW --date yesterday", "--date yesterday is no date such as 2026-11-30."),
        ("export REVIEW --figures Figure.pdf", "--figures needs a file name with {n}"),
        ("specifications spine --cores 0", "0 is no whole number above 0"),
        ("specifications spine --shard 3/2", "3/2 is not I/N with I from 1 to N, as 1/8"),
        (
            "new NEW --title T --outcome BMD areal_density g/cm2 areal --subgroup weeks=long",
            "'long' are no numbers. Write weeks=26,52",
        ),
        ("references none.ris REVIEW", "The file cannot be opened. Check its name."),
        ("references none.ris REVIEW --screening titles", "The file cannot be opened as UTF-8."),
        ("import none.csv REVIEW", "The file cannot be opened. Check its name."),
        ("import none.xlsx REVIEW", "There is no such file."),
    ],
)
def test_words_that_are_refused(words, said, small, capsys, monkeypatch):
    monkeypatch.chdir(small.parent)
    named = {"REVIEW": str(small), "NEW": str(small.parent / "new")}
    for name, path in named.items():
        words = words.replace(name, path)
    status, out, err = output_of(capsys, *words.split())
    assert status != 0 and said in out + err


@pytest.mark.parametrize(
    ("name", "data", "options", "said"),
    [
        ("a.ris", b"\xff\xfe", [], "The file is not UTF-8. Export it as UTF-8."),
        ("a.ris", b"no references", [], "The file holds no reference."),
        ("a.ris", RIS.encode(), ["--screening", "titles"], "No decision was found"),
        (
            "a.csv",
            b"title,asreview_label\na,1\nb,\n",
            ["--screening", "reports"],
            "1 reports have no decision. Decide, then export.",
        ),
    ],
)
def test_references_that_are_refused(name, data, options, said, small, capsys):
    (small / name).write_bytes(data)
    status, out, err = output_of(capsys, "references", small / name, small, *options)
    assert status != 0 and said in out + err


def test_an_import_that_is_refused(small, capsys):
    path = small / "a.csv"
    path.write_text('a,b\n"1,2\n', encoding="utf-8")
    status, out, err = output_of(capsys, "import", path, small, "--separator", "comma")
    assert status != 0 and "The file cannot be read as CSV" in out + err
    book = openpyxl.Workbook()
    book.active.title = "Studies"
    book.create_sheet("A 2001")
    book.save(small / "a.xlsx")
    status, out, err = output_of(capsys, "import", small / "a.xlsx", small)
    assert status != 0 and "as in Covidence's workbook with a sheet for each study" in out + err


def test_a_workbook_of_decisions_that_is_refused(small, tmp_path, capsys):
    other = shutil.copytree(small, tmp_path / "other")
    measurements = other / "data/raw/measurements.csv"
    text = measurements.read_text(encoding="utf-8")
    measurements.write_text(text.replace(",2.5,", ",2.6,", 1), encoding="utf-8")
    path = tmp_path / "decided.xlsx"
    assert output_of(capsys, "compare", small, other, "--out", path)[0] == 0
    book = openpyxl.load_workbook(path)
    for line in range(2, book["differences"].max_row + 1):
        book["differences"].cell(line, 8).value = "B"
    book.save(path)
    header = (small / "data/raw/measurements.csv").read_text(encoding="utf-8").splitlines()[0]
    (small / "data/raw/measurements.csv").write_text(f"{header}\n", encoding="utf-8")
    status, out, err = output_of(capsys, "import", path, small, "--yes")
    assert status != 0 and "has no row" in out + err
    book["differences"].cell(1, 1).value = "other"
    book.save(path)
    status, out, err = output_of(capsys, "import", path, small, "--yes")
    assert status != 0 and "The heads must be: " in out + err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("formats: [svg]", "formats: [pdf]", "svg is needed, because the report shows it."),
        ("{id: ctx_serum_training_controlled", "{id: figures", "results/figures is the folder"),
        ("all: []", "all: [HIGH_ROB]", "One entry must be `all: []`"),
        ("title:", "title: [", "This is not valid YAML"),
    ],
)
def test_settings_that_are_refused(old, new, said, small, capsys):
    config = small / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new, 1), encoding="utf-8")
    status, out, err = output_of(capsys, "check", small)
    assert status != 0 and said in out + err


def test_an_id_of_two_syntheses_and_other_encodings_are_refused(small, capsys):
    config = small / "config.yaml"
    text = config.read_text(encoding="utf-8")
    ids = re.findall(r"\{id: \w+", text)
    config.write_text(text.replace(ids[1], ids[0]), encoding="utf-8")
    assert "Two syntheses have this id. Give each its own." in output_of(capsys, "check", small)[1]
    config.write_bytes(b"title: \xff\n")
    assert "The file cannot be read as UTF-8 text." in output_of(capsys, "check", small)[1]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("9e999", "This number is too large. Enter it as reported"),
        ("1." + "2" * 60, "digits; at most"),
    ],
)
def test_numbers_that_are_refused(cell, said, small, capsys):
    path = small / "data/raw/measurements.csv"
    header, first, *rest = path.read_text(encoding="utf-8").splitlines()
    names, cells = header.split(","), first.split(",")
    cells[names.index("mean")] = cell
    path.write_text("\n".join([header, ",".join(cells), *rest, ""]), encoding="utf-8")
    status, out, _ = output_of(capsys, "check", small)
    assert status != 0 and said in out


@pytest.mark.parametrize(
    "words",
    [
        ("wanted", "--directory", "REVIEW"),
        ("references", "--out", "REVIEW/studies.ris", "REVIEW"),
    ],
)
def test_commands_name_the_problems_of_tables_that_they_read(words, small, capsys):
    path = small / "data/raw/studies.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",rct,", ",trail,", 1), encoding="utf-8")
    words = [word.replace("REVIEW", str(small)) for word in words]
    status, out, err = output_of(capsys, *words)
    assert status == 1 and "E105 row 2" in out + err and "'trail'" in out + err


def test_a_number_without_end_is_refused(tmp_path, capsys):
    path = effects_csv(tmp_path, ["a,1e999,1,"])
    assert "1e999 must be finite" in output_of(capsys, "pool", path)[2]
