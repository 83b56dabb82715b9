"""docs/results/ explains every column and code of the files of a run, and no other."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders import ROOT, cell_name, checked, copied, derived_of
from osteometa.derivation.ledger import ledger_of
from osteometa.effects.hierarchy import HIERARCHIES
from osteometa.extraction.tables import ENTERED_FLAGS, ROWS
from osteometa.io.csv_records import columns_of, texts_of
from osteometa.records.directions import DirectionEntry
from osteometa.records.effects import Effect
from osteometa.records.ledger import LedgerLine
from osteometa.wording.vocabulary import Block, Flag

PAGES = sorted((ROOT / "docs/results").glob("*.md"))
PAGE = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
METHODS = (ROOT / "docs/methods/m03_effects.md").read_text(encoding="utf-8")
PLACEHOLDER = re.compile(r"<[a-z]+>")
KEYS = {model.table: model.key for model in ROWS}


class Section:
    """One section on one kind of file: its columns and their allowed values."""

    def __init__(self, text):
        body = text.partition("\n")[2]
        named = re.match(r"\nFiles?: (.+?)\.\n\n", body, flags=re.DOTALL)
        self.files = re.findall(r"`([^`]+\.csv)`", named[1]) if named else []
        self.base = next(iter(re.findall(r"All columns of\s+`([^`]+)`, and:", body)), None)
        table = body.partition("| column | unit or values | meaning |")[2].partition("\n\n")[0]
        cells = re.findall(r"^\| `([^`]+)` \| (.+?) \| .+ \|$", table, flags=re.MULTILINE)
        assert len(cells) == table.count("\n| `")
        self.own = [name for name, _ in cells]
        self.values = {name: set(re.findall(r"`([^`]+)`", said)) for name, said in cells}


SECTIONS = [section for text in PAGE.split("\n## ")[1:] if (section := Section(text)).files]


def section_of(name):
    found = [s for s in SECTIONS for file in s.files if matches(file, name)]
    assert len(found) == 1, f"{len(found)} sections of docs/results/ are about {name}"
    return found[0]


def matches(file, name):
    return re.fullmatch(PLACEHOLDER.sub("(?!figures/)[^/]+", re.escape(file)), name) is not None


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        return list(reader.fieldnames), list(reader)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the header and rows of every table that a whole run writes, by path."""
    review = copied("small", tmp_path_factory.mktemp("run") / "review")
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "--directory", str(review)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    paths = [*(review / "data/processed").rglob("*.csv"), *(review / "results").rglob("*.csv")]
    return {str(path.relative_to(review)): rows_of(path) for path in sorted(paths)}


@pytest.fixture(scope="module")
def evidence():
    """Return the shipped tables, and what is derived from them by file."""
    outcome, derived = checked(ROOT), derived_of(ROOT)
    kinds = {
        "data/processed/effects.csv": (Effect, derived.effects),
        "data/processed/directions.csv": (DirectionEntry, derived.entries),
        "data/processed/ledger.csv": (
            LedgerLine, ledger_of(outcome.tables, derived, outcome.config),
        ),
    }  # fmt: skip
    written = {
        file: [dict(zip(columns_of(kind), cells, strict=True)) for cells in texts_of(kind, rows)]
        for file, (kind, rows) in kinds.items()
    }
    return outcome.tables, written


def documented(section, name):
    if section.base is None:
        return section.own
    table = Path(name).stem
    base = section.base.replace("<table>", table)
    if base.startswith("data/raw/"):
        raw = next(model for model in ROWS if model.table == table)
        return [*section.own, *raw.columns()]
    return [*documented(section_of(base), base), *section.own]


@pytest.mark.slow
def test_every_file_of_a_run_has_a_section_and_every_section_a_file(run):
    assert len(run) > 20
    for name in run:
        section_of(name)
    # Figures that do not apply to this small review are in the index with a reason.
    listed = {
        name.replace("figures.csv", f"{row['figure']}.csv")
        for name, (_, rows) in run.items()
        if name.endswith("figures/figures.csv")
        for row in rows
    }
    for file in (file for section in SECTIONS for file in section.files):
        assert any(matches(file, name) for name in {*run, *listed}), f"no run writes {file}"


def difference(name, header):
    """Return what the pages say of the columns of a file and the file does not, and the reverse."""
    explained = documented(section_of(name), name)
    if explained == header:
        return None
    missing, gone = [c for c in header if c not in explained], set(explained) - set(header)
    return name, f"not explained: {missing}; not in the file: {sorted(gone)}; else another order"


@pytest.mark.slow
def test_every_column_of_every_file_is_explained_in_its_order_and_no_other(run):
    found = [difference(name, header) for name, (header, _) in run.items()]
    assert not any(found), "\n".join(": ".join(words) for words in found if words)


def strays(section, rows):
    """Return words of closed columns that the page does not explain, alone or joined."""
    return {
        (name, word)
        for row in rows
        for name, stated in section.values.items()
        if stated and row[name] not in stated
        for word in re.split(r"[+/ ]", row[name])
        if word and word not in stated
    }


@pytest.mark.slow
def test_every_word_of_a_closed_column_is_explained(run, evidence):
    for name, (_, rows) in run.items():
        assert strays(section_of(name), rows) == set(), name
    for name, rows in evidence[1].items():
        assert len(rows) > 100
        assert strays(section_of(name), rows) == set(), name


def codes_under(heading):
    part = PAGE.split(f"\n## {heading}\n")[1].partition("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)


def test_every_code_is_explained_once():
    hierarchies = [order for measures in HIERARCHIES.values() for order in measures.values()]
    methods = {name for order in hierarchies for name, _ in order} - {"BASE"}
    assert sorted(codes_under("Derivation methods")) == sorted(methods)
    assert sorted(codes_under("Flags")) == sorted({*Flag, *ENTERED_FLAGS})
    assert sorted(codes_under("Blocks")) == sorted(Block)
    headings = re.findall(r"^### (\w+):", METHODS, flags=re.MULTILINE)
    assert sorted(headings) == sorted({*methods, "BASE"})


def test_the_hierarchies_have_the_order_in_which_methods_are_tried():
    for compared, measures in HIERARCHIES.items():
        for measure, hierarchy in measures.items():
            order = ", ".join(name for name, _ in hierarchy)
            assert f"| `{measure}` | {compared} | {order} |" in PAGE


def test_every_plausibility_check_is_explained():
    rules = (ROOT / "workflow/osteometa/validation").glob("*.py")
    codes = {code for path in rules for code in re.findall(r'"(W\d\d)"', path.read_text("utf-8"))}
    assert codes == set(re.findall(r"^\| `(W\d\d)` \|", PAGE, flags=re.MULTILINE))


def test_every_input_leads_to_one_filled_cell_as_the_page_says(evidence):
    tables, written = evidence
    rows = {}
    for table in ("arms", "measurements", "contrasts", "directions"):
        for row in getattr(tables, table):
            key = "/".join(str(getattr(row, name)).replace(" ", "_") for name in KEYS[table])
            rows.setdefault((table, key), []).append(row)
    records = [
        *written["data/processed/effects.csv"],
        *written["data/processed/directions.csv"],
    ]
    inputs = {cell for record in records for cell in record["inputs"].split(" ") if cell}
    assert len(inputs) > 300
    for cell in inputs:
        table, key, column = cell.split(":")
        found = rows[(table, key)]
        assert len(found) == 1, cell
        assert getattr(found[0], column) not in (None, ""), cell


def test_the_example_is_what_the_tables_give(evidence):
    tables, written = evidence
    name, shown = re.search(
        r"its `estimate` is ([\d.]+)\. The effect is\s+`([^`]+)`", PAGE
    ).groups()[::-1]
    effect = next(row for row in written["data/processed/effects.csv"] if row["effect_id"] == name)
    assert float(effect["yi"]) == pytest.approx(float(shown), abs=5e-8)
    assert f"provenance `{effect['provenance']}`" in PAGE
    inputs = effect["inputs"].split(" ")
    assert len(inputs) == 6 and re.search(r"one is\s+`([^`]+)`", PAGE).group(1) in inputs
    percents = [m for m in tables.measurements if cell_name(m, "mean") in inputs]
    assert len(percents) == 2
    for row in percents:
        words = f"{row.mean.text.replace('-', '−')} % (SD {row.sd.text}, n {row.n})"
        assert re.search(re.escape(words).replace(r"\ ", r"\s+"), PAGE), words
