"""Links, tables and examples of README, CONTRIBUTING, CHANGELOG and docs/ are in order."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import ROOT, append, checked
from osteometa.cli import COMMANDS, main

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
every_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def text_of(page):
    return page.read_text(encoding="utf-8")


def prose(page):
    """The text of a page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def blocks(page, language):
    return [body for name, body in FENCE.findall(text_of(page)) if name == language]


def anchors(page):
    """Anchors of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page):
    """Yield links of a page whose file or heading does not exist."""
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target


@every_page
def test_links_lead_to_files_and_headings(page):
    assert list(broken(page)) == []


@every_page
def test_every_line_of_a_table_belongs_to_a_table(page):
    for part in re.findall(r"(?:^\|.*\n?)+", prose(page), flags=re.MULTILINE):
        lines = part.strip().splitlines()
        columns = {len(re.split(r"(?<!\\)\|", line)) for line in lines}
        assert len(lines) > 2 and re.fullmatch(r"[|:\- ]+", lines[1]), lines[0]
        assert len(columns) == 1, lines[0]


@every_page
def test_prose_uses_the_terms_of_the_glossary(page):
    words = re.sub(r"`[^`]*`", "", prose(page))
    found = re.findall(
        r"\b(?:print(?:s|ed)|rungs?|ladders?|witness\w*|doubt\w*|votes?|speaks?|told|what-if)\b",
        words,
    )
    assert found == []


def test_a_table_cut_by_an_empty_line_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        test_every_line_of_a_table_belongs_to_a_table(page)


def test_broken_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](#a-b) [y](#c) [z](none.md) [w](page.md#a-b)\n", encoding="utf-8")
    assert list(broken(page)) == ["#c", "none.md"]


def test_sections_of_the_methods_that_are_cited_exist():
    methods = "\n".join(text_of(page) for page in PAGES if page.parent.name == "methods")
    there = set(re.findall(r"^#+ (M\d+(?:\.\d+)?) ", methods, flags=re.MULTILINE))
    there |= {f"M11.{number}" for number in re.findall(r"^\| (\d+) \|", methods, re.MULTILINE)}
    sources = [*PAGES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")]
    cited = {
        (path.name, section)
        for path in sources
        for section in re.findall(r"\bM1?\d\.\d+\b", text_of(path))
    }
    assert len(cited) > 30
    assert sorted((name, section) for name, section in cited if section not in there) == []


def test_publications_that_the_methods_cite_are_in_the_sources():
    sources = text_of(ROOT / "docs/methods/m13_sources.md")
    name = r"[A-ZÖ][\w\-öø]+"
    citation = re.compile(rf"({name})(?:,? (?:and )?{name})*(?: et al)?,? \(?((?:19|20)\d\d)\)?")
    pages = [p for p in PAGES if p.parent.name == "methods" and "m13" not in p.name]
    cited = {found for page in pages for found in citation.findall(prose(page).replace("\n", " "))}
    cited -= {("PRISMA", "2020"), ("Report", "2020")}
    assert len(cited) > 50
    missing = [
        c for c in cited if not re.search(rf"^- {c[0]}\b.*\({c[1]}\)", sources, re.MULTILINE)
    ]
    assert missing == []


def commands():
    """Calls of osteometa in blocks of code and between backticks, with their page."""
    for page in PAGES:
        code = [body for _, body in FENCE.findall(text_of(page))]
        code += re.findall(r"`(osteometa [^`]+)`", prose(page).replace("\n", " "))
        for line in re.findall(r"(?:^|/)(osteometa [a-z].*)$", "\n".join(code), re.MULTILINE):
            yield pytest.param(line.partition(" #")[0], id=f"{page.name}: {line[:40]}")


@pytest.mark.parametrize("line", list(commands()))
def test_commands_have_the_options_that_are_named(line, monkeypatch, capsys):
    words = shlex.split(re.split(" > | -- ", line)[0])[1:]
    for name in COMMANDS:
        monkeypatch.setattr(f"osteometa.cli.{name}.run", lambda arguments: 0)
    words = [word if "..." not in word else "x" for word in words]
    try:
        assert main([*words, "--help"]) == 0
    except SystemExit as stop:
        assert stop.code == 0, capsys.readouterr().err
    offered = capsys.readouterr().out
    for option in [word for word in words if word.startswith("--")]:
        assert re.search(rf"{option}\b", offered), option


@pytest.fixture
def review(tmp_path):
    """A copy of the shipped review's input."""
    shutil.copytree(ROOT / "data/raw", tmp_path / "data/raw")
    shutil.copy(ROOT / "config.yaml", tmp_path)
    return tmp_path


def shell(lines, folder):
    """Run lines in a POSIX shell that finds the commands of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-eu", "-c", lines],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def rows_in(page):
    """Rows of raw tables that a tutorial shows, a column of a table each: (table, row)."""
    for part in re.findall(r"(?:^\|.*\n)+", prose(page), flags=re.MULTILINE):
        table = re.match(r"\| `(\w+)\.csv` \|", part)
        if table is None:
            continue
        lines = [line.strip().strip("|").split("|") for line in part.splitlines()]
        cells = [[cell.strip() for cell in line] for line in [lines[0], *lines[2:]]]
        for number in range(1, len(cells[0])):
            yield table[1], {line[0]: line[number] for line in cells[1:]}


FIRST_STUDY = ROOT / "docs/tutorial/first_study.md"


@pytest.mark.slow
def test_the_first_study_gives_what_the_tutorial_says(tmp_path):
    new, check, explain, run = blocks(FIRST_STUDY, "sh")
    assert "analyte bmd_areal (areal)" in done(new, tmp_path)
    for table, row in rows_in(FIRST_STUDY):
        append(tmp_path / "practice", table, row)
    assert "0 problems, 0 warnings" in done(check, tmp_path)
    stated = re.search(r"`yi` is (\d\.\d+)", text_of(FIRST_STUDY))[1]
    assert f"yi = {stated}" in done(explain, tmp_path)
    done(run, tmp_path)
    report = (tmp_path / "practice/results/report.html").read_text(encoding="utf-8")
    assert "A single study is not pooled" in " ".join(report.split())


def test_the_first_study_is_as_in_the_shipped_tables():
    """The numbers of its abstract, which another reviewer entered."""
    shipped = checked(ROOT).tables.measurements
    found = [(m.mean.text, m.sd.text, m.n) for m in shipped if
             m.study_id == "watson_2018_liftmor" and m.site == "lumbar_spine"]  # fmt: skip
    rows = [row for table, row in rows_in(FIRST_STUDY) if table == "measurements"]
    assert found == [(row["mean"], row["sd"], int(row["n"])) for row in rows]


OWN_REVIEW = ROOT / "docs/tutorial/own_review.md"


@pytest.mark.slow
def test_a_review_of_ones_own_gives_what_the_tutorial_says(tmp_path):
    """Each step runs as the page has it: the tables before a block are entered, then it runs."""
    entered = list(rows_in(OWN_REVIEW))
    folder, page = tmp_path / "my_review", " ".join(prose(OWN_REVIEW).split())
    (pooled,) = re.findall(r"pooled estimate, (SMD [^,]+, 95 % CI \S+ to [\d.]+)", page)
    first, *studies = blocks(OWN_REVIEW, "sh")
    assert "0 problems, 0 warnings" in done(first, tmp_path)
    for block, study in zip(studies, ("example_2024", "sample_2025"), strict=True):
        for table, row in entered:
            if row["study_id"] == study:
                append(folder, table, row)
        assert "0 problems, 0 warnings" in done(block, tmp_path)
        report = " ".join((folder / "results/report.html").read_text(encoding="utf-8").split())
        said = "SMD 0.41" if study == "example_2024" else pooled
        assert said in report.replace("\u00a0", " ") and said in page
        now = report.split('<section id="changes"')[0]  # what follows quotes the run before
        assert ("A single study is not pooled" in now) == (study == "example_2024")


def done(lines, folder):
    """The output of lines that must succeed."""
    result = shell(lines, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


WITH_EXAMPLES = [page for page in PAGES if blocks(page, "sh") or blocks(page, "python")]
WITH_EXAMPLES.remove(OWN_REVIEW)
WITH_EXAMPLES.remove(FIRST_STUDY)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=[page.name for page in WITH_EXAMPLES])
def test_examples_run(page, review):
    """Blocks of `sh` run in a folder with the shipped tables; those of `python` too."""
    lines = [line for body in blocks(page, "sh") for line in body.splitlines()]
    result = shell("\n".join(lines), review)
    assert result.returncode == 0, result.stderr
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        cwd=review,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
