"""The tables of two reviewers: where they differ, what that does, and what is decided."""

import re
import shutil

import openpyxl
import pytest
from builders import CONFIG, copied, output_of, review_of
from osteometa.derivation.primary_pools import primary_only, primary_pools
from osteometa.exchange.agreement import agreement, cohens_kappa, methods_sentence
from osteometa.exchange.disagreements import disagreements, likely_same, with_b, with_consequences
from osteometa.extraction.reading import read_raw
from osteometa.extraction.tables import Measurement
from statsmodels.stats import inter_rater

A_KEY = "test_a_2001/exercise/BMD/bmd_areal/lumbar_spine/12_months/pct_change//"


@pytest.fixture
def two(tmp_path):
    """The small review of two reviewers, and what replaces text in a table of the second."""
    a, b = (copied("small", tmp_path / name) for name in "ab")

    def change(table, old, new):
        path = b / f"data/raw/{table}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return a, b, change


def tables(folder):
    return read_raw(folder / "data/raw")[0]


def found_in(a, b):
    return with_consequences(disagreements(tables(a), tables(b)), tables(a), CONFIG)


STUDY_B = "test_b_2002,Test B 2002,2002,,,,,rct,made up for tests,female,,,,,"
WALKS = "test_c_2003,exercise,exercise,exercise,"
SPINE_B = "test_b_2002,exercise,BMD,bmd_areal,lumbar_spine,,12_months,,52,pct_change,,,"
SPINE = "test_a_2001,exercise,BMD,bmd_areal,lumbar_spine,,12_months,,52,pct_change,,,20,"


@pytest.mark.parametrize("counts", [[[75, 1, 4], [5, 4, 1], [0, 0, 10]], [[12, 4], [2, 2]]])
def test_kappa_is_that_of_statsmodels(counts):
    pairs = [(str(i), str(j)) for i, row in enumerate(counts) for j, n in enumerate(row)
             for _ in range(n)]  # fmt: skip
    assert cohens_kappa(pairs) == pytest.approx(inter_rater.cohens_kappa(counts).kappa)


def test_kappa_is_not_defined_without_two_categories():
    assert cohens_kappa([("a", "a")]) is None and cohens_kappa([]) is None


def test_the_shift_is_that_of_the_pools_computed_anew(two):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,", f"{SPINE}4.5,")
    (item,) = found_in(a, b)
    assert (item.row_key, item.column, item.a, item.b) == (A_KEY, "mean", "1.5", "4.5")
    config = primary_only(CONFIG)
    old, new = (primary_pools(tables(f), config, {}, config.outcomes) for f in (a, b))
    (move,) = item.moves
    name = "bmd_lumbar_spine_training_controlled"
    shift = (new[name].estimate - old[name].estimate) / old[name].width
    assert move.synthesis == name and abs(shift) > 0.05
    assert move.shift == pytest.approx(shift, rel=1e-12)


def test_an_effect_that_leaves_weighs_more_than_any_shift_and_a_note_nothing(two):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,", f"{SPINE}9.5,")
    change("studies", f"{STUDY_B}yes,,", f"{STUDY_B}no,twice,")
    change("studies", "made up for tests\ntest_d", "another note\ntest_d")
    items = found_in(a, b)
    assert [item.column for item in items] == ["include", "mean", "exclude_reason", "note"]
    assert "1 effect leaves" in items[0].consequence
    assert [item.consequence for item in items[2:]] == ["", ""]


def test_numbers_are_compared_by_value(two):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,", f"{SPINE}1.50,")
    assert found_in(a, b) == []


def test_a_study_that_one_has_stands_for_its_rows_and_another_name_is_found(two):
    a, b, change = two
    for table in ("studies", "arms", "measurements", "directions"):
        change(table, "test_c_2003", "test_c")
    found = list(disagreements(tables(a), tables(b)))
    assert [(i.table, i.row_key, i.only_in, len(i.rows)) for i in found] == [
        ("studies", "test_c_2003", "A", 6), ("studies", "test_c", "B", 6),
    ]  # fmt: skip
    ((one, other),) = likely_same(found)
    assert (one.row_key, other.row_key) == ("test_c_2003", "test_c")
    items = with_consequences(found, tables(a), CONFIG)
    assert [(m.enter, m.leave) for i in items for m in i.moves] == [(0, 1), (1, 0)]
    both = tables(a)
    for item in found:
        both = with_b(item, both)
    assert {r.study_id for r in both.measurements} == {r.study_id for r in tables(b).measurements}


def test_a_time_typed_differently_is_named_and_another_value_is_not():
    def of(**cells):
        return Measurement(
            study_id="t", arm_id="e", outcome="BMD", kind="level",
            **{"timepoint": "6_months", "mean": "1.2", "n": "10", **cells},
        )  # fmt: skip

    def pairs(other):
        return likely_same(disagreements(review_of([of()]), review_of([other])))

    assert len(pairs(of(timepoint="26_weeks"))) == 1
    assert pairs(of(timepoint="26_weeks", mean="1.3")) == ()


def test_agreement_counts_filled_cells_and_leaves_free_text_out(two):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,", f"{SPINE}4.5,")
    change("arms", f"{WALKS}walking", f"{WALKS}running")
    columns = agreement(tables(a), tables(b), CONFIG)
    by_name = {(one.table, one.column): one for one in columns}
    mean = by_name["measurements", "mean"]
    assert (mean.cells, mean.identical, mean.relative_difference) == (22, 21, 1.0)
    modality = by_name["arms", "modality"]
    assert (modality.kind, modality.rows, modality.cells, modality.identical) == (
        "category", 19, 10, 9)  # fmt: skip
    assert 0 < modality.kappa < 1 and by_name["arms", "label"].kind == "text"
    sentence = methods_sentence(columns, disagreements(tables(a), tables(b)))
    same, cells = map(int, re.search(r"on (\d+) of (\d+) cells", sentence).groups())
    assert same == cells - 2
    assert cells == sum(one.cells for one in columns if one.kind != "text")


def adjudicated(a, b, capsys, decide):
    """The workbook of the differences with the decision of each number."""
    path = a.parent / "decided.xlsx"
    assert output_of(capsys, "compare", a, b, "--out", path)[0] == 0
    book = openpyxl.load_workbook(path)
    sheet = book["differences"]
    for line in range(2, sheet.max_row + 1):
        sheet.cell(line, 8).value = decide(*(sheet.cell(line, place).value for place in (2, 3, 4)))
    book.save(path)
    return path


def test_decided_cells_and_rows_are_written_and_no_others(two, capsys):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,", f"{SPINE}4.5,")
    change("measurements", f"{SPINE_B}25,2.5,3.4", f"{SPINE_B}24,2.6,3.5")
    change("studies", "made up for tests\ntest_d", "\ntest_d")
    for table in ("studies", "arms", "measurements", "directions"):
        change(table, "test_c_2003", "test_c")
    decisions = {("n", "B"), ("mean", "2.55"), ("sd", "A"), ("note", "B")}
    names = dict(decisions)
    path = adjudicated(
        a, b, capsys,
        lambda table, row, column: "B" if not column else "A" if row == A_KEY else names[column],
    )  # fmt: skip
    status, out, _ = output_of(capsys, "import", path, a, "--yes")
    assert status == 0 and "The tables are written." in out
    found = {(i.column, i.a, i.b) for i in disagreements(tables(a), tables(b))}
    assert found == {("mean", "1.5", "4.5"), ("mean", "2.55", "2.6"), ("sd", "3.4", "3.5")}
    assert output_of(capsys, "import", path, a, "--yes")[1].startswith("No cell differs.")


def test_nothing_is_written_without_a_decision_or_with_a_wrong_one(two, capsys):
    a, b, change = two
    change("measurements", f"{SPINE}1.5,3.1", f"{SPINE}4.5,3.2")
    before = (a / "data/raw/measurements.csv").read_bytes()
    path = adjudicated(a, b, capsys, lambda table, row, column: "B" if column == "mean" else None)
    status, out, _ = output_of(capsys, "import", path, a, "--yes")
    assert status == 1 and f"1 of 2 differences have no decision: measurements {A_KEY} sd." in out
    path = adjudicated(a, b, capsys, lambda table, row, column: "big")
    status, out, _ = output_of(capsys, "import", path, a, "--yes")
    assert status == 1 and "sheet 'differences'" in out and "cell H2" in out and "'big'" in out
    assert (a / "data/raw/measurements.csv").read_bytes() == before


def test_equal_and_missing_tables(two, capsys):
    a, b, _ = two
    status, out, _ = output_of(capsys, "compare", a, b)
    assert status == 0 and out.startswith("No cell differs.") and "(100.0 %" in out
    shutil.rmtree(b / "data")
    assert output_of(capsys, "compare", a, b)[0] == 2


def test_a_cell_that_cannot_be_read_is_found_in_its_folder(two, capsys):
    a, b, change = two
    change("measurements", f"{SPINE}1.5", f"{SPINE}abc")
    (b / "data/raw").rename(b / "tables")
    status, _, err = output_of(capsys, "compare", a, b / "tables")
    assert status == 1 and f"{b}/tables/measurements.csv\n  E105 row 2, study test_a_2001" in err


def test_the_command_says_how_many_rows_only_one_has(two, capsys):
    a, b, change = two
    for table in ("studies", "arms", "measurements", "directions"):
        change(table, "test_c_2003", "test_c")
    out = output_of(capsys, "compare", a, b)[1]
    assert "studies test_c_2003: only in A (6 rows)" in out
    assert "Likely the same in studies.csv: test_c_2003 (A) and test_c (B)." in out
