"""Every message by the file that provokes it."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
from builders import TESTS
from osteometa.cli import main
from osteometa.extraction.judgements import Claim
from osteometa.io.problems import errors_of
from osteometa.protocol.config import load_config
from osteometa.validation.review import check_review, check_tables, report_text

BAD = TESTS / "bad_input"
REVIEWS = TESTS / "reviews"
EXPECTED = json.loads((BAD / "expected.json").read_text())
LARGER = {"expectation": "larger_than", "exercise_type": "resistance", "than": "aerobic"}
# What is edited in config.yaml; the other broken reviews have a table of their own in `bad_input/`.
EDITS = {
    "E101_config_duplicate": ("schema_version: 1 ", "schema_version: 1\nschema_version: 1 "),
    "E101_config_key": ("  method: REML", "  methode: REML"),
    "E101_config_renamed": ("agreement_share:", "vote_share:"),
    "E105_config_site": ("site: lumbar_spine,", "site: lumbar_spien,"),
    "E105_config_formats": ("  formats: [svg]", "  formats: [pdf]"),
    "E105_config_id": ("id: bmd_lumbar_spine_training_controlled", "id: figures"),
    "E101_config_alias": ("seed: 20120229", "seed: &seed 20120229\nother: *seed"),
    "E101_config_merge_key": ("pooling:\n", "pooling:\n  <<: {ci: wald}\n"),
    "E101_config_tag": ("seed: 20120229", "seed: !!str 20120229"),
    "E105_config_infinite": ("  rho: 0.5", "  rho: .inf"),
    "E105_config_truth": ("seed: 20120229", "seed: true"),
    "E106_config_unseen": ("title: ", 'title: "\\u202e" # '),
    "E601_phases": ("phase: training,", "phase: [acute, training],"),
}


def overlaid(small, name):
    if name not in EDITS:
        shutil.copytree(BAD / name, small, dirs_exist_ok=True)
        return small
    config = small / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert EDITS[name][0] in text
    config.write_text(text.replace(*EDITS[name], 1), encoding="utf-8")
    return small


@pytest.mark.parametrize("name", list(EXPECTED))
@pytest.mark.slow
def test_bad_input_is_named(small, name, capsys):
    expected = EXPECTED[name]
    review = overlaid(small, name)
    outcome = check_review(review)
    found = [
        p
        for p in outcome.problems
        if all(expected[key] in (None, getattr(p, key)) for key in expected)
    ]
    assert found, report_text(outcome, review)
    problem = found[0]
    assert problem.message.rstrip().endswith((".", "?")) and len(problem.message) > 20
    failed = expected["severity"] == "error"
    assert main(["check", str(review)]) == (1 if failed else 0)
    text = capsys.readouterr().out
    assert problem.code in text and "Traceback" not in text
    assert ("Nothing was computed" in text) == failed


def test_a_renamed_key_is_one_problem_that_names_old_and_new(small):
    (problem,) = check_review(overlaid(small, "E101_config_renamed")).problems
    assert "'vote_share' is now called 'agreement_share'" in problem.message


def test_every_broken_review_is_expected():
    folders = {path.name for path in BAD.iterdir() if path.is_dir()}
    assert set(EXPECTED) == {name for name in folders if name[0] in "EW"} | set(EDITS)


@pytest.mark.parametrize("review", sorted(REVIEWS.iterdir()), ids=lambda path: path.name)
def test_a_small_review_makes_the_choices_of_the_shipped_one(review):
    """A new key goes into these copies of config.yaml too; title and syntheses are their own.

    They draw SVG alone, as long as no test needs more.
    """
    different = {"title": True, "syntheses": True, "figures": {"formats"}}
    if review.name == "other_outcomes":
        different |= {"outcomes": True, "secondary_outcomes": True}
    shipped, own = (
        load_config(folder / "config.yaml").model_dump(exclude=different)
        for folder in (REVIEWS.parents[1], review)
    )
    assert own == shipped


@pytest.mark.parametrize("name", ["fine_european_csv", "fine_accepted_value"])
def test_unusual_but_fine(small, name):
    outcome = check_review(overlaid(small, name))
    assert outcome.passed, report_text(outcome, small)


def test_european_csv_reads_the_same_numbers_and_says_so(small):
    plain = check_review(small).tables
    outcome = check_review(overlaid(small, "fine_european_csv"))
    assert outcome.tables.measurements == plain.measurements
    assert any(p.severity == "note" and "semicolons" in p.message for p in outcome.problems)


def test_the_unit_of_another_marker_is_stated(small):
    outcome = check_review(overlaid(small, "E206_unit_of_ntx"))
    (problem,) = outcome.problems[:1]
    assert "bone collagen equivalents" in problem.message


def test_an_accepted_row_is_not_usable(small):
    tables = check_review(overlaid(small, "fine_accepted_value")).tables
    row = next(row for row in tables.measurements if row.accept)
    assert not row.usable


def test_all_problems_come_at_once(small):
    for name in ("E102_filler", "E105_word", "E402_arrow", "E701_flow", "E101_config_key"):
        overlaid(small, name)
    outcome = check_review(small)
    files = {problem.file for problem in errors_of(outcome.problems)}
    assert files == {
        "config.yaml", "data/raw/directions.csv", "data/raw/measurements.csv",
        "data/raw/prisma.csv", "data/raw/studies.csv",
    }  # fmt: skip
    text = report_text(outcome, small)
    assert [line for line in text.splitlines() if not line.startswith(" ")][:-2] == sorted(files)


def test_many_wrong_cells_of_one_row_are_all_named(small):
    path = small / "data" / "raw" / "measurements.csv"
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    header = lines[0].split(",")
    for column, text in (("mean", "abc"), ("kind", "levels"), ("sd", "1,,"), ("n", "2.5")):
        cells[header.index(column)] = text.replace(",", "")
    cells[header.index("sd")] = "x"
    lines[1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")
    columns = {p.column for p in check_review(small).problems if p.row == 2}
    assert columns >= {"mean", "kind", "sd", "n"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'study_id,"label\n', "CSV"),
        (None, "missing"),
    ],
)
def test_unreadable_files(small, text, words):
    path = small / "data" / "raw" / "studies.csv"
    path.unlink() if text is None else path.write_bytes(text)
    outcome = check_review(small)
    assert not outcome.passed
    assert any(words in p.message for p in outcome.problems if p.file.endswith("studies.csv"))


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "\tb: 1\n", "title: x\n"])
def test_unreadable_config(small, text):
    (small / "config.yaml").write_text(text)
    outcome = check_review(small)
    assert not outcome.passed
    assert all(p.file == "config.yaml" for p in errors_of(outcome.problems))


def test_no_review_is_wrong_use(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "config.yaml" in capsys.readouterr().err


def test_a_suggestion_is_made(small):
    outcome = check_review(overlaid(small, "E105_modality"))
    assert "Did you mean 'resistance'?" in report_text(outcome, small)


def with_cells(review, table, row, **cells):
    """Change cells of one row of a review, the row counted as the spreadsheet does."""
    path = review / f"data/raw/{table}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows[row - 2].update(cells)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return check_review(review).problems


INTERVAL = {"sd": "", "ci_low": "0.1", "ci_high": "2.9"}


@pytest.mark.parametrize(
    ("table", "cells", "column", "code"),
    [
        ("measurements", {**INTERVAL, "ci_level": "0.95"}, "ci_level", "E201"),
        ("measurements", {**INTERVAL, "ci_level": "100"}, "ci_level", "E201"),
        ("measurements", {"time_wk": "-1"}, "time_wk", "E201"),
        ("measurements", {"timepoint": "Baseline"}, "timepoint", "E105"),
        ("contrasts", {"ci_level": "0"}, "ci_level", "E201"),
        ("contrasts", {"tails": "3"}, "tails", "E201"),
        ("contrasts", {"covariates": "-1"}, "covariates", "E201"),
        ("contrasts", {"statistic": "smd", "value": "3.4"}, "value", "W03"),
        ("contrasts", {"n_total": "999"}, "n_total", "W10"),
        ("contrasts", {"ci_low": "0.1"}, "ci_high", "W11"),
        ("measurements", {"ci_high": "2.9"}, "ci_low", "W11"),
    ],
)
def test_numbers_that_cannot_be(small, table, cells, column, code):
    shutil.copy(BAD / "W02_implied_sd/data/raw/contrasts.csv", small / "data/raw")
    found = with_cells(small, table, 2, **cells)
    assert (column, code) in {(p.column, p.code) for p in found if p.row == 2}


def test_a_p_of_a_half_in_one_tail_implies_no_sd(small):
    overlaid(small, "W02_implied_sd")
    found = with_cells(small, "contrasts", 2, p="0.5", tails="1")
    assert not errors_of(found) and "W02" not in {p.code for p in found}


def test_a_problem_is_not_drowned_in_warnings(small):
    overlaid(small, "W09_time_of_day")
    overlaid(small, "E105_word")
    text = report_text(check_review(small), small)
    assert "1 problem. Plausibility is checked when there are no problems." in text
    assert "W09" not in text


def test_an_unknown_outcome_is_one_problem(small):
    found = errors_of(with_cells(small, "measurements", 2, outcome="BMDD"))
    assert [(p.column, "Did you mean 'BMD'" in p.message) for p in found] == [("outcome", True)]


def test_capitals_are_a_near_miss(small):
    (problem,) = errors_of(with_cells(small, "studies", 2, design="RCT"))
    assert "Did you mean 'rct'?" in problem.message


def test_columns_that_a_spreadsheet_appends_are_left_out(small):
    plain = check_review(small).tables
    path = small / "data/raw/measurements.csv"
    wider = [f"{line},,\n" for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(wider), "utf-8")
    assert check_review(small).tables == plain
    wider[1] = wider[1].replace(",,\n", ",x,\n")
    path.write_text("".join(wider), "utf-8")
    assert not check_review(small).passed


def test_signs_pasted_from_a_paper_do_not_break_a_row(small):
    for mark in ("\u2028", "\x85"):
        problems = with_cells(small, "measurements", 2, note=f"one{mark}two", mean="\u22121.5")
        assert not errors_of(problems)
    row = check_review(small).tables.measurements[0]
    assert (row.mean, row.mean.text, row.row) == (-1.5, "-1.5", 2)


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"outcome": "OGP"}, "outcome", "Did you mean 'OPG'?"),
        ({"analyte": "opg_srum"}, "analyte", "Did you mean 'opg_serum'?"),
        ({"site": "femur"}, "site", "Use: (empty)"),
        ({"outcome": "osteocalcin", "analyte": "opg_serum"}, "analyte", "Use: (empty)"),
        ({"window": "noon"}, "window", "Use: (empty), during, immediate"),
        ({"phase": "training", "window": "early"}, "window", "Use: (empty)"),
        ({"than": "aerobic"}, "than", "belongs to larger_than"),
        ({"arms": "test_j_2010/control"}, "arms", "'test_j_2010/control' is no exercise arm"),
        ({"arms": "test_a_2001/control"}, "arms", "is no exercise arm"),
        ({"arms": "test_j_2010"}, "arms", "Write study_id/arm_id"),
        ({**LARGER, "exercise_type": ""}, "exercise_type", "Enter the one that is larger"),
        ({**LARGER, "than": ""}, "than", "Enter the other one"),
        ({**LARGER, "than": "resistance"}, "than", "Enter the other one"),
        ({**LARGER, "arms": "test_j_2010/runners"}, "arms", "Leave arms empty"),
    ],
)
@pytest.mark.slow
def test_a_claim_that_cannot_be_asked_is_rejected(small, cells, column, words):
    checked = check_review(small)
    usual = {"claim_id": "a", "claim": "A.", "outcome": "OPG", "phase": "acute",
             "expectation": "up", "source": "section 1"}  # fmt: skip
    fine, wrong = Claim(**usual, row=2), Claim(**{**usual, **cells}, row=2)
    assert not check_tables(replace(checked.tables, claims=(fine,)), checked.config)
    (problem,) = check_tables(replace(checked.tables, claims=(wrong,)), checked.config)
    assert (problem.file, problem.row, problem.column) == ("data/raw/claims.csv", 2, column)
    assert words in problem.message


@pytest.mark.parametrize(
    ("table", "cells", "column", "words"),
    [
        ("measurements", {"timepoint": "2024-02-01"}, "timepoint", "a spreadsheet may have made"),
        ("measurements", {"site": "Jan-02"}, "site", "a spreadsheet may have made"),
        ("arms", {"arm_id": "2-Jan"}, "arm_id", "a spreadsheet may have made"),
        ("arms", {"label": "02. Feb"}, "label", "a spreadsheet may have made"),
        ("measurements", {"mean": "1_5"}, "mean", "'1_5' is not a number"),
        ("measurements", {"n": "\N{ARABIC-INDIC DIGIT ONE}"}, "n", "is not a number"),
        ("measurements", {"sd": "NaN"}, "sd", "Leave the cell empty"),
        ("arms", {"label": "n/a"}, "label", "Leave the cell empty"),
        ("studies", {"study_id": "s" * 101}, "study_id", "at most 100 are allowed"),
        *(("studies", {"label": f"Test {c} 2001"}, "label", f"U+{ord(c):04X}")
          for c in "\x00\x1b\x0b\x0c\ufffe\u202e"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_the_grammar_of_a_cell_is_stated_at_the_cell(small, table, cells, column, words):
    problems = [p for p in with_cells(small, table, 2, **cells) if p.column == column]
    assert len([p for p in problems if words in p.message]) == 1, problems
    assert all(character.isprintable() for p in problems for character in p.text())


def test_a_remark_may_be_a_date(small):
    assert with_cells(small, "measurements", 2, note="2024-02-01") == ()


@pytest.mark.parametrize(("table", "column"), [("measurements", "source"), ("arms", "dose")])
def test_another_text_may_be_no_date(small, table, column):
    (problem,) = with_cells(small, table, 2, **{column: "12-Oct"})
    assert problem.column == column
    assert "'12-Oct' is a date, which a spreadsheet may have made" in problem.message


def test_thousands_are_separated_in_one_way(small):
    (problem,) = with_cells(small, "measurements", 2, mean="1 500.5", sd="3'100.5")
    assert problem.row == 2
    assert problem.message == (
        "'1 500.5' and '3'100.5' separate thousands in two ways. Write all numbers of the "
        "file in one way."
    )


def test_a_european_table_may_have_printed_minus_signs(small):
    tables = check_review(small).tables
    path = small / "data/raw/measurements.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0], delimiter=";")
        writer.writeheader()
        for cells in rows:
            mean = cells["mean"].replace(".", ",").replace("-", "\N{MINUS SIGN}")
            writer.writerow({**cells, "mean": mean, "sd": cells["sd"].replace(".", ",")})
    assert "\N{MINUS SIGN}0,5" in path.read_text(encoding="utf-8")
    assert check_review(small).tables.measurements == tables.measurements


@pytest.mark.parametrize(
    ("table", "cells", "column", "words"),
    [
        ("measurements", {"sd": "1e9"}, "sd", "sd must be from 1e-07 to 10000000"),
        ("measurements", {"sd": "1e60"}, "sd", "sd must be from"),
        ("measurements", {"sd": "1e-170"}, "sd", "sd must be from"),
        ("measurements", {"mean": "1e20"}, "mean", "mean must be from -10000000 to 10000000"),
        ("measurements", {"n": "1e300"}, "n", "n must be from 1 to 10000000"),
        ("measurements", {"mean": "1e7"}, "sd", "less than a millionth of the mean"),
        ("contrasts", {"value": "1e200"}, "value", "value must be from"),
        ("contrasts", {"statistic": "t", "value": "1e300"}, "value", "value must be from"),
        ("contrasts", {"statistic": "t", "value": "1001"}, "value", "from -1000 to 1000"),
        ("studies", {"year": "20112"}, "year", "year must be from 1900 to 2100"),
        ("studies", {"age_mean": "630"}, "age_mean", "age_mean must be above 0, at most 120"),
    ],
)
def test_a_number_out_of_range_is_refused_at_its_cell(small, table, cells, column, words):
    shutil.copy(BAD / "W02_implied_sd/data/raw/contrasts.csv", small / "data/raw")
    found = [p for p in errors_of(with_cells(small, table, 2, **cells)) if p.column == column]
    assert any(words in p.message for p in found), found


@pytest.mark.parametrize(
    ("table", "header", "line", "column"),
    [
        ("assays", "assay,kda,citation", "Kit A,,Handbook", "kda"),
        ("prisma", "box,n", "screened,", "n"),
        ("prisma", "box,n", "screened,-3", "n"),
    ],
)
def test_a_needed_number_may_not_be_blank_or_negative(small, table, header, line, column):
    (small / f"data/raw/{table}.csv").write_text(f"{header}\n{line}\n", encoding="utf-8")
    (problem,) = [p for p in check_review(small).problems if p.severity == "error"]
    assert (problem.column, problem.row) == (column, 2) and problem.message.endswith(".")


def test_a_unit_that_the_paper_does_not_state_is_not_stated(small):
    for unit in ("mcg/L", "microg/L", "\N{MICRO SIGN}g/L"):
        (problem,) = with_cells(small, "measurements", 20, unit=unit)
        assert "Did you mean 'ug/L'?" in problem.message
    found = with_cells(small, "measurements", 20, unit="ng/ml")
    assert any("Did you mean 'ng/mL'" in p.message for p in found)
    assert not errors_of(with_cells(small, "measurements", 20, unit="not_stated"))


def test_no_column_is_recommended_that_the_table_lacks(small):
    found = check_review(overlaid(small, "E204_published_pool")).problems
    assert any(p.code == "E204" for p in found)
    assert not any("accept" in p.message for p in found)
